/**
 * The scheduler: from the CIB (configuration and status) and the time to a transition. Pure; no clock, no chance.
 * The passes stand in docs/scheduler.md; `plan` below is the list of those that act.
 */
import type { XmlElement } from "../../../base/xml.ts";
import { linkAgentChanges, planAgentChanges } from "./act/agent-changes.ts";
import { linkAntiColocations } from "./act/anti-colocations.ts";
import { addBundleFrame, linkBundle } from "./act/bundles.ts";
import { addFrame, linkClone, linkGroup } from "./act/collectives.ts";
import { linkColocations } from "./act/colocation-links.ts";
import { linkOrders } from "./act/constraints.ts";
import { type Changes, planDefinitions, reloadsOf, repeatChanged } from "./act/definitions.ts";
import { close, openDraft, type PlanDraft } from "./act/draft.ts";
import { planFailures } from "./act/failures.ts";
import { nodesGoingDown, planFencing } from "./act/fencing.ts";
import { linkGround } from "./act/ground.ts";
import { type Graph, graphOf } from "./act/included.ts";
import { linkLifecycle, planLifecycle } from "./act/lifecycle.ts";
import { planMaintenance } from "./act/maintenance.ts";
import { migrationsOf, settleWithMigrations, waysOf } from "./act/migrations.ts";
import { linkNotifications, notificationsOf } from "./act/notify.ts";
import type { Plan, Step } from "./act/plan.ts";
import { linkProbes } from "./act/probe-links.ts";
import { planProbes } from "./act/probes.ts";
import { planRecorded } from "./act/recorded.ts";
import { linkCancels, planRecurring } from "./act/recurring.ts";
import { linkContainers, linkRemotes } from "./act/remotes.ts";
import { linkRemovals, planRemovals } from "./act/removals.ts";
import { nameRestarts } from "./act/restart-reasons.ts";
import { atFirst } from "./act/settle.ts";
import { linkClears, planClearFailures, planEndedLocks, planShutdowns } from "./act/shutdown.ts";
import { planUnfencing } from "./act/unfencing.ts";
import { linkLoads } from "./act/utilization.ts";
import type { Decision, ScheduleOptions } from "./decision.ts";
import { decisionOf } from "./decision-of.ts";
import type { Facts, Resource } from "./facts/model.ts";
import { readFacts } from "./facts/read-facts.ts";
import { assignAll } from "./place/assign.ts";
import { baseBoard } from "./place/base-scores.ts";
import type { Board } from "./place/board.ts";
import type { Worked } from "./worked.ts";

function planResource(plan: PlanDraft, resource: Resource): void {
  for (const child of resource.children) planResource(plan, child);
  if (resource.kind === "primitive") {
    planLifecycle(plan, resource);
    planRecurring(plan, resource);
  } else if (resource.kind === "bundle") addBundleFrame(plan, resource);
  else addFrame(plan, resource);
}

/** What belongs together of itself: one resource's own steps, a group's members, a clone's instances. */
function linkResource(plan: PlanDraft, resource: Resource, awaited: ReadonlySet<Step>): void {
  for (const child of resource.children) linkResource(plan, child, awaited);
  if (resource.kind === "primitive") linkLifecycle(plan, resource, awaited);
  else if (resource.kind === "group") linkGroup(plan, resource);
  else if (resource.kind === "bundle") linkBundle(plan, resource);
  else if (resource.kind === "clone") {
    linkClone(plan, resource);
    linkNotifications(plan, resource);
  }
}

/** All that might be done, closed, and what the passes after it must know. */
export interface Collected {
  readonly plan: Plan;
  readonly changes: Changes;
  /** What cannot run for want of an instance beside it. */
  readonly forsaken: ReadonlySet<Step>;
}

/** Steps and links: each pass puts its own down, and none takes back or alters what another has. */
export function collect(facts: Facts, board: Board): Collected {
  const draft = openDraft(facts, board, nodesGoingDown(facts, board));
  // What might be done: what is on record and no longer so, what is looked at, begun, ended and watched.
  planRemovals(draft);
  planEndedLocks(draft);
  planClearFailures(draft);
  planRecorded(draft);
  const changes = planDefinitions(draft);
  planFailures(draft);
  planAgentChanges(draft);
  planProbes(draft);
  for (const resource of board.order) planResource(draft, resource);
  repeatChanged(draft, changes);
  // What waits for its node to be let in starts anew: that is settled before its clone puts its instances in series.
  planUnfencing(draft, changes.unfences);
  // What waits for what.
  const { awaited, forsaken } = linkOrders(draft);
  linkGround(draft);
  for (const resource of board.order) linkResource(draft, resource, awaited);
  linkAntiColocations(draft);
  linkColocations(draft);
  linkContainers(draft);
  linkProbes(draft);
  linkLoads(draft);
  linkClears(draft);
  linkCancels(draft);
  linkAgentChanges(draft);
  linkRemovals(draft);
  // What becomes of nodes.
  planFencing(draft);
  linkRemotes(draft);
  planShutdowns(draft);
  planMaintenance(draft);
  return { plan: close(draft), changes, forsaken };
}

/** What follows: each pass takes what the earlier ones concluded, and answers with its own conclusion. */
export function conclude({ plan, changes, forsaken }: Collected): Graph {
  // What of it must happen, and what cannot; and who is handed over running.
  const first = atFirst(plan, forsaken);
  const migrations = migrationsOf(plan, first);
  const { settled, handed } = settleWithMigrations(plan, first, migrations);
  // For what reason, by which way, and who is told.
  const told = nameRestarts(plan, settled);
  const ways = waysOf(plan, { settled, handed }, migrations);
  const reloads = reloadsOf(plan, settled, changes);
  const notifications = notificationsOf(plan, settled, plan.steps.length + ways.steps.length);
  return graphOf(plan, { settled, told, ways, reloads, notifications });
}

/** Runs all passes: the chapters of the policy, in their order. */
export function work(cib: XmlElement, nowWallMs: number, options: ScheduleOptions = {}, noteScores = false): Worked {
  // What is known.
  const facts = readFacts(cib, nowWallMs, options, "decision");
  // Where everything belongs.
  const board = baseBoard(facts, noteScores);
  assignAll(board);
  // What might be done, and what of it is.
  const collected = collect(facts, board);
  return { facts, board, plan: collected.plan, graph: conclude(collected) };
}

/** `nowWallMs`: milliseconds since the epoch, for failure timeouts and dated rules. Never throws on a strange CIB. */
export function schedule(cib: XmlElement, nowWallMs: number, options: ScheduleOptions = {}): Decision {
  return decisionOf(work(cib, nowWallMs, options));
}
