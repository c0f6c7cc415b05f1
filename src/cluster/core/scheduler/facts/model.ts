/**
 * The facts that a decision rests on: nodes, resources with what is known of their state, constraints, tickets.
 * A value: made once, by the reading passes (`read-facts.ts`), on drafts that nobody else sees (`draft.ts`).
 * Nodes and resources are found by their `index`, so that later passes keep their own results in arrays beside them.
 */
import type { Problem } from "../../../../base/problem.ts";
import type { XmlElement } from "../../../../base/xml.ts";
import type { IdIndex } from "../../../../cib/sets.ts";
import type { Options } from "./read-options.ts";
import type { RuleContext } from "./rules.ts";
import { ROLE, type Role } from "./values.ts";

export interface Node {
  /** Its place among all nodes, which are sorted by name. */
  readonly index: number;
  readonly id: string;
  readonly name: string;
  /** A guest may be listed among the nodes as if it were remote; what holds its connection tells. */
  readonly kind: "member" | "remote" | "guest" | "ping";
  /** A container of a bundle is this node: only what the bundle brings along runs there. */
  readonly inBundle: boolean;
  readonly attributes: Readonly<Record<string, string>>;
  /** Of the attributes those that the configuration gives and a restart keeps. */
  readonly permanent: Readonly<Record<string, string>>;
  readonly utilization: Readonly<Record<string, string>>;
  /** What it is worth to every resource where all nodes are in question. */
  readonly score: number;
  readonly online: boolean;
  readonly unclean: boolean;
  readonly pending: boolean;
  readonly standby: boolean;
  readonly standbyOnFail: boolean;
  readonly maintenance: boolean;
  readonly shutdown: boolean;
  readonly expectedUp: boolean;
  /** The node must be fenced, for these reasons, first one first. */
  readonly fenceReasons: readonly string[];
  readonly discoverResources: boolean;
  readonly isDc: boolean;
  /** The connection (or, for a guest, the resource whose meta-attribute made it) of a remote or guest node. */
  readonly remote: Resource | undefined;
  readonly remoteRequiresReset: boolean;
  readonly remoteWasFenced: boolean;
  readonly remoteMaintenance: boolean;
}

export interface Operation {
  readonly name: string;
  readonly intervalMs: number;
  readonly role: Role;
  readonly enabled: boolean;
  readonly element: XmlElement;
}

/** One recorded operation: an `lrm_rsc_op`, in the order in which it happened. */
export interface HistoryEntry {
  readonly element: XmlElement;
  readonly task: string;
  readonly intervalMs: number;
  readonly callId: number;
  readonly key: string;
}

export interface History {
  readonly node: Node;
  readonly element: XmlElement;
  readonly entries: readonly HistoryEntry[];
  /** Index of the last start and stop in `entries`; -1 when there is none. */
  readonly startAt: number;
  readonly stopAt: number;
}

export type ResourceKind = "primitive" | "group" | "clone" | "bundle";

export interface Replica {
  readonly index: number;
  readonly ip: Resource | undefined;
  readonly container: Resource;
  readonly remote: Resource | undefined;
  readonly child: Resource | undefined;
  readonly node: Node | undefined;
  readonly ipAddress: string;
}

/** A resource of the configuration, or an instance of a clone (`id` then ends in `:N`). */
export interface Resource {
  readonly index: number;
  readonly id: string;
  /** The id in the configuration and, for anonymous clones, in the history. */
  readonly baseId: string;
  readonly kind: ResourceKind;
  readonly element: XmlElement;
  readonly class: string;
  readonly provider: string;
  readonly type: string;
  readonly parent: Resource | undefined;
  readonly children: readonly Resource[];
  readonly meta: Readonly<Record<string, string>>;
  readonly operations: readonly Operation[];
  readonly priority: number;
  readonly stickiness: number;
  readonly migrationThreshold: number;
  readonly failureTimeoutMs: number;
  /** Of a connection: how long it rests after a failure before it is tried again; 0 when it need not. */
  readonly reconnectMs: number;
  readonly multiplyActive: "block" | "stop_only" | "stop_start" | "stop_unexpected";
  readonly requires: "nothing" | "quorum" | "fencing" | "unfencing";
  readonly allowMigrate: boolean;
  readonly critical: boolean;
  readonly isContainer: boolean;
  /** The resource (container) whose guest or bundle this one runs beside. */
  readonly container: Resource | undefined;
  /** What is contained: the connection or the resources that fail with it. */
  readonly fillers: readonly Resource[];
  /** The node that this resource connects to (remote connection, bundle's or guest's). */
  readonly remoteNodeName: string | undefined;
  readonly removed: boolean;
  readonly managed: boolean;
  /** It would be managed, but the cluster may not act on anything: see `hold-back.ts`. */
  readonly heldBack: boolean;
  readonly maintenance: boolean;
  // Clones only.
  readonly unique: boolean;
  readonly promotable: boolean;
  readonly notify: boolean;
  readonly interleave: boolean;
  readonly ordered: boolean;
  readonly instanceMax: number;
  readonly instanceNodeMax: number;
  readonly instanceMin: number;
  readonly promotedMax: number;
  readonly promotedNodeMax: number;
  readonly instance: number;
  // Bundles only.
  readonly replicas: readonly Replica[];
  /** The resource inside of the containers, as a clone with one instance a replica. */
  readonly bundled: Resource | undefined;
  // State, read from the history.
  readonly role: Role;
  readonly nextRole: Role;
  readonly runningOn: readonly Node[];
  /** Where it is recorded as active although no more should run there than one. */
  readonly dangling: readonly Node[];
  readonly knownOn: ReadonlySet<Node>;
  readonly failed: boolean;
  readonly failureIgnored: boolean;
  /** It failed on some node, whether or not that is answered by a recovery. */
  readonly failedThere: boolean;
  readonly blocked: boolean;
  readonly restartContainer: boolean;
  readonly demoteWanted: boolean;
  readonly stopWanted: boolean;
  readonly pendingTask: string;
  readonly pendingNode: Node | undefined;
  readonly migrationSource: Node | undefined;
  readonly migrationTarget: Node | undefined;
  /** The shutdown lock that is recorded of it. */
  readonly lock: { readonly node: Node; readonly sinceSeconds: number; readonly isExpired: boolean } | undefined;
  readonly history: ReadonlyMap<Node, History>;
  /** Recurring operations whose recorded failure has expired: they are to be set up anew. */
  readonly expiredMonitors: readonly { readonly node: Node; readonly key: string }[];
  /** The id under which the executor knows it, when that is not `id`. */
  readonly recordedName: string | undefined;
}

export interface Location {
  readonly id: string;
  /** The id of the rule that gave the scores, else of the constraint. */
  readonly source: string;
  readonly resource: Resource;
  readonly scores: ReadonlyMap<Node, number>;
  readonly role: Role;
  readonly discovery: "always" | "never" | "exclusive";
}

export interface Colocation {
  readonly id: string;
  readonly dependent: Resource;
  readonly primary: Resource;
  readonly score: number;
  readonly dependentRole: Role;
  readonly primaryRole: Role;
  readonly nodeAttribute: string;
  readonly influence: boolean;
}

export type OrderKind = "mandatory" | "optional" | "serialize";

export interface ResourceOrder {
  readonly id: string;
  readonly first: Resource;
  readonly firstTask: string;
  readonly second: Resource;
  readonly secondTask: string;
  readonly kind: OrderKind;
  readonly symmetrical: boolean;
  /** The way back of a symmetrical order. */
  readonly inverse: boolean;
  /** At least so many instances of `first` must be up (clone-min, require-all=false). */
  readonly min: number;
}

/** A set whose members need not all be done: `require-all=false`. */
export interface SetGate {
  readonly name: string;
  readonly members: readonly { readonly resource: Resource; readonly task: string }[];
  readonly min: number;
  readonly second: readonly { readonly resource: Resource; readonly task: string }[];
  readonly kind: OrderKind;
  readonly symmetrical: boolean;
}

export interface TicketConstraint {
  readonly id: string;
  readonly resource: Resource;
  readonly ticket: string;
  readonly role: Role;
  readonly lossPolicy: "stop" | "demote" | "freeze" | "fence";
}

export interface Ticket {
  readonly id: string;
  readonly granted: boolean;
  readonly standby: boolean;
  readonly lastGranted: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What is there before any node or resource is read. */
export interface Setting {
  readonly cib: XmlElement;
  readonly configuration: XmlElement;
  readonly status: XmlElement | undefined;
  readonly ids: () => IdIndex;
  readonly nowSeconds: number;
  readonly options: Options;
  readonly defaults: { readonly resource: readonly XmlElement[]; readonly operation: readonly XmlElement[] };
  readonly ruleContext: RuleContext;
  /** The first instant at which time alone changes the decision; told by `ruleContext.onChangeAt`. */
  readonly recheck: { readonly atSeconds: number | undefined };
  /** A memory: parameters that no rule makes depend on the node, worked out when first asked for. */
  readonly plainParameters: WeakMap<Resource, Readonly<Record<string, string>>>;
}

/** Nodes and resources, and what the status tells of them. */
export interface Known extends Setting {
  readonly nodes: readonly Node[];
  readonly nodeByName: ReadonlyMap<string, Node>;
  readonly nodeById: ReadonlyMap<string, Node>;
  readonly resources: readonly Resource[];
  /** The configured top level and what was removed from it but is still recorded, in order. */
  readonly top: readonly Resource[];
  readonly byId: ReadonlyMap<string, Resource>;
  /** The users of each template. */
  readonly templates: ReadonlyMap<string, readonly Resource[]>;
  /** Fencing devices that let nodes in (provides=unfencing). */
  readonly unfencers: readonly Resource[];
  /** Scores that the state itself demands: failures, hard errors, capped fail counts. */
  readonly bans: readonly Ban[];
  /** Recorded fail counts that have expired or no longer fit: to be cleared. */
  readonly clearFailures: readonly ClearFailures[];
  /** Nodes that must be fenced, in the order in which it was found out. */
  readonly toFence: readonly Node[];
  /** What was being handed over to a node by one that is lost since. */
  readonly halfArrived: readonly AtNode[];
  /** Recurring operations that are recorded but must not go on. */
  readonly failedEntries: readonly FailedEntry[];
  readonly haveRemotes: boolean;
  readonly problems: readonly Problem[];
}

export interface AtNode {
  readonly resource: Resource;
  readonly node: Node;
}

export interface Ban {
  readonly resource: Resource;
  /** Everywhere, when undefined. */
  readonly node: Node | undefined;
  readonly why: string;
}

export interface ClearFailures extends AtNode {
  readonly why: string;
}

export interface FailedEntry extends AtNode {
  readonly entry: HistoryEntry;
}

/** The constraints section, resource sets taken apart. */
export interface Constraints {
  readonly locations: readonly Location[];
  readonly colocations: readonly Colocation[];
  readonly orders: readonly ResourceOrder[];
  readonly setGates: readonly SetGate[];
  readonly ticketConstraints: readonly TicketConstraint[];
}

/** All of it: a value, made once by `readFacts`. */
export interface Facts extends Known, Constraints {
  readonly tags: Tags;
  /** Those that the status tells of, and those that a constraint names. */
  readonly tickets: ReadonlyMap<string, Ticket>;
  /** Fencing is not wanted, or there is something to fence with. */
  readonly canProtect: boolean;
}

export type Tags = ReadonlyMap<string, readonly string[]>;

/** The outermost resource that holds this one; a bundle counts only when asked for. */
export function topOf(resource: Resource, includeBundle = false): Resource {
  let top = resource;
  while (top.parent !== undefined) {
    if (!includeBundle && top.parent.kind === "bundle") return top;
    top = top.parent;
  }
  return top;
}

/** It is that whole, or a part of it. */
export function isWithin(resource: Resource, whole: Resource): boolean {
  for (let up: Resource | undefined = resource; up !== undefined; up = up.parent) if (up === whole) return true;
  return false;
}

/** The primitives below, in order; itself when it is one. */
export function primitivesOf<Each extends Tree<Each>>(resource: Each): readonly Each[] {
  return resource.kind === "primitive" ? [resource] : resource.children.flatMap((child) => primitivesOf(child));
}

interface Tree<Each> {
  readonly kind: ResourceKind;
  readonly children: readonly Each[];
}

/** Whether anything of it is active on any node; all of it when `all`. */
export function isActive(resource: Resource, all = false): boolean {
  if (resource.kind === "primitive") return resource.runningOn.length > 0;
  return all
    ? resource.children.every((child) => isActive(child, all))
    : resource.children.some((child) => isActive(child, all));
}

/** The nearest clone above, if any. */
export function cloneOf(resource: Resource): Resource | undefined {
  for (let up = resource.parent; up !== undefined; up = up.parent) if (up.kind === "clone") return up;
  return undefined;
}

/** Whether it is an instance of an anonymous clone, directly or inside of a cloned group. */
export function inAnonymousClone(resource: Resource): boolean {
  const clone = cloneOf(resource);
  return clone !== undefined && !clone.unique;
}

export function inPromotable(resource: Resource): boolean {
  for (let up = resource.parent; up !== undefined; up = up.parent)
    if (up.kind === "clone" && up.promotable) return true;
  return resource.promotable;
}

/**
 * The role in which it counts as being. What is merely started in an instance of a promotable clone counts as
 * unpromoted, as long as the instance as a whole is merely started; beside a member with a role of its own it has none.
 */
export function countedRole(resource: Resource): Role {
  if (resource.role !== ROLE.started || !inPromotable(resource)) return resource.role;
  let instance = resource;
  while (instance.parent !== undefined && instance.parent.kind !== "clone") instance = instance.parent;
  return primitivesOf(instance).some(({ role }) => role > ROLE.started) ? ROLE.started : ROLE.unpromoted;
}

/**
 * Whether the node has told the state of the resource. What is recorded of one instance of an anonymous clone holds for
 * all of them: on a node they are one and the same.
 */
export function isKnownOn(resource: Resource, node: Node): boolean {
  const clone = cloneOf(resource);
  if (clone === undefined || clone.unique) return resource.knownOn.has(node);
  return clone.children.some((instance) =>
    primitivesOf(instance).some(({ baseId, knownOn }) => baseId === resource.baseId && knownOn.has(node)),
  );
}
