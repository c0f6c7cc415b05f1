/** A fencer on a virtual clock, with devices that answer as they are told: for tests of the core. */
import { expect } from "vitest";
import { type FencingConfiguration, type FencingDevice, NO_FENCING } from "../../src/fencing/core/configuration.ts";
import type { FencingOutcome } from "../../src/fencing/core/driver.ts";
import { stepFencer } from "../../src/fencing/core/fencer.ts";
import {
  createFencer,
  type FencerEffect,
  type FencerEvent,
  type FencerState,
  wakeAtMs,
} from "../../src/fencing/core/fencer-state.ts";

export function device(id: string, more: Partial<FencingDevice> = {}): FencingDevice {
  return {
    id,
    agent: "ipmi-lan",
    driver: "ipmi-lan",
    parameters: {},
    perTarget: {},
    rebootParameters: {},
    isManual: false,
    isWitness: false,
    targets: ["alpha"],
    bannedFrom: [],
    priority: 0,
    actionLimit: 1,
    timeoutMs: { off: 10_000, on: 10_000 },
    tries: { off: 1, on: 1 },
    delayBaseMs: {},
    delayMaxMs: 0,
    staysOff: false,
    unfences: false,
    ...more,
  };
}

export function configuration(devices: readonly FencingDevice[], levels: readonly (readonly string[])[] = []) {
  const topology = levels.map((each, at) => ({ index: at + 1, devices: each }));
  return { ...NO_FENCING, devices, topology: levels.length === 0 ? {} : { alpha: topology } };
}

export type Answers = (device: string, action: "off" | "on" | "status", attempt: number) => FencingOutcome | "never";
export const OFF: FencingOutcome = { kind: "confirmed", power: "off" };
export const ON: FencingOutcome = { kind: "confirmed", power: "on" };
export const NOT_DONE: FencingOutcome = { kind: "not-done", reason: "wrong password" };
export const UNKNOWN: FencingOutcome = { kind: "unknown", reason: "still on" };
export const obedient: Answers = (_, action) => (action === "off" ? OFF : ON);

/** A fencer on a virtual clock whose devices take a second each. */
export function start(config: FencingConfiguration, answers: Answers) {
  let state: FencerState = createFencer("bravo", config);
  let nowMs = 0;
  const attempts = new Map<string, number>();
  const running: { readonly atMs: number; readonly attemptId: number; readonly outcome: FencingOutcome }[] = [];
  const story: string[] = [];
  const effects: FencerEffect[] = [];

  function tell(effect: FencerEffect): void {
    effects.push(effect);
    const at = String(nowMs);
    if (effect.kind === "run-device") {
      const { attemptId, action } = effect;
      const count = (attempts.get(effect.device.id) ?? 0) + 1;
      attempts.set(effect.device.id, count);
      const outcome = answers(effect.device.id, action, count);
      story.push(`${at} run ${effect.device.id} ${action}`);
      if (outcome !== "never") running.push({ atMs: nowMs + 1_000, attemptId, outcome });
    } else if (effect.kind === "answer") story.push(`${at} answer ${effect.requestId} ${effect.outcome.kind}`);
    else if (effect.kind === "fenced") story.push(`${at} fenced ${effect.target}`);
    else if (effect.kind === "ask-operator") story.push(`${at} ask operator for ${effect.target}`);
    else if (effect.kind === "confirmation-refused") story.push(`${at} refused`);
  }
  function send(event: FencerEvent): void {
    const stepped = stepFencer(state, event, nowMs);
    // What is not plain data would not survive this, and could neither be logged nor replayed.
    expect(JSON.parse(JSON.stringify(stepped.state))).toEqual(stepped.state);
    state = stepped.state;
    stepped.effects.forEach(tell);
  }
  function run(durationMs: number): void {
    const untilMs = nowMs + durationMs;
    for (;;) {
      const next = running.toSorted((left, right) => left.atMs - right.atMs)[0];
      const dueMs = Math.min(next?.atMs ?? Infinity, wakeAtMs(state) ?? Infinity);
      if (dueMs > untilMs) break;
      expect(dueMs, "a wake-up must lie ahead").toBeGreaterThanOrEqual(nowMs);
      nowMs = dueMs;
      if (next !== undefined && next.atMs === dueMs) {
        running.splice(running.indexOf(next), 1);
        const report = { outcome: next.outcome, evidence: [] };
        send({ kind: "attempt-result", atWallMs: nowMs, attemptId: next.attemptId, report });
      } else send({ kind: "tick", atWallMs: nowMs });
    }
    nowMs = untilMs;
  }
  return {
    story,
    effects,
    run,
    send,
    state: () => state,
    request(
      requestId: string,
      action: "off" | "on" | "reboot" = "reboot",
      kind: "scheduler" | "operator" = "scheduler",
      isTargetPreferred = false,
    ) {
      const origin = { kind, by: requestId };
      const event = { target: "alpha", action, origin, seed: 7, isTargetPreferred } as const;
      send({ kind: "request", atWallMs: nowMs, requestId, ...event });
    },
    confirm(answersOn: readonly string[] = []) {
      send({ kind: "operator-confirmation", atWallMs: nowMs, target: "alpha", by: "root on ttyS0", answersOn });
    },
  };
}
