/**
 * That a resource is active on a node, whoever tells it: the node's own record, or that of one that handed it over.
 * A node in maintenance takes it out of the cluster's hands, and so may its being active on more nodes than one.
 * Facts: Pacemaker Explained, "Resource Meta-Attributes" (multiple-active); crm_simulate as a black box.
 */
import type { NodeDraft, ResourceDraft } from "./draft.ts";
import { primitivesOf } from "./model.ts";

function isBlocking(resource: ResourceDraft): boolean {
  return resource.multiplyActive === "block";
}

/** Adds a node where it is active; more nodes than one may be an error of their own. */
export function addRunning(resource: ResourceDraft, node: NodeDraft): void {
  if (resource.runningOn.includes(node)) return;
  resource.runningOn.push(node);
  const nodeMatters = node.maintenance && !node.standbyOnFail;
  if (nodeMatters) resource.managed = false;
  if (resource.removed && !resource.managed) return;
  if (resource.runningOn.length <= 1 || !resource.managed) return;
  const migrating = resource.migrationSource !== undefined && resource.migrationTarget !== undefined;
  if (resource.kind !== "primitive" || migrating) return;
  if (!isBlocking(resource)) return;
  resource.managed = false;
  resource.blocked = true;
  // A group cannot be half blocked.
  const group = resource.parent;
  if (group?.kind === "group" && isBlocking(group))
    for (const member of primitivesOf(group)) {
      member.managed = false;
      member.blocked = true;
    }
}
