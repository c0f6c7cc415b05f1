/**
 * What takes longer than two seconds says what it is at: one line when that begins, and one at each change, on standard
 * error. Pipes and scripts see lines, no cursor magic.
 */
import { performance } from "node:perf_hooks";
import process from "node:process";
import type { ControlRequest, TransitionStatus } from "./control-protocol.ts";

/** Shorter waits need no word. */
const SILENT_MS = 2_000;
/** The same word again after so long, so that nobody takes it for hung. */
const AGAIN_MS = 10_000;

/** To be called as often as one likes with what is being waited for. */
export function createProgress(
  tool: string,
  nowMs: () => number = () => performance.now(),
  tell: (line: string) => void = (line) => void process.stderr.write(line),
): (text: string) => void {
  const startedAtMs = nowMs();
  let last: { readonly text: string; readonly atMs: number } | undefined;
  return (text) => {
    const atMs = nowMs();
    const waitedMs = atMs - startedAtMs;
    if (waitedMs < SILENT_MS || (last?.text === text && atMs - last.atMs < AGAIN_MS)) return;
    last = { text, atMs };
    tell(`${tool}: ${Math.round(waitedMs / 1000)} s: ${text}\n`);
  };
}

/** How often the clock is looked at meanwhile. */
const LOOK_MS = 500;

/** What `work` comes to; while it takes long, `text` says what it is at. */
export async function withProgress<Value>(
  tool: string,
  text: string,
  work: Promise<Value>,
  tell?: (line: string) => void,
): Promise<Value> {
  const progress = createProgress(tool, undefined, tell);
  const timer = setInterval(() => progress(text), LOOK_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}

/** They end when all nodes have the change. */
const CHANGES: ReadonlySet<ControlRequest["kind"]> = new Set([
  "cib-apply",
  "config-confirm",
  "attribute",
  "node",
  "resource",
]);

/** What a request that takes long is at. */
export function waitText(request: ControlRequest): string {
  if (CHANGES.has(request.kind)) return "waiting until the change is on all disks";
  if (request.kind === "fence")
    return `waiting until ${request.target} is proven ${request.action === "on" ? "on" : "off"}`;
  if (request.kind === "fence-prove") return `trying ${request.device ?? "every fencing device"}`;
  if (request.kind === "fence-drill") return `fencing ${request.target} by level ${request.level} only`;
  if (request.kind === "fence-peer") return "waiting for proof of the peer's state";
  if (request.kind === "log") return `asking ${request.node ?? "this node"} for its log`;
  return "waiting for the manager's answer";
}

export function transitionText({ doneCount, actionCount, inFlight }: TransitionStatus): string {
  return `${doneCount} of ${actionCount} actions done${inFlight.length === 0 ? "" : `, now ${inFlight.join(", ")}`}`;
}
