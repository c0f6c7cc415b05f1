/**
 * The executor of one node: runs what the DC orders, one operation at a time for each resource, repeats the recurring
 * ones and keeps the history. Pure; the loop starts the runs and tells how they ended.
 * A recurring operation is told once, then only when its answer changes. What ends or moves a resource cancels its
 * recurring operations first, and ends one that is just running: a stop never waits for a hung monitor.
 * Facts: reference/crm-tools.md, section 6; Pacemaker Explained, "Resource Operations".
 */
import { type Stepped, unchanged } from "../../../base/step.ts";
import type { ResourceAction } from "../transition/graph.ts";
import { digestText } from "./digest.ts";
import { agentEnvironment } from "./environment.ts";
import { codesOf, historySuffix, isRecorded, OP_STATUS, recordResult } from "./history.ts";
import { asItRuns, runsWithAfter } from "./runs-with.ts";
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

/** `actionLimit`: node-action-limit, or twice the processors. */
export function createExecutor(node: string, actionLimit: number): ExecutorState {
  return { node, actionLimit, nextCallId: 1, resources: {} };
}

function withResource(state: ExecutorState, id: string, resource: ResourceState): ExecutorState {
  return { ...state, resources: { ...state.resources, [id]: resource } };
}

function without<Value>(record: Readonly<Record<string, Value>>, ...keys: string[]): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));
}

/** Without the running call; optional properties are left out, never undefined, so that states compare. */
function idle({ identity, waiting, recurring, history, runsWith }: ResourceState): ResourceState {
  const rest = { identity, waiting, recurring, history };
  return runsWith === undefined ? rest : { ...rest, runsWith };
}

interface Answer {
  readonly opStatus: number;
  readonly rcCode: number;
  readonly exitReason: string;
  readonly execMs: number;
  readonly queueMs: number;
}

const SUCCESS: Answer = { opStatus: OP_STATUS.done, rcCode: 0, exitReason: "", execMs: 0, queueMs: 0 };
const CANCELLED: Answer = { ...SUCCESS, opStatus: OP_STATUS.cancelled, rcCode: 1, exitReason: "cancelled" };

function result({ action, transitionKey, callId }: Call, answer: Answer): ExecutorEffect {
  const { id, resource, operation, intervalMs, expectedCode } = action;
  const request = { transitionKey, actionId: id, resourceId: resource.id, operation, intervalMs, callId, expectedCode };
  return { kind: "result", ...request, ...answer };
}

/** Takes the named recurring operations out, with their history; answers whoever still waits for a first result. */
function cancelRecurring(
  resource: ResourceState,
  keys: readonly string[],
): { readonly resource: ResourceState; readonly effects: readonly ExecutorEffect[] } {
  const effects: ExecutorEffect[] = [];
  let { running } = resource;
  for (const key of keys) {
    const call = resource.recurring[key];
    if (call === undefined) continue;
    if (!call.answered) effects.push(result(call, CANCELLED));
    if (running?.callId === call.callId && !running.cancelled) {
      effects.push({ kind: "kill", callId: call.callId });
      running = { ...running, cancelled: true };
    }
  }
  const { recurring, history } = resource;
  const kept = { ...idle(resource), recurring: without(recurring, ...keys), history: without(history, ...keys) };
  return { resource: running === undefined ? kept : { ...kept, running }, effects };
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
  const known = state.resources[id] ?? { identity: action.resource, waiting: [], recurring: {}, history: {} };
  const next = { ...state, nextCallId: state.nextCallId + 1 };
  if (action.operation === "cancel") {
    const cancelled = cancelRecurring(known, [cancelledKey(action)]);
    const effects: ExecutorEffect[] = [...cancelled.effects, result(call, SUCCESS)];
    if (state.resources[id] === undefined) return { state: next, effects };
    effects.push({ kind: "history-changed", resourceId: id, unexpected: false });
    return { state: withResource(next, id, cancelled.resource), effects };
  }
  if (action.intervalMs > 0) {
    const key = historySuffix(action.operation, action.intervalMs);
    const { resource, effects } = cancelRecurring(known, [key]);
    const dueAtMs = nowMs + Number(action.meta["start_delay"] ?? action.meta["start-delay"] ?? 0);
    const recurring = { ...resource.recurring, [key]: { ...call, dueAtMs, answered: false } };
    return { state: withResource(next, id, { ...resource, recurring }), effects };
  }
  const ended = ENDS_RECURRING.has(action.operation) ? Object.keys(known.recurring) : [];
  const { resource, effects } = cancelRecurring(known, ended);
  return { state: withResource(next, id, { ...resource, waiting: [...resource.waiting, call] }), effects };
}

function run(state: ExecutorState, { action: ordered, callId }: Call): ExecutorEffect {
  const action = asItRuns(ordered, state.resources[ordered.resource.id]?.runsWith);
  const { resource, operation, intervalMs, timeoutMs, parameters } = action;
  const environment = agentEnvironment(action, state.node);
  const instance = resource.id;
  return {
    kind: "run",
    callId,
    resource,
    instance,
    operation,
    intervalMs,
    timeoutMs,
    parameters,
    environment,
  };
}

/** What this resource may begin now; `slots` are the runs that the limits still allow. */
function beginNext(
  resource: ResourceState,
  slots: { readonly once: number; readonly recurring: number },
  nowMs: number,
): Call | undefined {
  if (resource.running !== undefined) return undefined;
  const [first] = resource.waiting;
  if (first !== undefined) return slots.once > 0 ? first : undefined;
  if (slots.recurring <= 0) return undefined;
  const due = Object.values(resource.recurring).filter(({ dueAtMs }) => dueAtMs <= nowMs);
  return due.sort((left, right) => left.dueAtMs - right.dueAtMs)[0];
}

function runningCounts(state: ExecutorState): { once: number; recurring: number } {
  const counts = { once: 0, recurring: 0 };
  for (const { running } of Object.values(state.resources)) {
    if (running !== undefined) counts[running.action.intervalMs > 0 ? "recurring" : "once"] += 1;
  }
  return counts;
}

/**
 * Forgets a resource on the DC's order (`delete`): a clean sheet, as after a refresh. A recurring operation that was
 * ordered while the delete waited goes with the rest, and whoever ordered it is told: nobody else would ever answer.
 */
function deleteResource(state: ExecutorState, id: string, call: Call): Step {
  const resource = state.resources[id];
  const rest = resource?.waiting.slice(1) ?? [];
  const resources =
    resource === undefined || rest.length === 0
      ? without(state.resources, id)
      : { ...state.resources, [id]: { identity: resource.identity, waiting: rest, recurring: {}, history: {} } };
  const dropped = resource === undefined ? [] : cancelRecurring(resource, Object.keys(resource.recurring)).effects;
  const changed: ExecutorEffect = { kind: "history-changed", resourceId: id, unexpected: false };
  return { state: { ...state, resources }, effects: [...dropped, changed, result(call, SUCCESS)] };
}

/** Whether any resource has something to begin; most events bring nothing. */
function hasWork({ resources }: ExecutorState, nowMs: number): boolean {
  for (const id in resources) {
    const resource = resources[id];
    if (resource === undefined || resource.running !== undefined) continue;
    if (resource.waiting.length > 0) return true;
    for (const key in resource.recurring)
      if ((resource.recurring[key]?.dueAtMs ?? Number.POSITIVE_INFINITY) <= nowMs) return true;
  }
  return false;
}

/** Begins whatever may begin, the longest waiting first. */
function pump(from: ExecutorState, nowMs: number): Step {
  if (!hasWork(from, nowMs)) return unchanged(from);
  let state = from;
  const effects: ExecutorEffect[] = [];
  const counts = runningCounts(state);
  const waitedFor = (resource: ResourceState) => resource.waiting[0]?.callId ?? Number.MAX_SAFE_INTEGER;
  const order = Object.entries(state.resources).sort(([, left], [, right]) => waitedFor(left) - waitedFor(right));
  for (const [id] of order) {
    for (let resource = state.resources[id]; resource !== undefined; resource = state.resources[id]) {
      const slots = { once: state.actionLimit - counts.once, recurring: state.actionLimit - counts.recurring };
      const call = beginNext(resource, slots, nowMs);
      if (call === undefined) break;
      if (call.action.operation === "delete") {
        const deleted = deleteResource(state, id, call);
        state = deleted.state;
        effects.push(...deleted.effects);
        continue;
      }
      const recurring = call.action.intervalMs > 0;
      counts[recurring ? "recurring" : "once"] += 1;
      const { callId, action, transitionKey, queuedAtMs, digest } = call;
      const running = {
        callId,
        action,
        transitionKey,
        queuedAtMs,
        digest,
        startedAtMs: nowMs,
        cancelled: false,
      };
      const waiting = recurring ? resource.waiting : resource.waiting.slice(1);
      state = withResource(state, id, { ...resource, waiting, running });
      effects.push(run(state, call));
      break;
    }
  }
  return { state, effects };
}

function answerOf(running: RunningCall, { outcome, exitReason, execMs }: Finished): Answer {
  const { opStatus, rcCode } = codesOf(outcome);
  const told = "reason" in outcome && exitReason === "" ? outcome.reason : exitReason;
  const timedOut = outcome.kind === "timeout" && told === "";
  const reason = timedOut ? `did not end within ${running.action.timeoutMs} ms` : told;
  return { opStatus, rcCode, exitReason: reason, execMs, queueMs: running.startedAtMs - running.queuedAtMs };
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
  const call = resource.recurring[key];
  if (call === undefined || call.callId !== running.callId) {
    return { state: withResource(state, id, idle(resource)), effects: [] };
  }
  const answer = answerOf(running, event);
  // What was asked for during the run may have come too late for it.
  const { lookedForAtMs, ...rest } = call;
  const isStale = lookedForAtMs !== undefined && lookedForAtMs > running.startedAtMs;
  const dueAtMs = isStale ? nowMs : nowMs + running.action.intervalMs;
  const next: RecurringCall = { ...rest, dueAtMs, answered: true };
  const rested = { ...idle(resource), recurring: { ...resource.recurring, [key]: next } };
  const before = resource.history[key];
  const same = before?.rcCode === answer.rcCode && before.opStatus === answer.opStatus;
  if (call.answered && same) return { state: withResource(state, id, rested), effects: [] };
  const history = recordResult(rested.history, recordOf(running, answer, event), running.action.expectedCode);
  const effects: ExecutorEffect[] = [{ kind: "history-changed", resourceId: id, unexpected: call.answered }];
  if (!call.answered) effects.push(result(running, answer));
  return { state: withResource(state, id, { ...rested, history }), effects };
}

function recordOf({ action, callId, transitionKey, digest }: Call, answer: Answer, event: Finished) {
  const { operation, intervalMs } = action;
  const lastChangeWallMs = event.endedWallMs - event.execMs;
  return { operation, intervalMs, callId, transitionKey, digest, lastChangeWallMs, ...answer };
}

function finish(state: ExecutorState, event: Finished, nowMs: number): Step {
  const found = Object.entries(state.resources).find(([, { running }]) => running?.callId === event.callId);
  const [id, resource] = found ?? [];
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
    return { state: stepped.state, effects: [...attributes, ...stepped.effects] };
  }
  const answer = answerOf(running, event);
  const { runsWith: before, ...others } = idle(resource);
  const runsWith = runsWithAfter(before, running.action, answer.rcCode);
  const rested: ResourceState = runsWith === undefined ? others : { ...others, runsWith };
  if (!isRecorded(running.action.operation)) {
    return { state: withResource(state, id, rested), effects: [...attributes, result(running, answer)] };
  }
  const history = recordResult(rested.history, recordOf(running, answer, event), running.action.expectedCode);
  return {
    state: withResource(state, id, { ...rested, history }),
    effects: [...attributes, { kind: "history-changed", resourceId: id, unexpected: false }, result(running, answer)],
  };
}

function cancel(state: ExecutorState, event: Extract<ExecutorEvent, { kind: "cancel" }>): Step {
  const resource = state.resources[event.resourceId];
  if (resource === undefined) return unchanged(state);
  const cancelled = cancelRecurring(resource, [historySuffix(event.operation, event.intervalMs)]);
  const changed: ExecutorEffect = { kind: "history-changed", resourceId: event.resourceId, unexpected: false };
  return {
    state: withResource(state, event.resourceId, cancelled.resource),
    effects: [...cancelled.effects, changed],
  };
}

function flush(state: ExecutorState): Step {
  const effects = Object.values(state.resources).flatMap(({ waiting }) =>
    waiting.map((call) => result(call, CANCELLED)),
  );
  const resources = Object.fromEntries(
    Object.entries(state.resources).map(([id, resource]) => [id, { ...resource, waiting: [] }]),
  );
  return { state: { ...state, resources }, effects };
}

function clearFailures(state: ExecutorState, event: Extract<ExecutorEvent, { kind: "clear-failures" }>): Step {
  const resource = state.resources[event.resourceId];
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
  const resources = Object.entries(state.resources).map(([id, resource]): [string, ResourceState] => {
    if (resource.identity.type !== agentType) return [id, resource];
    const recurring = Object.entries(resource.recurring).map(([key, call]): [string, RecurringCall] => [
      key,
      { ...call, dueAtMs: Math.min(call.dueAtMs, nowMs), lookedForAtMs: nowMs },
    ]);
    return [id, { ...resource, recurring: Object.fromEntries(recurring) }];
  });
  return { state: { ...state, resources: Object.fromEntries(resources) }, effects: [] };
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
    case "tick":
      return unchanged(state);
  }
}

export function stepExecutor(state: ExecutorState, event: ExecutorEvent, nowMs: number, tools: ExecutorTools): Step {
  const stepped = stepEvent(state, event, nowMs, tools);
  const pumped = pump(stepped.state, nowMs);
  return { state: pumped.state, effects: [...stepped.effects, ...pumped.effects] };
}

/** When a recurring operation is due next; undefined when only an event can bring work. */
export function executorWakeAtMs(state: ExecutorState): number | undefined {
  let recurring = 0;
  let wakeMs = Number.POSITIVE_INFINITY;
  // Asked after every turn of the manager: plain loops.
  for (const id in state.resources) {
    const resource = state.resources[id];
    if (resource === undefined) continue;
    if (resource.running !== undefined) {
      if (resource.running.action.intervalMs > 0) recurring += 1;
      continue;
    }
    if (resource.waiting.length > 0) continue;
    for (const key in resource.recurring)
      wakeMs = Math.min(wakeMs, resource.recurring[key]?.dueAtMs ?? Number.POSITIVE_INFINITY);
  }
  return recurring >= state.actionLimit || wakeMs === Number.POSITIVE_INFINITY ? undefined : wakeMs;
}
