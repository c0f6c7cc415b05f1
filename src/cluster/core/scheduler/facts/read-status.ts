/** Tickets and the recorded operations of every node, in the order of the status section. */
import { childOf, childrenOf, type XmlElement } from "../../../../base/xml.ts";
import type { Facts, Node } from "./model.ts";
import { readHistories } from "./read-history.ts";
import { letGo, settleRemote } from "./read-remotes.ts";
import { isTrue, ROLE } from "./values.ts";

const TICKET_OWN = new Set(["id", "granted", "standby", "last-granted"]);

export function readTickets(facts: Facts): void {
  for (const { attributes } of childrenOf(childOf(facts.status, "tickets"), "ticket_state")) {
    const { id = "", granted, standby, "last-granted": lastGranted } = attributes;
    facts.tickets.set(id, {
      id,
      granted: isTrue(granted),
      standby: isTrue(standby),
      lastGranted,
      attributes: Object.fromEntries(Object.entries(attributes).filter(([name]) => !TICKET_OWN.has(name))),
    });
  }
}

/** Whether a node's record can be trusted to say anything now, given what is known of its connection. */
function isReadable(facts: Facts, node: Node): boolean {
  if (node.kind === "guest") {
    const container = node.remote?.container;
    return node.remote?.role === ROLE.started && container?.role === ROLE.started;
  }
  if (node.kind === "remote") return node.remote?.role === ROLE.started;
  // What a lock holds is told by the record of a node that is down.
  return node.online || facts.options.fencingEnabled || facts.options.shutdownLock;
}

function nodeOf(facts: Facts, { attributes: { id = "", uname = "" } }: XmlElement): Node | undefined {
  const node = facts.nodeById.get(id) ?? facts.nodeByName.get(uname);
  return node?.kind === "ping" ? undefined : node;
}

/**
 * Cluster nodes first, then remote nodes as their connections turn out to be up, again and again until nothing new
 * becomes readable; last, with fencing, what is recorded for remote nodes that are down.
 */
export function readAllHistories(facts: Facts): void {
  const states = childrenOf(facts.status, "node_state");
  const read = new Set<Node>();
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
