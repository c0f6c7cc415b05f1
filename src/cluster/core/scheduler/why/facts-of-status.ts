/** What the status says that can bear on where a resource is: who is up, what is recorded, counted and granted. */
import { childOf, childrenOf, type XmlElement, xml } from "../../../../base/xml.ts";
import { withoutInstance } from "../../../../cib/instance-name.ts";
import type { Facts, Node } from "../facts/model.ts";
import { type Collect, type FactKind, idPlace, isGivenUp, lacking, STATES } from "./fact.ts";

function kindOfTransient(name: string): FactKind {
  if (name.startsWith("fail-count-")) return "fail-count";
  if (name.startsWith("last-failure-")) return "last-failure";
  return name.startsWith("master-") ? "promotion-score" : "transient-attribute";
}

const UP = { in_ccm: "true", crmd: "online", join: "member", expected: "member" };

/** Of members that nothing is recorded of: that they are not up is told nowhere but by that. */
function collectUnheard(facts: Facts, collect: Collect): void {
  const { status } = facts;
  if (status === undefined) return;
  const told = new Set(childrenOf(status, "node_state").map(({ attributes }) => attributes["id"]));
  for (const { id, name, kind } of facts.nodes) {
    if (kind !== "member" || told.has(id)) continue;
    const state = xml("node_state", { id, uname: name, ...UP });
    const instead = (was: XmlElement) => ({ ...was, children: [...was.children, state] });
    collect({ kind: "node-down", place: "/cib/status", values: { node: name }, element: status, instead });
  }
}

/** A ticket that is not held; taken away, it is granted. One that nobody ever granted stands nowhere. */
function collectTickets({ status, tickets }: Facts, collect: Collect): void {
  const section = childOf(status, "tickets");
  const states = childrenOf(section, "ticket_state");
  for (const { id, granted, standby } of tickets.values()) {
    const state = states.find(({ attributes }) => attributes["id"] === id);
    const values = { id, granted: String(granted), standby: String(standby) };
    if (state !== undefined) {
      const held = (was: XmlElement) => ({
        ...was,
        attributes: { ...was.attributes, granted: "true", standby: "false" },
      });
      collect({
        kind: "ticket",
        place: idPlace(state),
        values,
        element: state,
        ...(granted && !standby ? {} : { instead: held }),
      });
    } else if (!granted && status !== undefined) {
      const element = section ?? status;
      const held = xml("ticket_state", { id, granted: "true", standby: "false" });
      const instead = (was: XmlElement) => ({
        ...was,
        children: [...was.children, section === undefined ? xml("tickets", {}, [held]) : held],
      });
      collect({ kind: "ticket", place: "/cib/status/tickets", values, element, instead });
    }
  }
}

function collectNodeState(state: XmlElement, node: string, known: Node | undefined, collect: Collect): void {
  const isUp = known?.online === true && !known.pending && !known.unclean;
  const place = `//node_state[@uname="${node}"]`;
  if (!isUp) {
    const kind = known?.unclean === true ? "node-unclean" : "node-down";
    const instead = (was: XmlElement) => ({ ...was, attributes: { ...was.attributes, ...UP } });
    collect({ kind, place, values: { node }, element: state, instead });
  }
  const { shutdown: value } = state.attributes;
  if (isUp && value !== undefined && value !== "0") {
    const values = { node, name: "shutdown", value };
    collect({ kind: "transient-attribute", place, values, element: state, instead: lacking("shutdown") });
  }
  for (const set of childOf(state, "transient_attributes")?.children ?? [])
    for (const pair of childrenOf(set, "nvpair")) {
      const { name = "", value = "" } = pair.attributes;
      collect({ kind: kindOfTransient(name), place: idPlace(pair), values: { node, name, value }, element: pair });
    }
}

/** What is recorded there of these resources; and of whatever resource, what drives the others from the node. */
function collectRecords(
  state: XmlElement,
  node: string,
  known: Node | undefined,
  ids: ReadonlySet<string>,
  collect: Collect,
): void {
  const place = `//node_state[@uname="${node}"]`;
  for (const record of childrenOf(childOf(childOf(state, "lrm"), "lrm_resources"), "lrm_resource")) {
    const resource = record.attributes["id"] ?? "";
    const isOwn = ids.has(resource) || ids.has(withoutInstance(resource));
    if (isOwn && record.attributes["shutdown-lock"] !== undefined) {
      const values = { resource, node };
      collect({
        kind: "shutdown-lock",
        place: `${place}${idPlace(record)}`,
        values,
        element: record,
        instead: lacking("shutdown-lock"),
      });
    }
    for (const op of childrenOf(record, "lrm_rsc_op")) {
      const { operation = "", interval = "0", "rc-code": code = "" } = op.attributes;
      if (!isOwn && (!isGivenUp(known) || STATES.has(code))) continue;
      const values = { resource, node, task: interval === "0" ? operation : `${operation} ${interval} ms`, code };
      collect({ kind: "operation", place: `${place}${idPlace(op)}`, values, element: op });
    }
  }
}

export function collectStatus(facts: Facts, ids: ReadonlySet<string>, collect: Collect): void {
  collectUnheard(facts, collect);
  for (const state of childrenOf(facts.status, "node_state")) {
    const { uname = "", id = "" } = state.attributes;
    const node = uname === "" ? id : uname;
    const known = facts.nodeByName.get(node);
    collectNodeState(state, node, known, collect);
    collectRecords(state, node, known, ids, collect);
  }
  collectTickets(facts, collect);
  if (facts.options.quorate) return;
  const instead = (was: XmlElement) => ({ ...was, attributes: { ...was.attributes, "have-quorum": "1" } });
  collect({ kind: "no-quorum", place: "/cib/@have-quorum", values: {}, element: facts.cib, instead });
}
