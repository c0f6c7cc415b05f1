/** Placement and promotion scores as crm_simulate -s prints them, sorted. */
import { INFINITY_SCORE } from "../facts/values.ts";
import { assignedOf } from "../place/board.ts";
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
