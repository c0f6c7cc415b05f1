/**
 * Sets of name-value pairs whose rules are asked: what a resource, an operation or a node has at this time.
 * Facts: Pacemaker Explained, "Rules", "Using Rules to Control Resource Options".
 */
import type { XmlElement } from "../../../../base/xml.ts";
import { addPairs, type IdIndex, rankSets } from "../../../../cib/sets.ts";
import { applies, type RuleContext } from "./rules.ts";

/** Adds what the sets say to `values`, never overwriting; `firstId` names the set that outranks every score. */
export function addSets(
  sets: readonly XmlElement[],
  ids: () => IdIndex,
  context: RuleContext,
  values: Record<string, string>,
  firstId?: string,
): Record<string, string> {
  if (sets.length === 0) return values;
  for (const set of rankSets(sets, ids, firstId)) if (applies(set, context)) addPairs(set, ids, values);
  return values;
}
