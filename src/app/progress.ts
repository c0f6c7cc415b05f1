/**
 * What takes longer than two seconds says what it is at: one line when that begins, and one at each change, on standard
 * error. Pipes and scripts see lines, no cursor magic.
 */
import { performance } from "node:perf_hooks";
import process from "node:process";
import type { TransitionStatus } from "./control-protocol.ts";

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

export function transitionText({ doneCount, actionCount, inFlight }: TransitionStatus): string {
  return `${doneCount} of ${actionCount} actions done${inFlight.length === 0 ? "" : `, now ${inFlight.join(", ")}`}`;
}
