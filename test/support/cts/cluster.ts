/**
 * A cluster of real nodes in network namespaces, each with a board that switches it: off ends every process of its
 * namespace, forgets its run directory, its virtual address and its claims. A node boots again by itself when its board
 * gives it power, and when its keeper has ended without being asked: there a watchdog would have reset the machine.
 * Needs root, ip(8) and ipmi_sim; everything is named after the process and taken down by `close`.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { askControl, type ControlReply, controlSocketPath } from "../../../src/app/control-client.ts";
import type { ControlAnswers, ControlRequest, RequestKind, StatusReport } from "../../../src/app/control-protocol.ts";
import { segmentFiles } from "../../../src/app/manager/black-box.ts";
import { type IpmiSim, startIpmiSim } from "../ipmi-sim.ts";
import { removeGroups, WITH_CGROUPS } from "../node-cgroups.ts";
import { PROGRAM } from "../program.ts";
import { ADDRESS, configurationText, NODES, type NodeName, OTHER_ADDRESS } from "./configuration.ts";
import { layNetwork, type Network, WORLD } from "./network.ts";

const AGENTS = path.resolve(import.meta.dirname, "ocf");
/** How often the harness looks after machines that should boot. */
const LOOK_MS = 100;
/**
 * A manager that is alive answers, however late. Whoever asked anew before would give a busy one all the more to do: on
 * a starved machine statuses that nobody waited for any more kept a DC from answering at all (seed 404 of session 6).
 */
const STATUS_MS = 60_000;
/** A watchdog takes its time; by then the others may have had the node fenced. */
const WATCHDOG_MIN_MS = 500;
const WATCHDOG_MAX_MS = 6_000;
/** A node that was left without power is switched on by a person. */
const PERSON_MS = 3_000;

/** What kind of cluster is opened. */
export interface ClusterPlan {
  readonly nodes: readonly NodeName[];
  /** The text of the first configuration; `board` are the parameters that lead to a node's board. */
  readonly configuration: (claims: string, board: (node: NodeName) => string) => string;
  /** How a node ends itself, and more of its own configuration. */
  readonly lines: readonly string[];
  /** Where other times than those of the rounds are wanted. */
  readonly times?: readonly string[];
  /** The program of a node, where it is not the plain one. */
  readonly program?: readonly string[];
  /** How long a machine stays without power until a person switches it on. */
  readonly personMs: number;
  /** It has a watchdog that ends the keeper: all of the machine ends with it, and not only when it boots again. */
  readonly resetsWithKeeper?: boolean;
  /** How long a machine takes at least from its watchdog's reset until the program starts. */
  readonly bootMs?: number;
}

const ROUNDS_TIMES = ["keepalive 300ms", "deadtime 6s", "initdead 12s"];
const ROUNDS_PLAN: ClusterPlan = {
  nodes: NODES,
  configuration: configurationText,
  lines: ["watchdog none", "self-fencing exit"],
  personMs: PERSON_MS,
};

export interface Cluster {
  readonly folder: string;
  readonly network: Network;
  /** Nodes that are meant to run; the others were stopped in order. */
  readonly wanted: ReadonlySet<NodeName>;
  board(node: NodeName): IpmiSim;
  start(node: NodeName): void;
  /** An orderly stop; resolves with the keeper's exit code. */
  stop(node: NodeName): Promise<number | null>;
  /** kill -9 of one process; false when it was not there. */
  kill(pid: number): boolean;
  /** The processes of a node, with what they are. */
  processes(node: NodeName): readonly NodeProcess[];
  /** Forgets what the stopped node has on disk of the cluster's configuration. */
  forgetCib(node: NodeName): void;
  ask<Kind extends RequestKind>(
    node: NodeName,
    request: ControlRequest & { readonly kind: Kind },
    waitMs?: number,
  ): Promise<ControlReply<ControlAnswers[Kind]>>;
  status(node: NodeName): Promise<StatusReport | undefined>;
  /** Runs `gemel ...` in the node's namespace, against its manager. */
  gemel(node: NodeName, ...argv: readonly string[]): { readonly code: number; readonly output: string };
  /** What really runs on the node, by resource; read beside all that gemel says. */
  world(node: NodeName): ReadonlyMap<string, "Started" | "Promoted" | "Unpromoted">;
  /** Lines of the writers' agents about two that ran at once. */
  violations(): readonly string[];
  /** How often the board has taken the node's power. */
  fencings(node: NodeName): number;
  log(node: NodeName): string;
  /** The segments of the node's black box, oldest first. */
  journal(node: NodeName): readonly string[];
  close(): Promise<void>;
}

export interface NodeProcess {
  readonly pid: number;
  readonly kind: "keeper" | "manager" | "agent" | "daemon";
  readonly command: string;
}

interface Machine {
  keeper?: ChildProcess;
  ended: Promise<number | null>;
  /** It was told to stop: nobody boots it. */
  isLeaving: boolean;
  bootsAtMs?: number;
  isReset?: boolean;
  switchesOnAtMs?: number;
}

const read = (file: string) => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
};

/** The program that a node's board runs to take its power. */
function powerScript(folder: string, network: Network, node: NodeName): string {
  const space = network.space(node);
  return `#!/bin/sh
[ "$1" = reset ] || echo off >> ${folder}/${node}/fencings
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  pids=$(ip netns pids ${space})
  [ -z "$pids" ] && break
  kill -9 $pids 2>/dev/null
  sleep 0.02
done
rm -rf ${folder}/${node}/run
for claim in ${folder}/claims/*; do [ "$(readlink "$claim")" = ${node} ] && rm -f "$claim"; done
for address in ${ADDRESS} ${OTHER_ADDRESS}; do ip -n ${space} addr del $address/24 dev service 2>/dev/null; done
exit 0
`;
}

function kindOf(command: string): NodeProcess["kind"] {
  if (/\bnode --config /.test(command)) return "keeper";
  if (/\bmanager --config /.test(command)) return "manager";
  return command.startsWith("sleep 1000000") ? "daemon" : "agent";
}

export async function openCluster(random: () => number, plan: ClusterPlan = ROUNDS_PLAN): Promise<Cluster> {
  const { nodes, program: started = PROGRAM } = plan;
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-cts-"));
  // As nobody else has it: a killed run may have left its namespaces behind.
  const tag = folder.slice(-6);
  const network = layNetwork(nodes, tag);
  const boards = new Map<NodeName, IpmiSim>();
  const machines = new Map<NodeName, Machine>();
  const wanted = new Set<NodeName>();
  const place = (node: NodeName, name: string) => path.join(folder, node, name);
  mkdirSync(path.join(folder, "claims"));
  for (const node of nodes) {
    mkdirSync(path.join(folder, node));
    machines.set(node, { ended: Promise.resolve(null), isLeaving: false });
    writeFileSync(place(node, "cut-power"), powerScript(folder, network, node), { mode: 0o755 });
    const launch = (file: string, argv: readonly string[]) =>
      spawn("ip", ["netns", "exec", network.space(WORLD), file, ...argv], { stdio: ["ignore", "pipe", "pipe"] });
    const cutsPower = place(node, "cut-power");
    boards.set(node, await startIpmiSim({ machine: "file", address: network.boardAddress, launch, cutsPower }));
  }
  const boardOf = (node: NodeName): IpmiSim => {
    const found = boards.get(node);
    if (found === undefined) throw new Error(`${node} has no board`);
    return found;
  };
  const board = (node: NodeName) => `${network.boardAddress} port=${boardOf(node).port}`;
  writeFileSync(path.join(folder, "cluster.crm"), plan.configuration(path.join(folder, "claims"), board));
  writeFileSync(path.join(folder, "secrets"), "board=adminpw\n", { mode: 0o600 });
  writeFileSync(path.join(folder, "keys"), "auth 1\n1 sha256 only-for-this-test-run\n", { mode: 0o600 });
  const ends = nodes.map((node) => `${node}=${network.heartAddress(node)}:694`).join(" ");
  const lines = [
    "cluster cts",
    ...nodes.map((node, index) => `node ${node} id ${index + 1}`),
    ...(plan.times ?? ROUNDS_TIMES),
    `link heart udp ${ends}`,
    "authkeys keys",
    ...plan.lines,
    "realtime off",
    `agents ${AGENTS}`,
    "configuration cluster.crm",
  ];
  writeFileSync(path.join(folder, "node.conf"), `${lines.join("\n")}\n`);

  const machine = (node: NodeName): Machine => {
    const found = machines.get(node);
    if (found === undefined) throw new Error(`there is no ${node}`);
    return found;
  };

  let isClosed = false;

  function boot(node: NodeName): void {
    // A run that is interrupted may be in the middle of a round, which goes on while everything is taken down.
    if (isClosed) return;
    const own = ["--config", path.join(folder, "node.conf"), "--state", place(node, "state")];
    const argv = [...started, "node", ...own, "--run", place(node, "run"), "--name", node];
    const shell = `${WITH_CGROUPS}; exec "$@" >>${place(node, "log")} 2>&1`;
    const inSpace = ["netns", "exec", network.space(node), "sh", "-c", shell, "sh", ...argv];
    const keeper = spawn("ip", inSpace, { stdio: "ignore", detached: true });
    const one = machine(node);
    one.keeper = keeper;
    one.isLeaving = false;
    delete one.bootsAtMs;
    delete one.isReset;
    delete one.switchesOnAtMs;
    // A program that is told to end before it has begun to listen ends by the signal, and has touched nothing.
    one.ended = new Promise((resolve) => keeper.on("exit", (code, by) => resolve(by === "SIGTERM" ? 0 : code)));
  }

  /** Boots what its power or its watchdog would boot. */
  function look(): void {
    for (const node of wanted) {
      const one = machine(node);
      const hasEnded = one.keeper === undefined || one.keeper.exitCode !== null || one.keeper.signalCode !== null;
      if (!hasEnded || one.isLeaving) continue;
      if (plan.resetsWithKeeper === true && one.isReset !== true) {
        execFileSync(place(node, "cut-power"), ["reset"]);
        one.isReset = true;
      }
      if (boardOf(node).power() !== "on") {
        // A node that was fenced again and again is left off by the cluster, for a person to look at.
        one.switchesOnAtMs ??= performance.now() + plan.personMs;
        if (performance.now() >= one.switchesOnAtMs) boardOf(node).setPower("on");
        continue;
      }
      const span = WATCHDOG_MAX_MS - WATCHDOG_MIN_MS;
      one.bootsAtMs ??= performance.now() + (plan.bootMs ?? WATCHDOG_MIN_MS) + random() * span;
      if (performance.now() < one.bootsAtMs) continue;
      // The reset: nothing of the old life is left when the new one begins.
      execFileSync(place(node, "cut-power"), ["reset"]);
      boot(node);
    }
  }
  const looking = setInterval(look, LOOK_MS);

  const cluster: Cluster = {
    folder,
    network,
    wanted,
    board: boardOf,
    start(node) {
      wanted.add(node);
      boardOf(node).setPower("on");
      boot(node);
    },
    async stop(node) {
      const one = machine(node);
      one.isLeaving = true;
      one.keeper?.kill("SIGTERM");
      const code = await one.ended;
      wanted.delete(node);
      return code;
    },
    kill(pid) {
      try {
        process.kill(pid, "SIGKILL");
        return true;
      } catch {
        return false;
      }
    },
    processes(node) {
      const pids = execFileSync("ip", ["netns", "pids", network.space(node)])
        .toString()
        .split("\n")
        .filter(Boolean);
      return pids.flatMap((pid): NodeProcess[] => {
        const command = read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
        return command === "" ? [] : [{ pid: Number(pid), kind: kindOf(command), command }];
      });
    },
    forgetCib: (node) => rmSync(place(node, "state/cib"), { recursive: true, force: true }),
    ask: (node, request, waitMs) =>
      askControl<typeof request.kind>(controlSocketPath(place(node, "run")), request, waitMs),
    async status(node) {
      const reply = await cluster.ask(node, { kind: "status" }, STATUS_MS);
      return reply.kind === "answer" ? reply.value : undefined;
    },
    gemel(node, ...argv) {
      const program = ["netns", "exec", network.space(node), ...PROGRAM, ...argv];
      try {
        const env = { ...process.env, GEMEL_RUN: place(node, "run") };
        return { code: 0, output: execFileSync("ip", program, { env, stdio: ["ignore", "pipe", "pipe"] }).toString() };
      } catch (error) {
        const { status, stdout, stderr } = error as { status: number; stdout: Buffer; stderr: Buffer };
        return { code: status, output: stdout.toString() + stderr.toString() };
      }
    },
    world(node) {
      const found = new Map<string, "Started" | "Promoted" | "Unpromoted">();
      for (const claim of readdirSync(path.join(folder, "claims"))) {
        if (claim === "violations") continue;
        if (readlinkSync(path.join(folder, "claims", claim)) === node) found.set(claim, "Started");
      }
      if (network.hasAddress(node, ADDRESS)) found.set("address", "Started");
      const states = place(node, "run/resource-agents");
      let files: readonly string[] = [];
      try {
        files = readdirSync(states).filter((file) => file.endsWith(".state"));
      } catch {
        // Nothing was ever started in this life of the node.
      }
      for (const file of files) {
        const role = read(path.join(states, file)).trim();
        const id = file.slice(0, -".state".length).replace(/:\d+$/, "");
        if (id === "mirror-state") found.set(id, role === "promoted" ? "Promoted" : "Unpromoted");
        else found.set(id, "Started");
      }
      return found;
    },
    violations: () => read(path.join(folder, "claims/violations")).split("\n").filter(Boolean),
    fencings: (node) => read(place(node, "fencings")).split("\n").filter(Boolean).length,
    log: (node) => read(place(node, "log")),
    journal: (node) => segmentFiles(place(node, "state/journal")).map(read),
    async close() {
      isClosed = true;
      clearInterval(looking);
      for (const node of nodes) execFileSync(place(node, "cut-power"), ["reset"]);
      for (const one of machines.values()) await one.ended;
      for (const one of boards.values()) await one.stop();
      // The boards' own processes leave the namespace a moment after their end.
      await sleep(100);
      network.close();
      removeGroups(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return cluster;
}
