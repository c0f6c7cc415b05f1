/**
 * Of several true reasons for one line of the Transition Summary the peer tells the one that it came upon last, which
 * depends on the order in which it goes over its actions. Where it tells another one than we do, our own settled plan
 * is asked whether that one is true as well: that what it names cannot run, or must be run, and comes before the step.
 */
import { clockOf } from "../../src/app/commands/simulate-batch.ts";
import type { XmlElement } from "../../src/base/xml.ts";
import { describe, type Step } from "../../src/cluster/core/scheduler/act/plan.ts";
import { work } from "../../src/cluster/core/scheduler/schedule.ts";
import type { Worked } from "../../src/cluster/core/scheduler/worked.ts";
import { inOldWords } from "./scheduler-peer.ts";

const BECAUSE = / +due to ((?:required|unrunnable) \S+ [\w-]+)(?= \(blocked\)$|$)/;
const CHANGE = /^ {2}\* (?:Start|Stop|Restart|Move|Recover|Promote|Demote) +(\S+) /;

const squeezed = (line: string) => line.replaceAll(/\s+/g, " ");

/** All that comes after one of these, by whatever links lead there. */
function behind({ plan }: Worked, causes: readonly Step[]): ReadonlySet<Step> {
  const next = Map.groupBy(plan.links, ({ first }) => first);
  const reached = new Set(causes);
  for (const step of reached) for (const { second } of next.get(step) ?? []) reached.add(second);
  return reached;
}

/** Whether that is so in our plan, and a reason for anything that is done with the resource. */
function isTrue(worked: Worked, id: string, reason: string): boolean {
  const [kind = "", ...words] = reason.split(" ");
  const { actions } = worked.graph;
  const isSo = ({ index }: Step) =>
    kind === "unrunnable" ? actions[index]?.runnable === false : actions[index]?.required === true;
  const causes = worked.plan.steps.filter((step) => describe(step) === words.join(" ") && isSo(step));
  const reached = behind(worked, causes);
  return worked.plan.steps.some((step) => step.resource?.id === id && !causes.includes(step) && reached.has(step));
}

/** Whether the reports are alike but for reasons, and each reason that only the peer tells is true. */
export function tellsOtherTrueReasons(cib: XmlElement, theirs: string, ours: string): boolean {
  const [their, our] = [theirs, ours].map((report) =>
    inOldWords(report)
      .split("\n")
      .filter((line) => line.trim() !== ""),
  );
  if (their === undefined || our === undefined || their.length !== our.length) return false;
  const worked = work(cib, clockOf(cib, undefined));
  return their.every((line, at) => {
    const mine = our[at] ?? "";
    if (squeezed(line) === squeezed(mine)) return true;
    const [, reason] = BECAUSE.exec(line) ?? [];
    const [, id] = CHANGE.exec(line) ?? [];
    const bare = (text: string) => squeezed(text.replace(BECAUSE, ""));
    return reason !== undefined && id !== undefined && bare(line) === bare(mine) && isTrue(worked, id, reason);
  });
}
