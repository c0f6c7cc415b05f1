/**
 * Dated proofs: nobody shall learn in the emergency that a password has expired. Each device that this node may use is
 * looked at on a schedule (login, identity, power), and when it is used; the date of the last success is its proof,
 * and a proof has an end. Pure. Dates are wall-clock time, for they are for people and outlive a restart.
 */
import { entryOf } from "../../base/record.ts";
import type { Stepped } from "../../base/step.ts";

export interface Proof {
  readonly device: string;
  /** The last time that the device answered as it should; undefined: never. */
  readonly provenWallMs: number | undefined;
  /** The last time that it really switched off, in a drill or in earnest. */
  readonly switchedWallMs: number | undefined;
  /** Since when, and why, it does not answer as it should. */
  readonly failing: { readonly sinceWallMs: number; readonly reason: string } | undefined;
}

export interface ProofTimes {
  /** 0: no schedule. */
  readonly intervalMs: number;
  /** 0: a proof has no end. */
  readonly expiryMs: number;
}

/** What a node shows of its proofs, to its peers and in the status. */
export interface ProofReport {
  readonly times: ProofTimes;
  readonly proofs: readonly Proof[];
}

export interface ProofState extends ProofReport {
  /** When each is to be looked at next, monotonic. */
  readonly dueAtMs: Readonly<Record<string, number>>;
  readonly looking: readonly string[];
  /** Whose end has been told. */
  readonly expired: readonly string[];
}

export type ProofEvent =
  | { readonly kind: "configure"; readonly devices: readonly string[]; readonly times: ProofTimes }
  /** By the schedule, a monitor, an operator, or a fencing. */
  | {
      readonly kind: "seen";
      readonly device: string;
      readonly action: "status" | "off" | "on";
      readonly failure: string | undefined;
    }
  | { readonly kind: "tick" };

export type ProofEffect =
  | { readonly kind: "look"; readonly device: string }
  | { readonly kind: "log"; readonly severity: "info" | "error"; readonly text: string }
  /** To be stored, and told to the peers. */
  | { readonly kind: "changed" };

/** A board that does not answer is asked again sooner; not so soon that wrong passwords would lock the account. */
const RETRY_MS = 120_000;
/** After a start all devices are looked at, one after another and not in one burst. */
const STAGGER_MS = 5_000;

/** `stored`: as an earlier manager of this node kept them. */
export function createProofs(stored: readonly Proof[]): ProofState {
  return { times: { intervalMs: 0, expiryMs: 0 }, proofs: stored, dueAtMs: {}, looking: [], expired: [] };
}

/** When the proof ends; undefined: it has no end. */
export function expiryOf(proof: Proof, { expiryMs }: ProofTimes): number | undefined {
  return expiryMs === 0 || proof.provenWallMs === undefined ? undefined : proof.provenWallMs + expiryMs;
}

/** Whether it counts no more. A device that was never proven counts as soon as it has failed. */
export function isExpired(proof: Proof, times: ProofTimes, nowWallMs: number): boolean {
  if (proof.provenWallMs === undefined) return proof.failing !== undefined;
  return nowWallMs >= (expiryOf(proof, times) ?? Infinity);
}

/** When the core next wants a `tick`. */
export function proofsWakeAtMs({ dueAtMs, looking }: ProofState): number | undefined {
  const due = Object.entries(dueAtMs).filter(([device]) => !looking.includes(device));
  return due.length === 0 ? undefined : Math.min(...due.map(([, atMs]) => atMs));
}

function configure(state: ProofState, devices: readonly string[], times: ProofTimes, nowMs: number): ProofState {
  const known = new Map(state.proofs.map((proof) => [proof.device, proof]));
  const blank = { provenWallMs: undefined, switchedWallMs: undefined, failing: undefined };
  const proofs = devices.map((device) => known.get(device) ?? { device, ...blank });
  const due = times.intervalMs === 0 ? [] : devices;
  const dueAtMs = due.map(
    (device, at) => [device, entryOf(state.dueAtMs, device) ?? nowMs + (at + 1) * STAGGER_MS] as const,
  );
  return { ...state, times, proofs, dueAtMs: Object.fromEntries(dueAtMs) };
}

function see(
  state: ProofState,
  { device, action, failure }: Extract<ProofEvent, { readonly kind: "seen" }>,
  nowMs: number,
  nowWallMs: number,
): Stepped<ProofState, ProofEffect> {
  const looking = state.looking.filter((each) => each !== device);
  const old = state.proofs.find((proof) => proof.device === device);
  if (old === undefined) return { state: { ...state, looking }, effects: [] };
  const effects: ProofEffect[] = [{ kind: "changed" }];
  let proof: Proof;
  if (failure === undefined) {
    const switchedWallMs = action === "off" ? nowWallMs : old.switchedWallMs;
    proof = { device, provenWallMs: nowWallMs, switchedWallMs, failing: undefined };
    if (old.failing !== undefined) effects.push({ kind: "log", severity: "info", text: `${device} answers again` });
  } else {
    const sinceWallMs = old.failing?.sinceWallMs ?? nowWallMs;
    proof = { ...old, failing: { sinceWallMs, reason: failure } };
    const text = `fencing device ${device} could not fence now: ${failure}`;
    if (old.failing?.reason !== failure) effects.push({ kind: "log", severity: "error", text });
  }
  const pauseMs = failure === undefined ? state.times.intervalMs : Math.min(RETRY_MS, state.times.intervalMs);
  const next: ProofState = {
    ...state,
    looking,
    proofs: state.proofs.map((each) => (each === old ? proof : each)),
    dueAtMs: state.times.intervalMs === 0 ? {} : { ...state.dueAtMs, [device]: nowMs + pauseMs },
    expired: failure === undefined ? state.expired.filter((each) => each !== device) : state.expired,
  };
  return { state: next, effects };
}

/** Says once of each proof that it has ended. */
function tellExpired(state: ProofState, nowWallMs: number): Stepped<ProofState, ProofEffect> {
  const ended = state.proofs.filter(
    (proof) => isExpired(proof, state.times, nowWallMs) && !state.expired.includes(proof.device),
  );
  const effects = ended.flatMap(({ device, provenWallMs, failing }): ProofEffect[] => {
    const since = provenWallMs === undefined ? "it was never proven" : "its proof is too old";
    const text = `ALERT: fencing by ${device} is not proven any more: ${failing?.reason ?? since}`;
    return [{ kind: "log", severity: "error", text }, { kind: "changed" }];
  });
  return { state: { ...state, expired: [...state.expired, ...ended.map(({ device }) => device)] }, effects };
}

/** One step; `nowMs` is monotonic, `nowWallMs` the date. */
export function stepProofs(
  state: ProofState,
  event: ProofEvent,
  nowMs: number,
  nowWallMs: number,
): Stepped<ProofState, ProofEffect> {
  let next = state;
  const effects: ProofEffect[] = [];
  if (event.kind === "configure") next = configure(state, event.devices, event.times, nowMs);
  else if (event.kind === "seen") {
    const seen = see(state, event, nowMs, nowWallMs);
    next = seen.state;
    effects.push(...seen.effects);
  }
  const told = tellExpired(next, nowWallMs);
  next = told.state;
  effects.push(...told.effects);
  const { dueAtMs, looking } = next;
  const due = Object.keys(dueAtMs).filter(
    (device) => (entryOf(dueAtMs, device) ?? 0) <= nowMs && !looking.includes(device),
  );
  for (const device of due) effects.push({ kind: "look", device });
  return { state: { ...next, looking: [...looking, ...due] }, effects };
}
