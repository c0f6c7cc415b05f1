/**
 * One round of fencing: from device to device, from level to level, until off is proven or nothing is left to try.
 * Part of the fencer's step: works on the draft of its state, and reaches nothing else.
 */
import { unreachable } from "../../base/check.ts";
import { entryOf, without } from "../../base/record.ts";
import type { FencingDevice, FencingRequestAction } from "./configuration.ts";
import type { DeviceReport, FencingOutcome } from "./driver.ts";
import {
  type DeviceRecord,
  type FencerEffect,
  type FencerState,
  type FencingOperation,
  type FencingRecord,
  HISTORY_MAX,
  isBlocked,
  isCrowded,
  PAUSE_CAP_MS,
  PAUSE_EXHAUSTED_MS,
  PAUSE_FIRST_MS,
  REMINDER_MS,
  RUNNER_GRACE_MS,
  TRY_PAUSE_MS,
} from "./fencer-state.ts";

export type Draft = { -readonly [Key in keyof FencerState]: FencerState[Key] } & { readonly effects: FencerEffect[] };
export interface Now {
  readonly ms: number;
  readonly wallMs: number;
}

export function log(draft: Draft, severity: "info" | "warning" | "error", text: string): void {
  draft.effects.push({ kind: "log", severity, text });
}

export function nextId(draft: Draft): number {
  draft.lastId += 1;
  return draft.lastId;
}

export function replace(draft: Draft, operation: FencingOperation): FencingOperation {
  draft.operations = draft.operations.map((each) => (each.id === operation.id ? operation : each));
  return operation;
}

export function remove(draft: Draft, { id }: FencingOperation): void {
  draft.operations = draft.operations.filter((each) => each.id !== id);
}

/** A number in [0, 1) that follows from the seed and the device alone. */
function chance(seed: number, device: string): number {
  let mixed = seed | 0;
  for (let at = 0; at < device.length; at++)
    mixed = Math.imul(mixed ^ device.charCodeAt(at), 0x9e3779b1) ^ (mixed >>> 15);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  return ((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 32;
}

/** A device confirms only the power that was wanted: a confirmed "on" is no proof of death. */
function isProven(outcome: FencingOutcome, wanted: "on" | "off"): boolean {
  return outcome.kind === "confirmed" && outcome.power === wanted;
}

function delayMs(draft: Draft, operation: FencingOperation, device: FencingDevice): number {
  const { target, seed, isTargetPreferred, level } = operation;
  if (operation.isUndelayed === true) return 0;
  const baseMs = entryOf(device.delayBaseMs, target) ?? device.delayBaseMs[""] ?? 0;
  const priorityMs =
    isTargetPreferred && level === 0 && operation.device === 0 ? draft.configuration.priorityDelayMs : 0;
  return Math.round(baseMs + priorityMs + chance(seed, device.id) * device.delayMaxMs);
}

function deviceOf(draft: Draft, { levels, level, device }: FencingOperation): FencingDevice | undefined {
  const id = levels[level]?.[device];
  return draft.configuration.devices.find((each) => each.id === id);
}

export function recordOf(
  { self }: Draft,
  { id, target, devices, by, waiters, startedWallMs }: FencingOperation,
  action: FencingRequestAction,
  outcome: FencingOutcome,
  now: Now,
): FencingRecord {
  const met = waiters.some(({ origin }) => origin.hasNotMet === true) ? ({ hasNotMet: true } as const) : {};
  return { node: self, id, target, action, outcome, devices, by, ...met, startedWallMs, endedWallMs: now.wallMs };
}

/** Keeps the record of a round and tells it to everybody. */
export function publish(
  draft: Draft,
  operation: FencingOperation,
  action: FencingRequestAction,
  outcome: FencingOutcome,
  now: Now,
): void {
  const { target, waiters } = operation;
  const record = recordOf(draft, operation, action, outcome, now);
  draft.history = [...draft.history, record].slice(-HISTORY_MAX);
  draft.effects.push({ kind: "record", record });
  if (isProven(outcome, "off")) draft.effects.push({ kind: "fenced", target, record });
  for (const { requestId } of waiters) draft.effects.push({ kind: "answer", requestId, outcome, record });
}

/** The round has led to nothing: everybody is told, and the next round waits. */
function failRound(draft: Draft, operation: FencingOperation, reason: string, now: Now): void {
  const { target, devices, action, step } = operation;
  const isUnknown = devices.some(({ outcome }) => outcome.kind === "unknown");
  const outcome: FencingOutcome = { kind: isUnknown ? "unknown" : "not-done", reason };
  if (step === "on") {
    const what =
      operation.isUnfencing === true
        ? `${target} is not let in: ${reason}; nothing starts on it`
        : `${target} could not be switched on: ${reason}; switch it on by hand`;
    log(draft, "error", what);
    remove(draft, operation);
    publish(draft, operation, "on", outcome, now);
    return;
  }
  const rounds = (entryOf(draft.failures, target)?.rounds ?? 0) + 1;
  const isExhausted = rounds >= draft.configuration.attemptsMax;
  const pauseMs = isExhausted ? PAUSE_EXHAUSTED_MS : Math.min(PAUSE_CAP_MS, PAUSE_FIRST_MS * 2 ** (rounds - 1));
  draft.failures = { ...draft.failures, [target]: { rounds, retryAtMs: now.ms + pauseMs } };
  const next = isExhausted ? `all ${rounds} attempts failed; ` : "";
  log(
    draft,
    "error",
    `fencing of ${target} is ${outcome.kind}: ${reason}; ${next}nothing is taken over; next try after ${pauseMs} ms`,
  );
  remove(draft, operation);
  publish(draft, operation, action, outcome, now);
}

/** Every device of a level has read back "off", or a person stands for it. */
export function succeedOff(draft: Draft, operation: FencingOperation, mayStart: boolean, now: Now): void {
  const { target, action, levels, level } = operation;
  draft.failures = without(draft.failures, target);
  log(draft, "info", `${target} is confirmed off`);
  const devices = draft.configuration.devices.filter(({ id }) => levels[level]?.includes(id) === true);
  const starters = devices.filter(({ isManual, staysOff }) => !isManual && !staysOff);
  publish(draft, operation, action, { kind: "confirmed", power: "off" }, now);
  if (!mayStart || action !== "reboot" || starters.length < devices.length) {
    remove(draft, operation);
    return;
  }
  replace(draft, {
    ...operation,
    waiters: [],
    devices: [],
    levels: [starters.map(({ id }) => id)],
    level: 0,
    device: 0,
    tries: 0,
    step: "on",
    startedWallMs: now.wallMs,
    phase: { kind: "waiting", notBeforeMs: now.ms },
  });
}

function succeedOn(draft: Draft, operation: FencingOperation, now: Now): void {
  log(draft, "info", `${operation.target} is ${operation.isUnfencing === true ? "let in" : "switched on"}`);
  remove(draft, operation);
  publish(draft, operation, "on", { kind: "confirmed", power: "on" }, now);
}

/** Goes on after a device has confirmed. */
function advance(draft: Draft, operation: FencingOperation, now: Now): void {
  const { levels, level, device, step } = operation;
  // A first device may be all that kills half a machine, so an off goes on; a door that was opened is shut next.
  if (step === "on" && operation.isWithdrawn === true) abandon(draft, operation, now);
  else if (device + 1 < (levels[level]?.length ?? 0)) {
    const phase = { kind: "waiting", notBeforeMs: now.ms } as const;
    replace(draft, { ...operation, device: device + 1, tries: 0, hasDelayed: false, phase });
  } else if (step === "off") succeedOff(draft, operation, true, now);
  else succeedOn(draft, operation, now);
}

/** It is left undone, and no failure of the devices. */
export function giveUp(draft: Draft, operation: FencingOperation, reason: string, now: Now): void {
  const { target, action } = operation;
  log(draft, "warning", `${action} of ${target} is given up: ${reason}`);
  remove(draft, operation);
  publish(draft, operation, action, { kind: "not-done", reason }, now);
}

/** It is wanted no more. */
export function abandon(draft: Draft, operation: FencingOperation, now: Now): void {
  const { target, isUnfencing } = operation;
  giveUp(draft, operation, isUnfencing === true ? `${target} is to be fenced` : `${target} has come back`, now);
}

/** Tries again, or goes to the next level; after the last one the round has failed. */
function retreat(draft: Draft, operation: FencingOperation, triesMax: number, reason: string, now: Now): void {
  const tries = operation.tries + 1;
  if (operation.isWithdrawn === true) abandon(draft, operation, now);
  else if (tries < triesMax) {
    const phase = { kind: "waiting", notBeforeMs: now.ms + TRY_PAUSE_MS } as const;
    replace(draft, { ...operation, tries, phase });
  } else if (operation.level + 1 < operation.levels.length) {
    const phase = { kind: "waiting", notBeforeMs: now.ms } as const;
    replace(draft, { ...operation, level: operation.level + 1, device: 0, tries: 0, hasDelayed: false, phase });
  } else failRound(draft, operation, reason, now);
}

/** After a look during the delay: a target that reads off shoots nobody, so the off is proven at once. */
export function settleLook(draft: Draft, operation: FencingOperation, { outcome }: DeviceReport, now: Now): void {
  const { phase } = operation;
  if (phase.kind !== "looking") return;
  const notBeforeMs = isProven(outcome, "off") ? now.ms : phase.notBeforeMs;
  replace(draft, { ...operation, phase: { kind: "waiting", notBeforeMs } });
}

/** One device has come to an end, one way or the other. */
export function settle(draft: Draft, operation: FencingOperation, report: DeviceReport, now: Now): void {
  const { target, step, phase, levels, level } = operation;
  const device = deviceOf(draft, operation);
  const id = levels[level]?.[operation.device] ?? "";
  const startedWallMs = phase.kind === "running" ? phase.startedWallMs : now.wallMs;
  const outcome = report.outcome;
  const record: DeviceRecord = {
    device: id,
    driver: device?.driver ?? "",
    action: step,
    outcome,
    evidence: report.evidence,
    startedWallMs,
    endedWallMs: now.wallMs,
  };
  const settled = { ...operation, devices: [...operation.devices, record] };
  if (isProven(outcome, step)) {
    log(draft, "info", `${id} has read back that ${target} is ${step}`);
    advance(draft, settled, now);
    return;
  }
  const why = outcome.kind === "confirmed" ? `it reads ${outcome.power} after ${step}` : outcome.reason;
  const reason = `${id}: ${why}`;
  log(draft, "warning", `fencing device ${id}, ${step} of ${target}: ${outcome.kind}: ${why}`);
  retreat(draft, settled, device?.tries[step] ?? 1, reason, now);
}

function askOperator(draft: Draft, operation: FencingOperation, device: FencingDevice, now: Now): void {
  const { target } = operation;
  const untilMs = now.ms + device.timeoutMs.off;
  replace(draft, { ...operation, phase: { kind: "operator", untilMs, remindAtMs: now.ms + REMINDER_MS } });
  draft.effects.push({ kind: "ask-operator", target, device: device.id, untilMs });
  log(
    draft,
    "error",
    `OPERATOR NEEDED: switch ${target} off by hand, see that it is off, then confirm: gemel fence confirm ${target}`,
  );
}

function startDevice(draft: Draft, operation: FencingOperation, now: Now): void {
  const { target, step, levels, tries } = operation;
  if (levels.length === 0) {
    failRound(draft, operation, `no fencing device can be used for ${target}`, now);
    return;
  }
  const device = deviceOf(draft, operation);
  if (device === undefined) {
    const outcome = { kind: "not-done", reason: "it is not configured any more" } as const;
    settle(draft, operation, { outcome, evidence: [] }, now);
    return;
  }
  const waitMs = step === "off" && tries === 0 && !operation.hasDelayed ? delayMs(draft, operation, device) : 0;
  if (waitMs > 0) {
    startDelay(draft, operation, device, waitMs, now);
    return;
  }
  if (device.isManual) {
    askOperator(draft, operation, device, now);
    return;
  }
  const attemptId = nextId(draft);
  const timeoutMs = device.timeoutMs[step];
  const lateAtMs = now.ms + timeoutMs + RUNNER_GRACE_MS;
  replace(draft, { ...operation, phase: { kind: "running", attemptId, startedWallMs: now.wallMs, lateAtMs } });
  runDevice(draft, operation, device, { attemptId, action: step, timeoutMs });
}

type DeviceRun = Omit<Extract<FencerEffect, { kind: "run-device" }>, "kind" | "device" | "target">;

function runDevice(draft: Draft, operation: FencingOperation, device: FencingDevice, what: DeviceRun): void {
  const { target } = operation;
  const { id, driver } = device;
  const own = entryOf(device.perTarget, target);
  const onReboot = operation.action === "reboot" ? device.rebootParameters : undefined;
  const parameters = { ...device.parameters, ...own, ...onReboot };
  draft.effects.push({ kind: "run-device", device: { id, driver, parameters }, target, ...what });
}

/**
 * The delay lets a target that may be alive shoot first. Who lost its power shoots nobody: the board is asked at once,
 * so that only an outage without a power cut pays for the delay.
 */
function startDelay(draft: Draft, operation: FencingOperation, device: FencingDevice, waitMs: number, now: Now): void {
  const { target } = operation;
  const notBeforeMs = now.ms + waitMs;
  log(draft, "info", `${device.id} waits ${waitMs} ms before it fences ${target}, unless it reads that it is off`);
  if (device.isManual) {
    replace(draft, { ...operation, hasDelayed: true, phase: { kind: "waiting", notBeforeMs } });
    return;
  }
  const attemptId = nextId(draft);
  const phase = { kind: "looking", attemptId, notBeforeMs } as const;
  replace(draft, { ...operation, hasDelayed: true, phase });
  runDevice(draft, operation, device, { attemptId, action: "status", timeoutMs: waitMs });
}

/** Does what is due for one operation; true when something was. */
function pumpOperation(draft: Draft, operation: FencingOperation, now: Now): boolean {
  const { phase, target } = operation;
  switch (phase.kind) {
    case "waiting":
    case "looking":
      if (now.ms < phase.notBeforeMs) return false;
      startDevice(draft, operation, now);
      return true;
    case "running": {
      if (now.ms < phase.lateAtMs) return false;
      const outcome = { kind: "unknown", reason: "the runner gave no result" } as const;
      settle(draft, operation, { outcome, evidence: [] }, now);
      return true;
    }
    case "operator":
      if (now.ms >= phase.untilMs) {
        const outcome = { kind: "not-done", reason: "nobody confirmed" } as const;
        settle(draft, operation, { outcome, evidence: [] }, now);
        return true;
      }
      if (now.ms < phase.remindAtMs) return false;
      log(draft, "error", `OPERATOR NEEDED: ${target} still waits for gemel fence confirm ${target}`);
      replace(draft, { ...operation, phase: { ...phase, remindAtMs: now.ms + REMINDER_MS } });
      return true;
    default:
      return unreachable(phase);
  }
}

export function pump(draft: Draft, now: Now): void {
  let isBusy = true;
  while (isBusy) {
    const due = draft.operations.find(
      (operation) =>
        !isBlocked(draft, operation) && !isCrowded(draft, operation) && pumpOperation(draft, operation, now),
    );
    isBusy = due !== undefined;
  }
}
