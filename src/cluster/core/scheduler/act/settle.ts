/**
 * Settles the plan: which steps must happen and which cannot, until no link has anything more to say.
 * The rules only ever add: a step becomes required or loses its being runnable, never the other way; so it ends.
 */
import type { Resource } from "../facts/model.ts";
import { cloneOf } from "../facts/model.ts";
import { ROLE } from "../facts/values.ts";
import { type Collective, describe, type Link, type Plan, type Step } from "./plan.ts";

/** Far above any real chain; a longer one is a bug of ours. */
const ROUNDS_MAX = 10_000_000;

const NONE: readonly never[] = [];

interface Change {
  readonly touched: Step[];
}

/** That a step follows upon another one of the same resource says nothing of why. */
function isOwnReason({ resource, reason }: Step): boolean {
  return resource !== undefined && reason.startsWith(`required ${resource.id} `);
}

function require(step: Step, because: string, change: Change): void {
  if (step.required && isOwnReason(step) && because.startsWith("required ")) step.reason = because;
  if (step.required) return;
  step.required = true;
  if (step.reason === "") step.reason = because;
  change.touched.push(step);
}

function block(step: Step, because: string, change: Change): void {
  if (!step.runnable) return;
  step.runnable = false;
  // What keeps it from running says more than what wanted it.
  const wanted = step.operation === "stop" ? "no quorum" : "node availability";
  const keeps = step.reason.includes(" ") && step.reason !== wanted;
  if (because !== "" && !keeps) step.reason = because;
  change.touched.push(step);
}

const isManaged = ({ managed }: Step) => managed;

/**
 * An unmanaged resource itself is not stopped; but where an order asks for it, the group around it is taken for asked.
 * Of a clone as a whole only its managed instances are.
 */
function isDrawnIn({ second, hidden }: Link): boolean {
  if (isManaged(second)) return true;
  const isInstance = second.resource?.parent?.kind === "clone";
  return second.operation === "stop" && isAsked(second.resource) && !(hidden === true && isInstance);
}

/** The primitive steps below each pseudo step of a clone. */
type Leaves = ReadonlyMap<Step, readonly Step[]>;

/** Where a step is looked at from; instances of a clone wait as a whole, wherever each of them is. */
function placeOf({ resource, node }: Step, at?: Step["node"]): Step["node"] {
  return resource !== undefined && cloneOf(resource) !== undefined ? undefined : (node ?? at);
}

/** Who waits for a clone on one node cares only for what the clone does on that node. */
function isRequiredAt(step: Step, node: Step["node"], leaves: Leaves): boolean {
  if (!step.required || node === undefined || step.resource?.kind !== "clone") return step.required;
  const below = leaves.get(step);
  return below === undefined || below.some((each) => each.required && each.node === node);
}

function leavesOf(plan: Plan): Leaves {
  const members = new Map(plan.collectives.map((whole) => [whole.step, whole.members]));
  const below = (step: Step): readonly Step[] => {
    const own = members.get(step);
    return own === undefined ? [step] : own.flatMap(below);
  };
  return new Map(
    plan.collectives.filter(({ step }) => step.resource?.kind === "clone").map(({ step }) => [step, below(step)]),
  );
}

function pass(link: Link, change: Change, leaves: Leaves): void {
  const { first, second } = link;
  if (link.gate === true) return;
  const firstRequired = isRequiredAt(first, placeOf(second, link.at), leaves);
  const secondRequired = isRequiredAt(second, placeOf(first), leaves);
  // What is handed over running disturbs nobody who depends on it.
  const quiet = first.resource !== second.resource && first.resource !== undefined;
  if (link.firstDragsThen === true && !(quiet && first.migratable) && firstRequired && isDrawnIn(link))
    require(second, `required ${describe(first)}`, change);
  if (link.thenDragsFirst === true && !(quiet && second.migratable) && secondRequired && isManaged(first))
    require(first, `required ${describe(second)}`, change);
  if (link.promotedDrags === true && second.required && second.resource?.role === ROLE.promoted && isManaged(first))
    require(first, `required ${describe(second)}`, change);
  if (link.needsFirst === true && link.asymmetric !== true && !first.runnable)
    block(second, first.operation === "monitor" ? "" : `unrunnable ${describe(first)}`, change);
  if (link.blockedWith !== undefined && !first.runnable && (first.required || isHeldBack(first) || isOfClone(first)))
    block(second, `colocation with ${link.blockedWith}`, change);
  if (link.restart === true && first.required && !first.runnable && isManaged(first))
    block(second, `unrunnable ${describe(first)}`, change);
  if (link.restart === true && isManaged(first)) {
    if (second.required && !second.alone)
      require(first, second.reason === "" ? `required ${describe(second)}` : second.reason, change);
    else if (!second.runnable && second.resource !== undefined && second.managed) require(first, second.reason, change);
  }
  if (link.thenDragsFirst === true && first.required && !first.runnable)
    block(second, `unrunnable ${describe(first)}`, change);
  const passesOn = link.thenDragsFirst === true || link.firstDragsThen === true || link.restart === true;
  // What a member that cannot be stopped stands on is not taken from under it, as 2.1.5 does where wholes are ordered.
  const isReal = link.hidden !== true || second.kind !== "pseudo";
  if (passesOn && isReal && isBlockedStop(first)) block(second, `unrunnable ${describe(first)}`, change);
  if (link.ground === true && !first.runnable && (first.required || isBlockedStop(first)))
    block(second, `unrunnable ${describe(first)}`, change);
  if (link.asymmetric === true && !first.runnable && !isDoneAlready(second)) {
    block(second, `unrunnable ${describe(first)}`, change);
    // It is told as wanted and blocked, even when nothing of it would be started or promoted.
    const goesUp = second.operation === "start" || second.operation === "promote";
    if (goesUp && isAsked(second.resource)) require(second, `required ${describe(first)}`, change);
  }
}

/** Of a clone nothing needs to be wanted: that no instance can come up is enough. */
function isOfClone({ resource }: Step): boolean {
  return resource?.kind === "clone";
}

/** A start that would be wanted if there were quorum. */
function isHeldBack({ needs, node }: Step): boolean {
  return needs !== "nothing" && node !== undefined;
}

/** One-way orders leave alone what is in the wanted state anyway. */
function isDoneAlready(step: Step): boolean {
  const { resource, operation, required, node } = step;
  if (resource === undefined || required || (operation === "start" && node === undefined)) return false;
  return operation === "start" ? resource.role >= ROLE.started : operation === "stop" && resource.role <= ROLE.stopped;
}

/** Of a group or a clone that nobody manages nothing is asked, nor of what is in it; of a single member it is. */
function isAsked(resource: Resource | undefined): boolean {
  for (let whole = resource; whole !== undefined; whole = whole.parent)
    if (whole.kind !== "primitive" && !whole.managed && !whole.heldBack) return false;
  return true;
}

/** A stop that an operator must do: what needs it cannot go on. */
function isBlockedStop(step: Step): boolean {
  return step.operation === "stop" && !step.runnable && step.resource?.blocked === true;
}

function sum({ step, members, mode }: Collective, change: Change): void {
  if (members.some(({ required }) => required)) require(step, "", change);
  if (mode === "free") return;
  const runnable =
    mode === "any"
      ? members.some((each) => each.runnable)
      : members.every((each) => each.runnable || (mode === "wanted" && !each.required && isManaged(each)));
  if (!runnable) block(step, "", change);
}

/** By a step's index: the links that it is an end of. */
type Around = (Link[] | undefined)[];

function addAt<Item>(lists: (Item[] | undefined)[], { index }: Step, item: Item): void {
  const list = lists[index];
  if (list === undefined) lists[index] = [item];
  else list.push(item);
}

/** Runs every rule until nothing changes. */
export function settle(plan: Plan): void {
  const around: Around = plan.steps.map(() => undefined);
  const wholes: (Collective[] | undefined)[] = plan.steps.map(() => undefined);
  plan.links.forEach((each) => {
    addAt(around, each.first, each);
    addAt(around, each.second, each);
  });
  for (const whole of plan.collectives) for (const member of whole.members) addAt(wholes, member, whole);
  const gates = new Map(plan.gates.map((gate) => [gate.step, gate]));
  const change: Change = { touched: [] };
  for (const whole of plan.collectives) sum(whole, change);
  for (const gate of plan.gates) judgeGate(gate, around, change);
  const leaves = leavesOf(plan);
  plan.links.forEach((each) => {
    pass(each, change, leaves);
  });
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const step = change.touched.pop();
    if (step === undefined) return;
    // What stands above may be required already, but now also on this node: so it is looked at again, each once.
    const affected: Step[] = [step];
    for (const each of affected) {
      around[each.index]?.forEach((one) => {
        pass(one, change, leaves);
        const gate = one.gate === true ? gates.get(one.second) : undefined;
        if (gate !== undefined) judgeGate(gate, around, change);
      });
      for (const whole of wholes[each.index] ?? NONE) {
        sum(whole, change);
        if (!affected.includes(whole.step)) affected.push(whole.step);
      }
    }
  }
}

function judgeGate(gate: { readonly step: Step; readonly min: number }, around: Around, change: Change): void {
  const firsts = (around[gate.step.index] ?? []).filter((each) => each.gate === true && each.second === gate.step);
  const passable = firsts.filter(({ first }) => first.runnable);
  if (passable.length < gate.min) block(gate.step, "", change);
  else if (passable.some(({ first }) => first.required)) require(gate.step, "", change);
}
