/**
 * Whether this partition may fence a node at all: by its devices, by quorum, and by how the node is held.
 * Facts: Pacemaker Explained, "Cluster Options" (no-quorum-policy); crm_simulate as a black box.
 */
import { heldBack } from "./hold-back.ts";
import type { Known, Node } from "./model.ts";

type Fencers = Pick<Known, "options" | "resources">;

/** As long as nothing is managed (maintenance), there is nothing for whose sake a node would have to go. */
function hasManaged({ resources }: Fencers): boolean {
  return resources.some(({ kind, managed }) => kind === "primitive" && managed);
}

export function mayFence(facts: Fencers, node: Node): boolean {
  const { options } = facts;
  if (!options.fencingEnabled || !heldBack(facts).canProtect || !hasManaged(facts)) return false;
  if (node.kind === "guest" || (node.kind === "remote" && node.remote === undefined)) return false;
  if (options.quorate || options.noQuorumPolicy === "ignore") return true;
  // What nodes of our own side hold by a connection that has failed is as much ours as they are.
  return node.online || node.remote?.runningOn.some((host) => host.online && !host.unclean) === true;
}
