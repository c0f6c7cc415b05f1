/**
 * Why things are stopped or restarted, in the words of crm_simulate: of all the reasons that settling found, the one
 * that is told. Nothing is decided here. Fact: crm_simulate as a black box.
 */
import type { Resource } from "../facts/model.ts";
import { cloneOf, isActive, topOf } from "../facts/model.ts";
import { isOrderedGroup } from "./collectives.ts";
import { isRunnable } from "./lifecycle.ts";
import { describe, type Plan, type Step, stepsOf } from "./plan.ts";
import type { Settled } from "./settle.ts";

/** Both are primitives of one group. */
function isNextMember({ resource: one }: Step, { resource: other }: Step): boolean {
  return one?.kind === "primitive" && one.parent?.kind === "group" && one.parent === other?.parent;
}

const inBundle = ({ resource }: Step) =>
  resource !== undefined && (resource.container !== undefined || cloneOf(resource)?.parent?.kind === "bundle");

const STARTS = new Set(["start", "running"]);

/** What is told, while it is being named; what is settled is only read. */
interface Naming {
  readonly plan: Plan;
  readonly settled: Settled;
  /** By the step's index. */
  readonly told: string[];
}

/**
 * Which of the reasons that settling could give is told of what is stopped or restarted. What waits for a start that is
 * itself wanted, because what is started there is running and must go down first, is told that this start is required,
 * not that it cannot be. And of a group the first member says for what, the others name the one before.
 */
export function nameRestarts(plan: Plan, settled: Settled): readonly string[] {
  const naming: Naming = { plan, settled, told: [...settled.reason] };
  nameProbes(naming);
  namePromotions(naming);
  preferLast(naming);
  const given: readonly string[] = [...naming.told];
  const held = new Set(plan.steps.filter(isHeld).map((each) => `unrunnable ${describe(each)}`));
  nameFollowers(naming, given);
  for (const group of plan.facts.resources) if (group.kind === "group") nameBehind(naming, group, given, held);
  // A stop that was told the reason of the start goes on telling the same.
  const { told } = naming;
  for (const stop of plan.steps) {
    if (stop.operation !== "stop" || stop.resource === undefined || told[stop.index] === "") continue;
    const start = stepsOf(plan, stop.resource, "start")[0];
    if (start !== undefined && told[stop.index] === given[start.index]) told[stop.index] = told[start.index] ?? "";
  }
  return told;
}

function nameFollowers({ plan, settled, told }: Naming, given: readonly string[]): void {
  for (const { first, second } of plan.links) {
    const { resource: cause } = first;
    if (!STARTS.has(first.operation) || second.operation !== "start" || cause === undefined) continue;
    if (second.resource === undefined || !isActive(cause) || inBundle(second)) continue;
    const isNext = isNextMember(first, second);
    const known = given[second.index] ?? "";
    const reason = told[first.index] ?? "";
    if (isNext && given[first.index] === known) {
      // What cannot start for one reason is named below.
      const word = nextWord(reason, settled.runnable[first.index] === true);
      if (known.startsWith("required ")) told[second.index] = `required ${cause.id} ${word}`;
    } else if (isNext && isHeld(first) && known.startsWith("required "))
      told[second.index] = `required ${describe(first)}`;
    else if (known.startsWith("unrunnable ") && known === `unrunnable ${describe(first)}`) {
      const isWanted = settled.required[first.index] === true || (isNext && reason.startsWith("required "));
      if (isWanted && staysPut(second)) told[second.index] = `required ${describe(first)}`;
    }
  }
}

/**
 * Of the members of a group that all cannot start for one reason, that reason is told up to the first one that runs; a
 * later one that runs is stopped for the start of the one before, or for its stop when that was told of a start; a
 * later one that does not run cannot start for the one before.
 */
function nameBehind(
  { plan, told }: Naming,
  group: Resource,
  given: readonly string[],
  held: ReadonlySet<string>,
): void {
  const starts = group.children.map((member) => stepsOf(plan, member, "start")[0]);
  const reasonAt = (at: number) => given[starts[at]?.index ?? -1] ?? "";
  const up = group.children.findIndex((member) => isActive(member));
  const why = reasonAt(up);
  if (!isOrderedGroup(group) || !why.startsWith("unrunnable ") || held.has(why)) return;
  for (let at = up + 1; at < starts.length; at++) {
    const [before, start, member] = [group.children[at - 1], starts[at], group.children[at]];
    if (before === undefined || start === undefined || member === undefined || reasonAt(at) !== why) return;
    const last = told[starts[at - 1]?.index ?? -1] ?? "";
    const isForStop = isActive(before) && (last === why ? at > 1 : /^required .* (?:start|running)$/.test(last));
    told[start.index] = isActive(member)
      ? `required ${before.id} ${isForStop ? "stop" : "start"}`
      : `unrunnable ${before.id} start`;
  }
}

/** Of a clone that cannot start because a node cannot be looked at, the last look is told that it waits for. */
function nameProbes({ plan, settled, told }: Naming): void {
  const looks = new Map<Step, Step>();
  for (const { first, second } of plan.links) {
    if (first.operation !== "monitor" || second.operation !== "start" || settled.runnable[first.index] === true)
      continue;
    const isSilent = second.resource?.kind === "clone" && told[second.index] === "";
    if (isSilent && (looks.get(second)?.index ?? -1) < first.index) looks.set(second, first);
  }
  if (looks.size === 0) return;
  const reasons = new Map([...looks].map(([whole, look]) => [describe(whole), `unrunnable ${describe(look)}`]));
  for (const [index, reason] of told.entries()) told[index] = reasons.get(reason.replace(/^unrunnable /, "")) ?? reason;
}

/** What is not promoted because its clone does not come up is told that, not that it does not start itself. */
function namePromotions({ plan, settled, told }: Naming): void {
  for (const { first, second } of plan.links) {
    if (first.operation !== "running" || second.operation !== "promote" || settled.runnable[first.index] === true)
      continue;
    const { resource, node, needs } = second;
    if (first.resource?.kind !== "clone" || resource?.kind !== "primitive") continue;
    if (isRunnable(plan, resource, node, needs)) told[second.index] = `unrunnable ${describe(first)}`;
  }
}

/** Of several orders that ask the same of a step the one that is configured last gives the reason. */
function preferLast({ plan, settled: { runnable, required }, told }: Naming): void {
  const asked = new Map<Step, string[]>();
  for (const { first, second, optional } of plan.links) {
    if (!STARTS.has(first.operation) || second.operation !== "start" || optional === true) continue;
    if (first.resource === undefined || second.resource === undefined) continue;
    const known = told[second.index] ?? "";
    if (!known.startsWith("unrunnable ") && !known.startsWith("required ")) continue;
    if (topOf(first.resource, true) === topOf(second.resource, true)) continue;
    const wanted = required[first.index] === true ? "required" : undefined;
    const why = runnable[first.index] === true ? wanted : "unrunnable";
    if (why === undefined) continue;
    const reasons = asked.get(second) ?? [];
    asked.set(second, [...reasons, `${why} ${describe(first)}`]);
  }
  for (const [{ index, resource }, reasons] of asked) {
    const known = told[index] ?? "";
    const [kind = ""] = known.split(" ");
    const last = reasons.findLast((reason) => reason.startsWith(`${kind} `));
    const isOwn = known === `unrunnable ${resource?.id} stop`;
    if (last !== undefined && (isOwn || reasons.includes(known))) told[index] = last;
  }
}

/** It runs, and nobody may start it anew. */
function isHeld({ operation, resource, managed }: Step): boolean {
  return operation === "start" && !managed && resource !== undefined && isActive(resource);
}

/** Its start would be a restart in place. */
function staysPut({ resource, node }: Step): boolean {
  if (resource === undefined) return false;
  return node === undefined ? isActive(resource) : resource.runningOn.includes(node);
}

/** Of members that cannot start again one is stopped for the start of the one before, the next for its stop. */
function nextWord(reason: string, runnable: boolean): "start" | "stop" {
  return !runnable && /^required .* (?:start|running)$/.test(reason) ? "stop" : "start";
}
