/** Tickets and the recorded operations of every node, in the order of the status section. */
import { childOf, childrenOf, type XmlElement } from "../../../../base/xml.ts";
import type { NodeDraft, Reading } from "./draft.ts";
import type { Setting, Ticket } from "./model.ts";
import { readHistories } from "./read-history.ts";
import { letGo, settleRemote } from "./read-remotes.ts";
import { isTrue, ROLE } from "./values.ts";

const TICKET_OWN = new Set(["id", "granted", "standby", "last-granted"]);

/** What the status tells of tickets; one that only a constraint names is not granted. */
export function readTickets({ status, configuration }: Setting): ReadonlyMap<string, Ticket> {
  const tickets = new Map<string, Ticket>();
  for (const { attributes } of childrenOf(childOf(status, "tickets"), "ticket_state")) {
    const { id = "", granted, standby, "last-granted": lastGranted } = attributes;
    tickets.set(id, {
      id,
      granted: isTrue(granted),
      standby: isTrue(standby),
      lastGranted,
      attributes: Object.fromEntries(Object.entries(attributes).filter(([name]) => !TICKET_OWN.has(name))),
    });
  }
  for (const { attributes } of childrenOf(childOf(configuration, "constraints"), "rsc_ticket")) {
    const id = attributes["ticket"] ?? "";
    if (!tickets.has(id))
      tickets.set(id, { id, granted: false, standby: false, lastGranted: undefined, attributes: {} });
  }
  return tickets;
}

/** Whether a node's record can be trusted to say anything now, given what is known of its connection. */
function isReadable(facts: Reading, node: NodeDraft): boolean {
  if (node.kind === "guest") {
    const container = node.remote?.container;
    return node.remote?.role === ROLE.started && container?.role === ROLE.started;
  }
  if (node.kind === "remote") return node.remote?.role === ROLE.started;
  // What a lock holds is told by the record of a node that is down.
  return node.online || facts.options.fencingEnabled || facts.options.shutdownLock;
}

function nodeOf(facts: Reading, { attributes: { id = "", uname = "" } }: XmlElement): NodeDraft | undefined {
  const node = facts.nodeById.get(id) ?? facts.nodeByName.get(uname);
  return node?.kind === "ping" ? undefined : node;
}

/**
 * Cluster nodes first, then remote nodes as their connections turn out to be up, again and again until nothing new
 * becomes readable; last, with fencing, what is recorded for remote nodes that are down.
 */
export function readAllHistories(facts: Reading): void {
  const states = childrenOf(facts.status, "node_state");
  const read = new Set<NodeDraft>();
  for (let progress = true; progress; ) {
    progress = false;
    for (const state of states) {
      // What has been read so far may have made the node known.
      const node = nodeOf(facts, state);
      if (node === undefined || read.has(node) || !isReadable(facts, node)) continue;
      read.add(node);
      progress = true;
      if (node.kind !== "member") settleRemote(node);
      readHistories(facts, node, state);
    }
  }
  for (const node of facts.nodes) if (node.kind !== "member" && !read.has(node)) settleRemote(node);
  if (facts.options.fencingEnabled)
    for (const state of states) {
      const node = nodeOf(facts, state);
      if (node !== undefined && !read.has(node)) readHistories(facts, node, state);
    }
  letGo(facts);
  // What was read last may have shown that a guest went down with its host.
  for (const node of facts.nodes)
    if (node.kind === "guest" && !node.online && node.remote?.container?.failed === true)
      node.remoteRequiresReset = true;
}
