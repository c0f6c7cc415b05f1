/** How values stand in a CIB: name-value sets, words, truth; and how what is wrong with them is told. */
import type { Problem } from "../../base/problem.ts";
import { childrenOf, type XmlElement } from "../../base/xml.ts";

export type Values = Readonly<Record<string, string>>;
export type Complain = (place: string, reason: string, remedy: string, severity?: Problem["severity"]) => void;

/** The name-value pairs of all sets with this name below `element`; the first set that has a name wins. */
export function valuesOf(element: XmlElement | undefined, set: string): Values {
  const values: Record<string, string> = {};
  const sets = childrenOf(element, set).toSorted(
    (left, right) => Number(right.attributes["score"] ?? 0) - Number(left.attributes["score"] ?? 0),
  );
  for (const pair of sets.flatMap((each) => childrenOf(each, "nvpair"))) {
    const { name, value } = pair.attributes;
    if (name !== undefined && value !== undefined && !Object.hasOwn(values, name)) values[name] = value;
  }
  return values;
}

export function isTrue(value: string | undefined, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  return /^(true|on|yes|y|1)$/i.test(value);
}

export function wordsOf(list: string | undefined): readonly string[] {
  return (list ?? "").split(/[\s,;]+/).filter((word) => word !== "");
}
