/**
 * Assigns each resource its node, the weightiest first; colocated ones before those that depend on them.
 * Facts: Pacemaker Explained, "Resource Constraints", "Groups"; behaviour of crm_simulate as a black box.
 */
import type { Colocation, Node, Resource } from "../facts/model.ts";
import { isActive, primitivesOf } from "../facts/model.ts";
import { INFINITY_SCORE, ROLE } from "../facts/values.ts";
import { assignClone } from "./assign-clone.ts";
import { allowedOf, assignedNode, type Board, canRunAny, commit, nextRoleOf, note, setScore } from "./board.ts";
import { restrictToCapacity } from "./capacity.ts";
import { assignBest } from "./choose-node.ts";
import {
  applyToScores,
  attributeOf,
  effectOf,
  hasInfluence,
  mergeWishes,
  thisWithOf,
  withThisOf,
} from "./colocations.ts";

/** The node's name under which primitives note their scores. */
const PASS = { primitive: "pcmk__primitive_assign", group: "pcmk__group_assign", clone: "pcmk__clone_assign" } as const;

export function noteScores(board: Board, pass: string, resource: Resource): void {
  if (!board.noteScores) return;
  allowedOf(board, resource).forEach((score, index) => {
    if (!Number.isNaN(score)) note(board, pass, resource, board.facts.nodes[index], score);
  });
}

/** Assigns the resource and all that it needs to be assigned before. */
export function assign(board: Board, resource: Resource, prefer: Node | undefined): Node | undefined {
  switch (resource.kind) {
    case "primitive":
      return assignPrimitive(board, resource, prefer);
    case "group":
      return assignGroup(board, resource, prefer);
    default:
      return assignClone(board, resource, prefer);
  }
}

/** Where a colocation's primary ends up, as far as a dependent is concerned. */
export function applyPrimary(board: Board, dependent: Resource, primary: Resource, colocation: Colocation): void {
  if (primary.kind === "primitive") {
    if (effectOf(board, dependent, primary, colocation) === "place")
      applyToScores(board, dependent, primary, colocation);
    return;
  }
  if (primary.kind === "group") {
    // Wholly up means its last member is up; a mere preference looks at where the group begins.
    const member = colocation.score >= INFINITY_SCORE ? primary.children.at(-1) : primary.children[0];
    if (member !== undefined) applyPrimary(board, dependent, member, colocation);
    return;
  }
  applyClonePrimary(board, dependent, primary, colocation);
}

function roleMatches(board: Board, instance: Resource, colocation: Colocation): boolean {
  return colocation.primaryRole === ROLE.unknown || nextRoleOf(board, instance) === colocation.primaryRole;
}

export function interleavedCloneOf(dependent: Resource): Resource | undefined {
  for (let up = dependent.parent; up !== undefined; up = up.parent)
    if (up.kind === "clone") return up.interleave ? up : undefined;
  return undefined;
}

function applyClonePrimary(board: Board, dependent: Resource, primary: Resource, colocation: Colocation): void {
  if (board.isAssigned[primary.index] !== true) return;
  const instances = primary.children.filter((instance) => assignedOf(board, instance) !== undefined);
  const wanted = instances.filter((instance) => roleMatches(board, instance, colocation));
  if (interleavedCloneOf(dependent) !== undefined && colocation.score >= INFINITY_SCORE) {
    restrictTo(board, dependent, wanted, colocation);
    return;
  }
  if (colocation.score >= INFINITY_SCORE) {
    restrictTo(board, dependent, wanted, colocation);
    return;
  }
  for (const instance of wanted) {
    const member = primitivesOf(instance)[0];
    if (
      member !== undefined &&
      effectOf(board, dependent, member, { ...colocation, primaryRole: ROLE.unknown }) === "place"
    )
      applyToScores(board, dependent, member, colocation);
  }
}

export function assignedOf(board: Board, resource: Resource): Node | undefined {
  return assignedNode(board, resource) ?? assignedNode(board, resource.children[0] ?? resource);
}

function restrictTo(board: Board, dependent: Resource, wanted: readonly Resource[], colocation: Colocation): void {
  if (board.isAssigned[dependent.index] === true) return;
  if (colocation.dependentRole >= ROLE.promoted && isInPromotable(dependent)) return;
  const values = new Set(
    wanted.map((instance) => {
      const node = assignedOf(board, instance);
      return node === undefined ? undefined : attributeOf(node, colocation.nodeAttribute);
    }),
  );
  const scores = allowedOf(board, dependent);
  for (const node of board.nodes) {
    const score = scores[node.index];
    if (score === undefined || Number.isNaN(score)) continue;
    if (!values.has(attributeOf(node, colocation.nodeAttribute))) scores[node.index] = -INFINITY_SCORE;
  }
}

function isInPromotable(resource: Resource): boolean {
  for (let up = resource.parent; up !== undefined; up = up.parent) if (up.promotable) return true;
  return false;
}

function followPrimaries(board: Board, resource: Resource): void {
  const list = thisWithOf(board, resource);
  const mandatory = list.filter(({ score }) => Math.abs(score) >= INFINITY_SCORE);
  const optional = list.filter(({ score }) => Math.abs(score) < INFINITY_SCORE);
  for (const colocation of [...mandatory, ...optional]) followPrimary(board, resource, colocation);
}

function followPrimary(board: Board, resource: Resource, colocation: Colocation): void {
  const { primary, score, dependentRole } = colocation;
  assign(board, primary, undefined);
  const softens = dependentRole >= ROLE.promoted || (score < 0 && score > -INFINITY_SCORE);
  const archive = softens ? [...allowedOf(board, resource)] : undefined;
  applyPrimary(board, resource, primary, colocation);
  if (archive !== undefined && !canRunAny(board, allowedOf(board, resource))) board.allowed[resource.index] = archive;
}

/** Blends in what those want that must be where this resource is. */
export function mergeDependents(board: Board, resource: Resource, list: readonly Colocation[]): void {
  for (const colocation of list) {
    if (!hasInfluence(board, colocation, resource)) continue;
    const { dependent, score, nodeAttribute, dependentRole } = colocation;
    if (board.isAssigned[dependent.index] === true) continue;
    if (dependentRole >= ROLE.promoted && score < 0) continue;
    board.allowed[resource.index] = mergeWishes(
      board,
      dependent,
      allowedOf(board, resource),
      nodeAttribute,
      score / INFINITY_SCORE,
      { towards: "dependents", positiveOnly: false },
    );
  }
}

function stayWhereItIs(board: Board, resource: Resource): Node | undefined {
  const node = resource.runningOn[0];
  commit(board, resource, node);
  board.nextRole[resource.index] = node === undefined ? ROLE.stopped : resource.role;
  return node;
}

function assignPrimitive(board: Board, resource: Resource, prefer: Node | undefined): Node | undefined {
  const { parent } = resource;
  if (parent !== undefined && !isBeingAssigned(board, parent)) assign(board, parent, prefer);
  if (board.isAssigned[resource.index] === true) return assignedNode(board, resource);
  // A loop of colocations: someone above waits for us already.
  if (board.busy[resource.index] === true) return undefined;
  board.busy[resource.index] = true;
  followPrimaries(board, resource);
  mergeDependents(board, resource, withThisOf(board, resource));
  if (nextRoleOf(board, resource) === ROLE.stopped)
    for (const node of board.nodes) setScore(board, resource, node, -INFINITY_SCORE);
  noteScores(board, PASS.primitive, resource);
  restrictToCapacity(board, resource, prefer);
  const { options } = board.facts;
  let chosen: Node | undefined;
  if (!resource.managed) chosen = stayWhereItIs(board, resource);
  else if (options.stopAll && nextRoleOf(board, resource) !== ROLE.stopped) {
    board.reasons[resource.index] = "cluster-wide stop";
    commit(board, resource, undefined);
  } else if (options.stopAll) commit(board, resource, undefined);
  else if (resource.removed && options.stopRemoved) commit(board, resource, undefined);
  else {
    chosen = assignBest(board, resource, prefer);
    if (chosen === undefined && resource.removed) board.reasons[resource.index] = "removed";
  }
  board.busy[resource.index] = false;
  return chosen;
}

function isBeingAssigned(board: Board, resource: Resource): boolean {
  return board.busy[resource.index] === true || board.isAssigned[resource.index] === true;
}

function assignGroup(board: Board, group: Resource, prefer: Node | undefined): Node | undefined {
  if (board.isAssigned[group.index] === true) return assignedNode(board, group);
  if (board.busy[group.index] === true) return undefined;
  const { parent } = group;
  if (parent !== undefined && !isBeingAssigned(board, parent)) {
    assign(board, parent, prefer);
    if (board.isAssigned[group.index] === true) return assignedNode(board, group);
  }
  board.busy[group.index] = true;
  noteScores(board, PASS.group, group);
  for (const member of group.children) noteScores(board, PASS.group, member);
  let first: Node | undefined;
  for (const member of group.children) {
    const node = assign(board, member, prefer);
    first ??= node;
  }
  board.busy[group.index] = false;
  board.isAssigned[group.index] = true;
  board.assigned[group.index] = first;
  const head = group.children[0];
  board.nextRole[group.index] = head === undefined ? ROLE.stopped : nextRoleOf(board, head);
  return first;
}

/** Takes back what was assigned below. */
export function unassign(board: Board, resource: Resource): void {
  for (const child of resource.children) unassign(board, child);
  const node = board.assigned[resource.index];
  board.isAssigned[resource.index] = false;
  board.assigned[resource.index] = undefined;
  board.nextRole[resource.index] = resource.nextRole;
  if (resource.kind === "primitive" && node !== undefined)
    board.counts[node.index] = (board.counts[node.index] ?? 1) - 1;
}

/** Everything, by priority; connections to remote nodes first, for what runs there depends on them. */
export function assignAll(board: Board): void {
  const { facts } = board;
  const byPriority = [...facts.top].sort((a, b) => b.priority - a.priority);
  const ordered = facts.options.placement === "default" ? byPriority : sortByPlacement(board, byPriority);
  for (const resource of ordered)
    if (resource.remoteNodeName !== undefined) assign(board, resource, resource.migrationTarget);
  for (const resource of ordered) assign(board, resource, undefined);
}

/** With a placement strategy, among equal priorities those that are where they would be best go first. */
function sortByPlacement(board: Board, resources: readonly Resource[]): Resource[] {
  const weigh = (resource: Resource, node: Node | undefined) => {
    const score = node === undefined ? undefined : allowedOf(board, resource)[node.index];
    return score === undefined || Number.isNaN(score) ? -INFINITY_SCORE : score;
  };
  const nodeOf = (resource: Resource) => primitivesOf(resource).find((each) => isActive(each))?.runningOn[0];
  return [...resources].sort((a, b) => {
    if (a.priority !== b.priority) return b.priority - a.priority;
    const [here, there] = [nodeOf(a), nodeOf(b)];
    const [left, right] = [weigh(a, here), weigh(b, there)];
    if (here !== undefined && there === undefined) return -1;
    if (here === undefined && there !== undefined) return 1;
    if (here !== undefined && left !== right) return right - left;
    for (const node of board.nodes) {
      const difference = weigh(b, node) - weigh(a, node);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}
