/**
 * What a resource was begun as. The configuration may name another agent or other parameters by now, or the resource no
 * more at all: an address that was changed or removed is stopped where it was started, and looked for there first.
 * It is noted before anything is begun and outlives the manager, so that a configuration which has changed while a
 * manager was down leaves nothing behind either.
 */
import type { ResourceAction, ResourceIdentity } from "../transition/graph.ts";

export interface Begun extends Pick<ResourceAction, "parameters" | "meta" | "timeoutMs"> {
  readonly resource: ResourceIdentity;
  /** Since when it is in its state, on the wall clock: its last start, promotion or demotion; no probe changes it. */
  readonly sinceWallMs?: number;
}

/** After these the resource runs as it was told, if they succeeded. */
const BEGINS = new Set(["start", "migrate_from", "reload", "reload-agent"]);
const OCF_NOT_RUNNING = 7;
/** OCF_SUCCESS, OCF_RUNNING_PROMOTED: what a probe finds running. */
const RUNNING_CODES = new Set([0, 8]);
/** What ends a resource, or takes it back, as it was begun. */
const ENDS = new Set(["stop", "demote"]);

export const isProbe = ({ operation, intervalMs }: ResourceAction) => operation === "monitor" && intervalMs === 0;

const begunBy = ({ resource, parameters, meta, timeoutMs }: ResourceAction): Begun => ({
  resource,
  parameters,
  meta,
  timeoutMs,
});

/** While the action is under way: half a start may have left something behind. */
export function begunDuring(before: Begun | undefined, action: ResourceAction): Begun | undefined {
  return BEGINS.has(action.operation) ? (before ?? begunBy(action)) : before;
}

/** A reload takes new parameters, and is no new beginning. */
const BEGINS_A_STATE = new Set(["start", "migrate_from", "promote", "demote"]);

/** After an operation that does not repeat; undefined when it does not run, or nobody knows. */
export function begunAfter(
  before: Begun | undefined,
  action: ResourceAction,
  rcCode: number,
  startedWallMs: number,
): Begun | undefined {
  const after = runsAfter(before, action, rcCode);
  const sinceWallMs = rcCode === 0 && BEGINS_A_STATE.has(action.operation) ? startedWallMs : before?.sinceWallMs;
  if (after === undefined || sinceWallMs === undefined || after.sinceWallMs === sinceWallMs) return after;
  return { ...after, sinceWallMs };
}

function runsAfter(before: Begun | undefined, action: ResourceAction, rcCode: number): Begun | undefined {
  const { operation } = action;
  if (BEGINS.has(operation)) return rcCode === 0 ? begunBy(action) : (before ?? begunBy(action));
  if (operation === "stop" && rcCode === 0) return undefined;
  if (operation !== "monitor") return before;
  if (rcCode === OCF_NOT_RUNNING) return undefined;
  return RUNNING_CODES.has(rcCode) ? (before ?? begunBy(action)) : before;
}

/** The action with the agent and the parameters that it must be given. */
export function asItRuns(action: ResourceAction, begun: Begun | undefined): ResourceAction {
  if (begun === undefined || !(ENDS.has(action.operation) || isProbe(action))) return action;
  const { resource, parameters } = begun;
  return { ...action, resource, parameters };
}

/** The agent and what it is given, in whatever order. */
function lookText({ resource: { class: agentClass, provider, type }, parameters }: Begun | ResourceAction): string {
  return JSON.stringify([
    agentClass,
    provider,
    type,
    Object.entries(parameters)
      .map((one) => JSON.stringify(one))
      .toSorted(),
  ]);
}

/** Whether probes of both would look at the same. */
export function looksAtSame(one: Begun | ResourceAction, other: Begun | ResourceAction): boolean {
  return one === other || lookText(one) === lookText(other);
}

/** What a new manager asks first, of each resource that an earlier one has begun: whether it is still there. */
export function probeOf({ resource, parameters, meta, timeoutMs }: Begun, node: string): ResourceAction {
  return {
    ...{ resource, parameters, meta, timeoutMs },
    kind: "resource",
    id: 0,
    key: `${resource.id}_monitor_0`,
    priority: 0,
    inputs: [],
    reason: { code: "probe", facts: {} },
    operation: "monitor",
    node,
    intervalMs: 0,
    expectedCode: OCF_NOT_RUNNING,
  };
}
