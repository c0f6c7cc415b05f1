/**
 * What the status section says that nobody would tell again: tickets, transient attributes (fail counts, promotion
 * scores, what operators set until a reboot) and shutdown locks. Each manager notes it while its keeper lives, so that
 * one that is started anew goes on from there: the histories come from the executors, this from nowhere else.
 * Not to be assumed: that a note says how its nodes stand; until the keeper or a join has told, they are unclean.
 */
import { childOf, childrenOf, type XmlElement, xml } from "../../../base/xml.ts";
import type { CibStore } from "./state.ts";
import { EMPTY_STATUS, type Status } from "./status.ts";

const LOCK = "shutdown-lock";

/** Our own attribute of a node_state: the start of the node's service that its transient attributes belong to. */
export const GENERATION = "generation";

function keptNode(state: XmlElement): readonly XmlElement[] {
  const { id = "", uname = "", [GENERATION]: generation, expected } = state.attributes;
  const records = childrenOf(childOf(childOf(state, "lrm"), "lrm_resources"), "lrm_resource");
  const locked = records.filter(({ attributes }) => attributes[LOCK] !== undefined);
  const lrm = xml("lrm", { id }, [
    xml(
      "lrm_resources",
      {},
      locked.map((record) => ({ ...record, children: [] })),
    ),
  ]);
  const transient = childrenOf(state, "transient_attributes");
  const children = [...(locked.length === 0 ? [] : [lrm]), ...transient];
  if (children.length === 0) return [];
  // Remote nodes have no standing of their own; of another one it is what it must not be taken for without proof.
  const standing = expected === undefined ? {} : { join: "member", expected: "member" };
  const since = generation === undefined ? {} : { [GENERATION]: generation };
  return [{ name: state.name, attributes: { id, uname, ...standing, ...since }, children }];
}

/**
 * Tickets are kept by the DC alone: who follows it may have missed the word that one was revoked, and a ticket that is
 * held by mistake lets two sites write.
 */
export function keptStatus({ status, dc, self }: Pick<CibStore, "status" | "dc" | "self">): XmlElement {
  const tickets = dc === self ? childrenOf(status.tree, "tickets") : [];
  return xml("status", {}, [...childrenOf(status.tree, "node_state").flatMap(keptNode), ...tickets]);
}

export function statusOf(kept: XmlElement | undefined): Status {
  return kept === undefined ? EMPTY_STATUS : { tree: kept, root: {} };
}
