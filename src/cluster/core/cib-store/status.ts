/**
 * Changes of the status section: node states, histories of operations, transient attributes, tickets.
 * Ids are those that Pacemaker gives, because agents and tools look for them (`status-NODE-NAME`).
 */
import { unreachable } from "../../../base/check.ts";
import { childOf, type XmlElement, xml } from "../../../base/xml.ts";
import { setAttributes } from "./operations.ts";
import type { StatusChange } from "./types.ts";

export interface Status {
  /** `<status>`. */
  readonly tree: XmlElement;
  /** Attributes of `<cib>` that are status: have-quorum, dc-uuid. */
  readonly root: Readonly<Record<string, string>>;
}

export const EMPTY_STATUS: Status = { tree: xml("status"), root: {} };

/** Replaces the first child that `is` says, or adds one; undefined from `change` removes it. */
function put(
  parent: XmlElement,
  is: (child: XmlElement) => boolean,
  change: (child: XmlElement | undefined) => XmlElement | undefined,
): XmlElement {
  const at = parent.children.findIndex(is);
  const changed = change(at < 0 ? undefined : parent.children[at]);
  const others = at < 0 ? [...parent.children] : parent.children.filter((_, index) => index !== at);
  if (changed !== undefined) others.splice(at < 0 ? others.length : at, 0, changed);
  return { ...parent, children: others };
}

const named = (name: string) => (child: XmlElement) => child.name === name;
const withId = (name: string, id: string) => (child: XmlElement) =>
  child.name === name && child.attributes["id"] === id;

/** The id of a node: as its state or the configuration says, else its name. */
export type NodeId = (uname: string) => string;

function putNode(
  status: XmlElement,
  uname: string,
  idOf: NodeId,
  change: (node: XmlElement) => XmlElement,
): XmlElement {
  const is = (child: XmlElement) => child.name === "node_state" && child.attributes["uname"] === uname;
  return put(status, is, (node) => change(node ?? xml("node_state", { id: idOf(uname), uname })));
}

const LRM = ["lrm", "lrm_resources"] as const;

function putResource(
  node: XmlElement,
  id: string,
  change: (resource: XmlElement | undefined) => XmlElement | undefined,
): XmlElement {
  const nodeId = node.attributes["id"] ?? "";
  return put(node, named(LRM[0]), (lrm = xml(LRM[0], { id: nodeId })) =>
    put(lrm, named(LRM[1]), (list = xml(LRM[1])) => put(list, withId("lrm_resource", id), change)),
  );
}

function endLock(node: XmlElement, id: string): XmlElement {
  return putResource(node, id, (resource) =>
    resource === undefined || resource.children.length === 0
      ? undefined
      : setAttributes(resource, { "shutdown-lock": null }),
  );
}

function setAttribute(node: XmlElement, name: string, value: string | null): XmlElement {
  const nodeId = node.attributes["id"] ?? "";
  const setId = `status-${nodeId}`;
  return put(node, named("transient_attributes"), (attributes = xml("transient_attributes", { id: nodeId })) =>
    put(attributes, named("instance_attributes"), (set = xml("instance_attributes", { id: setId })) => {
      const is = (child: XmlElement) => child.name === "nvpair" && child.attributes["name"] === name;
      const id = `${setId}-${name.replaceAll(/[^-.\w]/g, ".")}`;
      return put(set, is, () => (value === null ? undefined : xml("nvpair", { id, name, value })));
    }),
  );
}

/**
 * Whether the change would say what is there already. Agents tell their promotion scores with every monitor: without
 * this each of them would be a new status for all nodes.
 */
export function isInForce({ tree }: Status, change: StatusChange): boolean {
  if (change.kind !== "set-attribute") return false;
  const { node, name, value } = change;
  const state = tree.children.find((child) => child.name === "node_state" && child.attributes["uname"] === node);
  const set = childOf(childOf(state, "transient_attributes"), "instance_attributes");
  const found = set?.children.find((child) => child.name === "nvpair" && child.attributes["name"] === name);
  return (found?.attributes["value"] ?? null) === value;
}

type NodeChange = Exclude<StatusChange, { readonly kind: "set-cib" | "set-ticket" }>;

function changeNode(node: XmlElement, change: NodeChange): XmlElement {
  switch (change.kind) {
    case "set-node-state":
      return setAttributes(node, change.attributes);
    case "replace-history":
      return put(node, named(LRM[0]), () => change.lrm);
    case "set-operation": {
      const { id, class: agentClass, type, provider, "shutdown-lock": lock } = change.resource;
      const agent = { id, class: agentClass, ...(provider === undefined ? {} : { provider }), type };
      const operationId = change.operation.attributes["id"] ?? "";
      return putResource(node, id, (resource = xml("lrm_resource", agent)) => {
        const locked = lock === undefined ? resource : setAttributes(resource, { "shutdown-lock": lock });
        return put(locked, withId("lrm_rsc_op", operationId), () => change.operation);
      });
    }
    case "end-lock":
      return endLock(node, change.resource);
    case "delete-history": {
      const { resource, operation } = change;
      if (resource === undefined) return put(node, named(LRM[0]), () => undefined);
      return putResource(node, resource, (found) =>
        operation === undefined || found === undefined
          ? undefined
          : put(found, withId("lrm_rsc_op", operation), () => undefined),
      );
    }
    case "set-attribute":
      return setAttribute(node, change.name, change.value);
    case "clear-node":
      return { ...node, children: [] };
    case "delete-node":
      return node;
    default:
      return unreachable(change);
  }
}

export function applyStatus({ tree, root }: Status, change: StatusChange, idOf: NodeId): Status {
  switch (change.kind) {
    case "set-cib":
      return { tree, root: setAttributes(xml("cib", root), change.attributes).attributes };
    case "set-ticket": {
      const { attributes } = change;
      const ticket = (found: XmlElement | undefined) =>
        attributes === null
          ? undefined
          : setAttributes(found ?? xml("ticket_state", { id: change.ticket }), attributes);
      return {
        root,
        tree: put(tree, named("tickets"), (tickets = xml("tickets")) =>
          put(tickets, withId("ticket_state", change.ticket), ticket),
        ),
      };
    }
    case "delete-node": {
      const is = (child: XmlElement) => child.name === "node_state" && child.attributes["uname"] === change.node;
      return { root, tree: put(tree, is, () => undefined) };
    }
    case "set-node-state":
    case "replace-history":
    case "set-operation":
    case "end-lock":
    case "delete-history":
    case "set-attribute":
    case "clear-node":
      return { root, tree: putNode(tree, change.node, idOf, (node) => changeNode(node, change)) };
    default:
      return unreachable(change);
  }
}

/** What a later change makes void: two changes of the same key need only the later. */
function keyOf(change: StatusChange): string | undefined {
  switch (change.kind) {
    case "set-attribute":
      return `attribute ${change.node} ${change.name}`;
    case "set-operation":
      return `operation ${change.node} ${change.resource.id} ${change.operation.attributes["id"] ?? ""}`;
    case "replace-history":
      return `history ${change.node}`;
    case "set-node-state":
    case "end-lock":
    case "delete-history":
    case "clear-node":
    case "delete-node":
    case "set-cib":
    case "set-ticket":
      return undefined;
    default:
      return unreachable(change);
  }
}

/**
 * The list with one change more. It takes the place of an older one of the same key, unless something
 * about the same node
 * stands between that must keep its order.
 */
export function coalesce(changes: readonly StatusChange[], change: StatusChange): StatusChange[] {
  const key = keyOf(change);
  if (key === undefined) return [...changes, change];
  const at = changes.findLastIndex((old) => keyOf(old) === key);
  const between = changes.slice(at + 1);
  const barrier = between.some((other) =>
    ["delete-history", "end-lock", "clear-node", "delete-node", "replace-history"].includes(other.kind),
  );
  if (at < 0 || barrier) return [...changes, change];
  // In its place, so that new node states come in the same order everywhere.
  return [...changes.slice(0, at), change, ...between];
}

/** The node's id by its state in the status or its entry in the configuration; its name when neither knows it. */
export function nodeIdFrom(configuration: XmlElement): NodeId {
  const nodes = childOf(configuration, "nodes")?.children ?? [];
  return (uname) => nodes.find(({ attributes }) => attributes["uname"] === uname)?.attributes["id"] ?? uname;
}
