/**
 * The scheduler: from the CIB (configuration and status) and the time to a transition. Pure; no clock, no chance.
 * The passes stand in docs/scheduler.md; `plan` below is the list of those that write the plan.
 */
import type { XmlElement } from "../../../base/xml.ts";
import { planClone, planGroup } from "./act/collectives.ts";
import { linkOrders } from "./act/constraints.ts";
import { planFencing } from "./act/fencing.ts";
import { type Graph, graphOf } from "./act/included.ts";
import { planLifecycle } from "./act/lifecycle.ts";
import { emptyPlan, link, type Plan, stepsOf } from "./act/plan.ts";
import { planProbes } from "./act/probes.ts";
import { planRecurring } from "./act/recurring.ts";
import { settle } from "./act/settle.ts";
import { planClearFailures, planShutdowns } from "./act/shutdown.ts";
import type { Decision, ScheduleOptions } from "./decision.ts";
import { decisionOf } from "./decision-of.ts";
import type { Facts, Resource } from "./facts/model.ts";
import { cloneOf, topOf } from "./facts/model.ts";
import { readFacts } from "./facts/read-facts.ts";
import { assignAll } from "./place/assign.ts";
import { baseBoard } from "./place/base-scores.ts";
import type { Board } from "./place/board.ts";
import { addInternalColocations } from "./place/internal-colocations.ts";

/** Everything that a run worked out; what printers and explanations are made from. */
export interface Worked {
  readonly facts: Facts;
  readonly board: Board;
  readonly plan: Plan;
  readonly graph: Graph;
}

function planResource(plan: Plan, resource: Resource): void {
  for (const child of resource.children) planResource(plan, child);
  if (resource.kind === "primitive") {
    planLifecycle(plan, resource);
    planRecurring(plan, resource);
  } else if (resource.kind === "group") planGroup(plan, resource);
  else if (resource.kind === "clone") planClone(plan, resource);
}

/** A resource starts when it has been looked for everywhere; of a clone the whole waits. */
function linkProbes(plan: Plan): void {
  for (const probe of plan.steps) {
    if (probe.operation !== "monitor" || probe.intervalMs !== 0 || probe.resource === undefined) continue;
    const whole = cloneOf(probe.resource) === undefined ? probe.resource : topOf(probe.resource);
    for (const start of stepsOf(plan, whole, "start")) link(plan, probe, start);
  }
}

/** Runs all passes. */
export function work(cib: XmlElement, nowWallMs: number, options: ScheduleOptions = {}, noteScores = false): Worked {
  const facts = readFacts(cib, nowWallMs, options.quorate);
  addInternalColocations(facts);
  const board = baseBoard(facts, noteScores);
  assignAll(board);
  const plan = emptyPlan(facts, board);
  planProbes(plan);
  for (const resource of facts.top) planResource(plan, resource);
  linkProbes(plan);
  linkOrders(plan);
  planClearFailures(plan);
  planFencing(plan);
  planShutdowns(plan);
  settle(plan);
  return { facts, board, plan, graph: graphOf(plan) };
}

/** `nowWallMs`: milliseconds since the epoch, for failure timeouts and dated rules. Never throws on a strange CIB. */
export function schedule(cib: XmlElement, nowWallMs: number, options: ScheduleOptions = {}): Decision {
  return decisionOf(work(cib, nowWallMs, options));
}
