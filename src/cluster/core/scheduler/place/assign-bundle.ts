/**
 * Assigns a bundle: its containers are spread like the instances of a clone, then address, connection and resource of
 * each replica follow their container.
 * Facts: Pacemaker Explained, "Bundles - Containerized Resources"; crm_simulate as a black box (scores).
 */
import { INFINITY_SCORE } from "../../../../cib/schema/values.ts";
import type { Node, Replica, Resource } from "../facts/model.ts";
import { ROLE, type Role } from "../facts/values.ts";
import { assignInstances } from "./assign-clone.ts";
import { assignedNode, type Board, nextRoleOf, noteScores, setScore } from "./board.ts";

/** What runs inside runs in its own replica, or not at all. */
const IN_REPLICA_SCORE = 500;

/** Before anything is placed: the resource inside knows no node but those that the containers are. */
export function confineBundled(board: Board, bundle: Resource): void {
  if (bundle.bundled === undefined) return;
  for (const { child, node } of bundle.replicas) {
    if (child === undefined || node === undefined) continue;
    for (const each of board.nodes) setScore(board, child, each, Number.NaN);
    setScore(board, child, node, IN_REPLICA_SCORE);
  }
}

/** A container on a remote node is reached through that node's connection, so from where that one is. */
function bindToHost(board: Board, remote: Resource, host: Node | undefined): void {
  const gate = host?.kind === "remote" ? host.remote : undefined;
  if (gate === undefined) return;
  const at = assignedNode(board, gate);
  for (const node of board.nodes) if (node !== at) setScore(board, remote, node, -INFINITY_SCORE);
}

function follow(board: Board, { container, ip, remote, child, node }: Replica): void {
  if (ip !== undefined) board.assign(ip, undefined);
  if (remote !== undefined) {
    bindToHost(board, remote, assignedNode(board, container));
    board.assign(remote, undefined);
  }
  if (child !== undefined && node !== undefined) setScore(board, child, node, INFINITY_SCORE);
}

/** The clone inside is assigned over the nodes that the containers are. */
function openReplicas(board: Board, bundle: Resource, clone: Resource): void {
  const own = new Set(bundle.replicas.map(({ node }) => node));
  for (const node of board.nodes) setScore(board, clone, node, own.has(node) ? 0 : -INFINITY_SCORE);
}

export function assignBundle(board: Board, bundle: Resource): undefined {
  if (board.isAssigned[bundle.index] === true || board.busy[bundle.index] === true) return undefined;
  board.busy[bundle.index] = true;
  for (const each of [bundle, ...bundle.children, ...(bundle.bundled?.children ?? [])])
    noteScores(board, "pcmk__bundle_assign", each);
  const containers = bundle.replicas.map(({ container }) => container);
  assignInstances(board, bundle, containers, bundle.instanceMax, bundle.instanceNodeMax);
  for (const replica of bundle.replicas) follow(board, replica);
  if (bundle.bundled !== undefined) {
    openReplicas(board, bundle, bundle.bundled);
    board.assign(bundle.bundled, undefined);
  }
  board.busy[bundle.index] = false;
  board.isAssigned[bundle.index] = true;
  board.nextRole[bundle.index] = (bundle.bundled === undefined ? containers : [bundle.bundled])
    .map((each) => nextRoleOf(board, each))
    .reduce<Role>((highest, role) => (role > highest ? role : highest), ROLE.unknown);
  return undefined;
}
