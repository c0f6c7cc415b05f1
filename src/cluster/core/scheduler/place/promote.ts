/**
 * Which instances of a promotable clone are promoted: the highest promotion scores, where role constraints allow it.
 * Facts: Pacemaker Explained, "Determining Which Instance is Promoted" (master-<resource>); crm_attribute --promotion.
 */
import { entryOf } from "../../../../base/record.ts";
import { addScores, INFINITY_SCORE, parseScore } from "../../../../cib/schema/values.ts";
import type { Node, Resource } from "../facts/model.ts";
import { cloneOf, isKnownOn, primitivesOf } from "../facts/model.ts";
import { ROLE, type Role } from "../facts/values.ts";
import { allowedOf, assignedOf, type Board, nextRoleOf } from "./board.ts";
import { attributesFor, hostOf, placesOf } from "./bundle-places.ts";
import { isAvailable } from "./choose-node.ts";
import { attributeOf, hasInfluence, mergeWishes, ownThisWith, ownWithThis, settleRefusals } from "./colocations.ts";

/** What the agent said of this instance on the node; `undefined` when it said nothing. */
function ownScore(resource: Resource, attributes: Readonly<Record<string, string>>): number | undefined {
  const unique = cloneOf(resource)?.unique === true;
  // The agent speaks under the name by which the executor called it.
  const names = unique
    ? [`master-${resource.id}`]
    : [`master-${resource.recordedName ?? resource.id}`, `master-${resource.baseId}`];
  for (const name of names) {
    const value = entryOf(attributes, name);
    if (value !== undefined) return parseScore(value);
  }
  return undefined;
}

/**
 * Whether the node's word counts for this instance: it runs there, or the node has been looked at and no other instance
 * is active there, or nothing is known of it yet (as when the cluster starts), and then what was said before is the
 * best there is.
 */
function isHeard(clone: Resource, resource: Resource, node: Node): boolean {
  const { baseId, knownOn, runningOn } = resource;
  if (runningOn.includes(node) || (knownOn.size === 0 && runningOn.length === 0)) return true;
  const isOthers = clone.children.some((child) =>
    primitivesOf(child).some((each) => each.baseId === baseId && each.runningOn.includes(node)),
  );
  return !isOthers && isKnownOn(resource, node);
}

export function promotionScoreOf(board: Board, clone: Resource, resource: Resource, node: Node): number | undefined {
  if (resource.children.length > 0) {
    let sum: number | undefined;
    for (const child of resource.children) {
      const score = promotionScoreOf(board, clone, child, node);
      if (score !== undefined) sum = addScores(sum ?? 0, score);
    }
    return sum;
  }
  if (clone.unique || node.inBundle) return ownScore(resource, attributesFor(board, resource, node));
  return isHeard(clone, resource, node) ? ownScore(resource, node.attributes) : undefined;
}

function nodeOf(instance: Resource): Node | undefined {
  return primitivesOf(instance).find(({ runningOn }) => runningOn.length > 0)?.runningOn[0];
}

/** Instances go rather where they can be promoted. */
export function addPromotionScores(board: Board, clone: Resource): void {
  for (const instance of clone.children)
    for (const node of board.nodes) {
      if (!isAvailable(board, node)) continue;
      // One beyond the limit has a say where it runs, and goes nowhere else.
      if (instance.removed && nodeOf(instance) !== node) continue;
      const score = promotionScoreOf(board, clone, instance, node);
      if (score === undefined || score <= 0) continue;
      const own = allowedOf(board, instance)[node.index];
      if (own === undefined || !(own >= 0)) continue;
      if (score > (board.priority[instance.index] ?? 0)) board.priority[instance.index] = score;
      // Of a group the members stay out of it: it moves what is asked of the whole.
      if (own > -INFINITY_SCORE) allowedOf(board, instance)[node.index] = addScores(own, score);
    }
}

function initialScore(board: Board, clone: Resource, instance: Resource, node: Node): number {
  // A member that may not be promoted keeps its group from it.
  const role = primitivesOf(instance).reduce<Role>((highest, member) => {
    const next = nextRoleOf(board, member);
    return next > highest ? next : highest;
  }, ROLE.unknown);
  if (role === ROLE.stopped || role === ROLE.unpromoted) return -INFINITY_SCORE;
  let score = promotionScoreOf(board, clone, instance, node) ?? -1;
  const lists = [board.roleLocations.get(clone), board.roleLocations.get(instance)];
  for (const location of new Set(lists.flatMap((list) => list ?? []))) {
    if (location.role !== ROLE.promoted || location.node !== node) continue;
    if (lists[1]?.includes(location) === true && lists[0]?.some((l) => l.node === node && l.score === location.score))
      continue;
    score = addScores(score, location.score);
  }
  for (const colocation of [...wholesOf(clone), instance].flatMap((each) => ownThisWith(board, each))) {
    if (colocation.dependentRole !== ROLE.promoted) continue;
    score = withPrimary(board, colocation.primary, node, score, colocation);
  }
  return score;
}

function withPrimary(
  board: Board,
  primary: Resource,
  node: Node,
  score: number,
  colocation: { readonly score: number; readonly nodeAttribute: string; readonly primaryRole: Role },
): number {
  board.assign(primary, undefined);
  const isWhole = primary.kind === "clone" || primary.kind === "bundle";
  const places = isWhole
    ? placesOf(board, primary)
    : [{ node: assignedOf(board, primary), role: roleOf(board, primary) }];
  const values = places
    .filter(({ role }) => colocation.primaryRole === ROLE.unknown || role === colocation.primaryRole)
    .flatMap((each) => (each.node === undefined ? [] : [attributeOf(each.node, colocation.nodeAttribute)]));
  if (values.length === 0 && colocation.primaryRole !== ROLE.unknown && !isWhole) return score;
  if (values.includes(attributeOf(hostOf(board, node), colocation.nodeAttribute)))
    return addScores(score, colocation.score);
  return colocation.score >= INFINITY_SCORE ? -INFINITY_SCORE : score;
}

function roleOf(board: Board, resource: Resource): Role {
  const head = primitivesOf(resource)[0];
  return head === undefined ? ROLE.unknown : nextRoleOf(board, head);
}

/** What constraints may mean by it: a clone in a bundle is meant by what they say of the bundle's roles. */
function wholesOf(clone: Resource): readonly Resource[] {
  return clone.parent?.kind === "bundle" ? [clone.parent, clone] : [clone];
}

/** The node on which the instance counts as being. */
function standingOf(board: Board, instance: Resource): Node | undefined {
  const node = assignedOf(board, instance);
  return node === undefined ? undefined : hostOf(board, node);
}

/** What the wishes of others add to each node's claim to be the promoted one. */
function weighNodes(board: Board, clone: Resource, initial: ReadonlyMap<Resource, number>): number[] {
  // Instances in a bundle stand on the nodes of their containers, of which the clone itself knows nothing.
  const weights: number[] = [...allowedOf(board, wholesOf(clone)[0] ?? clone)];
  for (const [instance, score] of initial) {
    const node = standingOf(board, instance);
    if (node === undefined) continue;
    const before = weights[node.index];
    // Who may not be promoted makes no claim for its node.
    if (score < 0) continue;
    weights[node.index] = before === undefined || Number.isNaN(before) ? score : addScores(before, score);
  }
  let work = weights;
  for (const colocation of wholesOf(clone).flatMap((each) => ownWithThis(board, each))) {
    if (colocation.primaryRole !== ROLE.promoted || !hasInfluence(colocation)) continue;
    work = mergeWishes(
      board,
      colocation.dependent,
      work,
      colocation.nodeAttribute,
      colocation.score / INFINITY_SCORE,
      true,
    );
  }
  return settleRefusals(work);
}

function currentRole(instance: Resource): Role {
  return primitivesOf(instance).reduce<Role>((role, each) => (each.role > role ? each.role : role), ROLE.unknown);
}

function isUnmanaged(instance: Resource): boolean {
  return primitivesOf(instance).some(({ managed }) => !managed);
}

/** Nobody demotes or promotes what is unmanaged; but a group counts as promoted only when all of it is. */
function staysPromoted(instance: Resource): boolean {
  return isUnmanaged(instance) && primitivesOf(instance).every(({ role }) => role === ROLE.promoted);
}

function setRole(board: Board, resource: Resource, role: Role): void {
  for (const each of [resource, ...primitivesOf(resource)])
    if (assignedOf(board, each) !== undefined) board.nextRole[each.index] = role;
}

/** Sets the next role of every assigned instance; of equals the one that was placed first is promoted first. */
export function choosePromoted(board: Board, clone: Resource, placed: readonly Resource[] = clone.children): void {
  const initial = new Map<Resource, number>();
  for (const instance of placed) {
    const node = assignedOf(board, instance);
    if (node === undefined) continue;
    initial.set(instance, initialScore(board, clone, instance, node));
  }
  const weights = weighNodes(board, clone, initial);
  const final = (instance: Resource) => {
    // What nobody manages stays promoted, and counts as such.
    if (isUnmanaged(instance) && currentRole(instance) === ROLE.promoted) return INFINITY_SCORE;
    const own = initial.get(instance) ?? -INFINITY_SCORE;
    const node = standingOf(board, instance);
    const merged = node === undefined ? undefined : weights[node.index];
    return own < 0 || merged === undefined || Number.isNaN(merged) ? own : merged;
  };
  const byPromotion = (a: Resource, b: Resource) => {
    const score = (each: Resource) => (initial.has(each) ? final(each) : -1);
    const difference = score(b) - score(a);
    if (difference !== 0) return difference;
    const own = (initial.get(b) ?? 0) - (initial.get(a) ?? 0);
    if (own !== 0) return own;
    return currentRole(b) - currentRole(a);
  };
  const ranked = [...initial.keys()].sort(byPromotion);
  board.ranks[clone.index] = placed.toSorted(byPromotion);
  const perNode = board.facts.nodes.map(() => 0);
  let promoted = 0;
  for (const instance of ranked) {
    const node = assignedOf(board, instance);
    const score = final(instance);
    board.promotionScore[instance.index] = score;
    if (node === undefined) continue;
    const may = score >= 0 && promoted < clone.promotedMax && (perNode[node.index] ?? 0) < clone.promotedNodeMax;
    if (may && mayPromoteNow(board, instance)) {
      promoted += 1;
      perNode[node.index] = (perNode[node.index] ?? 0) + 1;
      setRole(board, instance, ROLE.promoted);
    } else if (!isUnmanaged(instance) || currentRole(instance) === ROLE.promoted)
      setRole(board, instance, ROLE.unpromoted);
  }
}

/** A managed member that counts for less than nothing keeps its whole group from being promoted. */
function hasWorthlessMember(instance: Resource): boolean {
  return instance.kind === "group" && instance.children.some(({ managed, priority }) => managed && priority < 0);
}

/** So does one that is to be stopped. */
function hasIdleMember(instance: Resource): boolean {
  const isIdle = ({ managed, nextRole }: Resource) => managed && nextRole === ROLE.stopped;
  return instance.kind === "group" && instance.children.some(isIdle);
}

/** Without quorum nothing new is promoted under freeze, and nothing stays promoted under demote. */
function mayPromoteNow(board: Board, instance: Resource): boolean {
  const { options } = board.facts;
  if (hasWorthlessMember(instance)) return false;
  const isForced = !options.quorate && options.noQuorumPolicy === "demote";
  if (isForced && primitivesOf(instance).some(({ managed }) => managed)) return currentRole(instance) <= ROLE.stopped;
  if (hasIdleMember(instance)) return false;
  if (isUnmanaged(instance)) return staysPromoted(instance);
  if (options.quorate || options.noQuorumPolicy !== "freeze") return true;
  return currentRole(instance) === ROLE.promoted;
}
