/**
 * The fencer: decides which device does what, when, and how often; and what was proven by it. A pure state machine.
 * Off counts only when every device of a level has read it back; then whoever asked is answered, and only then the
 * machine is switched on again. What is not proven is `unknown` or `not-done`, and is tried again for ever, ever more
 * rarely: silence never turns into death.
 * Terms: Pacemaker Explained, "Fencing"; pauses and limits: fencer-state.ts.
 */
import { unreachable } from "../../base/check.ts";
import { entryOf } from "../../base/record.ts";
import type { Stepped } from "../../base/step.ts";
import { type FencingDevice, type FencingRequestAction, levelsFor, roundBoundMs } from "./configuration.ts";
import type { DeviceRecord, FencerEffect, FencerEvent, FencerState, FencingOperation, Waiter } from "./fencer-state.ts";
import { isLooping, LOOP_DEATHS, LOOP_WINDOW_MS } from "./fencer-state.ts";
import {
  abandon,
  type Draft,
  giveUp,
  log,
  type Now,
  nextId,
  pump,
  recordOf,
  replace,
  settle,
  settleLook,
  succeedOff,
} from "./fencing-round.ts";

type RequestEvent = Extract<FencerEvent, { readonly kind: "request" }>;
type ConfirmationEvent = Extract<FencerEvent, { readonly kind: "operator-confirmation" }>;

/** The action that serves all who wait. Whoever wants a node off by hand does not find it running again. */
function mergedAction(waiters: readonly Waiter[], running: FencingRequestAction): FencingRequestAction {
  if (waiters.some(({ origin, action }) => origin.kind === "operator" && action === "off")) return "off";
  return waiters.some(({ action }) => action === "reboot") ? "reboot" : running;
}

/** A new wish that the operation at hand serves, too. */
function join(
  draft: Draft,
  running: FencingOperation,
  { action, origin, target }: RequestEvent,
  waiter: Waiter,
  now: Now,
) {
  const { phase, devices } = running;
  const waiters = [...running.waiters, waiter];
  const isPaused = phase.kind === "waiting" && devices.length === 0 && !running.hasDelayed;
  replace(draft, {
    ...running,
    action: mergedAction(waiters, running.action),
    waiters,
    by: [...running.by, origin.by],
    phase: origin.kind === "operator" && isPaused ? { kind: "waiting", notBeforeMs: now.ms } : phase,
  });
  log(draft, "info", `${action} of ${target}, asked by ${origin.by}, joins the fencing that runs`);
}

function levelsOf({ configuration, self }: Draft, event: RequestEvent): readonly (readonly FencingDevice[])[] {
  const { target, onlyLevel, unfenceBy } = event;
  if (unfenceBy !== undefined) return [configuration.devices.filter(({ id }) => unfenceBy.includes(id))];
  const all = levelsFor(configuration, target, self);
  return onlyLevel === undefined ? all : all.slice(onlyLevel - 1, onlyLevel);
}

/** A node that is to be cut off is not let in: neither after it, by an order that waited, nor beside it. */
function holdBack(draft: Draft, { target, unfenceBy, action }: RequestEvent, now: Now): string | undefined {
  if (unfenceBy !== undefined)
    return draft.operations.some((each) => each.target === target && each.step === "off")
      ? `${target} is being fenced`
      : undefined;
  const letIns = draft.operations.filter((each) => each.target === target && each.isUnfencing === true);
  if (action !== "on")
    for (const each of letIns) {
      if (each.phase.kind === "running") replace(draft, { ...each, isWithdrawn: true });
      else giveUp(draft, each, `${target} is to be fenced`, now);
    }
  return undefined;
}

function takeRequest(draft: Draft, event: RequestEvent, now: Now): void {
  const { requestId, target, action, origin, seed, isTargetPreferred } = event;
  const isUnfencing = event.unfenceBy !== undefined;
  const waiter: Waiter = { requestId, action, origin };
  const step = action === "on" ? "on" : "off";
  const objection = draft.configuration.isEnabled
    ? holdBack(draft, event, now)
    : "fencing is disabled (stonith-enabled=false)";
  const running = draft.operations.find(
    (each) =>
      each.target === target &&
      each.step === step &&
      (each.action === "on") === (action === "on") &&
      (each.isUnfencing === true) === isUnfencing,
  );
  if (running !== undefined && objection === undefined) {
    join(draft, running, event, waiter, now);
    return;
  }
  const isUrgent = origin.kind === "operator";
  const levels = levelsOf(draft, event);
  const retryAtMs = entryOf(draft.failures, target)?.retryAtMs ?? now.ms;
  const staysOff = action === "reboot" && !isUrgent && isLooping(draft, target, now.wallMs);
  if (staysOff) {
    const why = `${target} was fenced ${LOOP_DEATHS} times in ${LOOP_WINDOW_MS / 60_000} minutes`;
    log(draft, "error", `LOOP: ${why}: it stays off; find out why, then: gemel fence on ${target}`);
  }
  const operation: FencingOperation = {
    id: nextId(draft),
    target,
    action: staysOff ? "off" : action,
    waiters: [waiter],
    by: [origin.by],
    seed,
    isTargetPreferred,
    startedWallMs: now.wallMs,
    phase: { kind: "waiting", notBeforeMs: isUrgent ? now.ms : Math.max(now.ms, retryAtMs) },
    levels: levels.map((level) => level.map(({ id }) => id)),
    level: 0,
    device: 0,
    tries: 0,
    step,
    hasDelayed: false,
    devices: [],
    ...(isUnfencing ? { isUnfencing } : {}),
    ...(event.isUndelayed === true ? { isUndelayed: true } : {}),
  };
  draft.operations = [...draft.operations, operation];
  if (objection !== undefined) {
    giveUp(draft, operation, objection, now);
    return;
  }
  const order = operation.levels.map((level) => level.join("+")).join(", then ");
  const boundS = Math.ceil(roundBoundMs(levels) / 1_000);
  log(draft, "info", `${action} of ${target}, asked by ${origin.by}: ${order || "no device"}; at most ${boundS} s`);
}

function takeConfirmation(draft: Draft, event: ConfirmationEvent, now: Now): void {
  const { target, by, answersOn } = event;
  if (answersOn.length > 0) {
    const reason = `${target} is not off: ${answersOn.join("; ")}`;
    log(draft, "error", `confirmation by ${by} is refused: ${reason}`);
    draft.effects.push({ kind: "confirmation-refused", target, reason });
    return;
  }
  const running = draft.operations.find((each) => each.target === target && each.step === "off");
  const operation: FencingOperation = running ?? {
    id: nextId(draft),
    target,
    action: "off",
    waiters: [],
    by: [],
    seed: 0,
    isTargetPreferred: false,
    startedWallMs: now.wallMs,
    phase: { kind: "waiting", notBeforeMs: now.ms },
    levels: [],
    level: 0,
    device: 0,
    tries: 0,
    step: "off",
    hasDelayed: false,
    devices: [],
  };
  const asked = "is this node switched off?";
  const record: DeviceRecord = {
    device: "operator",
    driver: "meatware",
    action: "off",
    outcome: { kind: "confirmed", power: "off" },
    evidence: [{ atWallMs: now.wallMs, lastWallMs: now.wallMs, asked, answered: `confirmed by ${by}` }],
    startedWallMs: now.wallMs,
    endedWallMs: now.wallMs,
  };
  log(draft, "warning", `${by} stands for it that ${target} is off`);
  const { phase } = operation;
  if (phase.kind === "running" || phase.kind === "looking")
    draft.effects.push({ kind: "stop-device", attemptId: phase.attemptId });
  // A person is at the machine: it is not switched on under his hands, whatever was asked for.
  const confirmed: FencingOperation = {
    ...operation,
    action: "off",
    by: [...operation.by, by],
    devices: [...operation.devices, record],
  };
  succeedOff(draft, confirmed, false, now);
}

/**
 * An order that a board has already got cannot be called back. What operators and DRBD want stands; the scheduler,
 * which wants it no more, does not wait for that with them: a person who is asked may never come.
 */
function withdraw(draft: Draft, target: string, now: Now): void {
  for (const operation of draft.operations.filter((each) => each.target === target && each.step === "off")) {
    const others = operation.waiters.filter(({ origin }) => origin.kind !== "scheduler");
    if (operation.phase.kind === "running") {
      if (others.length === 0) replace(draft, { ...operation, isWithdrawn: true });
    } else if (others.length === 0) abandon(draft, operation, now);
    else if (others.length < operation.waiters.length) release(draft, operation, others, now);
  }
}

const byOf = ({ origin }: Waiter) => origin.by;

/** Answers those who wait no longer; the operation goes on for the rest. */
function release(draft: Draft, operation: FencingOperation, rest: readonly Waiter[], now: Now): void {
  const gone = operation.waiters.filter((waiter) => !rest.includes(waiter));
  log(draft, "info", `${operation.target} has come back: its fencing goes on for ${rest.map(byOf).join(", ")} only`);
  const outcome = { kind: "not-done", reason: `${operation.target} has come back` } as const;
  // The fencing itself has not ended, so that history has nothing of it yet.
  const record = recordOf(draft, operation, operation.action, outcome, now);
  for (const { requestId } of gone) draft.effects.push({ kind: "answer", requestId, outcome, record });
  replace(draft, { ...operation, waiters: rest, by: rest.map(byOf) });
}

/** One step; `nowMs` is monotonic. Refuses nothing and waits for nothing: every wish ends in an answer. */
export function stepFencer(state: FencerState, event: FencerEvent, nowMs: number): Stepped<FencerState, FencerEffect> {
  const draft: Draft = { ...state, effects: [] };
  const now: Now = { ms: nowMs, wallMs: event.atWallMs };
  switch (event.kind) {
    case "configure":
      draft.configuration = event.configuration;
      draft.failures = {};
      break;
    case "request":
      takeRequest(draft, event, now);
      break;
    case "attempt-result": {
      const operation = draft.operations.find(
        ({ phase }) => (phase.kind === "running" || phase.kind === "looking") && phase.attemptId === event.attemptId,
      );
      // The operation may have ended by an operator's word, or without a result in time.
      if (operation?.phase.kind === "looking") settleLook(draft, operation, event.report, now);
      else if (operation !== undefined) settle(draft, operation, event.report, now);
      break;
    }
    case "operator-confirmation":
      takeConfirmation(draft, event, now);
      break;
    case "word-elsewhere":
      if (draft.operations.some(({ target, step }) => target === event.target && step === "off"))
        takeConfirmation(draft, { ...event, kind: "operator-confirmation", answersOn: [] }, now);
      break;
    case "withdraw":
      withdraw(draft, event.target, now);
      break;
    case "tick":
      break;
    default:
      return unreachable(event);
  }
  pump(draft, now);
  const { effects, ...next } = draft;
  return { state: next, effects };
}
