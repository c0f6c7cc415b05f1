/**
 * Which resource a recorded id means. Instances of anonymous clones are recorded without a number that lasts, so the
 * record of a node is given to the instance that is already known there, else to a free one, else to a new one.
 * Fact: Pacemaker Explained, "Anonymous versus Unique Clones".
 */
import type { NodeDraft, Reading, ResourceDraft } from "./draft.ts";
import { primitivesOf } from "./model.ts";
import { addInstance } from "./read-resources.ts";

const NUMBERED = /^(.*):\d+$/;

function cloneAbove(resource: ResourceDraft): ResourceDraft | undefined {
  for (let up = resource.parent; up !== undefined; up = up.parent) if (up.kind === "clone") return up;
  return undefined;
}

function memberOf(instance: ResourceDraft, baseId: string): ResourceDraft | undefined {
  return primitivesOf(instance).find((member) => member.baseId === baseId);
}

function isHere(resource: ResourceDraft, node: NodeDraft): boolean {
  return resource.runningOn.includes(node);
}

function findAnonymous(
  facts: Reading,
  node: NodeDraft,
  clone: ResourceDraft,
  baseId: string,
): ResourceDraft | undefined {
  let free: ResourceDraft | undefined;
  for (const instance of clone.children) {
    const member = memberOf(instance, baseId);
    if (member === undefined) continue;
    const members = primitivesOf(instance);
    if (members.some((each) => isHere(each, node))) {
      if (!isHere(member, node)) return member;
      // Active twice on one node: the second one cannot be any of the instances that are due.
      free = undefined;
      break;
    }
    const busy = members.some((each) => each.runningOn.length > 0 || each.pendingNode !== undefined);
    if (!busy) free ??= member;
  }
  if (free !== undefined && !isPresumed(facts, clone, free, node)) return free;
  const extra = addInstance(facts, clone, true);
  return extra === undefined ? undefined : memberOf(extra, baseId);
}

/**
 * What needs no fencing may be started elsewhere before the lost node is fenced: then the instance that is presumed to
 * run there must not use up one of those that are due.
 */
function isPresumed({ nodes }: Reading, clone: ResourceDraft, member: ResourceDraft, node: NodeDraft): boolean {
  if (member.requires === "fencing" || member.requires === "unfencing") return false;
  const members = nodes.filter(({ kind }) => kind !== "ping").length;
  return node.unclean && node.kind !== "guest" && clone.instanceMax < members;
}

/** The resource that a recorded id on a node means; `undefined` when it is no longer configured. */
export function findInstance(facts: Reading, node: NodeDraft, id: string): ResourceDraft | undefined {
  const numbered = NUMBERED.exec(id);
  const exact = facts.byId.get(id);
  if (exact !== undefined && exact.kind !== "primitive") return undefined;
  const candidate =
    exact ?? facts.byId.get(`${id}:0`) ?? (numbered === null ? undefined : facts.byId.get(numbered[1] ?? ""));
  const base = candidate ?? (numbered === null ? undefined : facts.byId.get(`${numbered[1]}:0`));
  if (base === undefined) return undefined;
  const clone = cloneAbove(base);
  if (clone === undefined) return exact;
  if (clone.parent?.kind === "bundle") return findBundled(clone, node, base.baseId);
  if (clone.unique) return exact;
  return findAnonymous(facts, node, clone, base.baseId);
}

/** Inside of a bundle the node itself names the replica. */
function findBundled(clone: ResourceDraft, node: NodeDraft, baseId: string): ResourceDraft | undefined {
  const replica = clone.parent?.replicas.find((each) => each.node === node);
  return replica?.child !== undefined && replica.child.baseId === baseId ? replica.child : undefined;
}
