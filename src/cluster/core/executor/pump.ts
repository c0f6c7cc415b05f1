/** Which of the waiting operations begin: one for each resource, as many as the limits allow, the oldest first. */
import { entryOf, without } from "../../../base/record.ts";
import { type Stepped, unchanged } from "../../../base/step.ts";
import type { ResourceAction } from "../transition/graph.ts";
import { digestText } from "./digest.ts";
import { agentEnvironment } from "./environment.ts";
import { hasFailedSince } from "./history.ts";
import { slotsOf } from "./limits.ts";
import { cancelRecurring, idle, result, SUCCESS, withResource } from "./resource-state.ts";
import { asItRuns, begunDuring, isProbe, looksAtSame } from "./runs-with.ts";
import type {
  Call,
  ExecutorEffect,
  ExecutorState,
  ExecutorTools,
  RecurringCall,
  ResourceState,
  RunningCall,
} from "./types.ts";

type Step = Stepped<ExecutorState, ExecutorEffect>;

/** Fact: Pacemaker Explained, operation attribute `timeout`: its default. */
const TIMEOUT_DEFAULT_MS = 20_000;

/** No agent can do anything in no time, and without any bound one that hangs would hold up everything: the default. */
function timed(action: ResourceAction): ResourceAction {
  if (action.timeoutMs > 0) return action;
  const meta = { ...action.meta, timeout: String(TIMEOUT_DEFAULT_MS) };
  return { ...action, timeoutMs: TIMEOUT_DEFAULT_MS, meta };
}

function run(state: ExecutorState, { history }: ResourceState, { action, callId }: RunningCall): ExecutorEffect {
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
    ...(operation === "stop" && hasFailedSince(history) ? { afterFailure: true } : {}),
  };
}

/** What ends a resource, or looks for it, is done as it was begun; the history must say what was looked at. */
function begin(call: Call, { begun }: ResourceState, nowMs: number, { md5 }: ExecutorTools): RunningCall {
  const { callId, transitionKey, queuedAtMs } = call;
  const action = timed(asItRuns(call.action, begun));
  const fixed = { callId, transitionKey, queuedAtMs, startedAtMs: nowMs, cancelled: false };
  if (!isProbe(action)) return { ...fixed, action, digest: call.digest };
  const digest = md5(digestText(action.parameters, action.intervalMs, action.timeoutMs));
  const ordered = looksAtSame(action, call.action) ? {} : { ordered: { action: call.action, digest: call.digest } };
  return { ...fixed, action, digest, ...ordered };
}

/** What this resource may begin now; `slots` are the runs that the limits still allow. */
function beginNext(
  resource: ResourceState,
  slots: { readonly once: number; readonly recurring: number },
  nowMs: number,
): Call | undefined {
  if (resource.running !== undefined) return undefined;
  const [first] = resource.waiting;
  if (first !== undefined) return slots.once > 0 && (first.notBeforeMs ?? nowMs) <= nowMs ? first : undefined;
  return slots.recurring > 0 ? longestDue(resource, nowMs) : undefined;
}

/** Of several that are due since the same moment the one that was ordered first. Asked all the time: a plain loop. */
function longestDue({ recurring }: ResourceState, nowMs: number): RecurringCall | undefined {
  let first: RecurringCall | undefined;
  for (const key in recurring) {
    const call = entryOf(recurring, key);
    if (call !== undefined && call.dueAtMs <= nowMs && (first === undefined || call.dueAtMs < first.dueAtMs))
      first = call;
  }
  return first;
}

function runningCounts(state: ExecutorState): { once: number; recurring: number } {
  const counts = { once: 0, recurring: 0 };
  for (const id in state.resources) {
    const running = entryOf(state.resources, id)?.running;
    if (running !== undefined) counts[running.action.intervalMs > 0 ? "recurring" : "once"] += 1;
  }
  return counts;
}

/**
 * Forgets a resource on the DC's order (`delete`): a clean sheet, as after a refresh. A recurring operation that was
 * ordered while the delete waited goes with the rest, and whoever ordered it is told: nobody else would ever answer.
 * As what it was begun is no history: the probe that follows must look there.
 */
function deleteResource(state: ExecutorState, id: string, call: Call): Step {
  const resource = entryOf(state.resources, id);
  const rest = resource?.waiting.slice(1) ?? [];
  const resources =
    resource === undefined || (rest.length === 0 && resource.begun === undefined)
      ? without(state.resources, id)
      : { ...state.resources, [id]: { ...idle(resource), waiting: rest, recurring: {}, history: {} } };
  const dropped = resource === undefined ? [] : cancelRecurring(resource, Object.keys(resource.recurring)).effects;
  const changed: ExecutorEffect = { kind: "history-changed", resourceId: id, unexpected: false };
  return { state: { ...state, resources }, effects: [...dropped, changed, result(call, SUCCESS)] };
}

/** Whether any resource has something to begin; most events bring nothing. */
function hasWork({ resources }: ExecutorState, nowMs: number): boolean {
  for (const id in resources) {
    const resource = entryOf(resources, id);
    if (resource === undefined || resource.running !== undefined) continue;
    if (resource.waiting.length > 0) return true;
    for (const key in resource.recurring)
      if ((entryOf(resource.recurring, key)?.dueAtMs ?? Number.POSITIVE_INFINITY) <= nowMs) return true;
  }
  return false;
}

/**
 * Resources that may have something to begin: what was ordered goes first, by its order; then monitors, by how long
 * each has been due. A node that cannot do all its monitors in time does each less often; none is left out for good.
 */
function inOrder({ resources }: ExecutorState, nowMs: number): readonly string[] {
  const ordered: { readonly id: string; readonly callId: number }[] = [];
  const due: { readonly id: string; readonly dueAtMs: number }[] = [];
  for (const id in resources) {
    const resource = entryOf(resources, id);
    if (resource === undefined || resource.running !== undefined) continue;
    const [first] = resource.waiting;
    const next = first === undefined ? longestDue(resource, nowMs) : undefined;
    if (first !== undefined) ordered.push({ id, callId: first.callId });
    else if (next !== undefined) due.push({ id, dueAtMs: next.dueAtMs });
  }
  ordered.sort((left, right) => left.callId - right.callId);
  due.sort((left, right) => left.dueAtMs - right.dueAtMs);
  return [...ordered, ...due].map(({ id }) => id);
}

/** Begins whatever may begin, the longest waiting first. */
export function pump(from: ExecutorState, nowMs: number, tools: ExecutorTools): Step {
  if (!hasWork(from, nowMs)) return unchanged(from);
  let state = from;
  const effects: ExecutorEffect[] = [];
  const counts = runningCounts(state);
  const most = slotsOf(state.limits);
  for (const id of inOrder(state, nowMs)) {
    for (let resource = entryOf(state.resources, id); resource !== undefined; resource = entryOf(state.resources, id)) {
      const slots = { once: most.once - counts.once, recurring: most.recurring - counts.recurring };
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
      const running = begin(call, resource, nowMs, tools);
      const waiting = recurring ? resource.waiting : resource.waiting.slice(1);
      const begun = begunDuring(resource.begun, running.action);
      state = withResource(state, id, { ...resource, waiting, running, begun });
      effects.push(run(state, resource, running));
      break;
    }
  }
  return { state, effects };
}
