/**
 * Fencing: which nodes, what that implies for what was on them, and who must wait for it.
 * Silence is no proof of a stop: only a fencing makes a stop on a lost node true.
 * Facts: Pacemaker Explained, "Fencing", "Resource Meta-Attributes" (requires), "Cluster Options"
 * (concurrent-fencing); crm_simulate as a black box.
 */
import { mayFence } from "../facts/may-fence.ts";
import type { Facts, Node, Resource } from "../facts/model.ts";
import { isKnownOn, topOf } from "../facts/model.ts";
import { type Board, isConnected, isCutOff, isOutOfReach, isUnclean } from "../place/board.ts";
import { link, type PlanDraft, step } from "./draft.ts";
import { isProbe, type Placed, type Step, stepsOf } from "./plan.ts";

/** Whether this partition may fence the node. */
export const canFence = ({ facts }: Placed, node: Node): boolean => mayFence(facts, node);

function isFenced(plan: Placed, node: Node): boolean {
  return node.kind !== "ping" && isUnclean(plan.board, node) && canFence(plan, node);
}

/** The nodes that this transition takes down; what is to end there ends with them. */
export function nodesGoingDown(facts: Facts, board: Board): ReadonlySet<Node> {
  const plan = { facts, board };
  return new Set(facts.nodes.filter((node) => isFenced(plan, node) || isGuestFenced(plan, node)));
}

export function fenceStep(plan: PlanDraft, node: Node, reason: string): Step {
  const { fencingAction } = plan.facts.options;
  const key = `stonith-${node.name}-${fencingAction}`;
  const fence = { kind: "fence", fenceKind: fencingAction, meta: { stonith_action: fencingAction } } as const;
  return step(plan, { node, operation: "stonith", key, wanted: true, reason, ...fence });
}

function isProtected({ resource }: Step): boolean {
  // A connection touches nothing that could be harmed.
  if (resource?.remoteNodeName !== undefined) return false;
  return resource?.requires === "fencing" || resource?.requires === "unfencing";
}

/** With its guest everything goes down, whatever it requires: the recovery of the container needs no device. */
function isInGuest({ resource }: Step): boolean {
  return resource !== undefined && resource.remoteNodeName === undefined;
}

/** What the fencing makes true (draft.ts) comes after it. */
function linkImplied(plan: PlanDraft, fence: Step, node: Node): void {
  for (const list of plan.byResource)
    for (const each of list) {
      if (each.node !== node || (each.operation !== "stop" && each.operation !== "demote") || !each.implied) continue;
      // What needs no fencing (a fencing device itself) may be taken for stopped at once; and the stop of a bundle's
      // container, which is how its node is fenced, waits for the demotions of the bundle itself.
      const follows = node.kind === "guest" ? isInGuest(each) : isProtected(each);
      if (follows && (!node.inBundle || each.operation === "stop")) link(plan, fence, each);
      if (each.wanted && each.operation === "stop" && follows)
        for (const stop of lastStopOf(plan, each.resource)) link(plan, fence, stop);
    }
}

/**
 * A node that is still there might go on stopping things itself: the whole waits with the part, and of what is active
 * in several places the last one waits.
 */
function lastStopOf(plan: PlanDraft, resource: Resource | undefined): readonly Step[] {
  return resource === undefined ? [] : stepsOf(plan, topOf(resource), "stop").slice(-1);
}

function mustWait(resource: Resource, start: Step, target: Node): boolean {
  // Into a bundle's containers nothing goes but its own.
  if (target.inBundle && start.needs !== "fencing") return false;
  if (start.needs === "fencing") return true;
  if (start.needs !== "quorum" || start.operation !== "start") return false;
  // An instance of a plain clone is known where any of them is; the member of a cloned group must be known itself.
  const isPlainInstance = resource.parent?.kind === "clone";
  return !(isPlainInstance ? isKnownOn(resource, target) : resource.knownOn.has(target));
}

/** Nothing that may still be active on the target starts before it is down. */
function holdStarts(plan: PlanDraft, fence: Step, target: Node): void {
  for (const resource of plan.facts.resources) {
    if (resource.kind !== "primitive") continue;
    for (const operation of ["start", "promote"])
      for (const start of stepsOf(plan, resource, operation))
        if (start.node !== undefined && mustWait(resource, start, target))
          link(plan, fence, start, { needsFirst: true });
  }
}

/** What may run on a remote node that is cut off, and cannot be looked for: only its fencing makes it known. */
function isOfUnknownState(plan: PlanDraft, node: Node): boolean {
  const isGivenUp = isCutOff(plan.board, node) && isConnected(plan.board, node) === false;
  if (!isGivenUp || !canFence(plan, node)) return false;
  return plan.steps.some((each) => isProbe(each) && each.node === node && each.wanted);
}

/** All fencing of this transition. */
export function planFencing(plan: PlanDraft): readonly Step[] {
  const { facts } = plan;
  const fences: Step[] = [];
  for (const node of new Set([...facts.toFence, ...facts.nodes])) {
    const isUnknown = isOfUnknownState(plan, node);
    if (!isFenced(plan, node) && !isUnknown) continue;
    const state = isOutOfReach(plan.board, node) ? "active but" : isUnknown ? "in unknown state and" : undefined;
    const lost = state === undefined ? undefined : `resources are ${state} connection is unrecoverable`;
    const fence = fenceStep(plan, node, lost ?? node.fenceReasons[0] ?? "node is unclean");
    linkImplied(plan, fence, node);
    holdStarts(plan, fence, node);
    // What a lost connection says may be forgotten once the node is known to be down.
    for (const each of plan.steps)
      if (each.operation === "clear_failcount" && each.resource?.remoteNodeName === node.name) link(plan, fence, each);
    fences.push(fence);
  }
  orderFences(plan, fences);
  for (const node of facts.nodes) fenceGuest(plan, node);
  return fences;
}

/** Stopping the container of a guest whose host is lost is the fencing of that host. */
function isGuestFenced(plan: Placed, { kind, remote, remoteRequiresReset }: Node): boolean {
  if (kind !== "guest" || remote?.container === undefined || !remoteRequiresReset) return false;
  return !remote.container.runningOn.some((host) => host.unclean && !canFence(plan, host));
}

/**
 * A guest is fenced by stopping its container: no device is asked, but everything waits as for any fencing. A container
 * that stays down is told as off (crm_simulate as a black box).
 */
function fenceGuest(plan: PlanDraft, node: Node): void {
  const container = node.remote?.container;
  if (container === undefined || !isGuestFenced(plan, node)) return;
  // Where the container is down already, the end of the connection says that the guest is.
  const own = stepsOf(plan, container, "stop").filter(({ wanted }) => wanted);
  const stops = own.length > 0 ? own : stepsOf(plan, node.remote ?? container, "stop");
  const isDown = own.length === 0;
  const returns = stepsOf(plan, container, "start").some((start) =>
    isDown ? start.node !== undefined : start.wanted && start.possible,
  );
  const fenceKind = returns ? "reboot" : "off";
  const key = `stonith-${node.name}-${fenceKind}`;
  const fence = step(plan, {
    node,
    operation: "stonith",
    key,
    kind: "pseudo",
    wanted: true,
    reason: "guest is unclean",
    fenceKind,
  });
  for (const stop of stops) link(plan, stop, fence);
  linkImplied(plan, fence, node);
  holdStarts(plan, fence, node);
}

/**
 * In the order of the nodes; the DC goes last, for nobody else would carry out the rest; without concurrency one after
 * the other.
 */
function orderFences(plan: PlanDraft, fences: readonly Step[]): void {
  const inOrder = fences.toSorted((a, b) => (a.node?.index ?? 0) - (b.node?.index ?? 0));
  const dc = fences.find(({ node }) => node?.isDc === true);
  const others = inOrder.filter((fence) => fence !== dc);
  if (plan.facts.options.concurrentFencing) {
    if (dc !== undefined) for (const other of others) link(plan, other, dc);
    return;
  }
  const chain = dc === undefined ? others : [...others, dc];
  chain.forEach((fence, index) => {
    const previous = chain[index - 1];
    if (previous !== undefined) link(plan, previous, fence);
  });
}
