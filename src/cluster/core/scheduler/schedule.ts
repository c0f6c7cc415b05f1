/**
 * The scheduler: from the CIB (configuration and status) and the time to a transition. Pure; no clock, no chance.
 * The passes stand in docs/scheduler.md; `plan` below is the list of those that write the plan.
 */
import type { XmlElement } from "../../../base/xml.ts";
import { linkAgentChanges, planAgentChanges } from "./act/agent-changes.ts";
import { linkAntiColocations } from "./act/anti-colocations.ts";
import { addBundleFrame, linkBundle } from "./act/bundles.ts";
import { addFrame, linkClone, linkGroup } from "./act/collectives.ts";
import { linkColocations } from "./act/colocation-links.ts";
import { linkOrders } from "./act/constraints.ts";
import { addReloads, planDefinitions, repeatChanged } from "./act/definitions.ts";
import { planFailures } from "./act/failures.ts";
import { planFencing } from "./act/fencing.ts";
import { linkGround } from "./act/ground.ts";
import { graphOf } from "./act/included.ts";
import { linkLifecycle, planLifecycle } from "./act/lifecycle.ts";
import { planMaintenance } from "./act/maintenance.ts";
import { addMigrations, dropHindered, markMigrations } from "./act/migrations.ts";
import { addNotifications, linkNotifications } from "./act/notify.ts";
import { emptyPlan, type Plan } from "./act/plan.ts";
import { linkProbes } from "./act/probe-links.ts";
import { planProbes } from "./act/probes.ts";
import { planRecorded } from "./act/recorded.ts";
import { linkCancels, planRecurring } from "./act/recurring.ts";
import { linkContainers, linkRemotes } from "./act/remotes.ts";
import { linkRemovals, planRemovals } from "./act/removals.ts";
import { nameRestarts } from "./act/restart-reasons.ts";
import { settle } from "./act/settle.ts";
import { linkClears, planClearFailures, planEndedLocks, planShutdowns } from "./act/shutdown.ts";
import { planUnfencing } from "./act/unfencing.ts";
import { linkLoads } from "./act/utilization.ts";
import type { Decision, ScheduleOptions } from "./decision.ts";
import { decisionOf } from "./decision-of.ts";
import type { Resource } from "./facts/model.ts";
import { readFacts } from "./facts/read-facts.ts";
import { assignAll } from "./place/assign.ts";
import { baseBoard } from "./place/base-scores.ts";
import type { Worked } from "./worked.ts";

function planResource(plan: Plan, resource: Resource): void {
  for (const child of resource.children) planResource(plan, child);
  if (resource.kind === "primitive") {
    planLifecycle(plan, resource);
    planRecurring(plan, resource);
  } else if (resource.kind === "bundle") addBundleFrame(plan, resource);
  else addFrame(plan, resource);
}

/** What belongs together of itself: one resource's own steps, a group's members, a clone's instances. */
function linkResource(plan: Plan, resource: Resource): void {
  for (const child of resource.children) linkResource(plan, child);
  if (resource.kind === "primitive") linkLifecycle(plan, resource);
  else if (resource.kind === "group") linkGroup(plan, resource);
  else if (resource.kind === "bundle") linkBundle(plan, resource);
  else if (resource.kind === "clone") {
    linkClone(plan, resource);
    linkNotifications(plan, resource);
  }
}

/** Runs all passes: the chapters of the policy, in their order. */
export function work(cib: XmlElement, nowWallMs: number, options: ScheduleOptions = {}, noteScores = false): Worked {
  // What is known.
  const facts = readFacts(cib, nowWallMs, options, "decision");
  // Where everything belongs.
  const board = baseBoard(facts, noteScores);
  assignAll(board);
  // What might be done: what is on record and no longer so, what is looked at, begun, ended and watched.
  const plan = emptyPlan(facts, board);
  planRemovals(plan);
  planEndedLocks(plan);
  planClearFailures(plan);
  planRecorded(plan);
  const changes = planDefinitions(plan);
  planFailures(plan);
  planAgentChanges(plan);
  planProbes(plan);
  for (const resource of board.order) planResource(plan, resource);
  repeatChanged(plan, changes);
  // What waits for its node to be let in starts anew: that is settled before its clone puts its instances in series.
  planUnfencing(plan, changes.unfences);
  // What waits for what.
  linkOrders(plan);
  linkGround(plan);
  for (const resource of board.order) linkResource(plan, resource);
  linkAntiColocations(plan);
  linkColocations(plan);
  linkContainers(plan);
  linkProbes(plan);
  linkLoads(plan);
  linkClears(plan);
  linkCancels(plan);
  linkAgentChanges(plan);
  linkRemovals(plan);
  // What becomes of nodes.
  planFencing(plan);
  linkRemotes(plan);
  planShutdowns(plan);
  planMaintenance(plan);
  // What of it must happen, and what cannot.
  const migrations = markMigrations(plan);
  settle(plan);
  while (dropHindered(plan, migrations)) settle(plan);
  // For what reason, by which way, and who is told.
  nameRestarts(plan);
  addMigrations(plan, migrations);
  addReloads(plan, changes);
  addNotifications(plan);
  return { facts, board, plan, graph: graphOf(plan) };
}

/** `nowWallMs`: milliseconds since the epoch, for failure timeouts and dated rules. Never throws on a strange CIB. */
export function schedule(cib: XmlElement, nowWallMs: number, options: ScheduleOptions = {}): Decision {
  return decisionOf(work(cib, nowWallMs, options));
}
