/**
 * Which of the allowed nodes a primitive gets: the best score; of equals the emptier; then where it is; then by name.
 * Facts: Pacemaker Explained, "Placement Strategy", "What if Two Nodes Have the Same Score"; crm_simulate as a
 * black box.
 */
import { entryOf } from "../../../../base/record.ts";
import { INFINITY_SCORE } from "../../../../cib/schema/values.ts";
import type { Node, Resource } from "../facts/model.ts";
import { cloneOf } from "../facts/model.ts";
import { allowedOf, type Board, canRun, commit, type Scores, uncertainGuest } from "./board.ts";

export function isAvailable(board: Board, node: Node): boolean {
  return canRun(board, node) && !uncertainGuest(board, node);
}

/** Below zero when `a` has room for more than `b`. */
export function compareCapacity(board: Board, a: Node, b: Node): number {
  const [left, right] = [board.capacity[a.index] ?? {}, board.capacity[b.index] ?? {}];
  let result = 0;
  for (const name of new Set([...Object.keys(left), ...Object.keys(right)]))
    result += Math.sign((entryOf(right, name) ?? 0) - (entryOf(left, name) ?? 0));
  return result;
}

/** The order in which nodes are tried; `active` is where the resource is now. An index says the order of names. */
export function sortNodes(
  board: Board,
  nodes: readonly Node[],
  score: (node: Node) => number,
  active: Node | undefined,
): Node[] {
  if (nodes.length < 2) return [...nodes];
  const { placement } = board.facts.options;
  const scores: Scores = [];
  for (const node of nodes) scores[node.index] = isAvailable(board, node) ? score(node) : -INFINITY_SCORE;
  return [...nodes].sort((a, b) => {
    const difference = (scores[b.index] ?? 0) - (scores[a.index] ?? 0);
    if (difference !== 0) return difference;
    if (placement !== "minimal") {
      if (placement === "balanced") {
        const capacity = compareCapacity(board, a, b);
        if (capacity !== 0) return capacity;
      }
      const count = (board.counts[a.index] ?? 0) - (board.counts[b.index] ?? 0);
      if (count !== 0) return count;
      if (a === active) return -1;
      if (b === active) return 1;
    }
    // By the bytes of the names, not as nodes are listed: n10 before n9, B before a (crm_simulate as a black box).
    return a.name < b.name ? -1 : 1;
  });
}

/** Where it is: half handed over on its source; what was only left behind does not count. */
function placeNow({ migrationSource, runningOn, dangling }: Resource): Node | undefined {
  if (migrationSource !== undefined && runningOn.includes(migrationSource)) return migrationSource;
  return runningOn.find((node) => !dangling.includes(node)) ?? runningOn[0];
}

/** Assigns the best node, or none; `prefer` wins over anything not better than it. Returns whether there was one. */
export function assignBest(board: Board, resource: Resource, prefer: Node | undefined): Node | undefined {
  const scores = allowedOf(board, resource);
  const score = (node: Node) => scores[node.index] ?? Number.NaN;
  const candidates = board.nodes.filter((node) => !Number.isNaN(score(node)));
  const active = placeNow(resource);
  const ranked = sortNodes(board, candidates, score, active);
  const best = ranked[0];
  let chosen: Node | undefined = best;
  if (prefer !== undefined && best !== undefined) {
    const wished = score(prefer);
    if (wished >= 0 && isAvailable(board, prefer) && !(wished < score(best))) chosen = prefer;
  }
  if (chosen === best && best !== undefined && cloneOf(resource)?.unique !== true) {
    const here = active;
    if (
      score(best) > 0 &&
      isAvailable(board, best) &&
      here !== undefined &&
      isAvailable(board, here) &&
      score(here) === score(best)
    )
      chosen = here;
  }
  if (chosen === undefined || !(score(chosen) >= 0) || !isAvailable(board, chosen)) {
    commit(board, resource, undefined);
    return undefined;
  }
  commit(board, resource, chosen);
  return chosen;
}
