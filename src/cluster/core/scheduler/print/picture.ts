/** A transition as a Graphviz picture: what will be done in bold green, what is wanted but blocked in red. */
import type { Action } from "../act/actions.ts";
import type { Graph } from "../act/included.ts";
import { pictureName } from "./names.ts";

function nodeLine(step: Action, firm: boolean): string {
  const font = step.kind === "pseudo" ? "orange" : "black";
  const style = firm ? 'style=bold color="green"' : 'style=dashed color="red"';
  return `"${pictureName(step)}" [ ${style} fontcolor="${font}"]`;
}

/** What was thought of and is not wanted: only shown when asked for. */
function idleLines(graph: Graph): string[] {
  const shown = new Set([...graph.steps, ...graph.blocked]);
  const idle = graph.actions.filter((step) => !shown.has(step));
  return idle.map((step) => `"${pictureName(step)}" [ style=dashed color="blue" fontcolor="black"]`);
}

/** The picture, lines sorted as the reference cases are; `isWhole`: also every action that is merely possible. */
export function picture(graph: Graph, isWhole = false): string {
  const lines = new Set<string>(isWhole ? idleLines(graph) : []);
  for (const step of graph.steps) lines.add(nodeLine(step, true));
  for (const step of graph.blocked) lines.add(nodeLine(step, false));
  for (const { first, second, firm } of graph.edges)
    lines.add(`"${pictureName(first)}" -> "${pictureName(second)}" [ style = ${firm ? "bold" : "dashed"}]`);
  return ` digraph "g" {\n${[...lines].sort().join("\n")}\n}\n`;
}
