/**
 * What an operator's order takes down without a successor: resources that run, and by the scheduler's own word would go
 * on running, and run nowhere (or are promoted nowhere) once the order is in force. Pure: two decisions in, names out.
 */
import type { Problem } from "../../../base/problem.ts";
import { withoutInstance } from "../../../cib/instance-name.ts";
import type { Decision, ResourceRole, ResourceStatus } from "../scheduler/decision.ts";

/** A clone runs as long as any of its instances does. */
function basesWith(decision: Decision, wanted: (one: ResourceStatus) => boolean): ReadonlySet<string> {
  return new Set(decision.resources.filter(wanted).map(({ id }) => withoutInstance(id)));
}

const isService = ({ class: kind }: ResourceStatus) => kind !== "stonith";
const RUNNING: readonly ResourceRole[] = ["started", "unpromoted", "promoted"];

/** Ids of what is lost; `id (promoted)` where only that role is. Sorted. */
export function lostBy(now: Decision, then: Decision): readonly string[] {
  const staysIn = (decision: Decision, roles: readonly ResourceRole[]) =>
    basesWith(decision, ({ nextNode, nextRole }) => nextNode !== undefined && roles.includes(nextRole));
  const lost = (roles: readonly ResourceRole[]) => {
    const active = basesWith(now, (one) => isService(one) && roles.includes(one.role) && one.activeOn.length > 0);
    const [stays, remains] = [staysIn(now, roles), staysIn(then, roles)];
    return [...active].filter((id) => stays.has(id) && !remains.has(id));
  };
  const wholly = lost(RUNNING);
  const roles = lost(["promoted"]).filter((id) => !wholly.includes(id));
  return [...wholly, ...roles.map((id) => `${id} (promoted)`)].toSorted();
}

/** The warning to whoever ordered it; undefined when nothing is lost. */
export function lossWarning(lost: readonly string[], order: string): Problem | undefined {
  if (lost.length === 0) return undefined;
  const reason = `${order} stops ${lost.join(", ")}: no other node may run ${lost.length === 1 ? "it" : "them"} now`;
  const remedy = "take the order back if that was not meant; gemel why RESOURCE says what keeps it from the others";
  return { severity: "warning", place: "cluster", reason, remedy };
}
