/**
 * What operators ask in their words (standby, stop, move, ...) as operations on the configuration: Pacemaker's
 * attributes, options and constraint names, so that every tool of the field reads them.
 * Facts: Pacemaker Explained (standby, maintenance, target-role, is-managed); crm_resource(8) for cli-prefer, cli-ban.
 */
import type { Problem } from "../../base/problem.ts";
import { childOf, parseXml, type XmlElement, xml } from "../../base/xml.ts";
import type { ConfigurationOperation } from "../../cluster/core/cib-store/types.ts";
import { configuredNodes } from "../../cluster/core/controller/cib-read.ts";
import type { ControlRequest } from "../control-protocol.ts";
import { listPrimitives } from "./status.ts";

export type Wish =
  | { readonly kind: "operations"; readonly operations: readonly ConfigurationOperation[]; readonly text: string }
  | { readonly kind: "problem"; readonly problem: Problem };

type Of<Kind extends ControlRequest["kind"]> = Extract<ControlRequest, { kind: Kind }>;

export function problem(place: string, reason: string, remedy: string): Problem {
  return { severity: "error", place, reason, remedy };
}

const refuse = (place: string, reason: string, remedy: string): Wish => ({
  kind: "problem",
  problem: problem(place, reason, remedy),
});

function unknownNode(cib: XmlElement, node: string): Wish | undefined {
  const names = configuredNodes(cib).map(({ name }) => name);
  if (names.includes(node)) return undefined;
  return refuse("node", `there is no node ${node}`, `give one of ${names.join(", ")}`);
}

const nodePath = (node: string) => `//node[@uname="${node}"]`;

export function nodeAttribute(cib: XmlElement, node: string, name: string, value: string | null): Wish {
  const unknown = unknownNode(cib, node);
  if (unknown !== undefined) return unknown;
  const operation = {
    kind: "set-option",
    target: nodePath(node),
    setName: "instance_attributes",
    name,
    value,
  } as const;
  const text = value === null ? `${name} of ${node} is removed` : `${name} of ${node} is ${value}`;
  return { kind: "operations", operations: [operation], text };
}

const NODE_ACTIONS = {
  standby: { name: "standby", value: "on" },
  online: { name: "standby", value: "off" },
  maintenance: { name: "maintenance", value: "true" },
  ready: { name: "maintenance", value: "false" },
} as const;

export function nodeWish(cib: XmlElement, { node, action }: Of<"node">): Wish {
  const { name, value } = NODE_ACTIONS[action];
  return nodeAttribute(cib, node, name, value);
}

function findById(element: XmlElement | undefined, id: string): XmlElement | undefined {
  if (element === undefined) return undefined;
  if (element.attributes.id === id && ["primitive", "group", "clone", "master"].includes(element.name)) return element;
  for (const child of element.children) {
    const found = findById(child, id);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The resource of that name, or undefined. */
export function findResource(cib: XmlElement, id: string): XmlElement | undefined {
  return findById(childOf(childOf(cib, "configuration"), "resources"), id);
}

/** The primitives in it, itself if it is one: failures are kept by primitive. */
export function primitivesOf(resource: XmlElement): readonly string[] {
  if (resource.name === "primitive") return [resource.attributes.id ?? ""];
  return listPrimitives(resource).map(({ primitive }) => primitive.attributes.id ?? "");
}

const META_OPTIONS = {
  start: { name: "target-role", value: "Started" },
  stop: { name: "target-role", value: "Stopped" },
  manage: { name: "is-managed", value: "true" },
  unmanage: { name: "is-managed", value: "false" },
} as const;

const preferId = (resource: string) => `cli-prefer-${resource}`;
const banId = (resource: string, node: string) => `cli-ban-${resource}-on-${node}`;

function hasConstraint(cib: XmlElement, id: string): boolean {
  const constraints = childOf(childOf(cib, "configuration"), "constraints");
  return constraints?.children.some(({ attributes }) => attributes.id === id) === true;
}

function move(cib: XmlElement, resource: string, node: string | undefined): Wish {
  if (node === undefined)
    return refuse("resource move", "no node was given", `say where to: crm resource move ${resource} NODE`);
  const unknown = unknownNode(cib, node);
  if (unknown !== undefined) return unknown;
  const element = xml("rsc_location", { id: preferId(resource), rsc: resource, node, score: "INFINITY" });
  const text = `${resource} is moved to ${node}; it stays there until: crm resource unmove ${resource}`;
  return { kind: "operations", operations: [{ kind: "set", parent: "constraints", element }], text };
}

function unmove(cib: XmlElement, resource: string): Wish {
  const ids = [preferId(resource), ...configuredNodes(cib).map(({ name }) => banId(resource, name))];
  const operations = ids.filter((id) => hasConstraint(cib, id)).map((target) => ({ kind: "delete", target }) as const);
  if (operations.length === 0) return { kind: "operations", operations, text: `${resource} had not been moved` };
  return { kind: "operations", operations, text: `${resource} may run anywhere again` };
}

/** All but cleanup, which changes no configuration. */
export function resourceWish(cib: XmlElement, { resource: id, action, node }: Of<"resource">): Wish {
  const found = findResource(cib, id);
  if (found === undefined) return refuse("resource", `there is no resource ${id}`, "look at `gemel status`");
  switch (action) {
    case "start":
    case "stop":
    case "manage":
    case "unmanage": {
      const { name, value } = META_OPTIONS[action];
      const operation = { kind: "set-option", target: id, setName: "meta_attributes", name, value } as const;
      return { kind: "operations", operations: [operation], text: `${name} of ${id} is ${value}` };
    }
    case "move":
      return move(cib, id, node);
    case "unmove":
      return unmove(cib, id);
    case "cleanup":
      return { kind: "operations", operations: [], text: `${id}: failures are forgotten, it is probed again` };
    default:
      return action satisfies never;
  }
}

/** A whole configuration given as XML: `cib` or `configuration` is its root. */
export function applyWish(cib: XmlElement, { mode, xml: text, base }: Of<"cib-apply">): Wish {
  const { admin_epoch = "0", epoch = "0" } = cib.attributes;
  if (base !== undefined && base !== `${admin_epoch}.${epoch}`)
    return refuse("base", `the configuration is ${admin_epoch}.${epoch} now`, "read it again, make the change anew");
  const read = parseXml(text);
  if (read.kind === "not-xml") return refuse(`line ${read.line}`, read.reason, "give well-formed XML");
  const configuration = read.root.name === "configuration" ? read.root : childOf(read.root, "configuration");
  if (configuration === undefined)
    return refuse("/", `the root is <${read.root.name}>`, "give a cib or configuration element");
  return { kind: "operations", operations: [{ kind: mode, configuration }], text: "" };
}
