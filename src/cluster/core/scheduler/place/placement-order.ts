/**
 * With a placement strategy, who is assigned first among equal priorities: those that are where they would be best.
 * What a resource must or would be with counts as if it were its own.
 * Fact: Pacemaker Explained, "Utilization and Placement Strategy", "Allocation Details".
 */
import { INFINITY_SCORE } from "../../../../cib/schema/values.ts";
import type { Node, Resource } from "../facts/model.ts";
import { isActive, primitivesOf } from "../facts/model.ts";
import { allowedOf, type Board, canRunAny, type Scores } from "./board.ts";
import { sortNodes } from "./choose-node.ts";
import { blend, thisWithOf } from "./colocations.ts";

/** `work` with the scores of what `source` is to be with, and of what that is to be with. */
function withCompany(board: Board, source: Resource, work: Scores, factor: number, seen: Set<Resource>): Scores {
  let merged = work;
  for (const { primary: whole, score, nodeAttribute } of thisWithOf(board, source)) {
    const primary = standingOf(whole);
    if (seen.has(primary)) continue;
    seen.add(primary);
    const next = [...merged];
    const weight = (factor * score) / INFINITY_SCORE;
    blend(board, next, primary, nodeAttribute, weight, false);
    if (canRunAny(board, next)) merged = withCompany(board, primary, next, weight, seen);
  }
  return merged;
}

/** A group stands on its last member, which is with all before it. */
function standingOf(resource: Resource): Resource {
  return resource.kind === "group" ? (resource.children.at(-1) ?? resource) : resource;
}

function ownScores(board: Board, resource: Resource): Scores {
  const source = standingOf(resource);
  return withCompany(board, source, allowedOf(board, source), 1, new Set([source]));
}

export function sortByPlacement(board: Board, resources: readonly Resource[]): Resource[] {
  const scores = new Map(resources.map((resource) => [resource, ownScores(board, resource)]));
  const weigh = (resource: Resource, node: Node | undefined) => {
    // What is no longer configured is wanted nowhere.
    const score = node === undefined || resource.removed ? undefined : scores.get(resource)?.[node.index];
    return score === undefined || Number.isNaN(score) ? -INFINITY_SCORE : score;
  };
  const nodes = sortNodes(board, board.nodes, () => 0, undefined);
  const nodeOf = (resource: Resource) => primitivesOf(resource).find((each) => isActive(each))?.runningOn[0];
  return [...resources].sort((a, b) => {
    if (a.priority !== b.priority) return b.priority - a.priority;
    const [here, there] = [nodeOf(a), nodeOf(b)];
    const [left, right] = [weigh(a, here), weigh(b, there)];
    if (left !== right) return right - left;
    for (const node of nodes) {
      const difference = weigh(b, node) - weigh(a, node);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}
