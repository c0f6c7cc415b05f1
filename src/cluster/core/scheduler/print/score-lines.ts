/** Placement and promotion scores, and capacity, as crm_simulate -s and -U print them. */
import { INFINITY_SCORE } from "../../../../cib/schema/values.ts";
import type { Node } from "../facts/model.ts";
import { assignedOf, demandOf } from "../place/board.ts";
import type { Worked } from "../worked.ts";

export function scoreText(score: number): string {
  if (score >= INFINITY_SCORE) return "INFINITY";
  return score <= -INFINITY_SCORE ? "-INFINITY" : String(score);
}

/** One line a resource and node; the same line only once. */
export function scoreLines({ facts, board }: Worked): readonly string[] {
  const lines = new Set<string>();
  for (const { pass, resource, node, score } of board.notes)
    lines.add(`${pass}: ${resource.id} allocation score on ${node?.name ?? "none"}: ${scoreText(score)}`);
  for (const clone of facts.resources) {
    if (!clone.promotable) continue;
    for (const instance of clone.children) {
      const node = assignedOf(board, instance);
      const score = board.promotionScore[instance.index] ?? -1;
      lines.add(
        node === undefined
          ? `${instance.id} promotion score (inactive): -INFINITY`
          : `${instance.id} promotion score on ${node.name}: ${scoreText(score)}`,
      );
    }
  }
  return [...lines].sort();
}

const amounts = (values: Readonly<Record<string, string | number>>) =>
  Object.entries(values)
    .map(([name, value]) => ` ${name}=${value}`)
    .join("");

/** Capacity of the nodes before and after, and what each placed resource takes. */
export function utilizationLines({ facts, board }: Worked): readonly string[] {
  const capacity = (when: string, of: (node: Node) => Readonly<Record<string, string | number>>) =>
    board.nodes.map((node) => `${when}: ${node.name} capacity:${amounts(of(node))}`);
  const used = facts.resources.flatMap((resource) => {
    const node = resource.kind === "primitive" ? board.assigned[resource.index] : undefined;
    const demand = amounts(demandOf(resource));
    return node === undefined
      ? []
      : [`pcmk__finalize_assignment: ${resource.id} utilization on ${node.name}:${demand}`];
  });
  return [
    ...capacity("Original", ({ utilization }) => utilization),
    ...used,
    ...capacity("Remaining", ({ index }) => board.capacity[index] ?? {}),
  ];
}
