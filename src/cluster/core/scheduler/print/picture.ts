/** A transition as a Graphviz picture: what will be done in bold green, what is wanted but blocked in red. */
import type { Graph } from "../act/included.ts";
import type { Step } from "../act/plan.ts";
import { pictureName } from "./names.ts";

function nodeLine(step: Step, firm: boolean): string {
  const font = step.kind === "pseudo" ? "orange" : "black";
  const style = firm ? 'style=bold color="green"' : 'style=dashed color="red"';
  return `"${pictureName(step)}" [ ${style} fontcolor="${font}"]`;
}

/** The picture, lines sorted as the reference cases are. */
export function picture(graph: Graph): string {
  const lines = new Set<string>();
  for (const step of graph.steps) lines.add(nodeLine(step, true));
  for (const step of graph.blocked) lines.add(nodeLine(step, false));
  for (const { first, second, firm } of graph.edges)
    lines.add(`"${pictureName(first)}" -> "${pictureName(second)}" [ style = ${firm ? "bold" : "dashed"}]`);
  return ` digraph "g" {\n${[...lines].sort().join("\n")}\n}\n`;
}
