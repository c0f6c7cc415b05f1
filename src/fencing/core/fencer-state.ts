/**
 * The words of the fencer: its plain state, what comes in, what goes out.
 * `atWallMs` of an event serves the record for people; all judgement of time uses the `nowMs` of the step.
 */
import type { FencingConfiguration, FencingDevice, FencingRequestAction } from "./configuration.ts";
import type { DeviceReport, Evidence, FencingOutcome } from "./driver.ts";

/** Who wants it. An operator is never kept waiting by the pauses between failed rounds. */
export interface FencingOrigin {
  readonly kind: "scheduler" | "operator" | "drbd" | "peer";
  /** For the record: `transition 12`, `root on ttyS0`. */
  readonly by: string;
  /** Whoever asks has never met the target since its own start: it takes it for dead without having seen it alive. */
  readonly hasNotMet?: true;
}

export type FencerEvent =
  | { readonly kind: "configure"; readonly atWallMs: number; readonly configuration: FencingConfiguration }
  | {
      readonly kind: "request";
      readonly atWallMs: number;
      readonly requestId: string;
      readonly target: string;
      readonly action: FencingRequestAction;
      readonly origin: FencingOrigin;
      /** Only this level, counted from 1: a drill of paths that are seldom needed. */
      readonly onlyLevel?: number;
      /** Not the power: the target is up, and is let in by all of these devices. */
      readonly unfenceBy?: readonly string[];
      /** No delay of any device or priority: whoever asks has seen to it that the target does not shoot. */
      readonly isUndelayed?: true;
      /** Any number; random delays are drawn from it. */
      readonly seed: number;
      /** The target carries the more important resources: its fencing waits for priority-fencing-delay. */
      readonly isTargetPreferred: boolean;
    }
  | {
      readonly kind: "attempt-result";
      readonly atWallMs: number;
      readonly attemptId: number;
      readonly report: DeviceReport;
    }
  | {
      readonly kind: "operator-confirmation";
      readonly atWallMs: number;
      readonly target: string;
      /** Who, and where: for the record. */
      readonly by: string;
      /** Paths on which the target still answers (links, addresses, BMC says on): then a person errs. */
      readonly answersOn: readonly string[];
    }
  /** A person has given the word on another node: it ends what is under way here, and begins nothing. */
  | { readonly kind: "word-elsewhere"; readonly atWallMs: number; readonly target: string; readonly by: string }
  /** The cluster wants it no more, for the target has come back: what has not been begun is left undone. */
  | { readonly kind: "withdraw"; readonly atWallMs: number; readonly target: string }
  | { readonly kind: "tick"; readonly atWallMs: number };

/** What one device was asked in one round, and what came of it. */
export interface DeviceRecord {
  readonly device: string;
  readonly driver: string;
  readonly action: "off" | "on";
  readonly outcome: FencingOutcome;
  readonly evidence: readonly Evidence[];
  readonly startedWallMs: number;
  readonly endedWallMs: number;
}

/** The death certificate when `outcome` is confirmed; else the record of a failed round. */
export interface FencingRecord {
  /** Whose devices were used. */
  readonly node: string;
  readonly id: number;
  readonly target: string;
  readonly action: FencingRequestAction;
  readonly outcome: FencingOutcome;
  readonly devices: readonly DeviceRecord[];
  /** Everybody who asked, in order; an operator who confirmed by hand stands last. */
  readonly by: readonly string[];
  /** As in its origin, of whoever asked. */
  readonly hasNotMet?: true;
  readonly startedWallMs: number;
  readonly endedWallMs: number;
}

export type FencerEffect =
  | {
      readonly kind: "run-device";
      readonly attemptId: number;
      readonly device: Pick<FencingDevice, "id" | "driver" | "parameters">;
      readonly action: "off" | "on" | "status";
      readonly target: string;
      readonly timeoutMs: number;
    }
  /** Another proof came first: what this run would still do, it would do to a machine that somebody switches on. */
  | { readonly kind: "stop-device"; readonly attemptId: number }
  | {
      readonly kind: "answer";
      readonly requestId: string;
      readonly outcome: FencingOutcome;
      readonly record: FencingRecord;
    }
  /** Off is proven, for whoever asked: the cluster may take over. Comes before the answers. */
  | { readonly kind: "fenced"; readonly target: string; readonly record: FencingRecord }
  /** A round has ended; to be kept and replicated. */
  | { readonly kind: "record"; readonly record: FencingRecord }
  | { readonly kind: "ask-operator"; readonly target: string; readonly device: string; readonly untilMs: number }
  | { readonly kind: "confirmation-refused"; readonly target: string; readonly reason: string }
  | { readonly kind: "log"; readonly severity: "info" | "warning" | "error"; readonly text: string };

export interface Waiter {
  readonly requestId: string;
  readonly action: FencingRequestAction;
  readonly origin: FencingOrigin;
}

export type OperationPhase =
  /** A pause or delay is not over: nothing before `notBeforeMs`. */
  | { readonly kind: "waiting"; readonly notBeforeMs: number }
  /** A delay runs, and the device is asked meanwhile: a target that is off already needs no delay. */
  | { readonly kind: "looking"; readonly attemptId: number; readonly notBeforeMs: number }
  | { readonly kind: "running"; readonly attemptId: number; readonly startedWallMs: number; readonly lateAtMs: number }
  | { readonly kind: "operator"; readonly untilMs: number; readonly remindAtMs: number };

/** One target being fenced: one round through its levels. */
export interface FencingOperation {
  readonly id: number;
  readonly target: string;
  readonly action: FencingRequestAction;
  readonly waiters: readonly Waiter[];
  readonly by: readonly string[];
  readonly seed: number;
  readonly isTargetPreferred: boolean;
  readonly startedWallMs: number;
  readonly phase: OperationPhase;
  /** Device ids, level by level, fixed when the round begins. */
  readonly levels: readonly (readonly string[])[];
  readonly level: number;
  /** Index into the level. */
  readonly device: number;
  readonly tries: number;
  /** `on` once every device of a level has confirmed the off of a reboot. */
  readonly step: "off" | "on";
  /** The pause or delay before the device at hand has been taken. */
  readonly hasDelayed: boolean;
  readonly devices: readonly DeviceRecord[];
  /** Nobody wants it any more: no further device is tried once the one at hand has come to an end. */
  readonly isWithdrawn?: true;
  readonly isUnfencing?: true;
  readonly isUndelayed?: true;
}

/** Failed rounds in a row for one target. */
export interface Failures {
  readonly rounds: number;
  readonly retryAtMs: number;
}

export interface FencerState {
  readonly self: string;
  readonly configuration: FencingConfiguration;
  readonly operations: readonly FencingOperation[];
  readonly failures: Readonly<Record<string, Failures>>;
  readonly history: readonly FencingRecord[];
  readonly lastId: number;
}

/** Records that are kept; older ones are in the log. */
export const HISTORY_MAX = 100;
/** Boards lock an account after a few wrong logins: between failed rounds wait this long, doubling. */
export const PAUSE_FIRST_MS = 2_000;
export const PAUSE_CAP_MS = 30_000;
/** After the configured attempts retries go on, rarely: a node that nobody fences is never given up for dead. */
export const PAUSE_EXHAUSTED_MS = 60_000;
/** Between two tries of one device. */
export const TRY_PAUSE_MS = 1_000;
/** So many deaths of one target in so short a time are a loop: it comes back and is shot again, or we are. */
export const LOOP_DEATHS = 3;
export const LOOP_WINDOW_MS = 15 * 60_000;
/** The runner keeps the time; a runner that does not is a bug that must not stop fencing. */
export const RUNNER_GRACE_MS = 5_000;
/** A person at a machine is reminded so often. */
export const REMINDER_MS = 60_000;

/** A fencer that knows no device yet. `self`: the node that it runs on; `history`: its rounds before a restart. */
export function createFencer(
  self: string,
  configuration: FencingConfiguration,
  history: readonly FencingRecord[] = [],
): FencerState {
  return { self, configuration, operations: [], failures: {}, history: history.slice(-HISTORY_MAX), lastId: 0 };
}

/**
 * Whether `target` comes back again and again to be fenced, or to fence: then it is switched off and not on again, so
 * that the service that works is left alone until somebody has found out why.
 */
export function isLooping({ history }: FencerState, target: string, nowWallMs: number): boolean {
  const deaths = history.filter(
    ({ target: of, outcome, endedWallMs }) =>
      of === target && isDeath(outcome) && nowWallMs - endedWallMs < LOOP_WINDOW_MS && endedWallMs <= nowWallMs,
  );
  return deaths.length >= LOOP_DEATHS;
}

const isDeath = (outcome: FencingOutcome): boolean => outcome.kind === "confirmed" && outcome.power === "off";

/** Whether `operation` must wait for an earlier one: one at a time a target, or one at all if so configured. */
export function isBlocked({ operations, configuration }: FencerState, operation: FencingOperation): boolean {
  const earlier = operations.filter(({ id }) => id < operation.id);
  return configuration.isConcurrent ? earlier.some(({ target }) => target === operation.target) : earlier.length > 0;
}

/** Whether its next device has as many actions under way as it may have: the end of one of them lets it go on. */
export function isCrowded({ operations, configuration }: FencerState, operation: FencingOperation): boolean {
  const nextOf = ({ levels, level, device }: FencingOperation) => levels[level]?.[device];
  const id = nextOf(operation);
  const limit = configuration.devices.find((device) => device.id === id)?.actionLimit ?? Infinity;
  if (operation.phase.kind !== "waiting") return false;
  const isActive = ({ phase }: FencingOperation) => phase.kind === "running" || phase.kind === "looking";
  return operations.filter((each) => isActive(each) && nextOf(each) === id).length >= limit;
}

function phaseWakeAtMs(phase: OperationPhase): number {
  switch (phase.kind) {
    case "waiting":
    case "looking":
      return phase.notBeforeMs;
    case "running":
      return phase.lateAtMs;
    case "operator":
      return Math.min(phase.untilMs, phase.remindAtMs);
  }
}

/** When the fencer next wants a `tick`. */
export function wakeAtMs(state: FencerState): number | undefined {
  // As nearly always.
  if (state.operations.length === 0) return undefined;
  const active = state.operations.filter((operation) => !isBlocked(state, operation) && !isCrowded(state, operation));
  return active.length === 0 ? undefined : Math.min(...active.map(({ phase }) => phaseWakeAtMs(phase)));
}

/** The newest certificate for `target` that was begun at or after `sinceWallMs`. */
export function certificateFor(state: FencerState, target: string, sinceWallMs: number): FencingRecord | undefined {
  return state.history.findLast(
    ({ target: of, outcome, startedWallMs }) =>
      of === target && outcome.kind === "confirmed" && outcome.power === "off" && startedWallMs >= sinceWallMs,
  );
}
