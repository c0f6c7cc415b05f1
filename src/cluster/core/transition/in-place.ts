/**
 * What is started again where it ran need not wait until another node is proven off; that may take until a person
 * comes. The scheduler's graph has every start wait for every fencing (crm_simulate, seen), because a silent node may
 * start whatever runs nowhere. But what runs here has not been stopped here: the silent node, if it lives, knows it as
 * ours or knows nothing of it, and may start it only once it has fenced this node. What may be active there as well
 * waits on: its stop there is an action of its own, which the fencing makes true.
 */
import { entryOf } from "../../../base/record.ts";
import type { ResourceAction, TransitionAction } from "./graph.ts";

const BEGINS: Readonly<Record<string, string>> = { start: "stop", promote: "demote" };

const nameOf = ({ resource }: ResourceAction): string => resource.longId ?? resource.id;

/** Whether the same transition ends the same thing on the same, living, node first. */
function isInPlace(action: ResourceAction, actions: readonly TransitionAction[]): boolean {
  const ending = entryOf(BEGINS, action.operation);
  return actions.some(
    (other) =>
      other.kind === "resource" &&
      other.operation === ending &&
      other.node === action.node &&
      nameOf(other) === nameOf(action),
  );
}

/** The same actions; those that begin again in place without the fencing of other nodes among their inputs. */
export function freeInPlace(actions: readonly TransitionAction[]): readonly TransitionAction[] {
  const cuttings = actions.filter((action) => action.kind === "fence" && action.operation !== "on");
  if (cuttings.length === 0) return actions;
  return actions.map((action) => {
    if (action.kind !== "resource" || !isInPlace(action, actions)) return action;
    const others = cuttings.filter((fence) => fence.kind === "fence" && fence.target !== action.node);
    return { ...action, inputs: action.inputs.filter((input) => !others.some(({ id }) => id === input)) };
  });
}
