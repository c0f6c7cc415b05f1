/**
 * Probes: what is not known to be stopped may be running. Every resource is looked for on every node where nothing
 * is recorded of it, before it is started anywhere.
 * Facts: Pacemaker Explained, "Cluster Options" (enable-startup-probes), "Location Properties" (resource-discovery).
 */
import type { Node, Resource } from "../facts/model.ts";
import { isKnownOn, primitivesOf } from "../facts/model.ts";
import { isFencingClass } from "../facts/read-resources.ts";
import { ROLE } from "../facts/values.ts";
import { assignedOf, isCutOff, isUnclean } from "../place/board.ts";
import { type PlanDraft, step } from "./draft.ts";
import type { Placed, Step } from "./plan.ts";

const TARGET_NOT_RUNNING = 7;
const TARGET_PROMOTED = 8;

function isDiscoverable(plan: PlanDraft, resource: Resource, node: Node): boolean {
  // Where a bundle may be looked for is said of its containers; the rest follows them.
  for (let each: Resource | undefined = resource; each !== undefined && each.kind !== "bundle"; each = each.parent) {
    const modes = plan.board.discovery[each.index];
    if (modes === undefined) continue;
    const mode = modes.get(node);
    if (mode === "never") return false;
    if (mode !== "exclusive" && plan.board.exclusively[each.index] === true) return false;
  }
  return true;
}

/** Nodes of other kinds can be looked at only for what could run there. */
function isPlausible(plan: PlanDraft, resource: Resource, node: Node): boolean {
  if (node.kind === "member") return true;
  if (isFencingClass(resource.class) || resource.remoteNodeName !== undefined) return false;
  // No guest is looked for within a guest.
  if (node.kind === "guest" && resource.isContainer) return false;
  return plan.board.nodes.includes(node);
}

function probe(plan: PlanDraft, resource: Resource, node: Node): Step | undefined {
  if (resource.kind === "group") {
    for (const member of resource.children) probe(plan, member, node);
    return undefined;
  }
  if (resource.kind !== "primitive") return undefined;
  if (isKnownOn(resource, node) || resource.removed) return undefined;
  if (isContained(resource) && !node.inBundle) return undefined;
  if (!isPlausible(plan, resource, node) || !isDiscoverable(plan, resource, node)) return undefined;
  if (node.kind === "guest" && !node.inBundle && resource.container === node.remote?.container) return undefined;
  const runsHere = resource.runningOn.includes(node);
  const codeHere = resource.role === ROLE.promoted ? TARGET_PROMOTED : 0;
  const expectedCode = runsHere ? codeHere : TARGET_NOT_RUNNING;
  return step(plan, {
    resource,
    node,
    operation: "monitor",
    wanted: true,
    reason: "probe",
    expectedCode,
    meta: { op_target_rc: String(expectedCode) },
    possible: (node.online || isComing(plan, node)) && !node.pending && !isCutOff(plan.board, node),
  });
}

/** What lives in a container is looked for by the container; its connection is looked for as anything else. */
function isContained(resource: Resource): boolean {
  return resource.container !== undefined && resource.remoteNodeName === undefined;
}

/** A remote node that will be connected in this very transition can be looked at behind that. */
function isComing(plan: Placed, node: Node): boolean {
  const { remote: connection } = node;
  if (connection === undefined || assignedOf(plan.board, connection) === undefined) return false;
  // In a container that is only now started nothing can be running yet.
  return connection.container === undefined || (connection.container.runningOn.length > 0 && !node.remoteRequiresReset);
}

/**
 * Of an anonymous clone, one look per node is enough: at the instance of which the node has told anything, else at the
 * one that will be there.
 */
function probeClone(plan: PlanDraft, clone: Resource, node: Node): void {
  if (clone.unique) {
    for (const instance of clone.children) probe(plan, instance, node);
    return;
  }
  const isTold = (instance: Resource) => primitivesOf(instance).some(({ knownOn }) => knownOn.has(node));
  const chosen =
    clone.children.find(isTold) ??
    clone.children.find((instance) => assignedOf(plan.board, instance) === node) ??
    clone.children[0];
  if (chosen !== undefined) probe(plan, chosen, node);
}

/** Addresses, containers and connections are looked for; what is inside only inside of its own container. */
function probeBundle(plan: PlanDraft, bundle: Resource, node: Node): void {
  for (const { ip, container, remote, child, node: inside } of bundle.replicas) {
    if (node === inside && child !== undefined) probe(plan, child, node);
    if (node.kind === "guest") continue;
    if (ip !== undefined) probe(plan, ip, node);
    probe(plan, container, node);
    if (remote === undefined) continue;
    const looked = probe(plan, remote, node);
    // Without the container there is nothing to be connected to: the look is wanted and cannot be.
    const isThere = container.runningOn.length > 0 || assignedOf(plan.board, container) !== undefined;
    if (looked !== undefined && !isThere) step(plan, { resource: remote, node, operation: "monitor", possible: false });
  }
}

/**
 * A guest that ends, or begins anew elsewhere with its container, is not looked at any more; a remote node, which runs
 * on without its connection, is for as long as it is connected, unless nobody knows it any longer.
 */
function isGivenUp({ board }: Placed, { kind, remote: connection }: Node): boolean {
  if (connection === undefined) return false;
  const { container } = connection;
  const isUp = container !== undefined && container.runningOn.length > 0;
  const place = container === undefined ? undefined : assignedOf(board, container);
  if (isUp && (place === undefined || !container.runningOn.includes(place))) return true;
  return (kind === "guest" || connection.removed) && assignedOf(board, connection) === undefined;
}

/** Whether anything is looked for on the node at all. */
function isLookedAt(plan: Placed, node: Node): boolean {
  if (node.kind === "ping" || !(node.online || node.pending || isComing(plan, node))) return false;
  if (isGivenUp(plan, node)) return false;
  return !isUnclean(plan.board, node) && !node.remoteRequiresReset && node.discoverResources;
}

/** Whether anything is looked for anywhere. */
export function isProbing(plan: Placed): boolean {
  return plan.facts.options.probes && plan.facts.nodes.some((node) => isLookedAt(plan, node));
}

/** Probes for all resources, node by node. */
export function planProbes(plan: PlanDraft): void {
  const { facts } = plan;
  if (!facts.options.probes) return;
  for (const node of facts.nodes) {
    if (!isLookedAt(plan, node)) continue;
    for (const resource of plan.board.order) {
      if (node.inBundle && resource.kind !== "bundle") continue;
      if (resource.kind === "clone") probeClone(plan, resource, node);
      else if (resource.kind === "bundle") probeBundle(plan, resource, node);
      else probe(plan, resource, node);
    }
  }
}
