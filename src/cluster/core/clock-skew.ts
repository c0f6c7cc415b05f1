/**
 * How far the wall clocks of two nodes are apart. No timer follows them, but what is dated does: a failure of a node
 * whose clock is behind looks old, and failure-timeout forgets it at once; rules with dates differ from node to node.
 */

/** Another node's wall clock beside ours. */
export interface ClockReading {
  readonly node: string;
  /** Its time less ours; undefined when it has not answered. */
  readonly offsetMs: number | undefined;
  /** The question's way there and back: the offset may be wrong by half of it. */
  readonly roundTripMs: number;
}

/** Beyond it logs of two nodes cannot be laid beside each other; beyond the second, dated rules differ as well. */
const SKEW_WARNING_MS = 1_000;
const SKEW_ERROR_MS = 60_000;

export interface ClockSkew {
  readonly severity: "error" | "warning";
  readonly code: "clock-skew";
  readonly values: { readonly node: string; readonly seconds: string; readonly direction: "ahead" | "behind" };
}

/** Undefined where they agree, as far as the question's way lets one see; and where nothing was answered. */
export function clockSkew({ node, offsetMs, roundTripMs }: ClockReading): ClockSkew | undefined {
  if (offsetMs === undefined) return undefined;
  const skewMs = Math.abs(offsetMs) - roundTripMs / 2;
  if (skewMs < SKEW_WARNING_MS) return undefined;
  const severity = skewMs < SKEW_ERROR_MS ? "warning" : "error";
  const seconds = String(Math.round(Math.abs(offsetMs) / 100) / 10);
  return { severity, code: "clock-skew", values: { node, seconds, direction: offsetMs > 0 ? "ahead" : "behind" } };
}
