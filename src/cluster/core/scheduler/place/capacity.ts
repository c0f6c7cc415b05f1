/**
 * Utilization: nodes without the capacity for a resource, and for what must be with it, are out of the question.
 * Fact: Pacemaker Explained, "Utilization and Placement Strategy".
 */
import type { Node, Resource } from "../facts/model.ts";
import { primitivesOf, topOf } from "../facts/model.ts";
import { INFINITY_SCORE } from "../facts/values.ts";
import { assignedNode, type Board, demandOf, setScore } from "./board.ts";

/** Those that a mandatory colocation binds to it, itself included, as far as they have no node yet. */
function boundTogether(board: Board, resource: Resource): Resource[] {
  const found: Resource[] = [resource];
  for (const each of found) {
    for (const { dependent, primary, score } of board.facts.colocations) {
      if (score < INFINITY_SCORE) continue;
      for (const [one, other] of [
        [dependent, primary],
        [primary, dependent],
      ] as const) {
        const touches = one === each || one === each.parent || topOf(each) === one;
        if (!touches) continue;
        for (const primitive of primitivesOf(other))
          if (!found.includes(primitive) && assignedNode(board, primitive) === undefined && other.kind !== "clone")
            found.push(primitive);
      }
    }
  }
  return found;
}

function fits(free: Readonly<Record<string, number>>, demand: Readonly<Record<string, number>>): boolean {
  return Object.entries(demand).every(([name, amount]) => amount <= (free[name] ?? 0));
}

/** Bans nodes that are too small; when none can take all that belong together, those that can take it alone remain. */
export function restrictToCapacity(board: Board, resource: Resource, _prefer: Node | undefined): void {
  if (board.facts.options.placement === "default") return;
  const bound = boundTogether(board, resource);
  const together: Record<string, number> = {};
  for (const each of bound)
    for (const [name, amount] of Object.entries(demandOf(board.facts, each)))
      together[name] = (together[name] ?? 0) + amount;
  const free = (node: Node) => board.capacity[node.index] ?? {};
  const allFits = board.nodes.filter((node) => fits(free(node), together));
  const roomy =
    allFits.length > 0 ? allFits : board.nodes.filter((node) => fits(free(node), demandOf(board.facts, resource)));
  if (Object.keys(together).length === 0) return;
  for (const node of board.nodes) if (!roomy.includes(node)) setScore(board, resource, node, -INFINITY_SCORE);
}
