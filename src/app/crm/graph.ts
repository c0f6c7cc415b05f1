/**
 * The configuration as a graph for the programs of graphviz (`dot`): resources, groups around their members, orders as
 * arrows, and where a resource may run as lines to the nodes. Fact: crm(8), configure graph; the DOT language.
 */
import { entryOf } from "../../base/record.ts";
import { childOf, childrenOf, type XmlElement } from "../../base/xml.ts";
import { everyElement } from "../../cib/schema/finding.ts";

const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
const idOf = ({ attributes }: XmlElement) => attributes["id"] ?? "";
const RESOURCES = ["primitive", "group", "clone", "master", "bundle"];

function edge(from: string, to: string, attributes: Readonly<Record<string, string>>): string {
  const written = Object.entries(attributes).map(([name, value]) => `${name}=${quoted(value)}`);
  return `\t${quoted(from)} -> ${quoted(to)}${written.length === 0 ? "" : ` [${written.join(",")}]`};`;
}

/** A primitive is a box; what holds others, a frame around them. */
function drawResource(resource: XmlElement, indent: string): readonly string[] {
  const members = resource.children.filter(({ name }) => RESOURCES.includes(name));
  if (members.length === 0) {
    const { type, template, class: agentClass } = resource.attributes;
    const label = `${idOf(resource)}\n${type ?? `@${template ?? resource.name}`}`;
    const style = agentClass === "stonith" ? "dashed" : "rounded";
    const text = quoted(label).replaceAll("\n", "\\n");
    return [`${indent}${quoted(idOf(resource))} [label=${text},shape="box",style="${style}"];`];
  }
  const deeper = `${indent}\t`;
  const order =
    resource.name === "group"
      ? members.slice(1).map((member, at) => `${indent}${edge(idOf(members[at] ?? member), idOf(member), {})}`)
      : [];
  return [
    `${indent}subgraph ${quoted(`cluster_${idOf(resource)}`)} {`,
    `${deeper}label=${quoted(`${resource.name} ${idOf(resource)}`)};`,
    ...members.flatMap((member) => drawResource(member, deeper)),
    ...order,
    `${indent}}`,
  ];
}

/** A line ends at a box: of what holds others, at its first or last member. */
function boxOf(root: XmlElement, id: string, end: "first" | "last"): string {
  const found = everyElement(root).find(({ element }) => RESOURCES.includes(element.name) && idOf(element) === id);
  const members = found?.element.children.filter(({ name }) => RESOURCES.includes(name)) ?? [];
  const member = end === "first" ? members[0] : members.at(-1);
  return member === undefined ? id : boxOf(root, idOf(member), end);
}

interface Ends {
  readonly first: readonly string[];
  readonly last: readonly string[];
}

/** The sets of a constraint, in their order: what is drawn goes from each to the next. */
function setsOf(constraint: XmlElement): readonly Ends[] {
  return childrenOf(constraint, "resource_set").map((set) => {
    const ids = childrenOf(set, "resource_ref").map(idOf);
    const inOrder = set.attributes["sequential"] !== "false";
    return inOrder ? { first: ids.slice(0, 1), last: ids.slice(-1) } : { first: ids, last: ids };
  });
}

function chainsIn(constraint: XmlElement): readonly (readonly [string, string])[] {
  return childrenOf(constraint, "resource_set")
    .filter(({ attributes }) => attributes["sequential"] !== "false")
    .flatMap((set) => childrenOf(set, "resource_ref").map(idOf))
    .flatMap((id, at, ids) => (at === 0 ? [] : [[ids[at - 1] ?? id, id] as const]));
}

function pairsOf(constraint: XmlElement, from: string, to: string): readonly (readonly [string, string])[] {
  const [one, other] = [entryOf(constraint.attributes, from), entryOf(constraint.attributes, to)];
  if (one !== undefined && other !== undefined) return [[one, other]];
  const sets = setsOf(constraint);
  const between = sets
    .slice(1)
    .flatMap((set, at) => (sets[at]?.last ?? []).flatMap((left) => set.first.map((right) => [left, right] as const)));
  return [...chainsIn(constraint), ...between];
}

function drawConstraint(root: XmlElement, constraint: XmlElement): readonly string[] {
  const { kind = "", score = "", rsc = "", node } = constraint.attributes;
  if (constraint.name === "rsc_order")
    return pairsOf(constraint, "first", "then").map(([first, then]) =>
      edge(boxOf(root, first, "last"), boxOf(root, then, "first"), { label: kind || score || "Mandatory" }),
    );
  if (constraint.name === "rsc_colocation")
    return pairsOf(constraint, "rsc", "with-rsc").map(([one, other]) =>
      edge(boxOf(root, one, "first"), boxOf(root, other, "first"), {
        style: "dotted",
        label: `with ${score || "INFINITY"}`,
        constraint: "false",
      }),
    );
  if (constraint.name !== "rsc_location" || node === undefined) return [];
  return [edge(node, boxOf(root, rsc, "first"), { style: "dashed", dir: "none", label: score })];
}

/** The text of the graph, in the language of `dot`. */
export function drawConfiguration(configuration: XmlElement): string {
  const resources = childOf(configuration, "resources")?.children.filter(({ name }) => RESOURCES.includes(name)) ?? [];
  const nodes = childrenOf(childOf(configuration, "nodes"), "node").map(({ attributes }) => attributes["uname"] ?? "");
  const constraints = childOf(configuration, "constraints")?.children ?? [];
  return [
    "digraph G {",
    '\tcompound="true";',
    ...nodes.map((name) => `\t${quoted(name)} [shape="box",style="bold"];`),
    ...resources.flatMap((resource) => drawResource(resource, "\t")),
    ...constraints.flatMap((constraint) => drawConstraint(configuration, constraint)),
    "}",
    "",
  ].join("\n");
}
