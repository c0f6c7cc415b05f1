/**
 * Whether this node is well enough for its watchdog to be fed: its own heartbeat leaves and comes back through the
 * loop, its manager answers, the storage that it holds answers. Dead is easy to see; these are the ways to be sick.
 * A node that stays sick is ended as configured, also where no watchdog does it.
 */
import type { Stepped } from "../../../base/step.ts";
import type { LockLeases } from "./lock-leases.ts";

export interface Vitals {
  /** When our own heartbeat last came back; undefined where there is no loop to come back by. */
  readonly loopedAtMs: number | undefined;
  /** When the manager last answered; before its first answer, when it was first started. */
  readonly managerAnsweredAtMs: number;
  /** What the manager itself says it cannot do: its disk does not take what it writes. */
  readonly managerComplaint: string | undefined;
  /** How often it ended lately. */
  readonly managerEnds: number;
  /** Each storage, and since when it owes an answer. */
  readonly storage: readonly StorageVital[];
  /** What it must not outlive. */
  readonly leases: LockLeases;
  /** From then on the peers may count on its end, for no majority has heard it: see membership/quorum-lease.ts. */
  readonly quorumEndAtMs: number | undefined;
}

export interface StorageVital {
  readonly path: string;
  readonly maxMs: number;
  readonly askedAtMs: number | undefined;
}

export interface VitalLimits {
  readonly loopMaxMs: number;
  readonly managerMaxMs: number;
  readonly managerEndsMax: number;
  /** Unfed for longer, the watchdog ought to have acted: then the node is ended without it. */
  readonly sickMaxMs: number;
}

export interface HealthState {
  readonly ailment?: { readonly text: string; readonly sinceMs: number };
}

export type HealthEffect =
  | { readonly kind: "feed" }
  /** Said once for each change. */
  | { readonly kind: "sick"; readonly text: string }
  | { readonly kind: "well"; readonly sickMs: number }
  | { readonly kind: "end"; readonly reason: string };

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

/** What ails the node; undefined when it is well. The texts hold no number that runs, so that each is said once. */
export function findAilment(vitals: Vitals, limits: VitalLimits, nowMs: number): string | undefined {
  const { loopedAtMs, managerAnsweredAtMs, managerComplaint, managerEnds, storage } = vitals;
  if (loopedAtMs !== undefined && nowMs - loopedAtMs > limits.loopMaxMs)
    return `our own heartbeat has not come back for ${seconds(limits.loopMaxMs)}`;
  if (managerEnds > limits.managerEndsMax) return `the manager ended ${managerEnds} times lately`;
  if (nowMs - managerAnsweredAtMs > limits.managerMaxMs)
    return `the manager has not answered for ${seconds(limits.managerMaxMs)}`;
  if (managerComplaint !== undefined) return `the manager cannot work: ${managerComplaint}`;
  const hung = storage.find(({ askedAtMs, maxMs }) => askedAtMs !== undefined && nowMs - askedAtMs > maxMs);
  return hung === undefined ? undefined : `${hung.path} has not answered for ${seconds(hung.maxMs)}`;
}

/** At each beat. `feed` comes first, and only when nothing ails the node. */
export function stepHealth(
  state: HealthState,
  vitals: Vitals,
  limits: VitalLimits,
  nowMs: number,
): Stepped<HealthState, HealthEffect> {
  const over = vitals.leases.find(({ endAtMs }) => nowMs >= endAtMs);
  if (over !== undefined) {
    const reason = `the lock on ${over.lock} was not renewed: another node may take it, and this one for dead`;
    return { state, effects: [{ kind: "end", reason }] };
  }
  if (vitals.quorumEndAtMs !== undefined && nowMs >= vitals.quorumEndAtMs) {
    const reason = "no majority of the nodes has heard this one for its quorum-lease: they may take it for dead";
    return { state, effects: [{ kind: "end", reason }] };
  }
  const text = findAilment(vitals, limits, nowMs);
  const { ailment } = state;
  if (text === undefined) {
    if (ailment === undefined) return { state, effects: [{ kind: "feed" }] };
    return { state: {}, effects: [{ kind: "feed" }, { kind: "well", sickMs: nowMs - ailment.sinceMs }] };
  }
  const sinceMs = ailment?.sinceMs ?? nowMs;
  const next: HealthState = { ailment: { text, sinceMs } };
  if (nowMs - sinceMs > limits.sickMaxMs)
    return { state: next, effects: [{ kind: "end", reason: `sick for ${seconds(nowMs - sinceMs)}: ${text}` }] };
  return { state: next, effects: ailment?.text === text ? [] : [{ kind: "sick", text }] };
}
