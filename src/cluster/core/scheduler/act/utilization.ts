/** Capacity in time: what leaves a node leaves it before what needs its room arrives. */
import type { Node, Resource } from "../facts/model.ts";
import { primitivesOf } from "../facts/model.ts";
import { type Board, demandOf, scoreOn } from "../place/board.ts";
import { link, type PlanDraft, step } from "./draft.ts";
import { type Step, stepsOf } from "./plan.ts";

/** A `load_stopped_NODE` a node, when a placement strategy counts and anything that may move has a demand. */
export function linkLoads(plan: PlanDraft): void {
  const { board, facts } = plan;
  if (facts.options.placement === "default") return;
  const loaded = facts.top
    .flatMap((resource) => primitivesOf(resource))
    .filter((resource) => (resource.managed || resource.heldBack) && Object.keys(demandOf(resource)).length > 0);
  if (loaded.length === 0) return;
  for (const node of nodesOf(board, loaded)) {
    const key = `load_stopped_${node.name}`;
    const point: Step = step(plan, { operation: key, key, kind: "pseudo", wanted: true });
    for (const resource of loaded) {
      for (const stop of stepsOf(plan, resource, "stop")) if (stop.node === node) link(plan, stop, point);
      for (const start of stepsOf(plan, resource, "start")) if (start.node === node) link(plan, point, start);
    }
  }
}

/** As the resources name them: where each is, and then where else it might be. */
function nodesOf(board: Board, loaded: readonly Resource[]): readonly Node[] {
  const nodes = new Set<Node>();
  for (const resource of loaded) {
    const possible = board.nodes.filter((node) => !Number.isNaN(scoreOn(board, resource, node)));
    for (const node of [...resource.runningOn, ...possible]) nodes.add(node);
  }
  return [...nodes];
}
