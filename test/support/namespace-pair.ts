/**
 * Two network namespaces joined by two veth cables, and nodes in them as real processes; for tests and benches.
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

const STUB = path.resolve(import.meta.dirname, "stub-node.ts");
export const NODES = ["alpha", "bravo"] as const;
export type NodeName = (typeof NODES)[number];

export interface NamespacePair {
  start(node: NodeName): void;
  signal(node: NodeName, signal: NodeJS.Signals): void;
  /** Resolves with the exit code when the node's process has ended. */
  ended(node: NodeName): Promise<number | null>;
  cable(name: "one" | "two", state: "up" | "down"): void;
  /** Both nodes share one key file. */
  writeKeys(text: string): void;
  order(node: NodeName, text: string): void;
  log(node: NodeName): string;
  /** What the stand-in manager wrote, oldest first. */
  records(node: NodeName): readonly Readonly<Record<string, unknown>>[];
  view(node: NodeName): MembershipView | undefined;
  /** Waits until the condition holds; throws with the logs after `limitMs`. */
  until(what: string, condition: () => boolean, limitMs?: number): Promise<void>;
  close(): Promise<void>;
}

const ip = (...argv: string[]) => execFileSync("ip", argv, { stdio: ["ignore", "pipe", "pipe"] });

function isView(value: unknown): value is MembershipView {
  return typeof value === "object" && value !== null && "members" in value;
}

/** `times`: the lines of the configuration with keepalive, deadtime and so on. */
export function openNamespacePair(times: readonly string[]): NamespacePair {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-pair-"));
  const tag = `${process.pid % 100_000}${Math.floor(performance.now()) % 1000}`;
  const space = (node: NodeName) => `gk${node[0]}${tag}`;
  const children = new Map<NodeName, ChildProcess>();
  const ends = new Map<NodeName, Promise<number | null>>();

  for (const node of NODES) {
    ip("netns", "add", space(node));
    ip("-n", space(node), "link", "set", "lo", "up");
  }
  for (const [cable, net] of [
    ["one", 1],
    ["two", 2],
  ] as const) {
    const peer = ["peer", "name", cable, "netns", space("bravo")];
    ip("-n", space("alpha"), "link", "add", cable, "type", "veth", ...peer);
    for (const [index, node] of NODES.entries()) {
      ip("-n", space(node), "addr", "add", `198.18.${net}.${index + 1}/24`, "dev", cable);
      ip("-n", space(node), "link", "set", cable, "up");
    }
  }
  const config = [
    "cluster test",
    "node alpha id 1",
    "node bravo id 2",
    ...times,
    "link one udp alpha=198.18.1.1:694 bravo=198.18.1.2:694 device=one",
    "link two udp alpha=198.18.2.1:694 bravo=198.18.2.2:694",
    "authkeys keys",
    "watchdog none",
  ];
  writeFileSync(path.join(folder, "node.conf"), `${config.join("\n")}\n`);
  writeFileSync(path.join(folder, "keys"), "auth 1\n1 sha256 only-for-this-test-run\n", { mode: 0o600 });
  for (const node of NODES) mkdirSync(path.join(folder, node));

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
      const program = [process.execPath, "--disable-warning=ExperimentalWarning", STUB, "node", ...options];
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
    cable(name, state) {
      ip("-n", space("alpha"), "link", "set", name, state);
    },
    writeKeys(keys) {
      writeFileSync(path.join(folder, "keys"), keys);
    },
    order(node, order) {
      // Whole or not at all: the reader looks every 20 ms, and half an order would be taken and lost.
      writeFileSync(place(node, "order.new"), order);
      renameSync(place(node, "order.new"), place(node, "order"));
    },
    log,
    records,
    view(node) {
      const last = records(node).findLast(({ kind }) => kind === "view");
      return isView(last?.["view"]) ? last["view"] : undefined;
    },
    async until(what, condition, limitMs = 40_000) {
      const startedAtMs = performance.now();
      while (!condition()) {
        if (performance.now() - startedAtMs > limitMs)
          throw new Error(`not within ${limitMs} ms: ${what}\n${NODES.map(log).join("\n")}`);
        await sleep(20);
      }
    },
    async close() {
      for (const child of children.values()) child.kill("SIGCONT");
      for (const child of children.values()) child.kill("SIGKILL");
      await Promise.all(ends.values());
      // The managers end with their keepers' pipes; give them a moment before their namespace goes.
      await sleep(100);
      for (const node of NODES) ip("netns", "del", space(node));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
