/**
 * Network namespaces joined by two cables, and nodes in them as real processes; for tests and benches. Two nodes are
 * joined by two veth cables; more nodes by two switches (bridges in a namespace of their own).
 * Needs root. Everything is named after the process, so that several can run side by side, and taken down by `close`.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { present } from "../../src/base/check.ts";
import type { MembershipView } from "../../src/cluster/core/membership/view.ts";

const WATCHED = path.resolve(import.meta.dirname, "watched-node.ts");
const STUB = path.resolve(import.meta.dirname, "stub-node.ts");
export const NODES = ["alpha", "bravo"] as const;
export type NodeName = string;

export interface NamespacePair {
  start(node: NodeName): void;
  signal(node: NodeName, signal: NodeJS.Signals): void;
  /** Resolves with the exit code when the node's process has ended. */
  ended(node: NodeName): Promise<number | null>;
  /** Of one node's interface; of two nodes joined directly, both lose the carrier. */
  cable(name: "one" | "two", state: "up" | "down", node?: NodeName): void;
  /** Lays the cable of a pair anew, after its interfaces were deleted. */
  relay(name: "one" | "two"): void;
  /** Runs ip(8) with these words in the node's namespace. */
  ip(node: NodeName, words: string): void;
  /** Both nodes share one key file. */
  writeKeys(text: string): void;
  order(node: NodeName, text: string): void;
  /** Starts a program in the node's namespace; it is ended with the pair. */
  run(node: NodeName, argv: readonly string[]): ChildProcess;
  log(node: NodeName): string;
  /** The node's folder for what lives until the next boot. */
  runFolder(node: NodeName): string;
  /** The node's state folder. */
  stateFolder(node: NodeName): string;
  /** What the stand-in manager wrote, oldest first. */
  records(node: NodeName): readonly Readonly<Record<string, unknown>>[];
  view(node: NodeName): MembershipView | undefined;
  /** Waits until the condition holds; throws with the logs after `limitMs`. */
  until(what: string, condition: () => boolean, limitMs?: number): Promise<void>;
  close(): Promise<void>;
}

/** Ten times what it takes on a quiet machine. */
const UNTIL_MAX_MS = 120_000;

const ip = (...argv: string[]) => execFileSync("ip", argv, { stdio: ["ignore", "pipe", "pipe"] });

const CABLES = [
  ["one", 1],
  ["two", 2],
] as const;

/** An interface named after the cable in each namespace, joined directly or by a bridge. */
function layCable(cable: string, spaces: readonly string[], switches: string): void {
  const [first = "", second = ""] = spaces;
  if (spaces.length === 2) {
    ip("-n", first, "link", "add", cable, "type", "veth", "peer", "name", cable, "netns", second);
    return;
  }
  ip("-n", switches, "link", "add", cable, "type", "bridge");
  // A bridge that listens for multicast members would hold heartbeats back until it has learnt them.
  ip("-n", switches, "link", "set", cable, "type", "bridge", "mcast_snooping", "0");
  ip("-n", switches, "link", "set", cable, "up");
  for (const [index, space] of spaces.entries()) {
    const port = `${cable}${index}`;
    ip("-n", space, "link", "add", cable, "type", "veth", "peer", "name", port, "netns", switches);
    ip("-n", switches, "link", "set", port, "master", cable, "up");
  }
}

function isView(value: unknown): value is MembershipView {
  return typeof value === "object" && value !== null && "members" in value;
}

export interface PairSetting {
  readonly nodes?: readonly NodeName[];
  /** Instead of one link to each peer over either cable. */
  readonly links?: readonly string[];
  readonly watchdog?: string;
  /** Each node has the stand-in of watchdog-stand-in.ts, whatever the path of its watchdog. */
  readonly isWatched?: boolean;
}

/** Of a pair: both cables, and a serial line between the paths of either side. */
export function threeLinks(serial: readonly string[]): readonly string[] {
  const endpoints = (net: number) => NODES.map((node, index) => `${node}=198.18.${net}.${index + 1}:694`).join(" ");
  return [
    `link one udp ${endpoints(1)} device=one`,
    `link two udp ${endpoints(2)} device=two`,
    `link serial serial ${NODES.map((node, index) => `${node}=${serial[index]}`).join(" ")} baud=115200`,
  ];
}

/** `times`: the lines of the configuration with keepalive, deadtime and so on. */
export function openNamespacePair(times: readonly string[], setting: PairSetting = {}): NamespacePair {
  const { nodes = NODES, watchdog = "none", isWatched = false } = setting;
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-pair-"));
  // As nobody else has it: a killed run may have left its namespaces behind.
  const tag = folder.slice(-6);
  const space = (node: NodeName) => `gk${node[0]}${tag}`;
  const switches = `gk-${tag}`;
  const children = new Map<NodeName, ChildProcess>();
  const guests: ChildProcess[] = [];
  const ends = new Map<NodeName, Promise<number | null>>();

  for (const node of nodes) {
    ip("netns", "add", space(node));
    ip("-n", space(node), "link", "set", "lo", "up");
  }
  if (nodes.length > 2) ip("netns", "add", switches);
  function lay([cable, net]: (typeof CABLES)[number]): void {
    layCable(cable, nodes.map(space), switches);
    for (const [index, node] of nodes.entries()) {
      ip("-n", space(node), "addr", "add", `198.18.${net}.${index + 1}/24`, "dev", cable);
      ip("-n", space(node), "addr", "add", `fd77:${net}::${index + 1}/64`, "dev", cable, "nodad");
      ip("-n", space(node), "link", "set", cable, "up");
    }
  }
  for (const one of CABLES) lay(one);
  const endpoints = (net: number) => nodes.map((node, index) => `${node}=198.18.${net}.${index + 1}:694`).join(" ");
  const links = [`link one udp ${endpoints(1)} device=one`, `link two udp ${endpoints(2)}`];
  const config = [
    "cluster test",
    ...nodes.map((node, index) => `node ${node} id ${index + 1}`),
    ...times,
    ...(setting.links ?? links),
    "authkeys keys",
    `watchdog ${watchdog}`,
  ];
  writeFileSync(path.join(folder, "node.conf"), `${config.join("\n")}\n`);
  writeFileSync(path.join(folder, "keys"), "auth 1\n1 sha256 only-for-this-test-run\n", { mode: 0o600 });
  for (const node of nodes) mkdirSync(path.join(folder, node));

  const place = (node: NodeName, name: string) => path.join(folder, node, name);
  const text = (file: string) => {
    try {
      return readFileSync(file, "utf8");
    } catch {
      return "";
    }
  };
  const records = (node: NodeName) =>
    text(place(node, "manager.jsonl"))
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  const log = (node: NodeName) => text(place(node, "log"));

  return {
    start(node) {
      const options = ["--config", path.join(folder, "node.conf"), "--state", place(node, "state")];
      const program = [
        process.execPath,
        "--disable-warning=ExperimentalWarning",
        isWatched ? WATCHED : STUB,
        "node",
        ...options,
      ];
      const shell = `exec "$@" >>${place(node, "log")} 2>&1`;
      const argv = [...program, "--run", path.join(folder, node), "--name", node];
      const child = spawn("ip", ["netns", "exec", space(node), "sh", "-c", shell, "sh", ...argv], { stdio: "ignore" });
      children.set(node, child);
      ends.set(node, new Promise((resolve) => child.on("exit", resolve)));
    },
    signal(node, signal) {
      children.get(node)?.kill(signal);
    },
    ended: (node) => present(ends.get(node), `${node} was never started`),
    cable(name, state, node = "alpha") {
      ip("-n", space(node), "link", "set", name, state);
    },
    relay(name) {
      for (const one of CABLES.filter(([cable]) => cable === name)) lay(one);
    },
    ip(node, words) {
      ip("-n", space(node), ...words.split(" "));
    },
    writeKeys(keys) {
      writeFileSync(path.join(folder, "keys"), keys);
    },
    run(node, argv) {
      const child = spawn("ip", ["netns", "exec", space(node), ...argv], { stdio: ["ignore", "pipe", "inherit"] });
      guests.push(child);
      return child;
    },
    order(node, order) {
      // Whole or not at all: the reader looks every 20 ms, and half an order would be taken and lost.
      writeFileSync(place(node, "order.new"), order);
      renameSync(place(node, "order.new"), place(node, "order"));
    },
    log,
    runFolder: (node) => path.join(folder, node),
    stateFolder: (node) => place(node, "state"),
    records,
    view(node) {
      const last = records(node).findLast(({ kind }) => kind === "view");
      return isView(last?.["view"]) ? last["view"] : undefined;
    },
    async until(what, condition, limitMs = UNTIL_MAX_MS) {
      const startedAtMs = performance.now();
      while (!condition()) {
        if (performance.now() - startedAtMs > limitMs)
          throw new Error(`not within ${limitMs} ms: ${what}\n${nodes.map(log).join("\n")}`);
        await sleep(20);
      }
    },
    async close() {
      for (const child of guests) child.kill("SIGKILL");
      for (const child of children.values()) child.kill("SIGCONT");
      for (const child of children.values()) child.kill("SIGKILL");
      await Promise.all(ends.values());
      // The managers end with their keepers' pipes; give them a moment before their namespace goes.
      await sleep(100);
      for (const one of [...nodes.map(space), ...(nodes.length > 2 ? [switches] : [])]) ip("netns", "del", one);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
