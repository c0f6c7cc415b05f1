/**
 * The actions: each step of the plan, and each one that migrations and notifications add, with all that was concluded
 * of it. Made once, when every pass has spoken, and only read afterwards.
 */
import type { Reloads } from "./definitions.ts";
import type { Ways } from "./migrations.ts";
import type { Notifications } from "./notify.ts";
import type { Link, Plan, Step } from "./plan.ts";
import type { Settled } from "./settle.ts";

export interface Action extends Omit<Step, "wanted" | "wantedFor" | "possible"> {
  readonly required: boolean;
  readonly runnable: boolean;
  readonly reason: string;
}

/** What all passes concluded of a plan. */
export interface Conclusions {
  readonly settled: Settled;
  /** What is told of each step, by its index. */
  readonly told: readonly string[];
  readonly ways: Ways;
  readonly reloads: Reloads;
  readonly notifications: Notifications;
}

/** By the index of the step. */
export function actionsOf({ steps }: Plan, conclusions: Conclusions): readonly Action[] {
  const { settled, told, ways, reloads, notifications } = conclusions;
  const { environments } = notifications;
  const actionOf = (each: Step, required: boolean, runnable: boolean, reason: string): Action => {
    const implied = each.implied || ways.implied.has(each);
    const environment = each.resource === undefined ? undefined : environments.get(each.resource.index);
    return {
      index: each.index,
      key: each.key,
      operation: each.operation,
      resource: each.resource,
      node: each.node,
      intervalMs: each.intervalMs,
      kind: implied ? "pseudo" : each.kind,
      managed: each.managed,
      needs: each.needs,
      meta: environment === undefined ? each.meta : { ...each.meta, ...environment, ...each.meta },
      expectedCode: each.expectedCode,
      priority: each.priority,
      fenceKind: each.fenceKind,
      implied,
      alone: each.alone,
      required,
      runnable,
      reason,
    };
  };
  const planned = steps.map((each) => {
    const { index } = each;
    const required = settled.required[index] === true || reloads.taken.has(each);
    return actionOf(each, required, settled.runnable[index] === true, told[index] ?? "");
  });
  const added = [...ways.steps, ...notifications.steps];
  return [...planned, ...added.map((each) => actionOf(each, each.wanted, each.possible, each.wantedFor))];
}

/** All links that count in the end, in the order in which they were written. */
export function linksOf({ links }: Plan, { ways, reloads, notifications }: Conclusions): readonly Link[] {
  const written = [...links, ...ways.links];
  const valid = ways.void.size === 0 ? written : written.filter((each) => !ways.void.has(each));
  return [...valid, ...reloads.links, ...notifications.links];
}
