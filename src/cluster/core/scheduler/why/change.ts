/**
 * What would move a resource to a node: the smallest change that does, found by asking the scheduler. Where none is
 * found, why: some things run in some places whatever anyone configures.
 */
import { childOf, type XmlElement, xml } from "../../../../base/xml.ts";
import { INFINITY_SCORE } from "../../../../cib/schema/values.ts";
import type { Facts, Node, Resource } from "../facts/model.ts";
import { cloneOf, isWithin, topOf } from "../facts/model.ts";
import { isFencingClass } from "../facts/read-resources.ts";
import { hostsGuest } from "../place/base-scores.ts";
import { assignedOf } from "../place/board.ts";
import type { Worked } from "../worked.ts";
import { type Conclusion, isHeldBackOn, type NodeVerdict } from "./conclusion.ts";
import { type Candidate, type CitedFact, type FactKind, STATES, without } from "./fact.ts";
import { ask, concludeFor, type Inquiry, plain, smallest } from "./inquiry.ts";

/** Where it is not, or not in that role. */
export interface Goal {
  readonly node: string;
  readonly role?: "Promoted";
}

/** A change after which the resource would be there: both parts together, where there are both. */
export interface Change extends Goal {
  readonly remove: readonly CitedFact[];
  readonly prefer?: Preference;
}

/** A location constraint: of the group or clone that the resource is part of, which goes as a whole. */
export interface Preference {
  readonly resource: string;
  readonly score: number;
  readonly role?: "Promoted";
}

/** Why no change moves it there. */
export type Obstacle = Goal &
  (
    | {
        readonly kind: "bundle-node" | "members-only" | "not-configured" | "no-quorum" | "no-connection" | "none-found";
      }
    | { readonly kind: "inside-bundle"; readonly bundle: string }
    | { readonly kind: "like-instance"; readonly instance: string }
    | { readonly kind: "connection-down"; readonly connection: string }
  );

/** Of those that it must be with, how many are tried as what is to be preferred. */
const COMPANY_MAX = 4;

/** The CIB with one more location constraint. */
export function preferring(cib: XmlElement, node: string, { resource, score, role }: Preference): XmlElement {
  const attributes = { id: "gemel-why", rsc: resource, node, score: String(score) };
  const constraint = xml("rsc_location", role === undefined ? attributes : { ...attributes, role });
  const configuration = childOf(cib, "configuration") ?? xml("configuration");
  const constraints = childOf(configuration, "constraints") ?? xml("constraints");
  const added = { ...constraints, children: [...constraints.children, constraint] };
  const others = configuration.children.filter(({ name }) => name !== "constraints");
  const changed = { ...configuration, children: [...others, added] };
  return { ...cib, children: cib.children.map((child) => (child === configuration ? changed : child)) };
}

/**
 * Whether it is there, in that role, and neither its start nor its promotion is held back. Nothing is on a node that is
 * gone.
 */
export function isReached(after: Conclusion, { node, role }: Goal): boolean {
  const isThere = ({ roles }: NodeVerdict) => (role === undefined ? roles.length > 0 : roles.includes(role));
  return after.nodes.some((each) => each.node === node && isThere(each)) && !isHeldBackOn(after, node, role);
}

/** It, and whom it must be with, however far: where one of them is preferred, all of them go. */
export function movedWith({ colocations }: Facts, targets: readonly Resource[]): readonly string[] {
  const reached = new Set(targets.map((each) => topOf(each, true)));
  for (const whole of reached) {
    for (const { dependent, primary, score } of colocations)
      if (score >= INFINITY_SCORE && isWithin(dependent, whole)) reached.add(topOf(primary, true));
    if (whole.container !== undefined) reached.add(topOf(whole.container, true));
  }
  return [...new Set([...reached].map(({ baseId }) => baseId))].slice(0, 1 + COMPANY_MAX);
}

/** How a change is looked for. */
interface Search {
  readonly inquiry: Inquiry;
  readonly goal: Goal;
  /** What may be preferred, itself first. */
  readonly movable: readonly string[];
}

function isBrought({ inquiry, goal }: Search, removed: readonly Candidate[], prefer?: Preference): boolean {
  const cib = without(inquiry.cib, removed);
  const asked = prefer === undefined ? cib : preferring(cib, goal.node, prefer);
  const after = concludeFor(asked, inquiry);
  return after !== undefined && isReached(after, goal);
}

/** The scores that may be enough to prefer a node: one more than where it is now, or all that there is. */
function enoughFor({ node, role }: Goal, { nodes }: Conclusion): readonly number[] {
  const own = nodes.find((each) => each.node === node);
  if (own === undefined) return [];
  const worth = (each: NodeVerdict) => (role === undefined ? each.score : each.promotion) ?? 0;
  const chosen = nodes.filter(({ roles }) => (role === undefined ? roles.length > 0 : roles.includes(role))).map(worth);
  // Where it is not in question, the preference itself brings the node into question.
  const exact = Math.max(0, ...chosen) - worth(own) + 1;
  return exact < INFINITY_SCORE ? [exact, INFINITY_SCORE] : [INFINITY_SCORE];
}

/** The lowest preference that brings it there once `removed` is gone. */
function preferenceFor(search: Search, removed: readonly Candidate[]): Preference | undefined {
  const { inquiry, goal, movable } = search;
  const base = removed.length === 0 ? inquiry.base : ask(inquiry, removed);
  const own = base.nodes.find((each) => each.node === goal.node);
  if (own === undefined || ((own.score ?? 0) < -INFINITY_SCORE / 2 && movable.length === 1)) return undefined;
  const role = goal.role === undefined ? {} : { role: goal.role };
  for (const [at, resource] of movable.entries()) {
    const alone = at === 0 ? base : concludeFor(without(inquiry.cib, removed), { ...inquiry, name: resource });
    for (const score of alone === undefined ? [] : enoughFor(goal, alone)) {
      const prefer = { resource, score, ...role };
      if (isBrought(search, removed, prefer)) return prefer;
    }
  }
  return undefined;
}

/** What an operator can do something about: what has happened has happened, but a failure can be cleaned up. */
const isInHand = ({ kind, values }: Candidate) =>
  kind !== "resource" && kind !== "no-quorum" && (kind !== "operation" || !STATES.has(values["code"] ?? ""));

/** A setting with many effects: whoever wants the resource elsewhere would rather say so. */
const ROUNDABOUT: ReadonlySet<FactKind> = new Set([
  "option",
  "default",
  "meta",
  "utilization",
  "node-capacity",
  "promotion-score",
]);
const isRoundabout = ({ kind }: Candidate) => ROUNDABOUT.has(kind);

/** Of the settings those that keep something where it is, or from being anywhere. */
const HOLDING: ReadonlySet<string> = new Set([
  "resource-stickiness",
  "migration-threshold",
  "is-managed",
  "maintenance",
  "maintenance-mode",
  "target-role",
  "stop-all-resources",
]);
const isHolding = (fact: Candidate) => !isRoundabout(fact) || HOLDING.has(fact.values["name"] ?? "");

/**
 * First what is known of the node itself. Taken away, all together let in what any of them keeps out; but some keep
 * everything going: then it is looked for without those.
 */
function partsOf(
  node: string,
  grounds: readonly Candidate[],
  candidates: readonly Candidate[],
): readonly (readonly Candidate[])[] {
  const all = candidates.filter(isInHand);
  const isClusterWide = ({ kind }: Candidate) => kind === "option" || kind === "default";
  const narrowed = (part: readonly Candidate[]) => [
    part,
    part.filter((fact) => !isRoundabout(fact)),
    part.filter(isHolding),
    part.filter((fact) => !isClusterWide(fact)),
  ];
  const here = all.filter(({ values }) => values["node"] === node);
  return [here, ...narrowed(grounds), ...narrowed(all)].filter((part) => part.length > 0);
}

/** As few facts as will do, with a preference or without. */
function changeByMany(search: Search, parts: readonly (readonly Candidate[])[]): Change | undefined {
  const { goal } = search;
  const enough = parts.find((part) => isBrought(search, part));
  if (enough !== undefined) return { ...goal, remove: smallest(enough, (part) => isBrought(search, part)).map(plain) };
  for (const part of parts) {
    const prefer = preferenceFor(search, part);
    if (prefer === undefined) continue;
    const removed = smallest(part, (rest) => isBrought(search, rest, prefer));
    return { ...goal, remove: removed.map(plain), prefer: preferenceFor(search, removed) ?? prefer };
  }
  return undefined;
}

/**
 * The smallest change: one ground to take away, or one preference, or one of each, or else as few facts as will do.
 * What is not cited may stand in the way all the same (where it is now, it would be anyway): it is looked at last.
 */
export function changeFor(
  inquiry: Inquiry,
  movable: readonly string[],
  goal: Goal,
  grounds: readonly (readonly Candidate[])[],
  candidates: readonly Candidate[],
): Change | undefined {
  const search: Search = { inquiry, goal, movable };
  const own = grounds.filter((ground) => ground.every(isInHand));
  const brings = (part: readonly Candidate[]) => isBrought(search, part);
  const enoughOf = (part: readonly (readonly Candidate[])[]): Change | undefined => {
    const enough = part.find(brings);
    return enough === undefined ? undefined : { ...goal, remove: smallest(enough, brings).map(plain) };
  };
  const preferred = (removed: readonly Candidate[]): Change | undefined => {
    const prefer = preferenceFor(search, removed);
    return prefer === undefined ? undefined : { ...goal, remove: removed.map(plain), prefer };
  };
  const simple =
    enoughOf(own.filter((ground) => !ground.every(isRoundabout))) ??
    preferred([]) ??
    enoughOf(own.filter((ground) => ground.every(isRoundabout)));
  if (simple !== undefined) return simple;
  for (const removed of own) {
    const change = preferred(removed);
    if (change !== undefined) return change;
  }
  return changeByMany(search, partsOf(goal.node, own.flat(), candidates));
}

/** What a bundle runs in the place of this, if it is part of a replica, in another replica. */
function likeOf(target: Resource): readonly Resource[] {
  const bundle = target.parent;
  if (bundle?.kind !== "bundle" || bundle.instanceNodeMax > 1) return [];
  const own = bundle.replicas.find((each) => [each.ip, each.container, each.remote].includes(target));
  return bundle.replicas.flatMap((each) => (own === undefined || each === own ? [] : [each.container]));
}

/** Why it cannot be there whatever anyone configures: nothing need be tried. */
export function barrierFor({ facts, board }: Worked, targets: readonly Resource[], goal: Goal): Obstacle | undefined {
  const node = facts.nodeByName.get(goal.node);
  if (targets.every(({ removed }) => removed)) return { ...goal, kind: "not-configured" };
  if (node === undefined) return undefined;
  if (targets.every((each) => isKeptOut(each, node))) return { ...goal, kind: "bundle-node" };
  if (node.kind !== "member" && targets.every(isForMembers)) return { ...goal, kind: "members-only" };
  const bundle = targets[0] === undefined ? undefined : cloneOf(targets[0])?.parent;
  if (bundle?.kind === "bundle" && bundle.replicas.every((replica) => replica.node !== node))
    return { ...goal, kind: "inside-bundle", bundle: bundle.baseId };
  // Of replicas that are alike no host has two, and it is all one which of them is where.
  const like = targets.flatMap(likeOf).find((each) => assignedOf(board, each) === node);
  return like === undefined ? undefined : { ...goal, kind: "like-instance", instance: like.id };
}

/** What is said of a node for which no change was found. */
export function obstacleFor({ nodeByName, options }: Facts, goal: Goal): Obstacle {
  const node = nodeByName.get(goal.node);
  if (node?.remote !== undefined && (!node.online || node.shutdown))
    return { ...goal, kind: "connection-down", connection: node.remote.baseId };
  if (node?.kind === "remote" && node.remote === undefined) return { ...goal, kind: "no-connection" };
  return { ...goal, kind: options.quorate ? "none-found" : "no-quorum" };
}

/** Into a bundle's container nobody goes but what that bundle runs inside. */
function isKeptOut(resource: Resource, node: Node): boolean {
  if (!node.inBundle) return false;
  const bundle = cloneOf(resource)?.parent;
  return bundle?.kind !== "bundle" || bundle.replicas.every((replica) => replica.node !== node);
}

function isForMembers(resource: Resource): boolean {
  return isFencingClass(resource.class) || resource.remoteNodeName !== undefined || hostsGuest(resource);
}
