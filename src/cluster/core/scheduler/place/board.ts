/**
 * The board on which the placement pass works: each resource's score on every node, and what has been assigned.
 * Local to that pass; what leaves it is a `Placement`, which nobody changes.
 * A score of NaN means: the node is not in question at all (opt-in clusters), which is less than minus infinity.
 */
import { entryOf, setEntry } from "../../../../base/record.ts";
import { addScores } from "../../../../cib/schema/values.ts";
import type { Colocation, Facts, Node, Resource } from "../facts/model.ts";
import { primitivesOf } from "../facts/model.ts";
import { ROLE, type Role } from "../facts/values.ts";

export type Scores = number[];

export interface ScoreNote {
  readonly pass: string;
  readonly resource: Resource;
  readonly node: Node | undefined;
  readonly score: number;
}

export interface Board {
  readonly facts: Facts;
  /** Assigns a resource, and before it all that it waits for; set by the pass that owns the order of assigning. */
  assign: (resource: Resource, prefer: Node | undefined) => Node | undefined;
  readonly nodes: readonly Node[];
  /** The top resources in the order in which they are assigned, and then planned and told of. */
  order: readonly Resource[];
  /** The instances of clones as they were placed or, by their claim, promoted: others reckon with them so. */
  readonly ranks: (readonly Resource[] | undefined)[];
  /** Score by resource index and node index. */
  readonly allowed: Scores[];
  /** Where probes may go: by resource index, when any location says so. */
  readonly discovery: (Map<Node, "always" | "never" | "exclusive"> | undefined)[];
  /** Said of any node, even of none: then it may be looked for only where it is said. */
  readonly exclusively: boolean[];
  readonly assigned: (Node | undefined)[];
  readonly isAssigned: boolean[];
  readonly busy: boolean[];
  readonly merging: boolean[];
  readonly nextRole: Role[];
  /** How many resources each node has been given, the ones it runs now included. */
  readonly counts: number[];
  readonly capacity: Record<string, number>[];
  /** Whether any resource uses capacity and the strategy asks for it. */
  readonly countsCapacity: boolean;
  readonly withThis: (Colocation[] | undefined)[];
  readonly thisWith: (Colocation[] | undefined)[];
  /** Instances already on each node, by clone. */
  readonly instanceCounts: (number[] | undefined)[];
  readonly promotionScore: number[];
  /** Priority of a clone's instances among themselves: the best promotion score counts, too. */
  readonly priority: number[];
  readonly reasons: (string | undefined)[];
  /** By resource index: held back like everything else, but one too many, so that it goes nevertheless. */
  readonly released: boolean[];
  readonly notes: ScoreNote[];
  readonly noteScores: boolean;
  readonly roleLocations: Map<Resource, { readonly node: Node; readonly score: number; readonly role: Role }[]>;
}

/** Whether the cluster may act on it. */
export const isManaged = (board: Board, { index, managed }: Resource): boolean =>
  managed || board.released[index] === true;

export const scoreOn = (board: Board, resource: Resource, node: Node): number =>
  board.allowed[resource.index]?.[node.index] ?? Number.NaN;

export function setScore(board: Board, resource: Resource, node: Node, score: number): void {
  const scores = board.allowed[resource.index];
  if (scores !== undefined) scores[node.index] = score;
}

export function addScore(board: Board, resource: Resource, node: Node, score: number): void {
  const before = scoreOn(board, resource, node);
  setScore(board, resource, node, Number.isNaN(before) ? score : addScores(before, score));
}

/** Adds to every node that is in question. */
export function addEverywhere(board: Board, resource: Resource, score: number): void {
  for (const node of board.nodes) addScore(board, resource, node, score);
}

export function allowedOf(board: Board, resource: Resource): Scores {
  return board.allowed[resource.index] ?? [];
}

/**
 * Whether the node is up, or will be: a remote or guest node is as soon as its connection has been given a place, for
 * the start of the connection comes before everything that is done there.
 */
export function isUp(board: Board, node: Node): boolean {
  return node.online || isConnected(board, node) === true;
}

/** Whether the connection to a remote or guest node is going to be there; `undefined` while that is open. */
export function isConnected(board: Board, node: Node): boolean | undefined {
  const connection = node.kind === "remote" || node.kind === "guest" ? node.remote : undefined;
  if (connection === undefined || board.isAssigned[connection.index] !== true) return undefined;
  return board.assigned[connection.index] !== undefined && nextRoleOf(board, connection) !== ROLE.stopped;
}

/**
 * Whether the node must be fenced before it can be believed. A remote node that is merely out of reach, its connection
 * lost with no failure of its own, is as it was: the connection is made anew, and then it can be asked.
 */
export function isUnclean(board: Board, node: Node): boolean {
  if (node.kind !== "remote") return node.unclean;
  if (node.unclean && node.remote?.failed !== true) return isConnected(board, node) !== true;
  return node.unclean || isOutOfReach(board, node);
}

/** A remote node whose connection went down with its host and is not made anew elsewhere: nobody can look there. */
export function isCutOff(board: Board, { kind, remote }: Node): boolean {
  const host = kind === "remote" ? remote?.runningOn[0] : undefined;
  if (remote === undefined || host?.unclean !== true) return false;
  const next = board.assigned[remote.index];
  return next === undefined || next === host;
}

/** What runs on a node that is cut off cannot be stopped. */
export function isOutOfReach(board: Board, node: Node): boolean {
  if (!isCutOff(board, node) || isConnected(board, node) !== false) return false;
  return board.facts.resources.some(({ kind, runningOn }) => kind === "primitive" && runningOn.includes(node));
}

/** Whether the node may be given a resource: up, in its right mind, not about to leave. */
export function canRun(board: Board, node: Node): boolean {
  // What belongs into a container has no other place; whether it can start there is a matter of order.
  if (node.inBundle) return true;
  if (node.shutdown || isUnclean(board, node) || node.standby || node.maintenance || node.pending) return false;
  return isUp(board, node) && isConnected(board, node) !== false;
}

/** Whether any node can take it at all. */
export function canRunAny(board: Board, scores: Scores): boolean {
  return board.nodes.some((node) => {
    const score = scores[node.index];
    return score !== undefined && score >= 0 && canRun(board, node) && !uncertainGuest(board, node);
  });
}

/** A guest is available while its container is going to run. */
export function uncertainGuest(board: Board, node: Node): boolean {
  if (node.kind !== "guest" || node.inBundle) return false;
  const container = node.remote?.container;
  if (container === undefined) return true;
  return board.isAssigned[container.index] === true && board.assigned[container.index] === undefined;
}

export function assignedNode(board: Board, resource: Resource): Node | undefined {
  return board.assigned[resource.index];
}

export function note(board: Board, pass: string, resource: Resource, node: Node | undefined, score: number): void {
  if (board.noteScores) board.notes.push({ pass, resource, node, score });
}

/** Writes an assignment, or that there is none; counts it and takes the capacity. */
export function commit(board: Board, resource: Resource, node: Node | undefined): void {
  release(board, resource);
  board.isAssigned[resource.index] = true;
  board.assigned[resource.index] = node;
  if (node === undefined) {
    board.nextRole[resource.index] = ROLE.stopped;
    return;
  }
  if (nextRoleOf(board, resource) === ROLE.unknown) board.nextRole[resource.index] = ROLE.started;
  board.counts[node.index] = (board.counts[node.index] ?? 0) + 1;
  takeCapacity(board, node, resource, 1);
}

export function nextRoleOf(board: Board, resource: Resource): Role {
  return board.nextRole[resource.index] ?? ROLE.unknown;
}

/** Takes an assignment back. */
export function release(board: Board, resource: Resource): void {
  const node = board.assigned[resource.index];
  board.isAssigned[resource.index] = false;
  board.assigned[resource.index] = undefined;
  if (node === undefined) return;
  board.counts[node.index] = (board.counts[node.index] ?? 1) - 1;
  takeCapacity(board, node, resource, -1);
}

function takeCapacity(board: Board, node: Node, resource: Resource, sign: 1 | -1): void {
  const free = board.capacity[node.index];
  if (free === undefined || !board.countsCapacity) return;
  for (const [name, amount] of Object.entries(demandOf(resource))) {
    const have = entryOf(free, name);
    if (have !== undefined) setEntry(free, name, have - sign * amount);
  }
}

const demands = new WeakMap<Resource, Readonly<Record<string, number>>>();

/** What one resource uses of a node's capacity. */
export function demandOf(resource: Resource): Readonly<Record<string, number>> {
  const known = demands.get(resource);
  if (known !== undefined) return known;
  const demand: Record<string, number> = {};
  for (const primitive of resource.kind === "primitive" ? [resource] : primitivesOf(resource))
    for (const set of primitive.element.children)
      if (set.name === "utilization")
        for (const { attributes } of set.children)
          if (attributes["name"] !== undefined)
            setEntry(
              demand,
              attributes["name"],
              (entryOf(demand, attributes["name"]) ?? 0) + (Number.parseInt(attributes["value"] ?? "0", 10) || 0),
            );
  demands.set(resource, demand);
  return demand;
}

export function noteScores(board: Board, pass: string, resource: Resource): void {
  if (!board.noteScores) return;
  allowedOf(board, resource).forEach((score, index) => {
    if (!Number.isNaN(score)) note(board, pass, resource, board.facts.nodes[index], score);
  });
}

/** Takes back what was assigned below. */
export function unassign(board: Board, resource: Resource): void {
  for (const child of resource.children) unassign(board, child);
  if (resource.kind === "primitive") release(board, resource);
  board.isAssigned[resource.index] = false;
  board.assigned[resource.index] = undefined;
  board.nextRole[resource.index] = resource.nextRole;
}

/** The node of a resource; of a group, that of its first member. */
export function assignedOf(board: Board, resource: Resource): Node | undefined {
  return assignedNode(board, resource) ?? assignedNode(board, resource.children[0] ?? resource);
}
