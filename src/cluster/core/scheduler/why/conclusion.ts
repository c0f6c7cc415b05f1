/** What is to be explained of a resource: where it will be, in which role, with which scores, and what is kept back. */
import type { Reason } from "../../transition/graph.ts";
import type { Action } from "../act/actions.ts";
import type { Node, Resource } from "../facts/model.ts";
import { cloneOf, primitivesOf, topOf } from "../facts/model.ts";
import { ROLE, roleText } from "../facts/values.ts";
import { assignedOf, nextRoleOf } from "../place/board.ts";
import { operationKey } from "../print/names.ts";
import { reasonOf } from "../reason-text.ts";
import type { Worked } from "../worked.ts";

/** One node, as far as the resource is concerned. */
export interface NodeVerdict {
  readonly node: string;
  /** The roles in which it, or its instances, will be there; empty when it will not. */
  readonly roles: readonly string[];
  /** The best final score of any instance; `undefined` where the node is not in question at all. */
  readonly score: number | undefined;
  /** Of a promotable clone: the claim of the instance there to be promoted. */
  readonly promotion: number | undefined;
  /** Why nothing can be placed there, whatever the scores. */
  readonly unusable: Unusable | undefined;
}

export interface Blocked {
  readonly key: string;
  readonly operation: string;
  readonly node: string;
  readonly reason: Reason;
}

export type Unusable = "offline" | "unclean" | "pending" | "leaving" | "standby" | "maintenance";

export interface Conclusion {
  readonly nodes: readonly NodeVerdict[];
  /** What is wanted of it and cannot be done. */
  readonly blocked: readonly Blocked[];
}

/** All primitives that the name means; of a clone's child all its instances. `undefined` when there is none. */
export function targetsOf({ facts }: Worked, name: string): readonly Resource[] | undefined {
  const found = facts.byId.get(name) ?? facts.byId.get(`${name}:0`);
  if (found === undefined) return undefined;
  const clone = found.id === name && found.instance >= 0 ? undefined : (cloneOf(found) ?? undefined);
  if (clone === undefined) return primitivesOf(found);
  return primitivesOf(clone).filter(({ baseId }) => found.kind !== "primitive" || baseId === found.baseId);
}

/** Of every group its first member: it is placed by the scores of all, and the others follow it. */
function leadersOf(targets: readonly Resource[]): readonly Resource[] {
  return [...new Set(targets.map(leaderOf))];
}

function leaderOf(target: Resource): Resource {
  return target.parent?.kind === "group" ? (target.parent.children[0] ?? target) : target;
}

/** Of a member of a group: what it goes with, wherever that is; the scores are those of the whole group. */
export function followingOf(name: string, targets: readonly Resource[]): Following | undefined {
  const [target] = targets;
  if (target?.parent?.kind !== "group" || (target.baseId !== name && target.id !== name)) return undefined;
  return { group: target.parent.baseId, first: leaderOf(target).baseId };
}

export interface Following {
  readonly group: string;
  /** The member that is placed first; the resource itself when it is that. */
  readonly first: string;
}

function best(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value): value is number => value !== undefined && !Number.isNaN(value));
  return known.length === 0 ? undefined : Math.max(...known);
}

function unusableFor({ online, unclean, pending, shutdown, standby, maintenance }: Node): Unusable | undefined {
  if (unclean) return "unclean";
  if (!online) return "offline";
  if (pending) return "pending";
  if (shutdown) return "leaving";
  if (standby) return "standby";
  return maintenance ? "maintenance" : undefined;
}

function verdictOn({ board }: Worked, node: Node, targets: readonly Resource[]): NodeVerdict {
  const roles = targets
    .filter((target) => assignedOf(board, target) === node)
    .map((target) => nextRoleOf(board, target))
    .map((role) => roleText(role === ROLE.unknown ? ROLE.started : role));
  const leaders = leadersOf(targets);
  const promotable = leaders.some((leader) => topOf(leader).promotable);
  const claims = leaders
    .filter((leader) => assignedOf(board, leader) === node)
    .map((leader) => board.promotionScore[(leader.parent?.kind === "group" ? leader.parent : leader).index]);
  return {
    node: node.name,
    roles: [...new Set(roles)].toSorted(),
    score: best(leaders.map((leader) => board.allowed[leader.index]?.[node.index])),
    promotion: promotable ? best(claims) : undefined,
    unusable: unusableFor(node),
  };
}

/** What is wanted of it and cannot be done; so is a start or a promotion that nobody may even want without quorum. */
function isHeldBack({ board, graph }: Worked, step: Action): boolean {
  const { resource, node, operation, runnable, managed } = step;
  if (graph.blocked.includes(step)) return true;
  if (runnable || !managed || resource === undefined || assignedOf(board, resource) !== node) return false;
  const next = nextRoleOf(board, resource);
  if (operation === "start") return resource.role <= ROLE.stopped && next > ROLE.stopped;
  return operation === "promote" && resource.role < ROLE.promoted && next === ROLE.promoted;
}

function whyHeldBack({ facts, graph }: Worked, step: Action): Reason {
  const isUnwanted = !graph.blocked.includes(step) && !facts.options.quorate;
  return isUnwanted ? { code: "no-quorum", facts: {} } : reasonOf(step);
}

export function conclusionOf(worked: Worked, targets: readonly Resource[]): Conclusion {
  const blocked = targets
    .flatMap((target) => worked.graph.byResource[target.index] ?? [])
    .filter((step) => step.kind === "resource" && isHeldBack(worked, step))
    .map((step) => ({
      key: operationKey(step),
      operation: step.operation,
      node: step.node?.name ?? "",
      reason: whyHeldBack(worked, step),
    }));
  return { nodes: worked.board.nodes.map((node) => verdictOn(worked, node, targets)), blocked };
}

/** It is to be there, in that role, but cannot be started or promoted now. */
export function isHeldBackOn({ blocked }: Conclusion, node: string, role?: string): boolean {
  return blocked.some(
    (each) =>
      each.node === node && (each.operation === "start" || (role === "Promoted" && each.operation === "promote")),
  );
}

/** The part that concerns one node, when one was asked about: its verdict, and those of the nodes that have it. */
export function textOf({ nodes, blocked }: Conclusion, node?: string): string {
  if (node === undefined) return JSON.stringify({ nodes, blocked });
  return JSON.stringify([nodes.filter((each) => each.node === node || each.roles.length > 0), blocked]);
}

/** Where it will be and as what, scores aside: this is what an operator calls moved. */
export function whereOf({ nodes }: Conclusion): string {
  return JSON.stringify(nodes.map(({ node, roles }) => [node, roles]).filter(([, roles]) => roles?.length !== 0));
}
