/**
 * Tickets: without one, what depends on it must not run (or not be promoted), and the loss policy says how it leaves.
 * Fact: Pacemaker Explained, "Multi-Site Clusters and Tickets".
 */
import { INFINITY_SCORE } from "../../../../cib/schema/values.ts";
import { isInRole } from "../facts/lose-tickets.ts";
import type { Resource, TicketConstraint } from "../facts/model.ts";
import { ROLE } from "../facts/values.ts";
import { type Board, setScore } from "./board.ts";

function banAll(board: Board, resource: Resource): void {
  if (resource.kind === "primitive") for (const node of board.nodes) setScore(board, resource, node, -INFINITY_SCORE);
  for (const child of resource.children) banAll(board, child);
}

function banPromotion(board: Board, resource: Resource): void {
  const list = board.roleLocations.get(resource) ?? [];
  for (const node of board.nodes) list.push({ node, score: -INFINITY_SCORE, role: ROLE.promoted });
  board.roleLocations.set(resource, list);
  for (const child of resource.children) banPromotion(board, child);
}

/** Whether what runs without its ticket leaves: frozen it stays, and a demotion is a matter of promotion scores. */
function leaves({ lossPolicy, role }: TicketConstraint, resource: Resource): boolean {
  if (lossPolicy === "fence") return isInRole(resource, role);
  return lossPolicy !== "freeze" && (lossPolicy !== "demote" || role !== ROLE.promoted);
}

function apply(board: Board, constraint: TicketConstraint, resource: Resource): void {
  for (const child of resource.children) apply(board, constraint, child);
  const ticket = board.facts.tickets.get(constraint.ticket);
  if (resource.kind !== "primitive" || ticket === undefined) return;
  const isBarred = constraint.role !== ROLE.promoted || constraint.lossPolicy === "stop";
  if (!ticket.granted && resource.runningOn.length > 0) {
    if (leaves(constraint, resource)) banAll(board, resource);
  } else if ((!ticket.granted || ticket.standby) && isBarred) banAll(board, resource);
}

/** Applies every ticket constraint whose ticket is not held, or is held on standby. */
export function banTickets(board: Board): void {
  for (const constraint of board.facts.ticketConstraints) {
    const ticket = board.facts.tickets.get(constraint.ticket);
    if (ticket === undefined || (ticket.granted && !ticket.standby)) continue;
    apply(board, constraint, constraint.resource);
    if (constraint.role === ROLE.promoted) banPromotion(board, constraint.resource);
  }
}
