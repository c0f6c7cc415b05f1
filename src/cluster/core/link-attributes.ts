/**
 * The state of each link as an attribute of this node, `PEER-LINK` with the value up or down: `crm_mon -A` shows the
 * cables, and a rule may ask for them. Each node tells of its own ends. A link to a peer that has left is down.
 * Fact: Linux-HA Japan's ifcheckd, reference/heartbeat.md, section 10; its `up` of a node that had left was stale.
 */
import { entryOf } from "../../base/record.ts";
import type { XmlElement } from "../../base/xml.ts";
import type { AttributeUpdate } from "./attributes.ts";
import { nodeState, transientAttributes } from "./controller/cib-read.ts";
import type { MembershipView } from "./membership/view.ts";

/** What is to be told now: what the status section does not yet have. `dampenMs` lets a link flap unseen. */
export function linkAttributes(view: MembershipView, cib: XmlElement, dampenMs: number): readonly AttributeUpdate[] {
  const own = nodeState(cib, view.self);
  // Nobody keeps the attributes of a node before its state stands there.
  if (own === undefined) return [];
  const known = transientAttributes(own);
  return view.links.flatMap(({ peer, name: link, state }): AttributeUpdate[] => {
    const name = `${peer}-${link}`;
    const value = state === "down" ? "down" : "up";
    if (entryOf(known, name) === value) return [];
    return [{ kind: "update", node: view.self, name, value, known: entryOf(known, name), dampenMs, isPrivate: false }];
  });
}
