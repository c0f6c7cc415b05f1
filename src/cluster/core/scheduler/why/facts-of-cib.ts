/**
 * Everything in a CIB that can bear on where a resource is: each a fact that can be taken away to see what it was
 * worth. Taking away means what an operator could do or what might not have happened: a constraint removed, an option
 * left at its default, a node that is up after all, an operation that never failed.
 */
import { childOf, childrenOf, type XmlElement, xml } from "../../../../base/xml.ts";
import type { Facts, Resource } from "../facts/model.ts";
import type { Worked } from "../worked.ts";
import { conclusionOf } from "./conclusion.ts";
import { type Candidate, type Collect, idPlace, isGivenUp, lacking, pairsOf } from "./fact.ts";
import { collectStatus } from "./facts-of-status.ts";

/**
 * What colocations tie to these, however far, with all that they are part of or consist of; where something of them is
 * held back also what orders tie to them; and what makes a node that is down: its connection or container.
 */
function relatedTo(facts: Facts, targets: readonly Resource[], isHeldBack: boolean): ReadonlySet<Resource> {
  const beside = new Map<Resource, Resource[]>();
  const tie = (one: Resource, other: Resource) => {
    beside.set(one, [...(beside.get(one) ?? []), other]);
    beside.set(other, [...(beside.get(other) ?? []), one]);
  };
  for (const { dependent, primary } of facts.colocations) tie(dependent, primary);
  for (const resource of facts.resources) if (resource.parent !== undefined) tie(resource, resource.parent);
  if (isHeldBack) for (const { first, second, kind } of facts.orders) if (kind === "mandatory") tie(first, second);
  const related = new Set(targets);
  for (const { remote, online, unclean, shutdown } of facts.nodes) {
    if (remote === undefined || (online && !unclean && !shutdown)) continue;
    related.add(remote);
    if (remote.container !== undefined) related.add(remote.container);
  }
  for (const resource of related) for (const other of beside.get(resource) ?? []) related.add(other);
  return related;
}

/** That there is nothing to fence with is written nowhere; it would be otherwise if there were a watchdog. */
function collectUnprotected({ configuration, canProtect }: Facts, collect: Collect): void {
  if (canProtect) return;
  const known = childOf(configuration, "crm_config");
  const watchdog = xml("nvpair", { id: "gemel-why-watchdog", name: "have-watchdog", value: "true" });
  const added = xml("cluster_property_set", { id: "gemel-why" }, [watchdog]);
  const without = (set: XmlElement) => ({
    ...set,
    children: set.children.filter(({ attributes }) => attributes["name"] !== "have-watchdog"),
  });
  const instead = (was: XmlElement) =>
    known === undefined
      ? { ...was, children: [...was.children, xml("crm_config", {}, [added])] }
      : { ...was, children: [...was.children.map(without), added] };
  const element = known ?? configuration;
  collect({ kind: "no-fencing", place: "/cib/configuration/resources", values: {}, element, instead });
}

function collectOptions(facts: Facts, collect: Collect): void {
  const { configuration } = facts;
  pairsOf(facts, childrenOf(childOf(configuration, "crm_config"), "cluster_property_set"), collect, "option", {});
  pairsOf(facts, childrenOf(childOf(configuration, "rsc_defaults"), "meta_attributes"), collect, "default", {
    section: "rsc_defaults",
  });
  pairsOf(facts, childrenOf(childOf(configuration, "op_defaults"), "meta_attributes"), collect, "default", {
    section: "op_defaults",
  });
  for (const node of childrenOf(childOf(configuration, "nodes"), "node")) {
    const name = node.attributes["uname"] ?? node.attributes["id"] ?? "";
    pairsOf(facts, childrenOf(node, "instance_attributes"), collect, "node-attribute", { node: name });
    const { score } = node.attributes;
    if (score !== undefined) {
      const values = { node: name, score };
      collect({ kind: "node-score", place: idPlace(node), values, element: node, instead: lacking("score") });
    }
    pairsOf(facts, childrenOf(node, "utilization"), collect, "node-capacity", { node: name });
  }
}

function collectOperations(element: XmlElement, collect: Collect): void {
  const resource = element.attributes["id"] ?? "";
  for (const op of childrenOf(childOf(element, "operations"), "op")) {
    const { "on-fail": value, name = "" } = op.attributes;
    for (const set of ["meta_attributes", "instance_attributes"] as const)
      for (const pair of childrenOf(op, set).flatMap(({ children }) => children))
        if (pair.attributes["name"] === "on-fail") {
          const values = { resource, name, value: pair.attributes["value"] ?? "" };
          collect({ kind: "on-fail", place: idPlace(pair), values, element: pair });
        }
    if (value === undefined) continue;
    const values = { resource, name, value };
    collect({ kind: "on-fail", place: idPlace(op), values, element: op, instead: lacking("on-fail") });
  }
}

/** Of other resources: those for whose failure a node is given up. */
function culpritsOf({ nodes, resources }: Facts): ReadonlySet<string> {
  const given = nodes.filter(isGivenUp);
  return new Set(
    resources.filter(({ history }) => given.some((node) => history.has(node))).map(({ baseId }) => baseId),
  );
}

function collectResources(facts: Facts, ids: ReadonlySet<string>, collect: Collect): void {
  const culprits = culpritsOf(facts);
  const visit = (element: XmlElement, isTop: boolean) => {
    const id = element.attributes["id"] ?? "";
    const isOwn = ids.has(id);
    if (isOwn) {
      pairsOf(facts, childrenOf(element, "meta_attributes"), collect, "meta", { resource: id });
      pairsOf(facts, childrenOf(element, "utilization"), collect, "utilization", { resource: id });
    }
    if (isOwn || culprits.has(id)) collectOperations(element, collect);
    if (!isOwn && isTop && ["primitive", "group", "clone", "master"].includes(element.name))
      collect({ kind: "resource", place: idPlace(element), values: { resource: id }, element });
    for (const child of element.children) if (child.attributes["id"] !== undefined) visit(child, false);
  };
  const isUsed = (template: string) => facts.templates.get(template)?.some(({ baseId }) => ids.has(baseId)) === true;
  for (const element of childOf(facts.configuration, "resources")?.children ?? []) {
    const { id = "" } = element.attributes;
    if (element.name !== "template") visit(element, true);
    else if (isUsed(id)) {
      pairsOf(facts, childrenOf(element, "meta_attributes"), collect, "meta", { resource: id });
      pairsOf(facts, childrenOf(element, "utilization"), collect, "utilization", { resource: id });
      collectOperations(element, collect);
    }
  }
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
    // A ticket lost may cost a node: then it is the matter of all that could be there.
    const isForAll = constraint.name === "rsc_ticket" && constraint.attributes["loss-policy"] === "fence";
    if (!isForAll && !concerns([rsc, withRsc, first, second, ...members])) continue;
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

/** Every fact that might count for these resources. */
export function candidatesFor(worked: Worked, targets: readonly Resource[]): Candidate[] {
  const { facts } = worked;
  const list: Candidate[] = [];
  const collect: Collect = (fact) => list.push({ ...fact, instead: fact.instead });
  const isHeldBack = conclusionOf(worked, targets).blocked.length > 0;
  const ids = new Set([...relatedTo(facts, targets, isHeldBack)].flatMap(({ id, baseId }) => [id, baseId]));
  collectConstraints(facts, ids, collect);
  collectResources(facts, ids, collect);
  collectStatus(facts, ids, collect);
  collectOptions(facts, collect);
  collectUnprotected(facts, collect);
  return list;
}
