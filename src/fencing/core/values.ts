/** How values stand in a CIB: name-value sets, words, truth; and how what is wrong with them is told. */
import type { Problem } from "../../base/problem.ts";
import { childrenOf, type XmlElement } from "../../base/xml.ts";
import { addPairs, FIRST_OPTION_SET, lazyIds, rankSets } from "../../cib/sets.ts";

export type Values = Readonly<Record<string, string>>;
export type Complain = (place: string, reason: string, remedy: string, severity?: Problem["severity"]) => void;

/** The name-value pairs of all sets with this name below `element`; what they borrow stands in `section`. */
export function valuesOf(element: XmlElement | undefined, set: string, section: XmlElement | undefined): Values {
  const values: Record<string, string> = {};
  const ids = section === undefined ? () => new Map() : lazyIds(section);
  for (const each of rankSets(childrenOf(element, set), ids, FIRST_OPTION_SET)) addPairs(each, ids, values);
  return values;
}

export function isTrue(value: string | undefined, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  return /^(true|on|yes|y|1)$/i.test(value);
}

export function wordsOf(list: string | undefined): readonly string[] {
  return (list ?? "").split(/[\s,;]+/).filter((word) => word !== "");
}
