/**
 * The story of an incident from what several nodes wrote down: log lines of each, changes of the configuration,
 * fencings, failed operations, in one order. What two nodes say alike within a moment is told once, with both names.
 */
export interface Happening {
  readonly atWallMs: number;
  readonly node: string;
  readonly kind: "log" | "config" | "fencing" | "failure";
  readonly severity: "info" | "warning" | "error";
  readonly text: string;
}

/** `2026-11-21T08:00:05.123Z WARNING: text`; undefined for anything else. */
export function readLogLine(node: string, line: string, readDate: (text: string) => number): Happening | undefined {
  const [, date, level = "", text = ""] =
    /^(?:<\d>)?(\d{4}-\d\d-\d\dT[\d:.]+Z) (INFO|WARNING|ERROR): (.*)$/.exec(line) ?? [];
  if (date === undefined) return undefined;
  const severity = level === "ERROR" ? "error" : level === "WARNING" ? "warning" : "info";
  return { atWallMs: readDate(date), node, kind: "log", severity, text };
}

export interface Told {
  readonly atWallMs: number;
  readonly nodes: readonly string[];
  readonly severity: Happening["severity"];
  readonly text: string;
  /** Since the first of the story. */
  readonly sinceStartMs: number;
  /** Since the one before. */
  readonly sinceLastMs: number;
}

/** Within this time the same words of two nodes are one happening. */
const SAME_MS = 2_000;

export interface Window {
  readonly fromWallMs: number;
  readonly toWallMs: number;
}

export function tellTimeline(happenings: readonly Happening[], { fromWallMs, toWallMs }: Window): readonly Told[] {
  const inside = happenings
    .filter(({ atWallMs }) => atWallMs >= fromWallMs && atWallMs <= toWallMs)
    .toSorted((left, right) => left.atWallMs - right.atWallMs);
  const told: Told[] = [];
  for (const { atWallMs, node, severity, text } of inside) {
    const same = told.findLastIndex((one) => one.text === text && atWallMs - one.atWallMs <= SAME_MS);
    const before = told[same];
    if (before !== undefined && !before.nodes.includes(node)) {
      told[same] = { ...before, nodes: [...before.nodes, node] };
      continue;
    }
    const first = told[0]?.atWallMs ?? atWallMs;
    const last = told.at(-1)?.atWallMs ?? atWallMs;
    told.push({
      atWallMs,
      nodes: [node],
      severity,
      text,
      sinceStartMs: atWallMs - first,
      sinceLastMs: atWallMs - last,
    });
  }
  return told;
}

/** The longest pauses of the story: where the time went. */
export function longestGaps(story: readonly Told[], count: number): readonly Told[] {
  return story
    .filter(({ sinceLastMs }) => sinceLastMs > 0)
    .toSorted((left, right) => right.sinceLastMs - left.sinceLastMs)
    .slice(0, count)
    .toSorted((left, right) => left.atWallMs - right.atWallMs);
}
