/**
 * Settles a plan: which steps must happen and which cannot, until no link has anything more to say.
 * The rules only ever add: a step becomes required or loses its being runnable, never the other way; so it ends.
 * What is concluded stands in columns of its own, by the index of the step; the plan is only read.
 */
import type { Resource } from "../facts/model.ts";
import { cloneOf } from "../facts/model.ts";
import { ROLE } from "../facts/values.ts";
import { type Collective, describe, type Gate, type Link, type Plan, type Step } from "./plan.ts";

/** Far above any real chain; a longer one is a bug of ours. */
const ROUNDS_MAX = 10_000_000;

const NONE: readonly never[] = [];

/** What is concluded of the steps of a plan, each by its index. */
export interface Settled {
  readonly required: readonly boolean[];
  readonly runnable: readonly boolean[];
  readonly reason: readonly string[];
}

/** Settling under way. */
interface Settling extends Settled {
  readonly required: boolean[];
  readonly runnable: boolean[];
  readonly reason: string[];
  readonly touched: Step[];
  readonly leaves: Leaves;
  /** What is to be handed over running: that disturbs nobody who depends on it. */
  readonly handed: ReadonlySet<Step>;
  /** Whether the late links are heard by now. */
  isLate: boolean;
}

/** What is so before any link is heard. `forsaken`: what cannot run for want of an instance beside it. */
export function atFirst({ steps }: Plan, forsaken: ReadonlySet<Step>): Settled {
  return {
    required: steps.map(({ wanted }) => wanted),
    runnable: steps.map((each) => each.possible && (each.implied || !forsaken.has(each))),
    reason: steps.map(({ wantedFor }) => wantedFor),
  };
}

/** That a step follows upon another one of the same resource says nothing of why. */
function isOwnReason({ resource }: Step, reason: string): boolean {
  return resource !== undefined && reason.startsWith(`required ${resource.id} `);
}

function require(at: Settling, step: Step, because: string): void {
  const { index } = step;
  const told = at.reason[index] ?? "";
  if (at.required[index] === true) {
    if (because.startsWith("required ") && isOwnReason(step, told)) at.reason[index] = because;
    return;
  }
  at.required[index] = true;
  if (told === "") at.reason[index] = because;
  at.touched.push(step);
}

/** The words are made only where they are told: most links have nothing new to say. */
function requireFor(at: Settling, step: Step, cause: Step): void {
  if (at.required[step.index] === true && !isOwnReason(step, at.reason[step.index] ?? "")) return;
  require(at, step, `required ${describe(cause)}`);
}

function block(at: Settling, step: Step, because: string): void {
  const { index } = step;
  if (at.runnable[index] !== true) return;
  at.runnable[index] = false;
  // What keeps it from running says more than what wanted it.
  const told = at.reason[index] ?? "";
  const wanted = step.operation === "stop" ? "no quorum" : "node availability";
  const keeps = told.includes(" ") && told !== wanted;
  if (because !== "" && !keeps) at.reason[index] = because;
  at.touched.push(step);
}

function blockFor(at: Settling, step: Step, cause: Step): void {
  if (at.runnable[step.index] === true) block(at, step, `unrunnable ${describe(cause)}`);
}

/**
 * An unmanaged resource itself is not stopped; but where an order asks for it, the group around it is taken for asked.
 * Of a clone as a whole only its managed instances are.
 */
function isDrawnIn({ second, hidden }: Link): boolean {
  if (second.managed) return true;
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
function isRequiredAt({ required, leaves }: Settling, step: Step, other: Step, at?: Step["node"]): boolean {
  if (required[step.index] !== true) return false;
  if (step.resource?.kind !== "clone") return true;
  const node = placeOf(other, at);
  const below = node === undefined ? undefined : leaves.get(step);
  return below === undefined || below.some((each) => required[each.index] === true && each.node === node);
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

/** What the link says of what must happen. */
function passDemands(at: Settling, link: Link): void {
  const { first, second, thenDragsFirst } = link;
  // What is handed over running disturbs nobody who depends on it.
  const quiet = first.resource !== second.resource && first.resource !== undefined;
  const draws = thenDragsFirst === true && first.managed && isRequiredAt(at, second, first);
  const drags = link.firstDragsThen === true && (!first.alone || first.resource === second.resource);
  if (drags && isRequiredAt(at, first, second, link.at) && isDrawnIn(link))
    if (!(quiet && at.handed.has(first))) requireFor(at, second, first);
  if (draws && !(quiet && at.handed.has(second))) requireFor(at, first, second);
  if (link.promotedDrags === true && at.required[second.index] === true && first.managed)
    if (second.resource?.role === ROLE.promoted) requireFor(at, first, second);
}

/** Stop and start of one resource: what is started anew is stopped, and so is what could not be started again. */
function passRestart(at: Settling, { first, second }: Link): void {
  if (!first.managed) return;
  if (at.required[first.index] === true && at.runnable[first.index] !== true) blockFor(at, second, first);
  const told = at.reason[second.index] ?? "";
  if (at.required[second.index] === true && !second.alone) {
    if (told === "") requireFor(at, first, second);
    else require(at, first, told);
  } else if (at.runnable[second.index] !== true && second.resource !== undefined && second.managed)
    require(at, first, told);
}

/** The first cannot run: who needs it, or must be with it, cannot either. */
function passNeeds(at: Settling, link: Link): void {
  const { first, second } = link;
  if (link.needsFirst === true && link.asymmetric !== true) {
    if (first.operation === "monitor") block(at, second, "");
    else blockFor(at, second, first);
  }
  if (link.blockedWith !== undefined && (at.required[first.index] === true || isHeldBack(first) || isOfClone(first)))
    block(at, second, `colocation with ${link.blockedWith}`);
}

/** The first cannot run: what would follow upon it, or stands under it, cannot either where it is wanted. */
function passHindrances(at: Settling, link: Link): void {
  const { first, second, thenDragsFirst } = link;
  const isWanted = at.required[first.index] === true;
  if (thenDragsFirst === true && isWanted) blockFor(at, second, first);
  const passesOn = thenDragsFirst === true || link.firstDragsThen === true || link.restart === true;
  // What a member that cannot be stopped stands on is not taken from under it, as 2.1.5 does where wholes are ordered.
  const isReal = link.hidden !== true || second.kind !== "pseudo";
  if (passesOn && isReal && isBlockedStop(first)) blockFor(at, second, first);
  if (link.ground === true && (isWanted || isBlockedStop(first))) blockFor(at, second, first);
  if (link.asymmetric !== true || isDoneAlready(at, second)) return;
  blockFor(at, second, first);
  // It is told as wanted and blocked, even when nothing of it would be started or promoted.
  const goesUp = second.operation === "start" || second.operation === "promote";
  if (goesUp && isAsked(second.resource)) requireFor(at, second, first);
}

function pass(at: Settling, link: Link): void {
  if (link.gate === true || (link.late === true && !at.isLate)) return;
  const runs = at.runnable[link.first.index] === true;
  passDemands(at, link);
  if (!runs) passNeeds(at, link);
  if (link.restart === true) passRestart(at, link);
  if (!runs) passHindrances(at, link);
}

/** Of a clone nothing needs to be wanted: that no instance can come up is enough. */
function isOfClone({ resource }: Step): boolean {
  return resource?.kind === "clone" || resource?.kind === "bundle";
}

/** A start that would be wanted if there were quorum. */
function isHeldBack({ needs, node }: Step): boolean {
  return needs !== "nothing" && node !== undefined;
}

/** One-way orders leave alone what is in the wanted state anyway. */
function isDoneAlready({ required }: Settling, { resource, operation, node, index }: Step): boolean {
  if (resource === undefined || required[index] === true || (operation === "start" && node === undefined)) return false;
  return operation === "start" ? resource.role >= ROLE.started : operation === "stop" && resource.role <= ROLE.stopped;
}

/** Of a group or a clone that nobody manages nothing is asked, nor of what is in it; of a single member it is. */
function isAsked(resource: Resource | undefined): boolean {
  for (let whole = resource; whole !== undefined; whole = whole.parent)
    if (whole.kind !== "primitive" && !whole.managed && !whole.heldBack) return false;
  return true;
}

/** A stop that cannot be, and that an operator must do: what needs it cannot go on. */
function isBlockedStop({ operation, resource }: Step): boolean {
  return operation === "stop" && resource?.blocked === true;
}

function sum(at: Settling, { step, members, mode }: Collective): void {
  const { required, runnable } = at;
  const asks = ({ index, alone }: Step) => required[index] === true && !alone;
  if (required[step.index] !== true && members.some(asks)) require(at, step, "");
  if (mode === "free" || runnable[step.index] !== true) return;
  const runs =
    mode === "any"
      ? members.some(({ index }) => runnable[index] === true)
      : members.every(
          ({ index, managed }) =>
            runnable[index] === true || (mode === "wanted" && required[index] !== true && managed),
        );
  if (!runs) block(at, step, "");
}

/** By a step's index: what it is an end or a member of. */
interface Around {
  readonly links: readonly (Link[] | undefined)[];
  readonly wholes: readonly (Collective[] | undefined)[];
  readonly gates: ReadonlyMap<Step, Gate>;
}

function addAt<Item>(lists: (Item[] | undefined)[], { index }: Step, item: Item): void {
  const list = lists[index];
  if (list === undefined) lists[index] = [item];
  else list.push(item);
}

function aroundOf(plan: Plan): Around {
  const links: (Link[] | undefined)[] = plan.steps.map(() => undefined);
  const wholes: (Collective[] | undefined)[] = plan.steps.map(() => undefined);
  for (const each of plan.links) {
    addAt(links, each.first, each);
    addAt(links, each.second, each);
  }
  for (const whole of plan.collectives) for (const member of whole.members) addAt(wholes, member, whole);
  return { links, wholes, gates: new Map(plan.gates.map((gate) => [gate.step, gate])) };
}

/** Every rule until nothing changes, from what was concluded before. `handed`: what is to be handed over running. */
export function settle(plan: Plan, before: Settled, handed: ReadonlySet<Step>): Settled {
  const [required, runnable, reason] = [[...before.required], [...before.runnable], [...before.reason]];
  const at: Settling = { required, runnable, reason, handed, touched: [], leaves: leavesOf(plan), isLate: false };
  const around = aroundOf(plan);
  for (const whole of plan.collectives) sum(at, whole);
  for (const gate of plan.gates) judgeGate(at, gate, around);
  for (const each of plan.links) pass(at, each);
  hearAll(at, around);
  at.isLate = true;
  for (const each of plan.links) if (each.late === true) pass(at, each);
  hearAll(at, around);
  return { required, runnable, reason };
}

/** What is touched has its links heard, until nothing is. */
function hearAll(at: Settling, around: Around): void {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const step = at.touched.pop();
    if (step === undefined) break;
    // What stands above may be required already, but now also on this node: so it is looked at again, each once.
    const affected: Step[] = [step];
    for (const each of affected) {
      for (const one of around.links[each.index] ?? NONE) {
        pass(at, one);
        const gate = one.gate === true ? around.gates.get(one.second) : undefined;
        if (gate !== undefined) judgeGate(at, gate, around);
      }
      for (const whole of around.wholes[each.index] ?? NONE) {
        sum(at, whole);
        if (!affected.includes(whole.step)) affected.push(whole.step);
      }
    }
  }
}

function judgeGate(at: Settling, { step, min }: Gate, { links }: Around): void {
  const firsts = (links[step.index] ?? NONE).filter((each) => each.gate === true && each.second === step);
  const able = firsts.filter(({ first }) => at.runnable[first.index] === true);
  if (able.length < min) block(at, step, "");
  else if (able.some(({ first }) => at.required[first.index] === true && !first.alone)) require(at, step, "");
}
