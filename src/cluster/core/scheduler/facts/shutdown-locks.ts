/**
 * Shutdown locks: what ran on a node that was shut down in order waits for that node, and is recovered nowhere else.
 * A lock begins while the node still leaves, is written with the record of the stop, and ends with its limit or as soon
 * as the resource runs again.
 * Facts: Pacemaker Explained, "Cluster Options" (shutdown-lock, shutdown-lock-limit: what is never locked);
 * crm_simulate as a black box (a lock that runs out while its node leaves begins anew, one of what runs does not).
 */
import type { Facts, Node, Resource } from "./model.ts";
import { isFencingClass } from "./read-resources.ts";

const isLeaving = ({ shutdown, online, unclean }: Node) => shutdown && online && !unclean;

/** A group may be locked, for it is but its members; an instance may not, nor what other nodes are reached by. */
function canBeLocked({ kind, class: agentClass, remoteNodeName, parent }: Resource): boolean {
  const isPlain = parent === undefined || (parent.kind === "group" && parent.parent === undefined);
  return kind === "primitive" && isPlain && !isFencingClass(agentClass) && remoteNodeName === undefined;
}

/** A recorded lock that says nothing any more: its record is to be deleted. */
export function endedLock({ lock, runningOn }: Resource): Node | undefined {
  return lock !== undefined && (lock.isExpired || runningOn.length > 0) ? lock.node : undefined;
}

/** The only node on which the resource may start, and since when that is so. */
export interface Lock {
  readonly node: Node;
  readonly sinceSeconds: number;
}

export function lockOf({ options, nowSeconds }: Facts, resource: Resource): Lock | undefined {
  if (!options.shutdownLock) return undefined;
  const { lock, runningOn } = resource;
  if (lock !== undefined && !lock.isExpired) return runningOn.length > 0 ? undefined : lock;
  const [only, ...others] = runningOn;
  if (only === undefined || others.length > 0 || !canBeLocked(resource) || !isLeaving(only)) return undefined;
  // Somebody may have written a word there; the time of the wish to leave is what our own members write.
  const asked = Number.parseInt(only.attributes["shutdown"] ?? "", 10);
  return { node: only, sinceSeconds: asked > 0 ? asked : nowSeconds };
}

/** The lock that an action of the resource on that node is told of. */
export function lockOn(facts: Facts, resource: Resource, node: Node | undefined): Lock | undefined {
  const lock = lockOf(facts, resource);
  return lock !== undefined && lock.node === node ? lock : undefined;
}
