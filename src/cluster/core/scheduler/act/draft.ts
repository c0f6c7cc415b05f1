/**
 * What the collecting passes write on: they put down steps, links and sums, and everything that is put down stays. What
 * several passes wish of one step is joined here and nowhere else; no pass can write on a step, its own or another's.
 * Closed, it is a plan.
 */
import type { Facts, Node, Resource } from "../facts/model.ts";
import { type Board, isManaged } from "../place/board.ts";
import {
  type Collective,
  type Gate,
  keyOf,
  type Link,
  type LinkRules,
  type Needs,
  type Plan,
  type Step,
  type StepKind,
  type StopWait,
  suffixIn,
} from "./plan.ts";

/** A step while wishes for it may still come in. */
interface StepDraft extends Step {
  needs: Needs;
  kind: StepKind;
  meta: Readonly<Record<string, string>>;
  expectedCode: number;
  implied: boolean;
  alone: boolean;
  wanted: boolean;
  wantedFor: string;
  possible: boolean;
}

/** Known here alone: what stands behind it is nobody else's to write on. */
const OWN: unique symbol = Symbol("own");

interface Own {
  readonly steps: StepDraft[];
  readonly links: Link[];
  readonly collectives: Collective[];
  readonly gates: Gate[];
  readonly stopWaits: StopWait[];
  readonly byResource: StepDraft[][];
  readonly bySuffix: Map<string, StepDraft[]>[];
  /** Steps that belong to no resource. */
  readonly byKey: Map<string, StepDraft[]>;
  /** Nodes that this transition sees to be down: what shall end there ends with them. */
  readonly goingDown: ReadonlySet<Node>;
  readonly firstIndex: number;
}

export interface PlanDraft extends Plan {
  readonly [OWN]: Own;
}

const NOBODY: ReadonlySet<Node> = new Set();

/** A draft for what is added to a closed plan, and where its own steps begin to count. */
export function openAddition({ facts, board }: Plan, firstIndex: number): PlanDraft {
  return openDraft(facts, board, NOBODY, firstIndex);
}

export function openDraft(facts: Facts, board: Board, goingDown: ReadonlySet<Node>, firstIndex = 0): PlanDraft {
  const own: Own = {
    steps: [],
    links: [],
    collectives: [],
    gates: [],
    stopWaits: [],
    byResource: facts.resources.map(() => []),
    bySuffix: facts.resources.map(() => new Map()),
    byKey: new Map(),
    goingDown,
    firstIndex,
  };
  const { steps, links, collectives, gates, stopWaits, byResource, bySuffix } = own;
  return { facts, board, steps, links, collectives, gates, stopWaits, byResource, bySuffix, [OWN]: own };
}

/** The plan as it stands, without the means to write on it. */
export function close(draft: PlanDraft): Plan {
  const { facts, board, steps, links, collectives, gates, stopWaits, byResource, bySuffix } = draft;
  return { facts, board, steps, links, collectives, gates, stopWaits, byResource, bySuffix };
}

export interface StepWish {
  readonly resource?: Resource | undefined;
  readonly node?: Node | undefined;
  readonly operation: string;
  readonly intervalMs?: number;
  readonly key?: string;
  readonly kind?: StepKind;
  readonly needs?: Needs;
  readonly meta?: Readonly<Record<string, string>>;
  readonly expectedCode?: number;
  readonly priority?: number;
  readonly fenceKind?: Step["fenceKind"];
  readonly implied?: boolean;
  readonly alone?: boolean;
  readonly wanted?: boolean;
  readonly reason?: string;
  readonly possible?: boolean;
}

const NO_META: Readonly<Record<string, string>> = {};

/**
 * The step of that key on that node, written down if it is not there. It is wanted as soon as anyone wants it, for the
 * reason of the first one who does, and possible while nobody knows it not to be; of the rest the last word counts.
 */
export function step(draft: PlanDraft, wish: StepWish): Step {
  const { resource, node, operation, intervalMs = 0 } = wish;
  const own = draft[OWN];
  const key = wish.key ?? (resource === undefined ? operation : keyOf(resource, operation, intervalMs));
  const same = resource === undefined ? own.byKey : own.bySuffix[resource.index];
  const name = resource === undefined ? key : suffixIn(key, resource);
  const known = same?.get(name);
  if (known !== undefined)
    for (const each of known)
      if (each.node === node && each.operation === operation) {
        join(each, wish);
        return each;
      }
  const created = stepOf(draft, wish, key);
  own.steps.push(created);
  if (resource !== undefined) own.byResource[resource.index]?.push(created);
  if (known === undefined) same?.set(name, [created]);
  else known.push(created);
  return created;
}

function join(found: StepDraft, wish: StepWish): void {
  if (wish.wanted === true && !found.wanted) {
    found.wanted = true;
    found.wantedFor = wish.reason ?? "";
  }
  if (wish.possible === false && !found.implied) found.possible = false;
  if (wish.needs !== undefined) found.needs = wish.needs;
  if (wish.expectedCode !== undefined) found.expectedCode = wish.expectedCode;
  if (wish.meta !== undefined) found.meta = { ...found.meta, ...wish.meta };
  if (wish.alone === true) found.alone = true;
  if (wish.implied !== true) return;
  found.implied = true;
  found.kind = "pseudo";
}

/** A stop or demote on a node that is fenced needs no agent: the fencing has done it. */
function isImplied(goingDown: ReadonlySet<Node>, { operation, node }: StepWish, managed: boolean): boolean {
  if (goingDown.size === 0 || node === undefined || !managed) return false;
  return (operation === "stop" || operation === "demote") && goingDown.has(node);
}

function stepOf({ board, [OWN]: own }: PlanDraft, wish: StepWish, key: string): StepDraft {
  const { resource } = wish;
  const managed = resource === undefined || isManaged(board, resource);
  const fenced = isImplied(own.goingDown, wish, managed);
  const implied = fenced || wish.implied === true;
  return {
    index: own.firstIndex + own.steps.length,
    key,
    operation: wish.operation,
    resource,
    node: wish.node,
    intervalMs: wish.intervalMs ?? 0,
    kind: implied ? "pseudo" : (wish.kind ?? "resource"),
    managed,
    needs: wish.needs ?? "nothing",
    meta: wish.meta ?? NO_META,
    expectedCode: wish.expectedCode ?? 0,
    priority: wish.priority ?? 0,
    fenceKind: wish.fenceKind,
    implied,
    alone: wish.alone ?? false,
    wanted: wish.wanted ?? false,
    wantedFor: wish.reason ?? "",
    possible: fenced || (wish.possible ?? true),
  };
}

/** That a step which stands already is wanted, too; its own reason, where it has one, goes on being told. */
export function want(draft: PlanDraft, { index }: Step, reason: string): void {
  const found = draft[OWN].steps[index - draft[OWN].firstIndex];
  if (found === undefined || found.wanted) return;
  found.wanted = true;
  if (found.wantedFor === "") found.wantedFor = reason;
}

/** Puts a step of a resource where another one stands in the order, which then comes last. */
export function takePlace(draft: PlanDraft, taker: Step, giver: Step): void {
  const own = taker.resource === undefined ? undefined : draft[OWN].byResource[taker.resource.index];
  if (own === undefined) return;
  const [to, from] = [own.indexOf(giver), own.indexOf(taker)];
  const [given, taken] = [own[to], own[from]];
  if (given === undefined || taken === undefined) return;
  own[to] = taken;
  own[from] = given;
}

const NO_RULES: LinkRules = {};

/** All links are of one shape, for settling does little else than read them; written out, that takes no copying. */
export function linkOf(first: Step, second: Step, rules: LinkRules = NO_RULES): Link {
  return {
    firstDragsThen: rules.firstDragsThen === true,
    thenDragsFirst: rules.thenDragsFirst === true,
    needsFirst: rules.needsFirst === true,
    restart: rules.restart === true,
    promotedDrags: rules.promotedDrags === true,
    asymmetric: rules.asymmetric === true,
    optional: rules.optional === true,
    hidden: rules.hidden === true,
    gate: rules.gate === true,
    at: rules.at,
    blockedWith: rules.blockedWith,
    ground: rules.ground === true,
    late: rules.late === true,
    first,
    second,
  };
}

export function link(draft: PlanDraft, first: Step, second: Step, rules: LinkRules = NO_RULES): void {
  if (first !== second) draft[OWN].links.push(linkOf(first, second, rules));
}

export function linkAll(
  draft: PlanDraft,
  firsts: readonly Step[],
  seconds: readonly Step[],
  rules: LinkRules = NO_RULES,
): void {
  for (const first of firsts) for (const second of seconds) link(draft, first, second, rules);
}

/** A step that sums up what becomes of others. */
export function sumUp(draft: PlanDraft, sum: Step, members: readonly Step[], mode: Collective["mode"]): void {
  draft[OWN].collectives.push({ step: sum, members, mode });
}

export function addGate(draft: PlanDraft, gate: Step, min: number): void {
  draft[OWN].gates.push({ step: gate, min });
}

export function waitForStop(draft: PlanDraft, resource: Resource, second: Step, sameNode = false): void {
  draft[OWN].stopWaits.push({ resource, second, sameNode });
}
