/**
 * The execution of one transition at the DC: an action starts as soon as all its inputs have succeeded.
 * After a failure or an abort nothing new starts; what runs on living nodes is awaited, and then the run has finished.
 * Nothing ever waits for an action on a dead node, nor, once aborted, for a fencing: it may take until a person comes,
 * and goes on by itself; what must not be done before it waits for it in the next transition as well.
 * Pure; what an action does is the controller's business. Not to be assumed: that a finished run was a complete one.
 */
import { check, present } from "../../../base/check.ts";
import { earliest } from "../../../base/earliest.ts";
import type { Stepped } from "../../../base/step.ts";
import { promoteAfterProbes } from "./after-probes.ts";
import type { Transition, TransitionAction } from "./graph.ts";
import { freeInPlace } from "./in-place.ts";

export type ActionPhase = "waiting" | "running" | "succeeded" | "failed";

export interface TransitionRun {
  readonly number: number;
  readonly transition: Transition;
  /** By position in `transition.actions`, as the two lists below. */
  readonly phases: readonly ActionPhase[];
  /** How many inputs have not succeeded yet. */
  readonly missing: readonly number[];
  /** When a running action is given up; 0 for one that does not run. */
  readonly deadlines: readonly number[];
  /** Why nothing new is started. */
  readonly aborted?: string;
  readonly finished: boolean;
}

export type RunEvent =
  | { readonly kind: "ended"; readonly actionId: number; readonly succeeded: boolean }
  | { readonly kind: "abort"; readonly reason: string }
  /** The node has gone, or its manager: nothing that runs there will ever answer. */
  | { readonly kind: "node-gone"; readonly node: string }
  | { readonly kind: "tick" };

export type RunEffect =
  | { readonly kind: "start"; readonly action: TransitionAction }
  | { readonly kind: "timed-out"; readonly action: TransitionAction }
  /** Nothing runs any more. `complete`: every action succeeded. */
  | { readonly kind: "finished"; readonly complete: boolean };

/**
 * Guards against an answer that never comes, beyond what the action's own timeout and the way there and back need.
 * The fencer bounds itself by its devices and attempts; this is far beyond any such bound.
 */
export const FENCE_GUARD_MS = 20 * 60_000;
/** Actions without a timeout of their own take no time worth naming. */
const SHORT_GUARD_MS = 60_000;

function guardMs(action: TransitionAction, transition: Transition): number {
  switch (action.kind) {
    case "resource":
      return (action.startDelayMs ?? 0) + action.timeoutMs + transition.clusterDelayMs;
    case "fence":
      return FENCE_GUARD_MS;
    case "cluster":
    case "pseudo":
      return SHORT_GUARD_MS;
    default:
      return action satisfies never;
  }
}

/**
 * Where the action is carried out: a fencing runs at the DC, whatever happens to its target; but a node lets itself in,
 * and when it goes in the middle of that, its fencing must not wait for what it was doing.
 */
function nodeOf(action: TransitionAction): string | undefined {
  if (action.kind === "fence") return action.operation === "on" ? action.target : undefined;
  return action.kind === "resource" || action.kind === "cluster" ? action.node : undefined;
}

/** The lists of a run while one step works on them. */
interface Working {
  readonly run: TransitionRun;
  readonly phases: ActionPhase[];
  readonly missing: number[];
  readonly deadlines: number[];
  readonly effects: RunEffect[];
  aborted: string | undefined;
}

function open(run: TransitionRun): Working {
  const { phases, missing, deadlines, aborted } = run;
  return {
    run,
    phases: [...phases],
    missing: [...missing],
    deadlines: [...deadlines],
    effects: [],
    aborted,
  };
}

function positionOf(run: TransitionRun, actionId: number): number {
  return run.transition.actions.findIndex(({ id }) => id === actionId);
}

/**
 * A node does only so many operations at once, fewer under load, and keeps the others waiting: while it answers at all
 * it works through them. So each order or answer of a node begins the guards of all that it has in hand anew, as long
 * as the longest of them may take; what is given up sooner would be ordered, and run, twice.
 */
function guardNode({ run, phases, deadlines }: Working, node: string, nowMs: number): void {
  const { actions } = run.transition;
  const positions: number[] = [];
  let longestMs = 0;
  actions.forEach((action, position) => {
    if (phases[position] !== "running" || action.kind !== "resource" || action.node !== node) return;
    longestMs = Math.max(longestMs, guardMs(action, run.transition));
    positions.push(position);
  });
  for (const position of positions) deadlines[position] = nowMs + longestMs;
}

function succeed(working: Working, position: number): void {
  const { actions } = working.run.transition;
  working.phases[position] = "succeeded";
  working.deadlines[position] = 0;
  const done = present(actions[position], "the action is part of the transition");
  actions.forEach(({ inputs }, at) => {
    if (inputs.includes(done.id)) working.missing[at] = (working.missing[at] ?? 0) - 1;
  });
}

function fail(working: Working, position: number, reason: string): void {
  working.phases[position] = "failed";
  working.deadlines[position] = 0;
  working.aborted ??= reason;
}

/**
 * A node that leaves waits for every answer of its own, whatever the graph says: a probe that finds something running
 * there must still be able to have it stopped. Pacemaker's graphs let the node go first (crm_simulate, seen).
 */
function isHeldBack(working: Working, action: TransitionAction): boolean {
  if (action.kind !== "cluster" || action.operation !== "do_shutdown") return false;
  return working.run.transition.actions.some(
    (other, position) =>
      other.kind === "resource" &&
      other.node === action.node &&
      (working.phases[position] === "waiting" || working.phases[position] === "running"),
  );
}

const MIGRATIONS: ReadonlySet<string> = new Set(["migrate_to", "migrate_from"]);

/** Memory and network of a node carry only so many live migrations at once (migration-limit). */
function mustWaitForMigrations({ run, phases }: Working, action: TransitionAction): boolean {
  const { actions, migrationLimit } = run.transition;
  if (migrationLimit === 0 || action.kind !== "resource" || !MIGRATIONS.has(action.operation)) return false;
  const underWay = actions.filter(
    (other, position) =>
      phases[position] === "running" &&
      other.kind === "resource" &&
      other.node === action.node &&
      MIGRATIONS.has(other.operation),
  );
  return underWay.length >= migrationLimit;
}

/** Starts whatever may start, most urgent first; pseudo actions succeed at once and free others. */
function startReady(working: Working, nowMs: number): void {
  const { actions, batchLimit } = working.run.transition;
  for (;;) {
    if (working.aborted !== undefined) return;
    const ready = actions
      .map((action, position) => ({ action, position }))
      .filter(({ position }) => working.phases[position] === "waiting" && working.missing[position] === 0)
      .filter(({ action }) => !isHeldBack(working, action))
      .sort((left, right) => right.action.priority - left.action.priority || left.position - right.position);
    const pseudo = ready.filter(({ action }) => action.kind === "pseudo");
    for (const { position } of pseudo) succeed(working, position);
    if (pseudo.length > 0) continue;
    let running = working.phases.filter((phase) => phase === "running").length;
    const ordered = new Set<string>();
    for (const { action, position } of ready) {
      if (batchLimit > 0 && running >= batchLimit) break;
      if (mustWaitForMigrations(working, action)) continue;
      running += 1;
      working.phases[position] = "running";
      working.deadlines[position] = nowMs + guardMs(action, working.run.transition);
      working.effects.push({ kind: "start", action });
      if (action.kind === "resource") ordered.add(action.node);
    }
    for (const node of ordered) guardNode(working, node, nowMs);
    return;
  }
}

/** Letting a node in belongs to what runs there; to cut one off needs nobody's answer but the device's. */
const isCuttingOff = (action: TransitionAction | undefined): boolean =>
  action?.kind === "fence" && action.operation !== "on";

function close(working: Working): Stepped<TransitionRun, RunEffect> {
  const { run, phases, missing, deadlines, aborted, effects } = working;
  const { actions } = run.transition;
  const finished = !phases.some(
    (phase, at) => phase === "running" && !(aborted !== undefined && isCuttingOff(actions[at])),
  );
  if (finished && !run.finished)
    effects.push({ kind: "finished", complete: phases.every((phase) => phase === "succeeded") });
  const state: TransitionRun = {
    number: run.number,
    transition: run.transition,
    phases,
    missing,
    deadlines,
    finished,
    ...(aborted === undefined ? {} : { aborted }),
  };
  return { state, effects };
}

/** Begins a transition; one without actions finishes at once. */
export function startRun(decided: Transition, number: number, nowMs: number): Stepped<TransitionRun, RunEffect> {
  const transition = { ...decided, actions: promoteAfterProbes(freeInPlace(decided.actions)) };
  const { actions } = transition;
  const ids = new Set(actions.map(({ id }) => id));
  check(ids.size === actions.length, "two actions of one transition have the same id");
  const working = open({
    number,
    transition,
    phases: actions.map(() => "waiting"),
    missing: actions.map(({ inputs }) => inputs.filter((input) => ids.has(input)).length),
    deadlines: actions.map(() => 0),
    finished: false,
  });
  startReady(working, nowMs);
  return close(working);
}

export function stepRun(run: TransitionRun, event: RunEvent, nowMs: number): Stepped<TransitionRun, RunEffect> {
  if (run.finished) return { state: run, effects: [] };
  const working = open(run);
  const { actions } = run.transition;
  switch (event.kind) {
    case "ended": {
      const position = positionOf(run, event.actionId);
      // An answer that comes after its action was given up has lost its meaning here; the history has it.
      if (working.phases[position] !== "running") return { state: run, effects: [] };
      if (event.succeeded) succeed(working, position);
      else fail(working, position, `${actions[position]?.key} failed`);
      if (actions[position]?.kind === "resource") guardNode(working, actions[position].node, nowMs);
      break;
    }
    case "abort":
      working.aborted ??= event.reason;
      break;
    case "node-gone":
      actions.forEach((action, position) => {
        if (nodeOf(action) !== event.node) return;
        if (working.phases[position] === "running") fail(working, position, `${event.node} has gone`);
      });
      working.aborted ??= `${event.node} has gone`;
      break;
    case "tick":
      actions.forEach((action, position) => {
        const deadline = working.deadlines[position] ?? 0;
        if (working.phases[position] !== "running" || deadline > nowMs) return;
        fail(working, position, `${action.key} was never answered`);
        working.effects.push({ kind: "timed-out", action });
      });
      break;
    default:
      return event satisfies never;
  }
  startReady(working, nowMs);
  return close(working);
}

export function runWakeAtMs(run: TransitionRun): number | undefined {
  if (run.finished) return undefined;
  let wakeMs: number | undefined;
  for (const deadline of run.deadlines) if (deadline > 0) wakeMs = earliest(wakeMs, deadline);
  return wakeMs;
}

/** Whether all that could be done was done: nothing has failed, and what has not begun waits for a fencing. */
export function awaitsFencingOnly({ phases, transition }: TransitionRun): boolean {
  return (
    phases.includes("running") &&
    phases.every((phase, at) => phase !== "failed" && (phase !== "running" || isCuttingOff(transition.actions[at])))
  );
}

/** Keys of what runs now, for the log and the status. */
export function inFlight(run: TransitionRun): readonly string[] {
  return run.transition.actions.filter((_action, position) => run.phases[position] === "running").map(keyAndNode);
}

/** Nodes that have been ordered something and have not answered. */
export function nodesInFlight({ transition, phases }: TransitionRun): readonly string[] {
  const running = transition.actions.filter((_action, position) => phases[position] === "running");
  return [...new Set(running.flatMap((action) => (action.kind === "resource" ? [action.node] : [])))];
}

/** `ip_start_0 on alpha`. */
export function keyAndNode(action: TransitionAction): string {
  const node = nodeOf(action);
  return node === undefined ? action.key : `${action.key} on ${node}`;
}
