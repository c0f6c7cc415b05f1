/**
 * Sets of options: `params a=b c=d`, `meta ...`, `utilization ...`, each with an id, a score and a rule if wanted.
 * A set may refer to another's content by `$id-ref=ID`.
 */
import { setEntry } from "../../base/record.ts";
import { type XmlElement, xml } from "../../base/xml.ts";
import {
  type Cursor,
  fault,
  mark,
  nextIs,
  peek,
  readScoreWord,
  take,
  takeLabel,
  takeNamed,
  takePair,
} from "./cursor.ts";
import { printRule, printScore, quoteWord, readRule } from "./rules.ts";

export const SET_NAMES: Readonly<Record<string, string>> = {
  params: "instance_attributes",
  attributes: "instance_attributes",
  meta: "meta_attributes",
  utilization: "utilization",
  op_params: "instance_attributes",
  op_meta: "meta_attributes",
};

/** One option, `name=value`; undefined when the next word is none. */
function takeOption(cursor: Cursor): XmlElement | undefined {
  const pair = takePair(cursor);
  if (pair === undefined) return undefined;
  if (!pair.name.startsWith("$"))
    return mark(cursor, pair.token, xml("nvpair", { name: pair.name, value: pair.value }));
  throw fault(cursor, pair.token, `"${pair.name}" is not understood here`, "write name=value, or $id= as first word");
}

/**
 * The options behind the keyword, as one set element.
 * Empty sets are refused: a forgotten option must not pass as none.
 */
export function readSet(cursor: Cursor, element: string, keyword: string): XmlElement {
  const attributes: Record<string, string> = {};
  const children: XmlElement[] = [];
  for (let named = takeNamed(cursor, "id-ref", "id"); named !== undefined; named = takeNamed(cursor, "id-ref", "id"))
    setEntry(attributes, named.name, named.value);
  const before = cursor.at;
  const label = takeLabel(cursor);
  const score = label === undefined ? undefined : readScoreWord(label.text);
  if (score !== undefined) attributes["score"] = score;
  else cursor.at = before;
  while (nextIs(cursor, "rule")) {
    take(cursor, "rule");
    children.push(readRule(cursor));
  }
  for (let option = takeOption(cursor); option !== undefined; option = takeOption(cursor)) children.push(option);
  if (children.length === 0 && attributes["id-ref"] === undefined && attributes["id"] === undefined)
    throw fault(cursor, peek(cursor), `${keyword} names no option`, "write name=value behind it, or remove the word");
  const twice = children.find(
    ({ attributes: { name } }, index) =>
      name !== undefined && children.slice(0, index).some((other) => other.attributes["name"] === name),
  );
  if (twice !== undefined) {
    const name = twice.attributes["name"] ?? "";
    throw fault(cursor, cursor.tokens[before], `${name} stands twice in one set`, `remove one of the two ${name}`);
  }
  return xml(element, attributes, children);
}

/** The words of a set without its keyword. */
export function printSet({ attributes, children }: XmlElement): string[] {
  const words: string[] = [];
  if (attributes["id-ref"] !== undefined) return [`$id-ref=${attributes["id-ref"]}`];
  if (attributes["id"] !== undefined) words.push(`$id=${attributes["id"]}`);
  if (attributes["score"] !== undefined) words.push(`${printScore(attributes["score"])}:`);
  for (const child of children) {
    if (child.name === "rule") words.push(printRule(child, false));
    else if (child.attributes["value"] === undefined) words.push(child.attributes["name"] ?? "");
    else words.push(`${child.attributes["name"] ?? ""}=${quoteWord(child.attributes["value"])}`);
  }
  return words;
}
