/**
 * The scores before anything is placed: opt-in or opt-out, the node's own worth, location constraints, health,
 * stickiness, bans for failures.
 * Facts: Pacemaker Explained, "Deciding Which Nodes a Resource Can Run On", "Failure Response", "Resource
 * Meta-Attributes" (resource-stickiness, migration-threshold).
 */
import { INFINITY_SCORE } from "../../../../cib/schema/values.ts";
import type { Facts, Location, Node, Resource } from "../facts/model.ts";
import { cloneOf, inAnonymousClone, topOf } from "../facts/model.ts";
import { hasFailures } from "../facts/on-fail.ts";
import { healthScore } from "../facts/read-locations.ts";
import { isFencingClass } from "../facts/read-resources.ts";
import { lockOf } from "../facts/shutdown-locks.ts";
import { parseBoolean, ROLE } from "../facts/values.ts";
import { confineBundled } from "./assign-bundle.ts";
import { addScore, type Board, scoreOn, setScore } from "./board.ts";
import { failuresOn } from "./fail-counts.ts";
import { banTickets } from "./tickets.ts";

function emptyBoard(facts: Facts, noteScores: boolean): Board {
  const { nodes, resources, options } = facts;
  const usable = nodes.filter(({ kind }) => kind !== "ping");
  const start = nodes.map(({ kind, score }) => (options.symmetric && kind !== "ping" ? score : Number.NaN));
  return {
    facts,
    assign: () => undefined,
    nodes: usable,
    order: facts.top,
    ranks: resources.map(() => undefined),
    allowed: resources.map(() => [...start]),
    discovery: resources.map(() => undefined),
    exclusively: resources.map(() => false),
    assigned: resources.map(() => undefined),
    isAssigned: resources.map(() => false),
    busy: resources.map(() => false),
    merging: resources.map(() => false),
    nextRole: resources.map(({ nextRole }) => nextRole),
    counts: nodes.map(() => 0),
    capacity: nodes.map(({ utilization }) =>
      Object.fromEntries(Object.entries(utilization).map(([name, value]) => [name, Number.parseInt(value, 10) || 0])),
    ),
    countsCapacity:
      options.placement !== "default" &&
      resources.some(({ element }) => element.children.some(({ name }) => name === "utilization")),
    withThis: resources.map(() => undefined),
    thisWith: resources.map(() => undefined),
    instanceCounts: resources.map(() => undefined),
    promotionScore: resources.map(() => -1),
    priority: resources.map(({ priority }) => priority),
    reasons: resources.map(() => undefined),
    released: [],
    notes: [],
    noteScores,
    roleLocations: new Map(),
  };
}

function applyTo(board: Board, resource: Resource, location: Location, zero: boolean): void {
  for (const [node, score] of location.scores)
    if (node.kind !== "ping") addScore(board, resource, node, zero ? 0 : score);
  applyDiscovery(board, resource, location);
}

/** A role's location names no node to look on: said exclusively, it leaves none (as crm_simulate has it). */
function applyDiscovery(board: Board, resource: Resource, { discovery, scores, role }: Location): void {
  if (discovery === "always") return;
  const modes = board.discovery[resource.index] ?? new Map<Node, Location["discovery"]>();
  board.discovery[resource.index] = modes;
  if (discovery === "exclusive") board.exclusively[resource.index] = true;
  // Where one constraint says exclusive, no other one's never is heard.
  if (role < ROLE.unpromoted)
    for (const node of scores.keys()) if (modes.get(node) !== "exclusive") modes.set(node, discovery);
}

/** A role's location is no matter of place but of promotion. */
function applyLocation(board: Board, resource: Resource, location: Location, zero = false): void {
  if (resource.kind === "bundle") {
    applyToBundle(board, resource, location, zero);
    return;
  }
  if (location.role >= ROLE.unpromoted) {
    const list = board.roleLocations.get(resource) ?? [];
    for (const [node, score] of location.scores) list.push({ node, score, role: location.role });
    board.roleLocations.set(resource, list);
    applyDiscovery(board, resource, location);
    if (location.role === ROLE.promoted) {
      for (const child of resource.children) applyLocation(board, child, location, zero);
      return;
    }
  }
  if (location.role === ROLE.unpromoted) return;
  applyTo(board, resource, location, zero);
  if (resource.kind === "group") {
    for (const [index, member] of resource.children.entries())
      applyLocation(board, member, location, zero || index > 0);
    return;
  }
  for (const child of resource.children) applyLocation(board, child, location, zero);
}

/** Where a bundle may be is where its containers may be; who is promoted is a matter of what runs inside. */
function applyToBundle(board: Board, bundle: Resource, location: Location, zero: boolean): void {
  if (location.role === ROLE.promoted) {
    if (bundle.bundled !== undefined) applyLocation(board, bundle.bundled, location, zero);
    return;
  }
  for (const each of [bundle, ...bundle.replicas.map(({ container }) => container)])
    applyTo(board, each, location, zero);
}

function applyHealth(board: Board, facts: Facts): void {
  if (facts.options.healthStrategy === "none") return;
  for (const node of board.nodes) {
    if (node.kind !== "member" && node.kind !== "remote") continue;
    const score = healthScore(facts, node);
    if (score === 0) continue;
    const location = {
      id: "#health",
      source: "#health",
      scores: new Map([[node, score]]),
      role: ROLE.unknown,
      discovery: "always",
    } as const;
    for (const resource of facts.top) {
      if (resource.meta["allow-unhealthy-nodes"] === "true") continue;
      applyLocation(board, resource, { ...location, resource });
    }
  }
}

function applyStickiness(board: Board, resource: Resource): void {
  for (const child of resource.children) applyStickiness(board, child);
  // Nobody may move it, so that whoever depends on it goes where it is.
  for (const node of heldThere(resource)) if (node.kind !== "ping") addScore(board, resource, node, INFINITY_SCORE);
  if (resource.kind !== "primitive" || resource.runningOn.length !== 1) return;
  if (!resource.managed && !resource.heldBack) return;
  const stickiness = stickinessOf(resource);
  const node = resource.runningOn[0];
  if (stickiness < 1 || node === undefined) return;
  const known = !Number.isNaN(scoreOn(board, resource, node));
  if (!known && !board.facts.options.symmetric) return;
  if (node.kind !== "ping") addScore(board, resource, node, stickiness);
}

/** Where it is, and nobody may move it: everywhere, or from the node on that holds it by being in maintenance. */
function heldThere({ managed, heldBack, blocked, runningOn, maintenance, removed, meta }: Resource): readonly Node[] {
  if (managed || heldBack || blocked) return [];
  const isLetAlone = maintenance || removed || !parseBoolean(meta["is-managed"], true);
  const holder = isLetAlone ? 0 : runningOn.findIndex((node) => node.maintenance);
  return runningOn.slice(Math.max(0, holder));
}

/** Clone instances prefer to stay by one point unless told otherwise, so that they do not shuffle. */
function stickinessOf(resource: Resource): number {
  if (resource.stickiness !== 0 || resource.meta["resource-stickiness"] !== undefined) return resource.stickiness;
  return cloneOf(resource) === undefined ? 0 : 1;
}

function applyBans(board: Board, facts: Facts): void {
  for (const { resource, node } of facts.bans)
    for (const each of [resource, ...descendants(resource)]) {
      if (node !== undefined) setScore(board, each, node, -INFINITY_SCORE);
      else for (const one of board.nodes) setScore(board, each, one, -INFINITY_SCORE);
    }
}

function descendants(resource: Resource): Resource[] {
  return resource.children.flatMap((child) => [child, ...descendants(child)]);
}

/** Nodes on which it failed as often as migration-threshold allows. */
function applyThresholds(board: Board, facts: Facts): void {
  const failing = board.nodes.filter(hasFailures);
  if (failing.length === 0) return;
  for (const resource of facts.resources) {
    // What fails in a container is the container's failure.
    if (resource.kind !== "primitive" || resource.container !== undefined) continue;
    for (const node of failing) {
      const own = failuresOn(facts, resource, node);
      const failures = resource.fillers.reduce((sum, filler) => sum + failuresOn(facts, filler, node), own);
      if (failures <= 0 || failures < resource.migrationThreshold) continue;
      if (resource.blocked || resource.failureIgnored) continue;
      // Failures of an anonymous clone on a node are no matter of one instance.
      const whole = inAnonymousClone(resource) ? topOf(resource) : resource;
      for (const each of [whole, ...descendants(whole)])
        if (each === whole || each.baseId === resource.baseId || whole === resource || whole.kind === "clone")
          setScore(board, each, node, -INFINITY_SCORE);
    }
  }
}

function applyLocks(board: Board, facts: Facts): void {
  if (!facts.options.shutdownLock) return;
  for (const resource of facts.resources) {
    const only = lockOf(facts, resource)?.node;
    if (only !== undefined)
      for (const node of board.nodes) if (node !== only) setScore(board, resource, node, -INFINITY_SCORE);
  }
}

/** Exclusive discovery: elsewhere it must not even be looked for, let alone run. */
function applyExclusive(board: Board, facts: Facts): void {
  for (const resource of facts.resources) {
    const modes = board.discovery[resource.index];
    if (modes === undefined || board.exclusively[resource.index] !== true) continue;
    for (const node of board.nodes)
      if (modes.get(node) !== "exclusive") setScore(board, resource, node, -INFINITY_SCORE);
  }
}

/** A virtual machine that is a node itself: it cannot stand on another such node, nor on a remote one. */
export function hostsGuest({ fillers }: Resource): boolean {
  return fillers.some(({ remoteNodeName, parent }) => remoteNodeName !== undefined && parent?.kind !== "bundle");
}

/** Connections, guests and fencing devices run on cluster nodes only; into a bundle's containers nobody else goes. */
function applyKinds(board: Board, facts: Facts): void {
  if (!facts.haveRemotes) return;
  for (const resource of facts.resources) {
    const bound = isFencingClass(resource.class) || resource.remoteNodeName !== undefined || hostsGuest(resource);
    for (const node of board.nodes) {
      if (node.inBundle) setScore(board, resource, node, Number.NaN);
      else if (bound && node.kind !== "member") setScore(board, resource, node, -INFINITY_SCORE);
      // Where the container may be is enough to decide where the connection into it is.
      else if (resource.meta["internal_remote_node"] !== undefined) addScore(board, resource, node, 0);
    }
  }
  for (const resource of facts.resources) confineBundled(board, resource);
}

/** The board with every score that does not depend on where other resources go. */
export function baseBoard(facts: Facts, noteScores: boolean): Board {
  const board = emptyBoard(facts, noteScores);
  applyHealth(board, facts);
  for (const location of facts.locations) applyLocation(board, location.resource, location);
  applyKinds(board, facts);
  applyExclusive(board, facts);
  banTickets(board);
  for (const resource of facts.top) applyStickiness(board, resource);
  applyBans(board, facts);
  applyThresholds(board, facts);
  applyLocks(board, facts);
  return board;
}
