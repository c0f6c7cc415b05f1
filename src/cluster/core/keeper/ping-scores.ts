/**
 * The node attribute `pingd`: how many ping nodes each member reaches, times 100. Told by the DC for all members at
 * once, and only when no count has changed for a while: where a host dies that both sides ping, both counts fall, and a
 * scheduler that saw one of them fall first would move everything for nothing. This is ipfail's comparison of both
 * sides, with an attribute that any rule can use.
 * Facts: Linux-HA ipfail(8); ocf:pacemaker:ping, multiplier 100 as its how-tos have it.
 */
import type { MembershipView } from "../membership/view.ts";

export interface PingScores {
  /** By node, as last heard, and since when none of them has changed. */
  readonly counts: Readonly<Record<string, number>>;
  readonly sinceMs: number;
  /** By node, as last told. */
  readonly told: Readonly<Record<string, number>>;
}

export const PING_ATTRIBUTE = "pingd";
const MULTIPLIER = 100;

export const createPingScores = (nowMs: number): PingScores => ({ counts: {}, sinceMs: nowMs, told: {} });

export interface PingScoresStep {
  readonly state: PingScores;
  /** To be written in one change. */
  readonly changes: readonly { readonly node: string; readonly value: string }[];
}

function isEqual(left: PingScores["counts"], right: PingScores["counts"]): boolean {
  const [one, other] = [Object.entries(left), Object.entries(right)];
  return one.length === other.length && one.every(([node, count]) => right[node] === count);
}

const untold = ({ counts, told }: PingScores) => Object.entries(counts).filter(([node, count]) => told[node] !== count);

/** `counts`: of this node and every member that has told one; empty on a node that is not the DC. */
export function stepPingScores(
  before: PingScores,
  counts: PingScores["counts"],
  nowMs: number,
  dampenMs: number,
): PingScoresStep {
  const isSame = isEqual(counts, before.counts);
  // Who has gone, or leads no longer, tells anew when it is back: its attributes may have been cleared meanwhile.
  const told = Object.fromEntries(Object.entries(before.told).filter(([node]) => counts[node] !== undefined));
  const state: PingScores = { counts, told, sinceMs: isSame ? before.sinceMs : nowMs };
  if (nowMs - state.sinceMs < dampenMs) return { state, changes: [] };
  const changes = untold(state).map(([node, count]) => ({ node, value: String(count * MULTIPLIER) }));
  return { state: { ...state, told: counts }, changes };
}

/** Messages between nodes may have to be sent again. */
const DAMPEN_MIN_MS = 1_000;
const DAMPEN_KEEPALIVES = 3;

/** Two nodes' judgements of one host differ by a beat or two, and news of it by one more. */
export const dampenOf = (keepaliveMs: number): number => Math.max(DAMPEN_MIN_MS, DAMPEN_KEEPALIVES * keepaliveMs);

/** What every member tells of itself, where this node is the DC; else nothing. */
export function toldCounts(view: MembershipView | undefined, self: string, dc: string | null): PingScores["counts"] {
  if (dc !== self) return {};
  const told = [{ name: self, reachable: view?.reachable }, ...(view?.peers ?? [])];
  return Object.fromEntries(
    told.flatMap(({ name, reachable }) => (reachable === undefined ? [] : [[name, reachable] as const])),
  );
}

/** When the present counts may be told. */
export function pingScoresWakeAtMs(state: PingScores, dampenMs: number): number | undefined {
  return untold(state).length === 0 ? undefined : state.sinceMs + dampenMs;
}
