/** How colocations bear on a resource that is being placed: where its primaries are, what its dependents want. */
import { addScores, INFINITY_SCORE } from "../../../../cib/schema/values.ts";
import type { Colocation, Resource } from "../facts/model.ts";
import { primitivesOf } from "../facts/model.ts";
import { ROLE } from "../facts/values.ts";
import { allowedOf, type Board, canRunAny } from "./board.ts";
import { type Place, placesOf } from "./bundle-places.ts";
import {
  applyToScores,
  attributeOf,
  effectOf,
  hasInfluence,
  mergeWishes,
  settleRefusals,
  thisWithOf,
  withThisOf,
} from "./colocations.ts";

/** Where a colocation's primary ends up, as far as a dependent is concerned. */
export function applyPrimary(board: Board, dependent: Resource, primary: Resource, colocation: Colocation): void {
  if (primary.kind === "primitive") {
    if (effectOf(board, dependent, primary, colocation) === "place")
      applyToScores(board, dependent, primary, colocation);
    return;
  }
  if (primary.kind === "group") {
    // Wholly up means its last member is up; a mere preference looks at where the group begins.
    const member = colocation.score >= INFINITY_SCORE ? primary.children.at(-1) : primary.children[0];
    if (member !== undefined) applyPrimary(board, dependent, member, colocation);
    return;
  }
  applyClonePrimary(board, dependent, primary, colocation);
}

function roleMatches({ role }: Place, colocation: Colocation): boolean {
  return colocation.primaryRole === ROLE.unknown || role === colocation.primaryRole;
}

function applyClonePrimary(board: Board, dependent: Resource, primary: Resource, colocation: Colocation): void {
  if (board.isAssigned[primary.index] !== true) return;
  // Who asks for a role that it never has would gladly be with nobody; who must, or must not, be with it minds no role.
  const isRoleVain = colocation.primaryRole >= ROLE.unpromoted && !isPromotable(primary);
  if (isRoleVain && isMereWish(colocation.score)) return;
  const asked = isRoleVain ? { ...colocation, primaryRole: ROLE.unknown } : colocation;
  applyToInstances(board, dependent, primary, asked);
}

const isMereWish = (score: number) => score > 0 && score < INFINITY_SCORE;

function applyToInstances(board: Board, dependent: Resource, primary: Resource, colocation: Colocation): void {
  const wanted = placesOf(board, primary).filter((each) => roleMatches(each, colocation));
  if (colocation.score >= INFINITY_SCORE) {
    const placed = wanted.filter(({ node }) => node !== undefined);
    restrictTo(board, dependent, placed, colocation);
    return;
  }
  // One that has no place is wished for in vain on every node (crm_simulate as a black box).
  for (const { resource } of wanted) {
    const member = primitivesOf(resource)[0];
    if (
      member !== undefined &&
      effectOf(board, dependent, member, { ...colocation, primaryRole: ROLE.unknown }) === "place"
    )
      applyToScores(board, dependent, member, colocation);
  }
}

function restrictTo(board: Board, dependent: Resource, wanted: readonly Place[], colocation: Colocation): void {
  if (board.isAssigned[dependent.index] === true) return;
  if (colocation.dependentRole >= ROLE.promoted && isInPromotable(dependent)) return;
  const values = new Set(
    wanted.map(({ node }) => (node === undefined ? undefined : attributeOf(node, colocation.nodeAttribute))),
  );
  const scores = allowedOf(board, dependent);
  for (const node of board.nodes) {
    const score = scores[node.index];
    if (score === undefined || Number.isNaN(score)) continue;
    if (!values.has(attributeOf(node, colocation.nodeAttribute))) scores[node.index] = -INFINITY_SCORE;
    else if (dependent.kind !== "clone" && colocation.primaryRole !== ROLE.unknown) {
      // Where the instance would rather be is where its company would rather be.
      const instance = wanted.find((each) => each.node === node)?.resource;
      const own = instance === undefined ? undefined : allowedOf(board, instance)[node.index];
      if (own !== undefined && !Number.isNaN(own)) scores[node.index] = addScores(score, own);
    }
  }
}

function isPromotable(primary: Resource): boolean {
  return primary.promotable || primary.bundled?.promotable === true;
}

function isInPromotable(resource: Resource): boolean {
  for (let up = resource.parent; up !== undefined; up = up.parent) if (up.promotable) return true;
  return false;
}

/** What must be, first; then what would be good: a wish never undoes a must. */
export function weighColocations(board: Board, resource: Resource): void {
  const isMandatory = ({ score }: Colocation) => Math.abs(score) >= INFINITY_SCORE;
  const primaries = thisWithOf(board, resource);
  const dependents = withThisOf(board, resource);
  if (primaries.length + dependents.length === 0) return;
  for (const mandatory of [true, false]) {
    for (const each of primaries) if (isMandatory(each) === mandatory) followPrimary(board, resource, each);
    const heard = dependents.filter((each) => isMandatory(each) === mandatory);
    if (heard.length > 0) mergeDependents(board, resource, heard);
  }
}

function followPrimary(board: Board, resource: Resource, colocation: Colocation): void {
  const { primary, score, dependentRole } = colocation;
  board.assign(primary, undefined);
  const softens = dependentRole >= ROLE.promoted || (score < 0 && score > -INFINITY_SCORE);
  const archive = softens ? [...allowedOf(board, resource)] : undefined;
  applyPrimary(board, resource, primary, colocation);
  if (archive !== undefined && !canRunAny(board, allowedOf(board, resource))) board.allowed[resource.index] = archive;
}

/**
 * Blends in what those want that must be where this resource is. A clone hears only where they want to be: where one of
 * them cannot be, its instances still can.
 */
export function mergeDependents(board: Board, resource: Resource, list: readonly Colocation[]): void {
  const positiveOnly = resource.kind === "clone";
  for (const colocation of list) {
    if (!hasInfluence(colocation)) continue;
    const { dependent, score, nodeAttribute, dependentRole } = colocation;
    if (dependentRole >= ROLE.promoted && score < 0) continue;
    board.allowed[resource.index] = mergeWishes(
      board,
      dependent,
      allowedOf(board, resource),
      nodeAttribute,
      score / INFINITY_SCORE,
      positiveOnly,
    );
  }
  if (positiveOnly) board.allowed[resource.index] = settleRefusals(allowedOf(board, resource));
}
