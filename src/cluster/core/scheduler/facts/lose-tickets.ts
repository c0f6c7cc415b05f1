/**
 * The last reading pass: what a ticket that is not held means for what runs under it. Frozen, it is left alone and
 * waits for an operator; fenced, its nodes must go. A value only: `read-facts.ts` writes it down.
 * Fact: Pacemaker Explained, "Multi-Site Clusters and Tickets", loss-policy.
 */
import { type Node, primitivesOf, type Resource, type Ticket, type TicketConstraint } from "./model.ts";
import { ROLE, type Role } from "./values.ts";

export interface Losses {
  readonly frozen: ReadonlySet<Resource>;
  /** Nodes on which something runs that may run nowhere now. */
  readonly fenced: ReadonlySet<Node>;
}

/** A ticket for a role is a matter only of what is in that role. */
export function isInRole(resource: Resource, role: Role): boolean {
  return role === ROLE.unknown || role === resource.role;
}

export function lossesOf(ticketConstraints: readonly TicketConstraint[], tickets: ReadonlyMap<string, Ticket>): Losses {
  const lost = ticketConstraints.filter(({ ticket }) => tickets.get(ticket)?.granted === false);
  const running = (policy: "freeze" | "fence") =>
    lost
      .filter(({ lossPolicy }) => lossPolicy === policy)
      .flatMap(({ resource, role }) => primitivesOf(resource).filter((each) => isInRole(each, role)))
      .filter(({ runningOn }) => runningOn.length > 0);
  return {
    frozen: new Set(running("freeze")),
    fenced: new Set(running("fence").flatMap(({ runningOn }) => runningOn)),
  };
}
