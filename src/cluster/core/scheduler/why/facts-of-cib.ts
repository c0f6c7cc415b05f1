/**
 * Everything in a CIB that can bear on where a resource is: each a fact that can be taken away to see what it was
 * worth. Taking away means what an operator could do or what might not have happened: a constraint removed, an option
 * left at its default, a node that is up after all, an operation that never failed.
 */
import { childOf, childrenOf, type XmlElement, xml } from "../../../../base/xml.ts";
import type { Facts, Resource } from "../facts/model.ts";

/** Its kind names the sentence in which it is told (why-text.ts), `values` are what the sentence names. */
export interface CitedFact {
  readonly kind: FactKind;
  /** Where it stands, as XPath. */
  readonly place: string;
  readonly values: Readonly<Record<string, string>>;
}

export type FactKind =
  | "option"
  | "default"
  | "meta"
  | "utilization"
  | "node-attribute"
  | "node-capacity"
  | "location"
  | "location-rule"
  | "colocation"
  | "order"
  | "ticket-constraint"
  | "ticket"
  | "fail-count"
  | "last-failure"
  | "promotion-score"
  | "transient-attribute"
  | "node-down"
  | "node-unclean"
  | "shutdown-lock"
  | "operation"
  | "on-fail"
  | "no-quorum"
  | "no-fencing"
  | "resource";

export interface Candidate extends CitedFact {
  readonly element: XmlElement;
  /** What stands in its place when it is taken away; nothing when undefined. */
  readonly instead: XmlElement | undefined;
}

/** The tree without these facts. */
export function without(root: XmlElement, facts: Iterable<Candidate>): XmlElement {
  const changes = new Map<XmlElement, XmlElement | undefined>();
  for (const { element, instead } of facts) changes.set(element, instead);
  const rebuild = (element: XmlElement): XmlElement | undefined => {
    const base = changes.has(element) ? changes.get(element) : element;
    if (base === undefined) return undefined;
    let changed = false;
    const children = base.children.flatMap((child) => {
      const made = rebuild(child);
      if (made !== child) changed = true;
      return made === undefined ? [] : [made];
    });
    return changed ? { ...base, children } : base;
  };
  return rebuild(root) ?? root;
}

/** What colocations tie to these, however far, with all that they are part of or consist of. */
export function relatedTo(facts: Facts, targets: readonly Resource[]): ReadonlySet<Resource> {
  const beside = new Map<Resource, Resource[]>();
  const tie = (one: Resource, other: Resource) => {
    beside.set(one, [...(beside.get(one) ?? []), other]);
    beside.set(other, [...(beside.get(other) ?? []), one]);
  };
  for (const { dependent, primary } of facts.colocations) tie(dependent, primary);
  for (const resource of facts.resources) if (resource.parent !== undefined) tie(resource, resource.parent);
  const related = new Set(targets);
  for (const resource of related) for (const other of beside.get(resource) ?? []) related.add(other);
  return related;
}

type Collect = (fact: Omit<Candidate, "instead"> & { readonly instead?: XmlElement }) => void;

const idPlace = ({ name, attributes }: XmlElement) => `//${name}[@id="${attributes["id"] ?? ""}"]`;

function pairsOf(sets: readonly XmlElement[], collect: Collect, kind: FactKind, values: Record<string, string>): void {
  for (const set of sets)
    for (const pair of childrenOf(set, "nvpair")) {
      const { name = "", value = "" } = pair.attributes;
      collect({ kind, place: idPlace(pair), values: { ...values, name, value }, element: pair });
    }
}

/** That there is nothing to fence with is written nowhere; it would be otherwise if there were a watchdog. */
function collectUnprotected({ configuration, canProtect }: Facts, collect: Collect): void {
  if (canProtect) return;
  const known = childOf(configuration, "crm_config");
  const sets = (known?.children ?? []).map((set) => {
    const children = set.children.filter(({ attributes }) => attributes["name"] !== "have-watchdog");
    return children.length === set.children.length ? set : { ...set, children };
  });
  const watchdog = xml("nvpair", { id: "gemel-why-watchdog", name: "have-watchdog", value: "true" });
  const section = xml("crm_config", {}, [...sets, xml("cluster_property_set", { id: "gemel-why" }, [watchdog])]);
  const element = known ?? configuration;
  const instead = known === undefined ? { ...element, children: [...element.children, section] } : section;
  collect({ kind: "no-fencing", place: "/cib/configuration/resources", values: {}, element, instead });
}

function collectOptions({ configuration }: Facts, collect: Collect): void {
  pairsOf(childrenOf(childOf(configuration, "crm_config"), "cluster_property_set"), collect, "option", {});
  pairsOf(childrenOf(childOf(configuration, "rsc_defaults"), "meta_attributes"), collect, "default", {});
  for (const node of childrenOf(childOf(configuration, "nodes"), "node")) {
    const name = node.attributes["uname"] ?? node.attributes["id"] ?? "";
    pairsOf(childrenOf(node, "instance_attributes"), collect, "node-attribute", { node: name });
    pairsOf(childrenOf(node, "utilization"), collect, "node-capacity", { node: name });
  }
}

function collectOperations(element: XmlElement, collect: Collect): void {
  const resource = element.attributes["id"] ?? "";
  for (const op of childrenOf(childOf(element, "operations"), "op")) {
    const { "on-fail": value, ...attributes } = op.attributes;
    if (value === undefined) continue;
    const values = { resource, name: attributes["name"] ?? "", value };
    collect({ kind: "on-fail", place: idPlace(op), values, element: op, instead: { ...op, attributes } });
  }
}

function collectResources(facts: Facts, ids: ReadonlySet<string>, collect: Collect): void {
  const visit = (element: XmlElement, isTop: boolean) => {
    const id = element.attributes["id"] ?? "";
    if (ids.has(id)) {
      pairsOf(childrenOf(element, "meta_attributes"), collect, "meta", { resource: id });
      pairsOf(childrenOf(element, "utilization"), collect, "utilization", { resource: id });
      collectOperations(element, collect);
      for (const child of element.children) if (child.attributes["id"] !== undefined) visit(child, false);
    } else if (isTop && ["primitive", "group", "clone", "master"].includes(element.name))
      collect({ kind: "resource", place: idPlace(element), values: { resource: id }, element });
  };
  for (const element of childOf(facts.configuration, "resources")?.children ?? []) visit(element, true);
}

function collectLocation(constraint: XmlElement, collect: Collect): void {
  const { id = "", rsc, "rsc-pattern": pattern, node = "", score = "" } = constraint.attributes;
  const resource = rsc ?? pattern ?? "";
  const rules = childrenOf(constraint, "rule");
  const base = { id, resource };
  if (rules.length === 0)
    collect({ kind: "location", place: idPlace(constraint), values: { ...base, node, score }, element: constraint });
  else if (rules.length === 1) {
    const values = { ...base, score: rules[0]?.attributes["score"] ?? rules[0]?.attributes["score-attribute"] ?? "" };
    collect({ kind: "location-rule", place: idPlace(constraint), values, element: constraint });
  } else
    for (const rule of rules)
      collect({
        kind: "location-rule",
        place: idPlace(rule),
        values: { id: rule.attributes["id"] ?? id, resource, score: rule.attributes["score"] ?? "" },
        element: rule,
      });
}

const membersOf = (constraint: XmlElement) =>
  childrenOf(constraint, "resource_set").flatMap((set) =>
    childrenOf(set, "resource_ref").map(({ attributes }) => attributes["id"] ?? ""),
  );

/** Names of templates and tags may mean anything: a constraint that has one is always looked at. */
function collectConstraints(facts: Facts, ids: ReadonlySet<string>, collect: Collect): void {
  const concerns = (names: readonly (string | undefined)[]) =>
    names.some((name) => name !== undefined && (ids.has(name) || facts.templates.has(name) || facts.tags.has(name)));
  for (const constraint of childOf(facts.configuration, "constraints")?.children ?? []) {
    const { id = "", rsc, "with-rsc": withRsc, first, then: second, ticket = "", score } = constraint.attributes;
    const members = membersOf(constraint);
    const place = idPlace(constraint);
    const names = members.join(" ");
    if (constraint.name === "rsc_location" && (rsc === undefined || concerns([rsc])))
      collectLocation(constraint, collect);
    if (!concerns([rsc, withRsc, first, second, ...members])) continue;
    if (constraint.name === "rsc_colocation") {
      const values = { id, dependent: rsc ?? names, primary: withRsc ?? "", score: score ?? "INFINITY" };
      collect({ kind: "colocation", place, values, element: constraint });
    } else if (constraint.name === "rsc_order")
      collect({
        kind: "order",
        place,
        values: { id, first: first ?? names, second: second ?? "" },
        element: constraint,
      });
    else if (constraint.name === "rsc_ticket")
      collect({
        kind: "ticket-constraint",
        place,
        values: { id, resource: rsc ?? names, ticket },
        element: constraint,
      });
  }
}

function kindOfTransient(name: string): FactKind {
  if (name.startsWith("fail-count-")) return "fail-count";
  if (name.startsWith("last-failure-")) return "last-failure";
  return name.startsWith("master-") ? "promotion-score" : "transient-attribute";
}

/** Exit codes that tell a state, not a failure. */
export const STATES: ReadonlySet<string> = new Set(["0", "7", "8"]);

const UP = { in_ccm: "true", crmd: "online", join: "member", expected: "member" };

/** Of members that nothing is recorded of: that they are not up is told nowhere but by that. */
function collectUnheard(facts: Facts, collect: Collect): void {
  const { status } = facts;
  if (status === undefined) return;
  const told = new Set(childrenOf(status, "node_state").map(({ attributes }) => attributes["id"]));
  for (const { id, name, kind } of facts.nodes) {
    if (kind !== "member" || told.has(id)) continue;
    const instead = { ...status, children: [...status.children, xml("node_state", { id, uname: name, ...UP })] };
    collect({ kind: "node-down", place: "/cib/status", values: { node: name }, element: status, instead });
  }
}

function collectStatus(facts: Facts, ids: ReadonlySet<string>, collect: Collect): void {
  collectUnheard(facts, collect);
  for (const state of childrenOf(facts.status, "node_state")) {
    const { uname = "", id = "" } = state.attributes;
    const node = uname === "" ? id : uname;
    const known = facts.nodeByName.get(node);
    const isUp = known?.online === true && !known.pending && !known.unclean;
    const place = `//node_state[@uname="${node}"]`;
    if (!isUp) {
      const instead = { ...state, attributes: { ...state.attributes, ...UP } };
      const kind = known?.unclean === true ? "node-unclean" : "node-down";
      collect({ kind, place, values: { node }, element: state, instead });
    }
    const { shutdown, ...staying } = state.attributes;
    if (isUp && shutdown !== undefined && shutdown !== "0") {
      const values = { node, name: "shutdown", value: shutdown };
      collect({
        kind: "transient-attribute",
        place,
        values,
        element: state,
        instead: { ...state, attributes: staying },
      });
    }
    for (const set of childOf(state, "transient_attributes")?.children ?? [])
      for (const pair of childrenOf(set, "nvpair")) {
        const { name = "", value = "" } = pair.attributes;
        collect({ kind: kindOfTransient(name), place: idPlace(pair), values: { node, name, value }, element: pair });
      }
    for (const record of childrenOf(childOf(childOf(state, "lrm"), "lrm_resources"), "lrm_resource")) {
      const resource = record.attributes["id"] ?? "";
      const isOwn = ids.has(resource) || ids.has(resource.replace(/:\d+$/, ""));
      const { "shutdown-lock": lock, ...unlocked } = record.attributes;
      if (isOwn && lock !== undefined)
        collect({
          kind: "shutdown-lock",
          place: `${place}${idPlace(record)}`,
          values: { resource, node },
          element: record,
          instead: { ...record, attributes: unlocked },
        });
      for (const op of childrenOf(record, "lrm_rsc_op")) {
        const { operation = "", interval = "0", "rc-code": code = "" } = op.attributes;
        // What failed so that its node must be fenced is everybody's matter there.
        if (!isOwn && (known?.unclean !== true || STATES.has(code))) continue;
        const values = { resource, node, task: interval === "0" ? operation : `${operation} ${interval} ms`, code };
        collect({ kind: "operation", place: `${place}${idPlace(op)}`, values, element: op });
      }
    }
  }
  for (const ticket of childrenOf(childOf(facts.status, "tickets"), "ticket_state")) {
    const { id = "", granted = "false", standby = "false" } = ticket.attributes;
    collect({ kind: "ticket", place: idPlace(ticket), values: { id, granted, standby }, element: ticket });
  }
  const { cib } = facts;
  if (!facts.options.quorate) {
    const instead = { ...cib, attributes: { ...cib.attributes, "have-quorum": "1" } };
    collect({ kind: "no-quorum", place: "/cib/@have-quorum", values: {}, element: cib, instead });
  }
}

/** Every fact that might count for these resources. */
export function candidatesFor(facts: Facts, targets: readonly Resource[]): Candidate[] {
  const list: Candidate[] = [];
  const collect: Collect = (fact) => list.push({ ...fact, instead: fact.instead });
  const ids = new Set([...relatedTo(facts, targets)].flatMap(({ id, baseId }) => [id, baseId]));
  collectConstraints(facts, ids, collect);
  collectResources(facts, ids, collect);
  collectStatus(facts, ids, collect);
  collectOptions(facts, collect);
  collectUnprotected(facts, collect);
  return list;
}
