/**
 * The parameters under which a resource runs. The configuration may have other ones by now, or none at all: an address
 * that was changed or removed is stopped where it was started, and not where nothing is.
 */
import type { ResourceAction } from "../transition/graph.ts";

type Parameters = ResourceAction["parameters"];

/** After these the resource runs as it was told, if they succeeded. */
const BEGINS = new Set(["start", "migrate_from", "reload", "reload-agent"]);
/** OCF_SUCCESS, OCF_RUNNING_PROMOTED: what a probe finds running. */
const RUNNING_CODES = new Set([0, 8]);
/** What ends a resource, or takes it back, as it was begun. */
const ENDS = new Set(["stop", "demote"]);

/** What it runs with after an operation that does not repeat; undefined when it does not run, or nobody knows. */
export function runsWithAfter(
  before: Parameters | undefined,
  { operation, parameters }: ResourceAction,
  rcCode: number,
): Parameters | undefined {
  if (BEGINS.has(operation)) return rcCode === 0 ? parameters : (before ?? parameters);
  if (operation === "stop" && rcCode === 0) return undefined;
  return operation === "monitor" && RUNNING_CODES.has(rcCode) ? (before ?? parameters) : before;
}

/** The action with the parameters that the agent must be given. */
export function asItRuns(action: ResourceAction, runsWith: Parameters | undefined): ResourceAction {
  return runsWith === undefined || !ENDS.has(action.operation) ? action : { ...action, parameters: runsWith };
}
