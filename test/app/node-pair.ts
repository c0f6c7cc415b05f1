/**
 * Two real nodes, each with both processes, in two network namespaces joined by one veth cable (`heart`) and a bridge
 * to a client's namespace (`service`). For tests and bench/failover. Needs root; everything is taken down by `close`.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { askControl, controlSocketPath } from "../../src/app/control-client.ts";
import type { StatusReport } from "../../src/app/control-protocol.ts";
import { removeGroups, WITH_CGROUPS } from "../support/node-cgroups.ts";
import { PROGRAM } from "../support/program.ts";

export const NODES = ["alpha", "bravo"] as const;
export type NodeName = (typeof NODES)[number];
/** The virtual address that the tests' configurations use. */
export const ADDRESS = "198.18.3.100";

/**
 * A machine that runs tests may stand still for seconds, and then each node finds that it heard nothing from the other.
 * Where nobody is to be lost, nobody is lost for that; where somebody is, it takes a little longer.
 */
export const PATIENT_TIMES = ["keepalive 200ms", "deadtime 20s", "initdead 60s"] as const;
export const LOSING_TIMES = ["keepalive 200ms", "deadtime 5s", "initdead 60s"] as const;

export interface NodePair {
  readonly folder: string;
  /** The network namespace of a node, or of the client. */
  readonly space: (name: string) => string;
  /** `binary`: a built program, for a pair of two versions; from then on it answers the commands as well. */
  start(node: NodeName, binary?: string): void;
  /** Kills keeper and manager at once and cuts their cables: a power cut, as far as a namespace has one. */
  cut(node: NodeName): void;
  /** Kills keeper, manager and whatever it had up, and leaves its cables: its board has switched it off. */
  powerOff(node: NodeName): void;
  /** Cuts its cables; its processes run on. */
  isolate(node: NodeName): void;
  /** Gives the client's namespace an address, or takes it. */
  clientAddress(verb: "add" | "del", address: string): void;
  /** Gives the node one more address towards the clients, as `ip/prefix`. */
  address(node: NodeName, address: string): void;
  /** Cuts the node's cable to the clients, or joins it. */
  service(node: NodeName, state: "up" | "down"): void;
  /** Puts its cables back. */
  join(node: NodeName): void;
  /** Cuts the cable between the nodes, or joins it; both still reach the client, and the boards there. */
  heart(state: "up" | "down"): void;
  signal(node: NodeName, signal: NodeJS.Signals): void;
  /** To keeper and manager both. */
  signalAll(node: NodeName, signal: NodeJS.Signals): void;
  /** kill -9 of the manager alone. */
  killManager(node: NodeName): void;
  /** The manager stands still; its keeper and everything that runs on the node do not. */
  freezeManager(node: NodeName): void;
  /** Resolves with the exit code when the node's keeper has ended. */
  ended(node: NodeName): Promise<number | null>;
  runDirectory(node: NodeName): string;
  status(node: NodeName): Promise<StatusReport | undefined>;
  /** Runs `gemel ...` in the node's namespace, against its manager. */
  gemel(node: NodeName, ...argv: readonly string[]): { readonly code: number; readonly output: string };
  /** Whether the node's namespace has the virtual address, or this one. */
  hasAddress(node: NodeName, address?: string): boolean;
  /** A program in the client's namespace. */
  client(...argv: readonly string[]): ChildProcess;
  log(node: NodeName): string;
  until(what: string, condition: () => Promise<boolean> | boolean, limitMs?: number): Promise<void>;
  close(): Promise<void>;
}

/** Ten times what it takes on a quiet machine. */
const UNTIL_MAX_MS = 120_000;
/** A manager that is there answers within milliseconds, when the machine lets it. */
const ANSWER_MAX_MS = 10_000;

const ip = (...argv: string[]) => execFileSync("ip", argv, { stdio: ["ignore", "pipe", "pipe"] }).toString();

export interface PairOptions {
  /** Lines of the node configuration with keepalive, deadtime and so on. */
  readonly times: readonly string[];
  /** The cluster's configuration in crm syntax. */
  readonly configuration: string;
}

function buildNetwork(space: (name: string) => string): void {
  for (const name of [...NODES, "client"]) {
    ip("netns", "add", space(name));
    ip("-n", space(name), "link", "set", "lo", "up");
  }
  ip("-n", space("alpha"), "link", "add", "heart", "type", "veth", "peer", "name", "heart", "netns", space("bravo"));
  ip("-n", space("client"), "link", "add", "bridge", "type", "bridge");
  ip("-n", space("client"), "addr", "add", "198.18.3.9/24", "dev", "bridge");
  ip("-n", space("client"), "link", "set", "bridge", "up");
  NODES.forEach((node, index) => {
    ip("-n", space(node), "addr", "add", `198.18.1.${index + 1}/24`, "dev", "heart");
    ip("-n", space(node), "link", "set", "heart", "up");
    const peer = ["peer", "name", "service", "netns", space(node)];
    ip("-n", space("client"), "link", "add", `to-${node}`, "type", "veth", ...peer);
    ip("-n", space("client"), "link", "set", `to-${node}`, "master", "bridge", "up");
    ip("-n", space(node), "addr", "add", `198.18.3.${index + 1}/24`, "dev", "service");
    ip("-n", space(node), "link", "set", "service", "up");
  });
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return text.split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

export function openNodePair({ times, configuration }: PairOptions): NodePair {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-nodes-"));
  // As nobody else has it: a killed run may have left its namespaces behind.
  const tag = folder.slice(-6);
  const space = (name: string) => `gm${name[0]}${tag}`;
  const keepers = new Map<NodeName, ChildProcess>();
  const programs: Record<NodeName, readonly string[]> = { alpha: PROGRAM, bravo: PROGRAM };
  const ends = new Map<NodeName, Promise<number | null>>();
  buildNetwork(space);
  const config = [
    "cluster test",
    "node alpha id 1",
    "node bravo id 2",
    ...times,
    "link heart udp alpha=198.18.1.1:694 bravo=198.18.1.2:694",
    "authkeys keys",
    "watchdog none",
    "self-fencing exit",
    "realtime off",
    "configuration cluster.crm",
  ];
  writeFileSync(path.join(folder, "node.conf"), `${config.join("\n")}\n`);
  writeFileSync(path.join(folder, "keys"), "auth 1\n1 sha256 only-for-this-test-run\n", { mode: 0o600 });
  writeFileSync(path.join(folder, "cluster.crm"), configuration);
  for (const node of NODES) mkdirSync(path.join(folder, node));
  const place = (node: NodeName, name: string) => path.join(folder, node, name);
  const log = (node: NodeName) => {
    try {
      return readFileSync(place(node, "log"), "utf8");
    } catch {
      return "";
    }
  };
  const isolate = (node: NodeName) => {
    ip("-n", space("client"), "link", "set", `to-${node}`, "down");
    ip("-n", space(node), "link", "set", "heart", "down");
  };
  const kill = (node: NodeName, signal: NodeJS.Signals) => {
    const pid = keepers.get(node)?.pid;
    if (pid === undefined) return;
    for (const child of [pid, ...childrenOf(pid)]) {
      try {
        process.kill(child, signal);
      } catch {
        // It has ended already.
      }
    }
  };

  const pair: NodePair = {
    folder,
    space,
    start(node, binary) {
      if (binary !== undefined) programs[node] = [binary];
      const own = ["--config", path.join(folder, "node.conf"), "--state", place(node, "state")];
      const program = [...programs[node], "node", ...own];
      const shell = `${WITH_CGROUPS}; exec "$@" >>${place(node, "log")} 2>&1`;
      const argv = [...program, "--run", place(node, "run"), "--name", node];
      const child = spawn("ip", ["netns", "exec", space(node), "sh", "-c", shell, "sh", ...argv], { stdio: "ignore" });
      keepers.set(node, child);
      ends.set(node, new Promise((resolve) => child.on("exit", resolve)));
    },
    cut(node) {
      isolate(node);
      kill(node, "SIGKILL");
    },
    powerOff(node) {
      kill(node, "SIGKILL");
      if (pair.hasAddress(node)) ip("-n", space(node), "addr", "del", `${ADDRESS}/24`, "dev", "service");
    },
    isolate,
    clientAddress(verb, address) {
      ip("-n", space("client"), "addr", verb, address, "dev", "bridge");
    },
    address(node, address) {
      ip("-n", space(node), "addr", "add", address, "dev", "service");
    },
    service(node, state) {
      ip("-n", space("client"), "link", "set", `to-${node}`, state);
    },
    join(node) {
      ip("-n", space("client"), "link", "set", `to-${node}`, "up");
      ip("-n", space(node), "link", "set", "heart", "up");
    },
    heart(state) {
      for (const node of NODES) ip("-n", space(node), "link", "set", "heart", state);
    },
    signal: (node, signal) => void keepers.get(node)?.kill(signal),
    signalAll: kill,
    killManager(node) {
      for (const pid of childrenOf(keepers.get(node)?.pid ?? 0)) process.kill(pid, "SIGKILL");
    },
    freezeManager(node) {
      const keeper = keepers.get(node)?.pid ?? 0;
      // A child that is not yet its own program runs in its parent's memory, and the parent waits for it (vfork):
      // to stop it would stop the keeper for ever.
      for (const pid of childrenOf(keeper)) if (commandOf(pid) !== commandOf(keeper)) process.kill(pid, "SIGSTOP");
    },
    ended: (node) => ends.get(node) ?? Promise.resolve(null),
    runDirectory: (node) => place(node, "run"),
    async status(node) {
      const reply = await askControl(controlSocketPath(place(node, "run")), { kind: "status" }, ANSWER_MAX_MS);
      return reply.kind === "answer" ? reply.value : undefined;
    },
    gemel(node, ...argv) {
      const own = [...programs[node], ...argv];
      try {
        const environment = { ...process.env, GEMEL_RUN: place(node, "run") };
        const output = execFileSync("ip", ["netns", "exec", space(node), ...own], {
          env: environment,
          stdio: ["ignore", "pipe", "pipe"],
        });
        return { code: 0, output: output.toString() };
      } catch (error) {
        const { status, stdout, stderr } = error as { status: number; stdout: Buffer; stderr: Buffer };
        return { code: status, output: stdout.toString() + stderr.toString() };
      }
    },
    hasAddress: (node, address = ADDRESS) => ip("-n", space(node), "-4", "addr", "show").includes(`${address}/`),
    client: (file = "true", ...argv) => spawn("ip", ["netns", "exec", space("client"), file, ...argv]),
    log,
    async until(what, condition, limitMs = UNTIL_MAX_MS) {
      const startedAtMs = performance.now();
      while (!(await condition())) {
        if (performance.now() - startedAtMs > limitMs)
          throw new Error(`not within ${limitMs} ms: ${what}\n${NODES.map((node) => log(node)).join("\n----\n")}`);
        await sleep(50);
      }
    },
    async close() {
      for (const node of NODES) kill(node, "SIGKILL");
      await Promise.all(ends.values());
      // Managers end with their keepers' pipes; give them a moment before their namespace goes.
      await sleep(100);
      for (const name of [...NODES, "client"]) ip("netns", "del", space(name));
      removeGroups(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return pair;
}
