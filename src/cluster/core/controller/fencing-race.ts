/**
 * Who shoots first when nodes that live have lost each other. Each side reads the order from the CIB status as it was
 * when they parted, which both have, so they agree without a word: the node that carries more goes first, and whoever
 * stands behind its target waits (priority-fencing-delay) and is fenced meanwhile.
 * Facts: Pacemaker Explained, priority-fencing-delay: the sum of the priorities of a node's active resources, 1 more
 * for a promoted one. Beyond it, since priorities are seldom configured: what is promoted, then how many run; the
 * last word has the order of the node ids, so that there is never a tie.
 */
import type { Decision } from "../scheduler/decision.ts";

export interface FencingStanding {
  readonly node: string;
  readonly priority: number;
  readonly promotedCount: number;
  /** Resources that run there, fencing devices left out: they guard others and serve nobody. */
  readonly activeCount: number;
}

type Facts = Pick<Decision, "nodes" | "resources">;

function standingOf(node: string, resources: Facts["resources"]): FencingStanding {
  const here = resources.filter(({ class: of, activeOn }) => of !== "stonith" && activeOn.includes(node));
  const promoted = here.filter(({ role }) => role === "promoted");
  const bonus = promoted.filter(({ priority }) => priority !== 0).length;
  return {
    node,
    priority: here.reduce((sum, { priority }) => sum + priority, bonus),
    promotedCount: promoted.length,
    activeCount: here.length,
  };
}

/** Making one takes longer than a whole sort. */
const BY_NUMBER = new Intl.Collator("en", { numeric: true });

/** All members, the one that may shoot first at the head. */
export function fencingStandings({ nodes, resources }: Facts): readonly FencingStanding[] {
  return nodes
    .filter(({ kind }) => kind === "member")
    .toSorted((left, right) => BY_NUMBER.compare(left.id, right.id))
    .map(({ name }) => standingOf(name, resources))
    .toSorted(
      (left, right) =>
        right.priority - left.priority ||
        right.promotedCount - left.promotedCount ||
        right.activeCount - left.activeCount,
    );
}

/** Whether `target` stands before everybody on our side. */
export function isPreferred(order: readonly string[], target: string, members: readonly string[]): boolean {
  const at = order.indexOf(target);
  return at >= 0 && members.every((node) => !order.includes(node) || at < order.indexOf(node));
}
