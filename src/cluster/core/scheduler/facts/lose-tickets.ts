/**
 * The last reading pass: what a ticket that is not held means for what runs under it. Frozen, it is left alone and
 * waits for an operator; fenced, its nodes must go. Apart from `readFacts`, since reports tell what was known before.
 * Fact: Pacemaker Explained, "Multi-Site Clusters and Tickets", loss-policy.
 */
import { type Facts, primitivesOf, type Resource, type TicketConstraint } from "./model.ts";
import { wantFencing } from "./read-nodes.ts";

/** What runs without the ticket that it needs, with the constraint that says so. */
function runningWithoutTicket(
  facts: Facts,
): readonly { readonly constraint: TicketConstraint; readonly resource: Resource }[] {
  return facts.ticketConstraints
    .filter(({ ticket }) => facts.tickets.get(ticket)?.granted === false)
    .flatMap((constraint) =>
      primitivesOf(constraint.resource)
        .filter(({ runningOn }) => runningOn.length > 0)
        .map((resource) => ({ constraint, resource })),
    );
}

export function loseTickets(facts: Facts): void {
  for (const { constraint, resource } of runningWithoutTicket(facts)) {
    if (constraint.lossPolicy === "freeze") {
      resource.managed = false;
      resource.blocked = true;
    } else if (constraint.lossPolicy === "fence")
      for (const node of resource.runningOn) wantFencing(node, "deadman ticket was lost");
  }
}
