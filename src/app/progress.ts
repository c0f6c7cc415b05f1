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

/** What a request that takes long is at. */
export function waitText(request: ControlRequest): string {
  switch (request.kind) {
    case "fence":
      return `waiting until ${request.target} is proven ${request.action === "on" ? "on" : "off"}`;
    case "fence-prove":
      return `trying ${request.device ?? "every fencing device"}`;
    case "fence-drill":
      return `fencing ${request.target} by level ${request.level} only`;
    case "fence-peer":
      return "waiting for proof of the peer's state";
    case "log":
      return `asking ${request.node ?? "this node"} for its log`;
    case "cib-apply":
    case "config-confirm":
    case "attribute":
    case "node":
    case "resource":
      return "waiting until the change is on all disks";
    case "status":
    case "cib-query":
    case "config-log":
    case "config-version":
    case "attribute-query":
    case "ticket":
    case "fence-confirm":
    case "fence-history":
    case "resource-fail":
    case "clocks":
    case "subscribe":
    case "ping":
      return "waiting for the manager's answer";
    default:
      return request satisfies never;
  }
}

export function transitionText({ doneCount, actionCount, inFlight }: TransitionStatus): string {
  return `${doneCount} of ${actionCount} actions done${inFlight.length === 0 ? "" : `, now ${inFlight.join(", ")}`}`;
}
