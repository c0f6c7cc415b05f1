/**
 * Unfencing: where a device must let a node in before its resources may touch what it guards; and again, when the
 * device is another one than the node was let in by. What needs it and runs there is stopped before and started after.
 * Facts: Pacemaker Explained, "Unfencing" (`provides="unfencing"`, node attributes #node-unfenced, #digests-all and
 * #digests-secure); crm_simulate as a black box.
 */
import { entryOf } from "../../../../base/record.ts";
import { type DeviceDigests, deviceDigests } from "../facts/digests.ts";
import type { Facts, Node, Resource } from "../facts/model.ts";
import { isFencingClass } from "../facts/read-resources.ts";
import { link, type PlanDraft, step, want } from "./draft.ts";
import { isProbe, type Step } from "./plan.ts";

const CHANGED = "Device parameters changed";

const someNeedIt = ({ resources }: Facts) => resources.some(({ requires }) => requires === "unfencing");

function isLetIn(node: Node): boolean {
  const since = node.attributes["#node-unfenced"];
  return since !== undefined && since !== "0" && since !== "";
}

function needsUnfencing({ resource }: Step): boolean {
  return resource?.kind === "primitive" && resource.requires === "unfencing";
}

/** A device, too, may use the paths that are opened. */
function waits(each: Step, node: Node): boolean {
  if (each.node !== node || each.resource === undefined) return false;
  if (!needsUnfencing(each) && !isFencingClass(each.resource.class)) return false;
  return isProbe(each) || each.operation === "start";
}

interface Digested {
  readonly device: Resource;
  readonly digests: DeviceDigests;
}

const digestEntry = ({ device }: Digested, digest: string) => `${device.id}:${device.type}:${digest}`;

/** What the node was let in by; a node that keeps no digests was let in before any were kept. */
function isStale(node: Node, devices: readonly Digested[]): boolean {
  const kept = (name: string) => entryOf(node.attributes, name)?.split(",");
  const all = kept("#digests-all");
  const secure = kept("#digests-secure");
  return devices.some((each) => {
    if (all === undefined || all.includes(digestEntry(each, each.digests.all))) return false;
    return !(each.digests.isMasked && secure?.includes(digestEntry(each, each.digests.secure)) === true);
  });
}

function planFor(plan: PlanDraft, node: Node, hasChanged: boolean): void {
  const { facts, steps } = plan;
  const waiting = steps.filter((each) => waits(each, node));
  const first = waiting[0];
  const devices = facts.unfencers.map((device) => ({ device, digests: deviceDigests(facts, device, node) }));
  let reason: string;
  if (hasChanged) reason = CHANGED;
  else if (first !== undefined && !isLetIn(node)) reason = `required by ${first.resource?.id} ${first.operation}`;
  else if ((first !== undefined || someNeedIt(facts)) && isStale(node, devices)) reason = CHANGED;
  else return;
  // With these the node is told apart from one that was let in by other devices, or by the same ones as they were.
  const digests = (kind: "all" | "secure") =>
    devices.map((each) => `${digestEntry(each, each.digests[kind])},`).join("");
  const on = step(plan, {
    node,
    operation: "stonith",
    key: `stonith-${node.name}-on`,
    kind: "fence",
    fenceKind: "on",
    wanted: true,
    reason,
    meta: { stonith_action: "on", digests_all: digests("all"), digests_secure: digests("secure") },
  });
  for (const each of waiting) {
    link(plan, on, each, { needsFirst: true });
    if (!isProbe(each) && each.managed) want(plan, each, "required stonith");
  }
  for (const each of steps)
    if (each.node === node && each.operation === "stop" && needsUnfencing(each)) link(plan, each, on);
}

/**
 * One `on` for each node that nobody has let in since it came up, or not by its devices as they are now. `changed`:
 * nodes on which such a device runs that was started with other parameters.
 */
export function planUnfencing(plan: PlanDraft, changed: ReadonlySet<Node>): void {
  const { options, unfencers } = plan.facts;
  if (!options.fencingEnabled || (unfencers.length === 0 && !someNeedIt(plan.facts))) return;
  for (const node of plan.facts.nodes)
    if (node.kind !== "guest" && node.kind !== "ping" && node.online && !node.unclean)
      planFor(plan, node, changed.has(node));
}
