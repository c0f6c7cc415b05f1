/**
 * Remote and guest nodes: a node exists because a resource connects to it, and is up only while that resource is.
 * Facts: Pacemaker Remote; Pacemaker Explained, meta-attributes remote-node, remote-addr, remote-port, ...
 */
import { childOf, childrenOf, type XmlElement, xml } from "../../../../base/xml.ts";
import { addSets } from "./attribute-sets.ts";
import { bundleNodeName, bundleSpec } from "./bundle-spec.ts";
import type { NodeDraft, Reading, ResourceDraft } from "./draft.ts";
import { addRemoteNode, addTransient } from "./read-nodes.ts";
import { ROLE } from "./values.ts";

function isRemoteConnection({ attributes }: XmlElement): boolean {
  return attributes["class"] === "ocf" && attributes["provider"] === "pacemaker" && attributes["type"] === "remote";
}

/** The nodes that the containers of a bundle will be. */
function nodesOfBundle(element: XmlElement): string[] {
  const spec = element.name === "bundle" ? bundleSpec(element) : undefined;
  if (spec?.child === undefined) return [];
  return Array.from({ length: spec.replicas }, (_, index) => bundleNodeName(spec, index));
}

function primitivesBelow(element: XmlElement): XmlElement[] {
  return element.name === "primitive" ? [element] : element.children.flatMap(primitivesBelow);
}

/** Nodes that resources bring along, before any resource is read: locations and clones count them. */
export function readRemoteNodes(facts: Reading): void {
  const resources = childOf(facts.configuration, "resources");
  const top = resources?.children ?? [];
  for (const name of top.flatMap(nodesOfBundle)) addRemoteNode(facts, name, "guest").inBundle = true;
  for (const element of top.flatMap(primitivesBelow)) {
    if (isRemoteConnection(element)) addRemoteNode(facts, element.attributes["id"] ?? "", "remote");
    const meta = addSets(childrenOf(element, "meta_attributes"), facts.ids, facts.ruleContext, {});
    const name = meta["remote-node"];
    if (name !== undefined) addRemoteNode(facts, name, "guest");
  }
  facts.haveRemotes = facts.nodes.some(({ kind }) => kind === "remote" || kind === "guest");
}

/** The connection that a guest's meta-attributes imply, as an ordinary primitive. */
export function guestConnection(container: ResourceDraft, name: string): XmlElement {
  const { meta } = container;
  const id = container.baseId;
  const pair = (key: string, value: string) => xml("nvpair", { id: `${name}-${key}`, name: key, value });
  const optional = (key: string, value: string | undefined) => (value === undefined ? [] : [pair(key, value)]);
  return xml("primitive", { id: name, class: "ocf", provider: "pacemaker", type: "remote" }, [
    xml("instance_attributes", { id: `${name}-instance` }, [
      ...optional("addr", meta["remote-addr"]),
      ...optional("port", meta["remote-port"]),
    ]),
    xml("meta_attributes", { id: `${name}-meta` }, [
      pair("internal_remote_node", "true"),
      pair("container", id),
      ...optional("is-managed", meta["is-managed"]),
      ...optional("allow-migrate", meta["remote-allow-migrate"]),
    ]),
    xml("operations", {}, [
      xml("op", { id: `${name}-monitor`, name: "monitor", interval: "30s", timeout: "30s" }),
      ...(meta["remote-connect-timeout"] === undefined
        ? []
        : [xml("op", { id: `${name}-start`, name: "start", interval: "0", timeout: meta["remote-connect-timeout"] })]),
    ]),
  ]);
}

/** Ties connections to their nodes and fillers to their containers, once all resources are read. */
export function linkRemotes(facts: Reading, add: (element: XmlElement) => ResourceDraft | undefined): void {
  for (const resource of [...facts.resources]) {
    const name = resource.kind === "primitive" ? resource.meta["remote-node"] : undefined;
    if (name === undefined || facts.byId.has(name)) continue;
    add(guestConnection(resource, name));
  }
  for (const resource of facts.resources) {
    if (resource.kind !== "primitive") continue;
    const containerId = resource.meta["container"];
    const container = containerId === undefined ? undefined : facts.byId.get(containerId);
    if (container !== undefined && container !== resource) {
      resource.container = container;
      container.fillers.push(resource);
    }
    if (!isRemoteConnection(resource.element)) continue;
    const node = facts.nodeByName.get(resource.id);
    if (node === undefined) continue;
    resource.remoteNodeName = node.name;
    node.remote = resource;
  }
}

function putInContainer(connection: ResourceDraft, container: ResourceDraft): void {
  connection.container = container;
  container.fillers.push(connection);
}

/** A removed connection still makes a node of what it connects to; the record names the container of a guest. */
export function adoptRemoved(facts: Reading, resource: ResourceDraft, containerId: string | undefined): void {
  // A connection may be recorded before the container that it belongs to.
  for (const connection of facts.orphanedGuests.get(resource.id) ?? []) putInContainer(connection, resource);
  if (!isRemoteConnection(resource.element) || facts.nodeByName.has(resource.id)) return;
  const node = addRemoteNode(facts, resource.id, containerId === undefined ? "remote" : "guest");
  facts.haveRemotes = true;
  node.remote = resource;
  resource.remoteNodeName = node.name;
  for (const state of childrenOf(facts.status, "node_state"))
    if (state.attributes["id"] === node.id) addTransient(facts, node, state);
  if (containerId === undefined) return;
  const container = facts.byId.get(containerId);
  if (container !== undefined) putInContainer(resource, container);
  else {
    const waiting = facts.orphanedGuests.get(containerId) ?? [];
    facts.orphanedGuests.set(containerId, [...waiting, resource]);
  }
}

/** Online or not, from the state of its connection and, for a guest, of its container. */
export function settleRemote(node: NodeDraft): void {
  const connection = node.remote;
  if (connection === undefined) {
    node.online = false;
    return;
  }
  const { container } = connection;
  node.unclean = node.fenceReasons.length > 0 && node.kind === "remote";
  if (connection.role === ROLE.started && connection.nextRole !== ROLE.stopped) node.online = true;
  if (connection.role === ROLE.started && connection.nextRole === ROLE.stopped) node.shutdown = true;
  node.online = connection.role >= ROLE.started;
  // Whoever may not touch the connection may not touch what runs behind it either.
  if ((node.online || node.kind === "remote") && !connection.managed) node.maintenance = true;
  if (container?.failed === true) {
    node.online = false;
    node.remoteRequiresReset = true;
  } else if (connection.failed) {
    node.online = false;
  } else if (connection.role === ROLE.stopped || (container !== undefined && container.role === ROLE.stopped)) {
    node.online = false;
    node.remoteRequiresReset = false;
  }
  const host = connection.runningOn[0];
  const isHostLost = host?.unclean === true && !host.online && connection.runningOn.length === 1;
  // A guest went down with its host; a remote node is its own machine and merely out of reach.
  if (isHostLost && node.kind === "guest") node.online = false;
}

/** Remote nodes that have asked to leave are let go by ending their connections; known when all has been read. */
export function letGo(facts: Reading): void {
  for (const node of facts.nodes) {
    const asked = node.attributes["shutdown"] ?? "0";
    if (node.remote === undefined || node.kind === "member" || asked === "0" || asked === "") continue;
    node.shutdown = true;
    node.remote.nextRole = ROLE.stopped;
  }
}
