/** How values stand in a CIB: name-value sets, words, truth; and how what is wrong with them is told. */
import type { Problem } from "../../base/problem.ts";
import { childrenOf, type XmlElement } from "../../base/xml.ts";
import { readScore } from "../../cib/schema/values.ts";

export type Values = Readonly<Record<string, string>>;
export type Complain = (place: string, reason: string, remedy: string, severity?: Problem["severity"]) => void;

/** Outranks every score, as the scheduler has it. Fact: Pacemaker Explained, "Cluster Options". */
const FIRST_SET = "cib-bootstrap-options";
/** As if it were not written there. */
const UNSET = "#default";

/** The name-value pairs of all sets with this name below `element`; the first set that has a name wins. */
export function valuesOf(element: XmlElement | undefined, set: string): Values {
  const values: Record<string, string> = {};
  const rank = ({ attributes: { id, score } }: XmlElement) =>
    id === FIRST_SET ? Infinity : (readScore(score ?? "") ?? 0);
  const sets = childrenOf(element, set).toSorted((left, right) => rank(right) - rank(left) || 0);
  for (const pair of sets.flatMap((each) => childrenOf(each, "nvpair"))) {
    const { name, value } = pair.attributes;
    if (name === undefined || value === undefined || value === UNSET || Object.hasOwn(values, name)) continue;
    values[name] = value;
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
