/**
 * Nothing is promoted while a node that may have it promoted has not been looked at. The scheduler's graph lets a
 * promotion go beside the probes of the other instances (crm_simulate, seen): there a node's history outlives the
 * manager, here a manager that is started anew begins with none, and its node may have had the promoted instance all
 * the time. What a probe finds against the expectation ends the transition, and the next decision knows of it.
 */
import { withoutInstance } from "../../../cib/instance-name.ts";
import type { ResourceAction, TransitionAction } from "./graph.ts";

const baseOf = ({ resource }: ResourceAction): string => withoutInstance(resource.longId ?? resource.id);

const isProbe = (action: TransitionAction): action is ResourceAction =>
  action.kind === "resource" && action.operation === "monitor" && action.intervalMs === 0;

const isPromotion = (action: TransitionAction): action is ResourceAction =>
  action.kind === "resource" && action.operation === "promote";

/** Ids of all that must succeed before the action starts. */
function needsOf(action: TransitionAction, byId: ReadonlyMap<number, TransitionAction>): ReadonlySet<number> {
  const seen = new Set<number>();
  const open = [...action.inputs];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    open.push(...(byId.get(id)?.inputs ?? []));
  }
  return seen;
}

/**
 * The same actions; promotions with the probes of the same clone among their inputs, but for those that themselves wait
 * for the promotion: a guest that runs on the promoted disk is looked into when it is up.
 */
export function promoteAfterProbes(actions: readonly TransitionAction[]): readonly TransitionAction[] {
  const probes = actions.filter(isProbe);
  if (probes.length === 0 || !actions.some(isPromotion)) return actions;
  const byId = new Map<number, TransitionAction>(actions.map((action) => [action.id, action]));
  return actions.map((action) => {
    if (!isPromotion(action)) return action;
    const news = probes
      .filter((probe) => baseOf(probe) === baseOf(action) && !needsOf(probe, byId).has(action.id))
      .map(({ id }) => id)
      .filter((id) => !action.inputs.includes(id));
    if (news.length === 0) return action;
    const later: TransitionAction = { ...action, inputs: [...action.inputs, ...news] };
    // Of two promotions each may be what a probe for the other waits for: the second sees what the first waits for now.
    byId.set(later.id, later);
    return later;
  });
}
