/**
 * Colocations at work: where the primary is decides, and where dependents would like to be counts.
 * Fact: Pacemaker Explained, "Colocation Properties", "Colocation by Node Attribute", "Colocation Influence".
 */
import { entryOf } from "../../../../base/record.ts";
import { addScores, INFINITY_SCORE } from "../../../../cib/schema/values.ts";
import { type Colocation, isActive, type Node, type Resource } from "../facts/model.ts";
import { isFalse, ROLE } from "../facts/values.ts";
import { allowedOf, assignedNode, type Board, canRun, canRunAny, nextRoleOf, type Scores } from "./board.ts";

const KIND_RANK = { primitive: 0, group: 1, clone: 2, bundle: 3 } as const;

function before(a: Resource, b: Resource): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.kind !== b.kind) return KIND_RANK[b.kind] - KIND_RANK[a.kind];
  if (a.kind === "clone" && a.promotable !== b.promotable) return a.promotable ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

const NONE: readonly Colocation[] = [];

/**
 * Each resource's colocations, the weightiest other first, and of those with the same one the last configured; made
 * once, when all colocations are known.
 */
export function indexColocations(board: Board): void {
  const add = (lists: (Colocation[] | undefined)[], { index }: Resource, colocation: Colocation) => {
    const list = lists[index];
    if (list === undefined) lists[index] = [colocation];
    else list.push(colocation);
  };
  for (const colocation of [...board.facts.colocations].reverse()) {
    add(board.thisWith, colocation.dependent, colocation);
    add(board.withThis, colocation.primary, colocation);
  }
  for (const list of board.thisWith) list?.sort((a, b) => before(a.primary, b.primary));
  for (const list of board.withThis) list?.sort((a, b) => before(a.dependent, b.dependent));
}

/** The colocations in which it is dependent, the weightiest primary first. */
export function ownThisWith(board: Board, resource: Resource): readonly Colocation[] {
  return board.thisWith[resource.index] ?? NONE;
}

/** The colocations in which it is primary. */
export function ownWithThis(board: Board, resource: Resource): readonly Colocation[] {
  return board.withThis[resource.index] ?? NONE;
}

/** With what a group's or clone's constraints add for one of their members. */
export function thisWithOf(board: Board, resource: Resource): readonly Colocation[] {
  const own = ownThisWith(board, resource);
  const { parent } = resource;
  if (parent === undefined) return own;
  const inherited = inheritedThisWith(board, parent, resource);
  return inherited.length === 0 ? own : [...own, ...inherited].sort((a, b) => before(a.primary, b.primary));
}

/** Of a bundle only the containers go where the bundle must be; the rest follows them. */
function isReplicaPart(parent: Resource, member: Resource): boolean {
  return parent.kind === "bundle" && !parent.replicas.some(({ container }) => container === member);
}

function inheritedThisWith(board: Board, parent: Resource, member: Resource): readonly Colocation[] {
  if (isReplicaPart(parent, member)) return [];
  // Who is promoted is no matter of where the containers are.
  if (parent.kind === "bundle")
    return ownThisWith(board, parent).filter(({ dependentRole }) => dependentRole < ROLE.promoted);
  const above = parent.parent === undefined ? [] : inheritedThisWith(board, parent.parent, parent);
  const own = [...ownThisWith(board, parent), ...above];
  if (parent.kind !== "group") return own;
  // Where one member must be, all must be.
  const others = parent.children.filter((each) => each !== member);
  for (const other of others)
    for (const each of ownThisWith(board, other))
      if (each.score >= INFINITY_SCORE && each.primary.parent !== parent) own.push(each);
  // The first member leads the group; the others follow it, but for what is mandatory.
  if (parent.children[0] === member) return own;
  return own.filter(({ score }) => score >= INFINITY_SCORE);
}

export function withThisOf(board: Board, resource: Resource): readonly Colocation[] {
  const own = ownWithThis(board, resource);
  const { parent } = resource;
  if (parent === undefined) return own;
  const inherited = inheritedWithThis(board, parent, resource);
  return inherited.length === 0 ? own : [...own, ...inherited].sort((a, b) => before(a.dependent, b.dependent));
}

function inheritedWithThis(board: Board, parent: Resource, member: Resource): readonly Colocation[] {
  const above = parent.parent === undefined ? [] : inheritedWithThis(board, parent.parent, parent);
  // Who wants to be with a group waits for its last member.
  if (parent.kind === "group" && parent.children.at(-1) !== member) return [];
  if (isReplicaPart(parent, member)) return [];
  if (parent.kind === "bundle")
    return ownWithThis(board, parent).filter(({ primaryRole }) => primaryRole < ROLE.promoted);
  const own = ownWithThis(board, parent);
  if (!isEverywhere(board, parent)) return [...own, ...above];
  return [...own.filter(({ score, primaryRole }) => score < 0 || primaryRole === ROLE.promoted), ...above];
}

/** With an instance for each node a clone goes everywhere, wherever those would be that want to be with any of them. */
function isEverywhere(board: Board, { kind, instanceMax }: Resource): boolean {
  return kind === "clone" && instanceMax >= board.nodes.filter((node) => canRun(board, node)).length;
}

export function attributeOf(node: Node, name: string): string | undefined {
  return name === "#uname" ? node.name : entryOf(node.attributes, name);
}

function isInstance(resource: Resource): boolean {
  for (let up = resource.parent; up !== undefined; up = up.parent) if (up.kind === "clone") return up.promotable;
  return false;
}

/** Whether the colocation bears on the place, on the promotion, or not at all. */
export function effectOf(
  board: Board,
  dependent: Resource,
  primary: Resource,
  colocation: Colocation,
): "place" | "promotion" | "none" {
  if (board.isAssigned[primary.index] !== true) return "none";
  if (colocation.dependentRole >= ROLE.promoted && isInstance(dependent) && board.isAssigned[dependent.index] === true)
    return "promotion";
  if (board.isAssigned[dependent.index] === true) return "none";
  if (colocation.dependentRole !== ROLE.unknown && colocation.dependentRole !== nextRoleOf(board, dependent))
    if (colocation.dependentRole !== ROLE.promoted || nextRoleOf(board, dependent) !== ROLE.unknown) {
      if (isInstance(dependent)) return "none";
    }
  const isRoleMissed = colocation.primaryRole !== ROLE.unknown && colocation.primaryRole !== nextRoleOf(board, primary);
  // Who keeps away from a role keeps away from what has no roles, too.
  if (isRoleMissed && (colocation.score > 0 || isInstance(primary))) return "none";
  return "place";
}

/** The dependent's scores, given where the primary is. */
export function applyToScores(board: Board, dependent: Resource, primary: Resource, colocation: Colocation): void {
  const { score, nodeAttribute } = colocation;
  const node = assignedNode(board, primary);
  if (node === undefined && score < 0) return;
  const value = node === undefined ? undefined : attributeOf(node, nodeAttribute);
  const work = [...allowedOf(board, dependent)];
  for (const each of board.nodes) {
    const now = work[each.index];
    if (now === undefined || Number.isNaN(now)) continue;
    if (node === undefined) work[each.index] = addScores(-score, now);
    else if (attributeOf(each, nodeAttribute) === value) {
      if (score < INFINITY_SCORE) work[each.index] = addScores(score, now);
    } else if (score >= INFINITY_SCORE) work[each.index] = addScores(-score, now);
  }
  if (Math.abs(score) >= INFINITY_SCORE || canRunAny(board, work)) board.allowed[dependent.index] = work;
}

/** The best score on any node that shares the attribute's value. */
function bestWithValue(board: Board, scores: Scores, attribute: string, value: string | undefined): number {
  let best = -INFINITY_SCORE;
  for (const node of board.nodes) {
    const score = scores[node.index];
    if (score === undefined || Number.isNaN(score) || score <= best || !canRun(board, node)) continue;
    if (attributeOf(node, attribute) === value) best = score;
  }
  return best;
}

/** Adds to `work` what `source` has to say of each node, weighted. */
export function blend(
  board: Board,
  work: Scores,
  source: Resource,
  attribute: string,
  factor: number,
  positiveOnly: boolean,
): void {
  const theirs = allowedOf(board, source);
  for (const node of board.nodes) {
    const now = work[node.index];
    if (now === undefined || Number.isNaN(now) || now === REFUSED) continue;
    const wish =
      attribute === "#uname"
        ? sameNode(board, source, theirs, node)
        : bestWithValue(board, theirs, attribute, attributeOf(node, attribute));
    // Who must keep away from someone does not thereby wish to be where that one must not be.
    if (factor < 0 && wish < 0) continue;
    const next = addScores(weighed(factor, wish), now);
    if (positiveOnly && next < 0 && now >= 0) work[node.index] = now > 0 ? REFUSED : now;
    else work[node.index] = next;
  }
}

/** To the nearest whole score; but the faintest wish still counts as one, even one against the node. */
function weighed(factor: number, wish: number): number {
  const exact = factor * wish;
  const whole = Math.sign(exact) * Math.floor(Math.abs(exact) + 0.5);
  return whole === 0 && wish !== 0 ? Math.sign(factor) : whole;
}

function sameNode(board: Board, source: Resource, theirs: Scores, node: Node): number {
  const score = theirs[node.index];
  // Where its group must not be, no member can be, whatever the member's own score says.
  const group = source.parent?.kind === "group" ? allowedOf(board, source.parent)[node.index] : undefined;
  if (group !== undefined && group <= -INFINITY_SCORE) return -INFINITY_SCORE;
  if (score === undefined || Number.isNaN(score) || !canRun(board, node)) return -INFINITY_SCORE;
  return score;
}

/** Somebody cannot be there at all: whatever the others wish, the node keeps but the smallest claim. */
const REFUSED = -100 * INFINITY_SCORE;

/** What is left of a refused node's claim. */
export function settleRefusals(work: Scores): Scores {
  return work.map((score) => (score === REFUSED ? 1 : score));
}

/**
 * `work` with the wishes of `source` blended in, and of all that hangs on it.
 * Wishes that would leave no node at all are dropped.
 */
export function mergeWishes(
  board: Board,
  source: Resource,
  work: Scores,
  attribute: string,
  factor: number,
  positiveOnly: boolean,
): Scores {
  if (board.merging[source.index] === true) return work;
  board.merging[source.index] = true;
  const result = mergeInner(board, source, work, attribute, factor, positiveOnly);
  board.merging[source.index] = false;
  return result;
}

function mergeInner(
  board: Board,
  source: Resource,
  work: Scores,
  attribute: string,
  factor: number,
  positiveOnly: boolean,
): Scores {
  const first = source.children[0];
  if (source.kind === "primitive") return blendOrKeep(board, source, work, attribute, factor, positiveOnly);
  if (first === undefined) return work;
  if (source.kind !== "group") return blendOrKeep(board, source, work, attribute, factor, positiveOnly);
  // A group's wish is that of its first member, which the others have told theirs.
  const merged = mergeWishes(board, first, work, attribute, factor, positiveOnly);
  // Who wants to be with the group is heard through its last member, as long as the members hang together.
  const isChained = source.children.length === 1 || !isFalse(source.meta["collocated"]);
  if (!isChained) return followers(board, source, merged, factor, positiveOnly, ownWithThis(board, source));
  const last = source.children.at(-1) ?? first;
  // Where the members' own wish has been dropped, those who want to be with the last one are heard all the same.
  return merged === work ? followers(board, source, work, factor, positiveOnly, withThisOf(board, last)) : merged;
}

function blendOrKeep(
  board: Board,
  source: Resource,
  work: Scores,
  attribute: string,
  factor: number,
  positiveOnly: boolean,
): Scores {
  const next = [...work];
  blend(board, next, source, attribute, factor, positiveOnly);
  if (!canRunAny(board, next)) return work;
  // Who keeps away from a group's member does not hear who wants to be with the group as a whole.
  const dependents = factor < 0 ? ownWithThis(board, source) : withThisOf(board, source);
  return followers(board, source, next, factor, positiveOnly, dependents);
}

/** The wishes of all that depend on `source`, one after another. */
function followers(
  board: Board,
  source: Resource,
  work: Scores,
  factor: number,
  positiveOnly: boolean,
  dependents: readonly Colocation[],
): Scores {
  let merged = work;
  for (const colocation of dependents) {
    const other = colocation.dependent;
    if (other === source || !hasInfluence(colocation)) continue;
    const next = (factor * colocation.score) / INFINITY_SCORE;
    merged = mergeWishes(board, other, merged, colocation.nodeAttribute, next, positiveOnly);
  }
  return merged;
}

/** Whether a dependent's wish bears on where the primary goes: what is up already may be said not to move for it. */
export function hasInfluence({ primary, influence }: Colocation): boolean {
  return influence || !isActive(primary);
}
