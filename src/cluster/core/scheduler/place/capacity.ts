/**
 * Utilization: nodes without the capacity for a resource, and for what must be with it, are out of the question.
 * Fact: Pacemaker Explained, "Utilization and Placement Strategy".
 */
import { entryOf, setEntry } from "../../../../base/record.ts";
import { INFINITY_SCORE } from "../../../../cib/schema/values.ts";
import type { Colocation, Node, Resource } from "../facts/model.ts";
import { primitivesOf, topOf } from "../facts/model.ts";
import { assignedNode, type Board, demandOf, scoreOn, setScore } from "./board.ts";
import { compareCapacity, isAvailable } from "./choose-node.ts";
import { ownThisWith, ownWithThis } from "./colocations.ts";

/** The other sides of its mandatory colocations, of its group's, and of what stands outermost. */
function mandatoryCompany(board: Board, resource: Resource): Resource[] {
  const wholes = new Set([resource, resource.parent ?? resource, topOf(resource)]);
  const isMandatory = ({ score }: Colocation) => score >= INFINITY_SCORE;
  return [...wholes].flatMap((whole) => [
    ...ownThisWith(board, whole)
      .filter(isMandatory)
      .map(({ primary }) => primary),
    ...ownWithThis(board, whole)
      .filter(isMandatory)
      .map(({ dependent }) => dependent),
  ]);
}

/** Those that a mandatory colocation binds to it, itself included, as far as they have no node yet. */
function boundTogether(board: Board, resource: Resource): Resource[] {
  const found: Resource[] = [resource];
  for (const each of found) {
    for (const other of mandatoryCompany(board, each)) {
      if (other.kind === "clone") continue;
      for (const primitive of primitivesOf(other))
        if (!found.includes(primitive) && assignedNode(board, primitive) === undefined) found.push(primitive);
    }
  }
  return found;
}

function fits(free: Readonly<Record<string, number>>, demand: Readonly<Record<string, number>>): boolean {
  return Object.entries(demand).every(([name, amount]) => amount <= (entryOf(free, name) ?? 0));
}

/**
 * Bans nodes that are too small; when none can take all that belong together, those that can take it alone remain, and
 * the one with the most room is returned: there most of its company will find a place.
 */
export function restrictToCapacity(board: Board, resource: Resource): Node | undefined {
  if (!board.countsCapacity) return undefined;
  const bound = boundTogether(board, resource);
  const together: Record<string, number> = {};
  for (const each of bound)
    for (const [name, amount] of Object.entries(demandOf(each)))
      setEntry(together, name, (entryOf(together, name) ?? 0) + amount);
  if (Object.keys(together).length === 0) return undefined;
  const free = (node: Node) => board.capacity[node.index] ?? {};
  const isCandidate = (node: Node) => isAvailable(board, node) && scoreOn(board, resource, node) >= 0;
  const allFits = board.nodes.filter((node) => isCandidate(node) && fits(free(node), together));
  const roomy = allFits.length > 0 ? allFits : board.nodes.filter((node) => fits(free(node), demandOf(resource)));
  for (const node of board.nodes)
    if (!roomy.includes(node) && !Number.isNaN(scoreOn(board, resource, node)))
      setScore(board, resource, node, -INFINITY_SCORE);
  if (bound.length === 1 || allFits.length > 0) return undefined;
  return roomy
    .filter(isCandidate)
    .reduce<Node | undefined>(
      (best, node) => (best === undefined || compareCapacity(board, node, best) < 0 ? node : best),
      undefined,
    );
}
