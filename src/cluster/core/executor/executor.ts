/**
 * The executor of one node: runs what the DC orders, one operation at a time for each resource, repeats the recurring
 * ones and keeps the history. Pure; the loop starts the runs and tells how they ended.
 * A recurring operation is told once, then only when its answer changes. What ends or moves a resource cancels its
 * recurring operations first, and ends one that is just running: a stop never waits for a hung monitor.
 * Facts: reference/crm-tools.md, section 6; Pacemaker Explained, "Resource Operations".
 */
import { entryOf, withEntry, without } from "../../../base/record.ts";
import { type Stepped, together, unchanged } from "../../../base/step.ts";
import type { ResourceAction } from "../transition/graph.ts";
import { digestText } from "./digest.ts";
import { doubted, doubtText, isDoubtful, withDiskWait } from "./disk-wait.ts";
import { codesOf, historySuffix, isExpected, isRecorded, lockAfter, recordResult } from "./history.ts";
import { type LimitOptions, slotsOf, usualLimits } from "./limits.ts";
import { pump } from "./pump.ts";
import {
  type Answer,
  CANCELLED,
  cancelRecurring,
  idle,
  mapRecurring,
  result,
  SUCCESS,
  unknownResource,
  withResource,
} from "./resource-state.ts";
import { type Begun, begunAfter, probeOf } from "./runs-with.ts";
import type {
  Call,
  ExecutorEffect,
  ExecutorEvent,
  ExecutorState,
  ExecutorTools,
  RecurringCall,
  ResourceState,
  RunningCall,
} from "./types.ts";

type Step = Stepped<ExecutorState, ExecutorEffect>;
type Finished = Extract<ExecutorEvent, { kind: "finished" }>;

/** After these the old recurring operations say nothing any more; the DC orders new ones. */
const ENDS_RECURRING = new Set(["stop", "demote", "promote", "migrate_to", "migrate_from", "delete"]);

/** Names the probes that nobody has ordered; as long as four parts, for it stands in the history. */
const OWN_TRANSITION_KEY = "0:0:7:own-probe";

/**
 * `actionLimit`: what the node runs at once where nothing else is configured. `begun`: what earlier managers have begun
 * since the machine has booted, and not ended.
 */
export function createExecutor(node: string, actionLimit: number, begun: readonly Begun[] = []): ExecutorState {
  const resources = begun.map((one): [string, ResourceState] => [
    one.resource.id,
    { ...unknownResource(one.resource), begun: one },
  ]);
  return { node, limits: usualLimits(actionLimit), nextCallId: 1, resources: Object.fromEntries(resources) };
}

/**
 * What was begun here and is configured no more is looked at without an order, for none will come. What is configured
 * the DC has looked for: only then is what its agent tells by the way, a promotion score, heard by a DC that counts.
 */
export function lookAtForgotten(state: ExecutorState, configured: readonly string[], nowMs: number): ExecutorState {
  const known = new Set(configured);
  let { nextCallId } = state;
  const resources = Object.entries(state.resources).map(([id, resource]): [string, ResourceState] => {
    const { begun, running, waiting, history } = resource;
    const isSeen = running !== undefined || waiting.length > 0 || Object.keys(history).length > 0;
    if (begun === undefined || isSeen || known.has(id.split(":")[0] ?? id)) return [id, resource];
    const action = probeOf(begun, state.node);
    const call = { callId: nextCallId, action, transitionKey: OWN_TRANSITION_KEY, queuedAtMs: nowMs, digest: "" };
    nextCallId += 1;
    return [id, { ...resource, waiting: [call] }];
  });
  return { ...state, nextCallId, resources: Object.fromEntries(resources) };
}

/** The recurring operation that a `cancel` action of the graph means. */
function cancelledKey({ meta, intervalMs }: ResourceAction): string {
  const interval = intervalMs > 0 ? intervalMs : Number(meta["interval"] ?? 0);
  return historySuffix(meta["operation"] ?? "monitor", interval);
}

function perform(
  state: ExecutorState,
  action: ResourceAction,
  transitionKey: string,
  nowMs: number,
  tools: ExecutorTools,
): Step {
  const { id } = action.resource;
  const digest = tools.md5(digestText(action.parameters, action.intervalMs, action.timeoutMs));
  const call: Call = { callId: state.nextCallId, action, transitionKey, queuedAtMs: nowMs, digest };
  const known = entryOf(state.resources, id) ?? unknownResource(action.resource);
  const next = { ...state, nextCallId: state.nextCallId + 1 };
  if (action.operation === "cancel") {
    const cancelled = cancelRecurring(known, [cancelledKey(action)]);
    const effects: ExecutorEffect[] = [...cancelled.effects, result(call, SUCCESS)];
    if (entryOf(state.resources, id) === undefined) return { state: next, effects };
    effects.push({ kind: "history-changed", resourceId: id, unexpected: false });
    return { state: withResource(next, id, cancelled.resource), effects };
  }
  if (action.intervalMs > 0) {
    const key = historySuffix(action.operation, action.intervalMs);
    const { resource, effects } = cancelRecurring(known, [key]);
    const dueAtMs = nowMs + (action.startDelayMs ?? 0);
    const recurring = { ...resource.recurring, [key]: { ...call, dueAtMs, answered: false } };
    return { state: withResource(next, id, { ...resource, recurring }), effects };
  }
  const ended = ENDS_RECURRING.has(action.operation) ? Object.keys(known.recurring) : [];
  const { resource, effects } = cancelRecurring(known, ended);
  const delayed = action.startDelayMs === undefined ? call : { ...call, notBeforeMs: nowMs + action.startDelayMs };
  return { state: withResource(next, id, { ...resource, waiting: [...resource.waiting, delayed] }), effects };
}

function answerOf(running: RunningCall, { outcome, exitReason, execMs }: Finished): Answer {
  const { opStatus, rcCode } = codesOf(outcome);
  const told = "reason" in outcome && exitReason === "" ? outcome.reason : exitReason;
  const timedOut = outcome.kind === "timeout" && told === "";
  const reason = timedOut ? `did not end within ${running.action.timeoutMs} ms` : told;
  return { opStatus, rcCode, exitReason: reason, execMs, queueMs: running.startedAtMs - running.queuedAtMs };
}

/** Nobody waits for it to run at once. */
function unasked(call: RecurringCall): RecurringCall {
  if (call.lookedForAtMs === undefined && call.isDoubted === undefined) return call;
  const { lookedForAtMs: _asked, isDoubted: _doubted, ...rest } = call;
  return rest;
}

/** A repetition of a recurring operation has ended: only a changed answer is told and recorded. */
function finishRecurring(
  state: ExecutorState,
  id: string,
  resource: ResourceState,
  running: RunningCall,
  event: Finished,
  nowMs: number,
): Step {
  const key = historySuffix(running.action.operation, running.action.intervalMs);
  const call = entryOf(resource.recurring, key);
  if (call === undefined || call.callId !== running.callId) return unchanged(withResource(state, id, idle(resource)));
  const answer = answerOf(running, event);
  // What was asked for during the run may have come too late for it.
  const { lookedForAtMs, isDoubted } = call;
  const isStale = lookedForAtMs !== undefined && lookedForAtMs > running.startedAtMs;
  const dueAtMs = isStale ? nowMs : nowMs + running.action.intervalMs;
  const next: RecurringCall = { ...unasked(call), dueAtMs, answered: true };
  const rested = { ...resource, running: undefined, recurring: withEntry(resource.recurring, key, next) };
  const before = entryOf(resource.history, key);
  const same = before?.rcCode === answer.rcCode && before.opStatus === answer.opStatus;
  if (call.answered && same) return unchanged(withResource(state, id, rested));
  const { expectedCode, operation } = running.action;
  if (call.answered && !isExpected(answer, expectedCode) && isDoubtful(state, resource, running, answer, nowMs)) {
    const again = { ...rested, recurring: { ...resource.recurring, [key]: doubted(next, state, nowMs) } };
    const told: ExecutorEffect = { kind: "log", level: "warning", text: doubtText(id, operation, answer) };
    return { state: withResource(state, id, again), effects: isDoubted === true ? [] : [told] };
  }
  const history = recordResult(rested.history, recordOf(running, answer, event), expectedCode);
  // That it is again as it should be is news, too, but no failure.
  const unexpected = call.answered && !isExpected(answer, expectedCode);
  const effects: ExecutorEffect[] = [{ kind: "history-changed", resourceId: id, unexpected }];
  if (!call.answered) effects.push(result(running, answer));
  return { state: withResource(state, id, { ...rested, history }), effects };
}

const startedWallMs = ({ endedWallMs, execMs }: Finished) => endedWallMs - execMs;

function recordOf({ action, callId, transitionKey, digest }: Call, answer: Answer, event: Finished) {
  const { operation, intervalMs } = action;
  const lastChangeWallMs = startedWallMs(event);
  return { operation, intervalMs, callId, transitionKey, digest, lastChangeWallMs, ...answer };
}

/** The resource whose operation this call runs. After every run: a plain loop. */
function ranBy({ resources }: ExecutorState, callId: number): string | undefined {
  for (const id in resources) if (entryOf(resources, id)?.running?.callId === callId) return id;
  return undefined;
}

function finish(state: ExecutorState, event: Finished, nowMs: number): Step {
  const id = ranBy(state, event.callId);
  const resource = id === undefined ? undefined : entryOf(state.resources, id);
  const running = resource?.running;
  // The answer to a call that this executor never made, or from before a restart.
  if (id === undefined || resource === undefined || running === undefined) return unchanged(state);
  const attributes: ExecutorEffect[] = event.attributes.map((update) => ({
    kind: "attribute",
    resourceId: id,
    ...update,
  }));
  if (running.action.intervalMs > 0) {
    const stepped = finishRecurring(state, id, resource, running, event, nowMs);
    return { state: stepped.state, effects: together(attributes, stepped.effects) };
  }
  const answer = answerOf(running, event);
  const begun = begunAfter(resource.begun, running.action, answer.rcCode, startedWallMs(event));
  const rested: ResourceState = { ...resource, running: undefined, begun };
  // It is not where it was begun; the probe that was ordered looks where it would be now.
  if (running.ordered !== undefined && begun === undefined) {
    const { transitionKey, queuedAtMs, ordered } = running;
    const call: Call = { ...ordered, callId: state.nextCallId, transitionKey, queuedAtMs };
    const again = { ...rested, identity: ordered.action.resource, waiting: [call, ...rested.waiting] };
    return { state: { ...withResource(state, id, again), nextCallId: state.nextCallId + 1 }, effects: attributes };
  }
  const told: ExecutorEffect[] = [
    ...attributes,
    { kind: "history-changed", resourceId: id, unexpected: false },
    result(running, answer),
  ];
  // Nothing is left of it, and nobody has looked where the configuration would have it: that is the DC's to order.
  if (running.transitionKey === OWN_TRANSITION_KEY && begun === undefined && rested.waiting.length === 0)
    return { state: { ...state, resources: without(state.resources, id) }, effects: told };
  if (!isRecorded(running.action.operation)) {
    return { state: withResource(state, id, rested), effects: [...attributes, result(running, answer)] };
  }
  const history = recordResult(rested.history, recordOf(running, answer, event), running.action.expectedCode);
  const lockedSinceSeconds = lockAfter(rested.lockedSinceSeconds, running.action, answer);
  return {
    state: withResource(state, id, { ...rested, lockedSinceSeconds, history }),
    effects: told,
  };
}

function cancel(state: ExecutorState, event: Extract<ExecutorEvent, { kind: "cancel" }>): Step {
  const resource = entryOf(state.resources, event.resourceId);
  if (resource === undefined) return unchanged(state);
  const cancelled = cancelRecurring(resource, [historySuffix(event.operation, event.intervalMs)]);
  const changed: ExecutorEffect = { kind: "history-changed", resourceId: event.resourceId, unexpected: false };
  return {
    state: withResource(state, event.resourceId, cancelled.resource),
    effects: [...cancelled.effects, changed],
  };
}

function flush(state: ExecutorState): Step {
  // Nobody would order it again: a look of our own for what an earlier manager left running, an operator's cleanup.
  const isOfNoTransition = ({ action }: Call) => action.id === 0;
  const effects: ExecutorEffect[] = [];
  const resources = Object.entries(state.resources).map(([id, resource]): [string, ResourceState] => {
    const kept = resource.waiting.filter(isOfNoTransition);
    const dropped = resource.waiting.filter((call) => !kept.includes(call));
    if (dropped.length === 0) return [id, resource];
    for (const call of dropped) effects.push(result(call, CANCELLED));
    // What it was about to end runs on, and its monitors ended as this was ordered: the DC has to see that.
    if (dropped.some(({ action }) => ENDS_RECURRING.has(action.operation)))
      effects.push({ kind: "history-changed", resourceId: id, unexpected: false });
    return [id, { ...resource, waiting: kept }];
  });
  return { state: { ...state, resources: Object.fromEntries(resources) }, effects };
}

export function limited(state: ExecutorState, options: LimitOptions): ExecutorState {
  return { ...state, limits: { ...state.limits, ...options } };
}

function clearFailures(state: ExecutorState, event: Extract<ExecutorEvent, { kind: "clear-failures" }>): Step {
  const resource = entryOf(state.resources, event.resourceId);
  const failure = resource?.history["last_failure_0"];
  if (resource === undefined || failure === undefined) return unchanged(state);
  if (event.operation !== undefined && event.operation !== failure.operation) return unchanged(state);
  if (event.intervalMs !== undefined && event.intervalMs !== failure.intervalMs) return unchanged(state);
  const history = without(resource.history, "last_failure_0");
  return {
    state: withResource(state, event.resourceId, { ...resource, history }),
    effects: [{ kind: "history-changed", resourceId: event.resourceId, unexpected: false }],
  };
}

function look(state: ExecutorState, agentType: string, nowMs: number): Step {
  const asked = mapRecurring(state, (call, { identity }) =>
    identity.type === agentType ? { ...call, dueAtMs: Math.min(call.dueAtMs, nowMs), lookedForAtMs: nowMs } : call,
  );
  return { state: asked, effects: [] };
}

function stepEvent(state: ExecutorState, event: ExecutorEvent, nowMs: number, tools: ExecutorTools): Step {
  switch (event.kind) {
    case "perform":
      return perform(state, event.action, event.transitionKey, nowMs, tools);
    case "finished":
      return finish(state, event, nowMs);
    case "cancel":
      return cancel(state, event);
    case "flush":
      return flush(state);
    case "clear-failures":
      return clearFailures(state, event);
    case "look":
      return look(state, event.agentType, nowMs);
    case "disk":
      return { state: withDiskWait(state, event.wait, nowMs), effects: [] };
    case "load":
      return { state: { ...state, limits: { ...state.limits, load: event.load } }, effects: [] };
    case "configured":
      return { state: lookAtForgotten(state, event.ids, nowMs), effects: [] };
    case "limits":
      return { state: limited(state, event.options), effects: [] };
    case "tick":
      return unchanged(state);
  }
}

/** A fencing device leaves nothing behind that anybody would have to end. */
const leavesNothing = ({ resource }: Begun) => resource.class === "stonith";

/** What has to be kept, or no more, of what was begun. Asked after every event, of which most change one resource. */
function keepBegun(before: ExecutorState["resources"], after: ExecutorState["resources"]): readonly ExecutorEffect[] {
  const effects: ExecutorEffect[] = [];
  const keep = (resourceId: string, was: Begun | undefined, begun: Begun | undefined) => {
    const any = begun ?? was;
    if (was !== begun && any !== undefined && !leavesNothing(any))
      effects.push({ kind: "keep-begun", resourceId, begun: begun ?? null });
  };
  if (before === after) return effects;
  for (const id in before)
    if (entryOf(before, id) !== entryOf(after, id)) keep(id, entryOf(before, id)?.begun, entryOf(after, id)?.begun);
  for (const id in after) if (entryOf(before, id) === undefined) keep(id, undefined, entryOf(after, id)?.begun);
  return effects;
}

export function stepExecutor(state: ExecutorState, event: ExecutorEvent, nowMs: number, tools: ExecutorTools): Step {
  const stepped = stepEvent(state, event, nowMs, tools);
  const pumped = pump(stepped.state, nowMs, tools);
  const kept = keepBegun(state.resources, pumped.state.resources);
  return { state: pumped.state, effects: together(together(kept, stepped.effects), pumped.effects) };
}

/** When a recurring or delayed operation is due next; undefined when only an event can bring work. */
export function executorWakeAtMs(state: ExecutorState): number | undefined {
  let once = 0;
  let recurring = 0;
  let onceMs = Number.POSITIVE_INFINITY;
  let recurringMs = Number.POSITIVE_INFINITY;
  // Asked after every turn of the manager: plain loops.
  for (const id in state.resources) {
    const resource = entryOf(state.resources, id);
    if (resource === undefined) continue;
    if (resource.running !== undefined) {
      if (resource.running.action.intervalMs > 0) recurring += 1;
      else once += 1;
      continue;
    }
    const [first] = resource.waiting;
    if (first !== undefined) onceMs = Math.min(onceMs, first.notBeforeMs ?? Number.POSITIVE_INFINITY);
    else
      for (const key in resource.recurring)
        recurringMs = Math.min(recurringMs, entryOf(resource.recurring, key)?.dueAtMs ?? Number.POSITIVE_INFINITY);
  }
  const slots = slotsOf(state.limits);
  // What has no slot begins when a run ends.
  const wakeMs = Math.min(
    once < slots.once ? onceMs : Number.POSITIVE_INFINITY,
    recurring < slots.recurring ? recurringMs : Number.POSITIVE_INFINITY,
  );
  return wakeMs === Number.POSITIVE_INFINITY ? undefined : wakeMs;
}
