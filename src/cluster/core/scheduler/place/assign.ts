/**
 * Assigns each resource its node, the weightiest first; colocated ones before those that depend on them.
 * Facts: Pacemaker Explained, "Resource Constraints", "Group Constraints"; behaviour of crm_simulate as a black box.
 */
import { INFINITY_SCORE } from "../../../../cib/schema/values.ts";
import type { Node, Resource } from "../facts/model.ts";
import { ROLE } from "../facts/values.ts";
import { assignBundle } from "./assign-bundle.ts";
import { assignClone } from "./assign-clone.ts";
import { assignedNode, type Board, commit, isManaged, nextRoleOf, noteScores, scoreOn, setScore } from "./board.ts";
import { restrictToCapacity } from "./capacity.ts";
import { assignBest } from "./choose-node.ts";
import { indexColocations } from "./colocations.ts";
import { weighColocations } from "./follow.ts";
import { sortByPlacement } from "./placement-order.ts";

/** The node's name under which primitives note their scores. */
const PASS = { primitive: "pcmk__primitive_assign", group: "pcmk__group_assign", clone: "pcmk__clone_assign" } as const;

/** Assigns the resource and all that it needs to be assigned before. */
function assign(board: Board, resource: Resource, prefer: Node | undefined): Node | undefined {
  if (resource.kind === "primitive") return assignPrimitive(board, resource, prefer);
  if (resource.kind === "group") return assignGroup(board, resource, prefer);
  return resource.kind === "bundle" ? assignBundle(board, resource) : assignClone(board, resource, prefer);
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
  weighColocations(board, resource);
  if (nextRoleOf(board, resource) === ROLE.stopped)
    for (const node of board.nodes)
      if (!Number.isNaN(scoreOn(board, resource, node))) setScore(board, resource, node, -INFINITY_SCORE);
  noteScores(board, PASS.primitive, resource);
  const roomiest = restrictToCapacity(board, resource);
  const { options } = board.facts;
  let chosen: Node | undefined;
  if (!isManaged(board, resource)) chosen = stayWhereItIs(board, resource);
  else if (options.stopAll && nextRoleOf(board, resource) !== ROLE.stopped) {
    board.reasons[resource.index] = "cluster-wide stop";
    commit(board, resource, undefined);
  } else if (options.stopAll) commit(board, resource, undefined);
  else if (resource.removed) commit(board, resource, undefined);
  else chosen = assignBest(board, resource, prefer ?? roomiest);
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

/** Everything, by priority; connections to remote nodes first, for what runs there depends on them. */
export function assignAll(board: Board): void {
  const { facts } = board;
  board.assign = (resource, prefer) => assign(board, resource, prefer);
  indexColocations(board);
  const byPriority = [...facts.top].sort((a, b) => b.priority - a.priority);
  board.order = facts.options.placement === "default" ? byPriority : sortByPlacement(board, byPriority);
  for (const resource of board.order)
    if (resource.remoteNodeName !== undefined) assign(board, resource, resource.migrationTarget);
  for (const resource of board.order) assign(board, resource, undefined);
}
