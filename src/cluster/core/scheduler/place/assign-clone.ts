/**
 * Assigns the instances of a clone: those that are well where they are stay, the rest is spread.
 * Facts: Pacemaker Explained, "Clone Stickiness"; behaviour of crm_simulate as a black box (no shuffling, list in the
 * policy-engine reference, section 7).
 */
import { INFINITY_SCORE } from "../../../../cib/schema/values.ts";
import type { Node, Resource } from "../facts/model.ts";
import { primitivesOf } from "../facts/model.ts";
import { ROLE, type Role } from "../facts/values.ts";
import {
  allowedOf,
  assignedOf,
  type Board,
  nextRoleOf,
  noteScores,
  type Scores,
  scoreOn,
  setScore,
  unassign,
} from "./board.ts";
import { isAvailable } from "./choose-node.ts";
import { ownThisWith, ownWithThis } from "./colocations.ts";
import { applyPrimary, mergeDependents } from "./follow.ts";
import { addPromotionScores, choosePromoted } from "./promote.ts";

function nodeOf(instance: Resource): Node | undefined {
  for (const member of primitivesOf(instance)) if (member.runningOn[0] !== undefined) return member.runningOn[0];
  return undefined;
}

function activeCount(instance: Resource): number {
  if (instance.kind === "primitive") return instance.runningOn.length;
  return new Set(primitivesOf(instance).flatMap(({ runningOn }) => runningOn)).size;
}

function canStay(board: Board, instance: Resource, node: Node): boolean {
  const score = allowedOf(board, instance)[node.index];
  return score !== undefined && score >= 0;
}

function isFailed(instance: Resource): boolean {
  return primitivesOf(instance).some(({ failed }) => failed);
}

function scoreAt(board: Board, resource: Resource, node: Node): number {
  const score = allowedOf(board, resource)[node.index];
  return score === undefined || Number.isNaN(score) ? -INFINITY_SCORE : score;
}

/** Who is assigned first: the active, the settled, the healthy, the ones with the better node. */
function compareInstances(board: Board, clone: Resource, a: Resource, b: Resource): number {
  const [left, right] = [nodeOf(a), nodeOf(b)];
  const countLeft = activeCount(a);
  const countRight = activeCount(b);
  if (countLeft > 0 && countRight > 0 && countLeft !== countRight) return countLeft - countRight;
  // Not to be anywhere yet is better than to be where it cannot stay.
  const stayLeft = left === undefined || canStay(board, a, left);
  const stayRight = right === undefined || canStay(board, b, right);
  if (stayLeft !== stayRight) return stayLeft ? -1 : 1;
  const priority = (board.priority[b.index] ?? 0) - (board.priority[a.index] ?? 0);
  if (priority !== 0) return priority;
  if ((left === undefined) !== (right === undefined)) return left === undefined ? 1 : -1;
  if (left !== undefined && right !== undefined && stayLeft) {
    const [availableLeft, availableRight] = [isAvailable(board, left), isAvailable(board, right)];
    if (availableLeft !== availableRight) return availableLeft ? -1 : 1;
    if (left.shutdown !== right.shutdown) return left.shutdown ? 1 : -1;
    const difference = scoreAt(board, clone, right) - scoreAt(board, clone, left);
    if (difference !== 0) return difference;
    const own = (allowedOf(board, b)[right.index] ?? 0) - (allowedOf(board, a)[left.index] ?? 0);
    if (own !== 0 && !Number.isNaN(own)) return own;
  }
  if (isFailed(a) !== isFailed(b)) return isFailed(a) ? 1 : -1;
  return a.instance - b.instance;
}

interface Spread {
  readonly clone: Resource;
  readonly counts: number[];
  readonly nodeMax: number;
}

/** Where a member is that nobody may stop: its instance, which counts as being there, is nowhere else. */
function heldAt(instance: Resource): Node | undefined {
  return primitivesOf(instance).find(({ blocked, runningOn }) => blocked && runningOn.length > 0)?.runningOn[0];
}

function place(board: Board, spread: Spread, instance: Resource, prefer: Node | undefined): Node | undefined {
  const isOutermost = spread.clone.kind === "clone" && spread.clone.parent === undefined;
  const held = heldAt(instance);
  for (const node of board.nodes) {
    const isFull = (spread.counts[node.index] ?? 0) >= spread.nodeMax;
    // However much the instance sticks to a node: where its clone would rather not be, it cannot be.
    const isBanned = isOutermost && scoreAt(board, spread.clone, node) < 0;
    const isElsewhere = held !== undefined && node !== held;
    if (isFull || isBanned || isElsewhere || !isAvailable(board, node)) banBelow(board, instance, node);
  }
  const chosen = board.assign(instance, prefer) ?? assignedOf(board, instance);
  if (prefer !== undefined && chosen !== prefer) return chosen;
  if (chosen !== undefined) spread.counts[chosen.index] = (spread.counts[chosen.index] ?? 0) + 1;
  return chosen;
}

/** What is not in question at all (opt-in clusters) need not be banned. */
function banBelow(board: Board, resource: Resource, node: Node): void {
  if (!Number.isNaN(scoreOn(board, resource, node))) setScore(board, resource, node, -INFINITY_SCORE);
  for (const child of resource.children) banBelow(board, child, node);
}

function backup(board: Board, resource: Resource): Map<Resource, Scores> {
  const saved = new Map<Resource, Scores>();
  for (const each of [resource, ...resource.children]) saved.set(each, [...allowedOf(board, each)]);
  return saved;
}

function restore(board: Board, saved: ReadonlyMap<Resource, Scores>): void {
  for (const [resource, scores] of saved) board.allowed[resource.index] = [...scores];
}

/**
 * Tries to leave the instance where it is. A node that it would rather have may go to another instance; but only as
 * many nodes can be left to others as there are others to come.
 */
function placeEarly(board: Board, spread: Spread, instance: Resource, current: Node, instancesLeft: number): boolean {
  const saved = backup(board, instance);
  const leftToOthers: Node[] = [];
  const isTaken = (node: Node) =>
    (spread.counts[node.index] ?? 0) + leftToOthers.filter((each) => each === node).length >= spread.nodeMax;
  while (leftToOthers.length < instancesLeft) {
    for (const node of leftToOthers) if (isTaken(node)) banBelow(board, instance, node);
    const chosen = place(board, spread, instance, current);
    if (chosen === current) return true;
    unassign(board, instance);
    restore(board, saved);
    if (chosen === undefined) return false;
    leftToOthers.push(chosen);
  }
  return false;
}

function prefersCurrent(board: Board, spread: Spread, instance: Resource, optimal: number): Node | undefined {
  const node = nodeOf(instance);
  if (node === undefined || activeCount(instance) !== 1 || isFailed(instance)) return undefined;
  if (primitivesOf(instance).some(({ managed, heldBack }) => !managed && !heldBack)) return undefined;
  if (!isAvailable(board, node) || (spread.counts[node.index] ?? 0) >= optimal) return undefined;
  const score = allowedOf(board, instance)[node.index];
  return score === undefined || !(score >= 0) ? undefined : node;
}

/** What is one too many must not go on, however little else can be done without fencing. */
function letGo(board: Board, member: Resource): void {
  if (member.heldBack) board.released[member.index] = true;
}

/** One too many that nobody may stop: its node counts as if it were gone, as it is meant to be. */
function discount(board: Board, instance: Resource): void {
  for (const { index } of primitivesOf(instance)) {
    const at = board.assigned[index]?.index;
    if (at !== undefined) board.counts[at] = (board.counts[at] ?? 1) - 1;
  }
}

/** Spreads instances over nodes; those beyond the limit stay without. Returns them in the order they had a say. */
export function assignInstances(
  board: Board,
  clone: Resource,
  instances: readonly Resource[],
  max: number,
  nodeMax: number,
): readonly Resource[] {
  const spread: Spread = { clone, counts: board.facts.nodes.map(() => 0), nodeMax };
  board.instanceCounts[clone.index] = spread.counts;
  const available = board.nodes.filter((node) => isAvailable(board, node) && scoreAt(board, clone, node) >= 0).length;
  const optimal = Math.max(1, available === 0 ? 1 : Math.min(nodeMax, Math.floor(max / available)));
  const sorted = [...instances].sort((a, b) => compareInstances(board, clone, a, b));
  let count = 0;
  for (const instance of sorted) {
    if (count >= max || board.isAssigned[instance.index] === true) continue;
    const current = prefersCurrent(board, spread, instance, optimal);
    if (current !== undefined && placeEarly(board, spread, instance, current, max - count)) count += 1;
  }
  for (const instance of sorted) {
    if (board.isAssigned[instance.index] === true) continue;
    const isSurplus = count >= max;
    if (isSurplus) {
      for (const each of [instance, ...instance.children])
        for (const node of board.nodes) setScore(board, each, node, -INFINITY_SCORE);
      for (const member of primitivesOf(instance)) {
        board.reasons[member.index] ??= "instance limit";
        letGo(board, member);
      }
    }
    if (place(board, spread, instance, undefined) === undefined) continue;
    if (isSurplus) discount(board, instance);
    count += 1;
  }
  return sorted;
}

/** A clone, promotable or not. It has no node of its own. */
export function assignClone(board: Board, clone: Resource, _prefer: Node | undefined): undefined {
  if (board.isAssigned[clone.index] === true || board.busy[clone.index] === true) return undefined;
  board.busy[clone.index] = true;
  if (clone.promotable) addPromotionScores(board, clone);
  for (const colocation of ownThisWith(board, clone)) {
    board.assign(colocation.primary, undefined);
    if (colocation.dependentRole < ROLE.promoted && colocation.score >= INFINITY_SCORE)
      applyPrimary(board, clone, colocation.primary, colocation);
  }
  mergeDependents(board, clone, ownWithThis(board, clone));
  noteScores(board, "pcmk__clone_assign", clone);
  for (const instance of clone.children) noteScores(board, "pcmk__clone_assign", instance);
  const sorted = assignInstances(board, clone, clone.children, clone.instanceMax, clone.instanceNodeMax);
  board.busy[clone.index] = false;
  board.isAssigned[clone.index] = true;
  board.ranks[clone.index] = sorted;
  if (clone.promotable) choosePromoted(board, clone, sorted);
  board.nextRole[clone.index] = clone.children
    .map((child) => nextRoleOf(board, child))
    .reduce<Role>((highest, role) => (role > highest ? role : highest), ROLE.unknown);
  return undefined;
}
