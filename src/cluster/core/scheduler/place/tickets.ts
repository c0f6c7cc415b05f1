/**
 * Tickets: without one, what depends on it must not run (or not be promoted), and the loss policy says how it leaves.
 * Fact: Pacemaker Explained, "Multi-Site Clusters and Tickets".
 */
import type { Resource, TicketConstraint } from "../facts/model.ts";
import { wantFencing } from "../facts/read-nodes.ts";
import { INFINITY_SCORE, ROLE } from "../facts/values.ts";
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

function loseTicket(board: Board, constraint: TicketConstraint, resource: Resource): void {
  if (constraint.lossPolicy === "stop") banAll(board, resource);
  else if (constraint.lossPolicy === "demote") {
    // Only what has a promoted role can be left running without the ticket.
    if (constraint.role !== ROLE.promoted) banAll(board, resource);
    else banPromotion(board, resource);
  } else if (constraint.lossPolicy === "fence") {
    banAll(board, resource);
    const visit = (each: Resource) => {
      for (const node of each.runningOn) wantFencing(node, `ticket '${constraint.ticket}' was lost`);
      each.children.forEach(visit);
    };
    visit(resource);
  } else {
    const freeze = (each: Resource) => {
      if (each.runningOn.length > 0) {
        each.managed = false;
        each.blocked = true;
      }
      each.children.forEach(freeze);
    };
    freeze(resource);
  }
}

function isActiveAnywhere(resource: Resource): boolean {
  return resource.runningOn.length > 0 || resource.children.some(isActiveAnywhere);
}

/** Applies every ticket constraint whose ticket is not held, or is held on standby. */
export function banTickets(board: Board): void {
  for (const constraint of board.facts.ticketConstraints) {
    const ticket = board.facts.tickets.get(constraint.ticket);
    const { resource } = constraint;
    if (ticket === undefined) continue;
    const needsPromotion = constraint.role === ROLE.promoted;
    if (!ticket.granted && !ticket.standby) loseOrBan(board, constraint, resource, needsPromotion);
    else if (!ticket.granted) loseOrBan(board, constraint, resource, needsPromotion);
    else if (ticket.standby) {
      if (needsPromotion) banPromotion(board, resource);
      else if (!isActiveAnywhere(resource)) banAll(board, resource);
    }
  }
}

function loseOrBan(board: Board, constraint: TicketConstraint, resource: Resource, needsPromotion: boolean): void {
  if (needsPromotion && constraint.lossPolicy === "demote") banPromotion(board, resource);
  else if (constraint.lossPolicy === "freeze") {
    if (isActiveAnywhere(resource)) loseTicket(board, constraint, resource);
    if (needsPromotion) banPromotion(board, resource);
    else if (!isActiveAnywhere(resource)) banAll(board, resource);
  } else loseTicket(board, constraint, resource);
}
