/** The small steps on the state of one resource that the executor's parts share. */
import { entryOf, withEntry, without } from "../../../base/record.ts";
import type { ResourceIdentity } from "../transition/graph.ts";
import { OP_STATUS } from "./history.ts";
import type { Call, ExecutorEffect, ExecutorState, RecurringCall, ResourceState } from "./types.ts";

/** A resource of which nothing is known here. */
export function unknownResource(identity: ResourceIdentity): ResourceState {
  return {
    identity,
    waiting: [],
    running: undefined,
    begun: undefined,
    lockedSinceSeconds: undefined,
    recurring: {},
    history: {},
  };
}

export function withResource(state: ExecutorState, id: string, resource: ResourceState): ExecutorState {
  return { ...state, resources: withEntry(state.resources, id, resource) };
}

/** Every recurring operation as `change` makes it; a resource of which none changes stays the same object. */
export function mapRecurring(
  state: ExecutorState,
  change: (call: RecurringCall, resource: ResourceState) => RecurringCall,
): ExecutorState {
  const resources = Object.entries(state.resources).map(([id, resource]): [string, ResourceState] => {
    const before = Object.entries(resource.recurring);
    const after = before.map(([key, call]): [string, RecurringCall] => [key, change(call, resource)]);
    const isSame = after.every(([, call], index) => call === before[index]?.[1]);
    return [id, isSame ? resource : { ...resource, recurring: Object.fromEntries(after) }];
  });
  return { ...state, resources: Object.fromEntries(resources) };
}

/** Without the running call. */
export function idle(resource: ResourceState): ResourceState {
  return { ...resource, running: undefined };
}

export interface Answer {
  readonly opStatus: number;
  readonly rcCode: number;
  readonly exitReason: string;
  readonly execMs: number;
  readonly queueMs: number;
}

export const SUCCESS: Answer = { opStatus: OP_STATUS.done, rcCode: 0, exitReason: "", execMs: 0, queueMs: 0 };
export const CANCELLED: Answer = { ...SUCCESS, opStatus: OP_STATUS.cancelled, rcCode: 1, exitReason: "cancelled" };

export function result({ action, transitionKey, callId }: Call, answer: Answer): ExecutorEffect {
  const { id, resource, operation, intervalMs, expectedCode } = action;
  const request = { transitionKey, actionId: id, resourceId: resource.id, operation, intervalMs, callId, expectedCode };
  return { kind: "result", ...request, ...answer };
}

/** Takes the named recurring operations out, with their history; answers whoever still waits for a first result. */
export function cancelRecurring(
  resource: ResourceState,
  keys: readonly string[],
): { readonly resource: ResourceState; readonly effects: readonly ExecutorEffect[] } {
  const effects: ExecutorEffect[] = [];
  let { running } = resource;
  for (const key of keys) {
    const call = entryOf(resource.recurring, key);
    if (call === undefined) continue;
    if (!call.answered) effects.push(result(call, CANCELLED));
    if (running?.callId === call.callId && !running.cancelled) {
      effects.push({ kind: "kill", callId: call.callId });
      running = { ...running, cancelled: true };
    }
  }
  const { recurring, history } = resource;
  if (keys.length === 0) return { resource, effects };
  const [calls, records] = [without(recurring, ...keys), without(history, ...keys)];
  return { resource: { ...resource, running, recurring: calls, history: records }, effects };
}
