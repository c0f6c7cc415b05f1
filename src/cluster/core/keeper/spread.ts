/**
 * How long something took, over the last minutes: how often, the 99th percentile, the worst. Two halves of fixed length
 * take turns, so that what is told covers between one and two of them and needs no list of single values.
 */
interface Half {
  readonly count: number;
  readonly worstMs: number;
  /** How many fell below each bound of BOUNDS_MS, and beyond the last one. */
  readonly counts: readonly number[];
}

export interface Spread {
  readonly sinceMs: number;
  readonly present: Half;
  readonly before: Half;
}

export interface SpreadReading {
  readonly count: number;
  /** The upper bound of the class in which the 99th of 100 lies; the worst one, where that is less. */
  readonly p99Ms: number;
  readonly worstMs: number;
}

export const HALF_MS = 300_000;
const BOUNDS_MS = [0.5, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 2000, 5000] as const;
const EMPTY: Half = { count: 0, worstMs: 0, counts: Array.from({ length: BOUNDS_MS.length + 1 }, () => 0) };

export const startSpread = (nowMs: number): Spread => ({ sinceMs: nowMs, present: EMPTY, before: EMPTY });

export function addToSpread(spread: Spread, tookMs: number, nowMs: number): Spread {
  const isOver = nowMs - spread.sinceMs >= HALF_MS;
  const { present, before, sinceMs } = isOver ? { sinceMs: nowMs, present: EMPTY, before: spread.present } : spread;
  const bound = BOUNDS_MS.findIndex((limitMs) => tookMs <= limitMs);
  const at = bound < 0 ? BOUNDS_MS.length : bound;
  const counts = present.counts.map((count, index) => (index === at ? count + 1 : count));
  return { sinceMs, before, present: { count: present.count + 1, worstMs: Math.max(present.worstMs, tookMs), counts } };
}

export function readSpread({ present, before }: Spread): SpreadReading {
  const count = present.count + before.count;
  const worstMs = Math.max(present.worstMs, before.worstMs);
  let seen = 0;
  for (const [index, boundMs] of BOUNDS_MS.entries()) {
    seen += (present.counts[index] ?? 0) + (before.counts[index] ?? 0);
    if (seen >= count * 0.99) return { count, worstMs, p99Ms: Math.min(boundMs, worstMs) };
  }
  return { count, worstMs, p99Ms: worstMs };
}
