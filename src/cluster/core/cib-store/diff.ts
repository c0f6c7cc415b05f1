/**
 * What differs between two configurations, one line a change, for history, conflicts and logs. Elements are matched
 * by name and id; a change of place alone is told as such, because the order of members counts.
 */
import { entryOf } from "../../../base/record.ts";
import type { XmlElement } from "../../../base/xml.ts";

/** A diff is for people; a longer one says how much more there is. */
export const DIFF_LINES_MAX = 100;

const keyOf = ({ name, attributes }: XmlElement) => `${name} ${attributes["id"] ?? ""}`.trim();

function tell({ name, attributes }: XmlElement): string {
  const { id, ...rest } = attributes;
  const words = Object.entries(rest).map(([key, value]) => `${key}="${value}"`);
  return [name, ...(id === undefined ? [] : [id]), ...words].join(" ");
}

/** An element that has come or gone, with all that stands in it: that is what was gained or lost. */
function tellWhole(sign: "+" | "-", element: XmlElement, lines: string[]): void {
  lines.push(`${sign} ${tell(element)}`);
  for (const child of element.children) tellWhole(sign, child, lines);
}

/** Elements without ids of their own (`operations`) are matched by their turn. */
function keyed(children: readonly XmlElement[]): Map<string, XmlElement> {
  const found = new Map<string, XmlElement>();
  for (const child of children) {
    const key = keyOf(child);
    let unique = key;
    for (let turn = 2; found.has(unique); turn += 1) unique = `${key} (${turn})`;
    found.set(unique, child);
  }
  return found;
}

function compare(before: XmlElement, after: XmlElement, lines: string[]): void {
  const names = new Set([...Object.keys(before.attributes), ...Object.keys(after.attributes)]);
  for (const name of names) {
    const [old, now] = [entryOf(before.attributes, name), entryOf(after.attributes, name)];
    if (old !== now) lines.push(`~ ${keyOf(after)} ${name}: ${old ?? "(unset)"} -> ${now ?? "(unset)"}`);
  }
  if (before.text !== after.text) lines.push(`~ ${keyOf(after)} text: ${before.text ?? ""} -> ${after.text ?? ""}`);
  const [left, right] = [keyed(before.children), keyed(after.children)];
  for (const [key, child] of left) if (!right.has(key)) tellWhole("-", child, lines);
  for (const [key, child] of right) {
    const old = left.get(key);
    if (old === undefined) tellWhole("+", child, lines);
    else compare(old, child, lines);
  }
  const kept = [...left.keys()].filter((key) => right.has(key));
  const now = [...right.keys()].filter((key) => left.has(key));
  if (kept.join("\n") !== now.join("\n")) lines.push(`~ ${keyOf(after)} order: ${now.join(", ")}`);
}

/** Empty when nothing differs. */
export function diffTrees(before: XmlElement, after: XmlElement): string[] {
  const lines: string[] = [];
  compare(before, after, lines);
  if (lines.length <= DIFF_LINES_MAX) return lines;
  return [...lines.slice(0, DIFF_LINES_MAX), `... and ${lines.length - DIFF_LINES_MAX} more`];
}
