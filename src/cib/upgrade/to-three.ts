/**
 * From the schemas before 3.0 to the model of today: options spelt with underscores, defaults that stood among the
 * cluster's options, `requires` of an operation, parameters of fencing devices. What is written in today's way already
 * wins over what is moved. Only these schemas are touched: from 3.0 on nobody may have meant the old names.
 * Facts: cibadmin --upgrade and crm_verify 2.1.5 as black boxes (they tell every change that they make).
 */
import { childOf, childrenOf, type XmlElement, xml } from "../../base/xml.ts";
import { CLUSTER_OPTIONS, findOption } from "../schema/options.ts";

const OLD = /^(?:pacemaker-[0-2]\.\d+|transitional-0\.6)$/;
const UPGRADED = "pacemaker-3.0";

const RENAMED: ReadonlyMap<string, string> = new Map([["transition_idle_timeout", "cluster-delay"]]);

interface Move {
  readonly to: "rsc_defaults" | "op_defaults";
  readonly name: string;
}

/** Cluster options that were defaults of something else. */
export const MOVED: ReadonlyMap<string, Move> = new Map([
  ["default-resource-stickiness", { to: "rsc_defaults", name: "resource-stickiness" }],
  ["is-managed-default", { to: "rsc_defaults", name: "is-managed" }],
  ["default-action-timeout", { to: "op_defaults", name: "timeout" }],
]);

const dashed = (name: string) => name.replaceAll("_", "-");

/** What stood among the cluster's options and belongs elsewhere, by the section it goes to. */
type Moves = Record<"rsc_defaults" | "op_defaults", XmlElement[]>;

const withAttributes = (element: XmlElement, attributes: Readonly<Record<string, string>>): XmlElement => ({
  ...element,
  attributes: { ...element.attributes, ...attributes },
});

function upgradeOption(pair: XmlElement, moves: Moves): XmlElement[] {
  const { name = "" } = pair.attributes;
  const moved = MOVED.get(dashed(name));
  if (moved !== undefined) {
    moves[moved.to].push(withAttributes(pair, { name: moved.name }));
    return [];
  }
  const renamed = RENAMED.get(name) ?? (findOption(CLUSTER_OPTIONS, dashed(name)) === undefined ? name : dashed(name));
  return [renamed === name ? pair : withAttributes(pair, { name: renamed })];
}

function upgradeOptions(section: XmlElement, moves: Moves): XmlElement {
  const children = section.children.map((set) => ({
    ...set,
    children: set.children.flatMap((pair) => (pair.name === "nvpair" ? upgradeOption(pair, moves) : [pair])),
  }));
  return { ...section, children };
}

/** Behind the sets that are there: among equal scores the first one wins. */
const withSet = (element: XmlElement, pairs: readonly XmlElement[], id: string): XmlElement =>
  pairs.length === 0 ? element : { ...element, children: [...element.children, xml("meta_attributes", { id }, pairs)] };

const COMMAND = /^pcmk_(\w+)_cmd$/;
const ARGUMENT_PREFIX = "port:";

function upgradeParameter(pair: XmlElement): XmlElement {
  const { name = "", value = "" } = pair.attributes;
  const command = COMMAND.exec(name)?.[1];
  if (command !== undefined) return withAttributes(pair, { name: `pcmk_${command}_action` });
  if (name !== "pcmk_arg_map" || !value.startsWith(ARGUMENT_PREFIX)) return pair;
  return withAttributes(pair, { name: "pcmk_host_argument", value: value.slice(ARGUMENT_PREFIX.length) });
}

/** That a start needs no fencing was said of the operation; today it is the resource's. */
function requiresOf(primitive: XmlElement, id: string): XmlElement[] {
  for (const op of childrenOf(childOf(primitive, "operations"), "op")) {
    const { name, requires } = op.attributes;
    if (requires !== undefined && (name === "start" || name === "promote"))
      return [xml("nvpair", { id: `${id}-upgraded-requires`, name: "requires", value: requires })];
  }
  return [];
}

function withoutRequires(op: XmlElement): XmlElement {
  const { requires: _moved, ...attributes } = op.attributes;
  return { ...op, attributes };
}

/** What was to run in a wrapper that is no more must not run without it. */
function upgradeMeta(pair: XmlElement): XmlElement {
  return pair.attributes["name"] === "isolation"
    ? withAttributes(pair, { name: "target-role", value: "Stopped" })
    : pair;
}

function upgradePrimitive(primitive: XmlElement): XmlElement {
  const { id = "" } = primitive.attributes;
  const children = primitive.children.map((child) => {
    if (child.name === "meta_attributes") return { ...child, children: child.children.map(upgradeMeta) };
    if (child.name === "operations") return { ...child, children: child.children.map(withoutRequires) };
    return child.name === "instance_attributes" && primitive.attributes["class"] === "stonith"
      ? { ...child, children: child.children.map(upgradeParameter) }
      : child;
  });
  return withSet({ ...primitive, children }, requiresOf(primitive, id), `${id}-upgraded`);
}

function upgradeResource(element: XmlElement): XmlElement {
  if (element.name === "primitive" || element.name === "template") return upgradePrimitive(element);
  return { ...element, children: element.children.map(upgradeResource) };
}

function upgradeNode(node: XmlElement): XmlElement {
  return node.attributes["type"] === "normal" ? withAttributes(node, { type: "member" }) : node;
}

function upgradeConfiguration(configuration: XmlElement): XmlElement {
  const moves: Moves = { rsc_defaults: [], op_defaults: [] };
  const sections = configuration.children.map((section) => {
    if (section.name === "crm_config") return upgradeOptions(section, moves);
    if (section.name === "nodes") return { ...section, children: section.children.map(upgradeNode) };
    return section.name === "resources" ? upgradeResource(section) : section;
  });
  const missing = (["rsc_defaults", "op_defaults"] as const).filter(
    (name) => moves[name].length > 0 && !sections.some((section) => section.name === name),
  );
  const all = [...sections, ...missing.map((name) => xml(name))];
  const children = all.map((section) => {
    const { name } = section;
    return name === "rsc_defaults" || name === "op_defaults"
      ? withSet(section, moves[name], `${name}-upgraded`)
      : section;
  });
  return { ...configuration, children };
}

/** The CIB as today's schema says it; the very same one when there is nothing to upgrade. */
export function upgradeCib(root: XmlElement): XmlElement {
  if (!OLD.test(root.attributes["validate-with"] ?? "")) return root;
  const children = root.children.map((child) => (child.name === "configuration" ? upgradeConfiguration(child) : child));
  return { ...root, attributes: { ...root.attributes, "validate-with": UPGRADED }, children };
}
