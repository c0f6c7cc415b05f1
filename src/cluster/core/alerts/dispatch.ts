/**
 * Which alert agent runs when: what has happened becomes runs, few at once, in a queue with an end for each target.
 * A storm of events or an agent that hangs costs alerts, never a takeover, and a hung agent no other one its turn.
 * What was not told is counted and stands in status until the target has been told of something again. Pure; the desk
 * starts the runs and says how they ended. Nobody waits for them.
 */
import { entryOf, without } from "../../../base/record.ts";
import { type Stepped, unchanged } from "../../../base/step.ts";
import { type AlertTarget, wants } from "./configuration.ts";
import { alertEnvironment } from "./environment.ts";
import type { Happening } from "./happenings.ts";
import type { Instant } from "./timestamp.ts";

/** Each costs the manager's loop the time of a fork. */
const RUNNING_MAX = 4;
/** One that hangs for its whole timeout leaves the others their turn. */
const RUNNING_PER_TARGET_MAX = 2;
/** More than a takeover of a large site has operations. */
const WAITING_PER_TARGET_MAX = 256;

export interface AlertRun {
  readonly id: number;
  readonly target: string;
  readonly path: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** Why a target is not told what it should be. */
export interface AlertTrouble {
  readonly target: string;
  readonly reason: string;
  /** Alerts that did not arrive since it was last told of something; 0 while only a look has found the trouble. */
  readonly lost: number;
}

/** As every node of the cluster tells it: whose alerts they are. */
export interface ToldTrouble extends AlertTrouble {
  readonly node: string;
}

export interface AlertsState {
  readonly sequence: number;
  readonly nextId: number;
  /** The target of each run. */
  readonly running: Readonly<Record<number, string>>;
  /** Oldest first. */
  readonly waiting: readonly AlertRun[];
  readonly troubles: Readonly<Record<string, AlertTrouble>>;
}

export type AlertsEvent =
  | {
      readonly kind: "happened";
      readonly happenings: readonly Happening[];
      readonly targets: readonly AlertTarget[];
      readonly instant: Instant;
    }
  /** Without a reason it did its work. */
  | { readonly kind: "ended"; readonly id: number; readonly failure?: string }
  /** The configuration has changed: these are wanted now. */
  | { readonly kind: "configured"; readonly targets: readonly AlertTarget[] }
  /** An agent was looked at before it is needed; `objection`: why it could not be run. */
  | { readonly kind: "looked"; readonly target: string; readonly objection?: string };

export type AlertsEffect =
  | { readonly kind: "run"; readonly run: AlertRun }
  | { readonly kind: "log"; readonly level: "info" | "warning"; readonly text: string };

type Step = Stepped<AlertsState, AlertsEffect>;

/** `sequence`: no alert has had a higher number before. */
export function createAlerts(sequence: number): AlertsState {
  return { sequence, nextId: 1, running: {}, waiting: [], troubles: {} };
}

/** Told once for each reason, however often it comes. */
function troubled(state: AlertsState, target: string, reason: string, lost: number): Step {
  const before = entryOf(state.troubles, target);
  const trouble = { target, reason, lost: (before?.lost ?? 0) + lost };
  const text = `alert ${target} is not told: ${reason}`;
  return {
    state: { ...state, troubles: { ...state.troubles, [target]: trouble } },
    effects: before?.reason === reason ? [] : [{ kind: "log", level: "warning", text }],
  };
}

function mended(state: AlertsState, target: string): Step {
  const before = entryOf(state.troubles, target);
  if (before === undefined) return unchanged(state);
  const lost = before.lost === 0 ? "" : `; ${before.lost} alerts before were lost`;
  return {
    state: { ...state, troubles: without(state.troubles, target) },
    effects: [{ kind: "log", level: "info", text: `alert ${target} can be told${lost}` }],
  };
}

const attributeOf = (happening: Happening) => (happening.kind === "attribute" ? happening.name : "");

function happened(start: AlertsState, { happenings, targets, instant }: AlertsEvent & { kind: "happened" }): Step {
  let state = start;
  const effects: AlertsEffect[] = [];
  for (const happening of happenings)
    for (const target of targets) {
      if (!wants(target, happening.kind, attributeOf(happening))) continue;
      const { name, path, timeoutMs } = target;
      if (state.waiting.filter((run) => run.target === name).length >= WAITING_PER_TARGET_MAX) {
        const reason = `${WAITING_PER_TARGET_MAX} alerts wait for it already, what comes now is dropped`;
        const stepped = troubled(state, name, reason, 1);
        state = stepped.state;
        effects.push(...stepped.effects);
        continue;
      }
      const sequence = state.sequence + 1;
      const environment = alertEnvironment(happening, target, sequence, instant);
      const run = { id: state.nextId, target: name, path, environment, timeoutMs };
      state = { ...state, sequence, nextId: state.nextId + 1, waiting: [...state.waiting, run] };
    }
  return { state, effects };
}

function ended(state: AlertsState, { id, failure }: AlertsEvent & { kind: "ended" }): Step {
  const target = state.running[id];
  if (target === undefined) return unchanged(state);
  const rested = { ...state, running: without(state.running, String(id)) };
  if (failure !== undefined) return troubled(rested, target, failure, 1);
  // In a storm each end would else be told as its own.
  return rested.waiting.some((run) => run.target === target) ? unchanged(rested) : mended(rested, target);
}

/** What nobody wants any more neither waits nor troubles; what runs is left to end. */
function configured(state: AlertsState, targets: readonly AlertTarget[]): Step {
  const names = targets.map(({ name }) => name);
  const troubles = Object.fromEntries(Object.entries(state.troubles).filter(([name]) => names.includes(name)));
  return {
    state: { ...state, troubles, waiting: state.waiting.filter(({ target }) => names.includes(target)) },
    effects: [],
  };
}

function stepEvent(state: AlertsState, event: AlertsEvent): Step {
  switch (event.kind) {
    case "happened":
      return happened(state, event);
    case "ended":
      return ended(state, event);
    case "configured":
      return configured(state, event.targets);
    case "looked":
      if (event.objection !== undefined) return troubled(state, event.target, event.objection, 0);
      // That it is there says nothing of an agent that ran and failed.
      return entryOf(state.troubles, event.target)?.lost === 0 ? mended(state, event.target) : unchanged(state);
  }
}

/** The oldest whose target has a turn left. */
function startNext(state: AlertsState): Step | undefined {
  const running = Object.values(state.running);
  if (running.length >= RUNNING_MAX) return undefined;
  const run = state.waiting.find(
    ({ target }) => running.filter((other) => other === target).length < RUNNING_PER_TARGET_MAX,
  );
  if (run === undefined) return undefined;
  const waiting = state.waiting.filter((other) => other !== run);
  return {
    state: { ...state, waiting, running: { ...state.running, [run.id]: run.target } },
    effects: [{ kind: "run", run }],
  };
}

export function stepAlerts(before: AlertsState, event: AlertsEvent): Step {
  let { state, effects } = stepEvent(before, event);
  for (let next = startNext(state); next !== undefined; next = startNext(state)) {
    state = next.state;
    effects = [...effects, ...next.effects];
  }
  return { state, effects };
}
