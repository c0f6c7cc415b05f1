/**
 * Rules: `rule [$id=ID] [$role=ROLE] [SCORE|ATTRIBUTE:] EXPRESSION [and|or EXPRESSION]...`
 * An expression is `ATTRIBUTE [TYPE:]OPERATION VALUE`, `defined ATTRIBUTE`, `not_defined ATTRIBUTE` or a `date` one.
 * `and` and `or` may not be mixed, because the language has no brackets for them; nested rules need `xml`.
 */
import { setEntry } from "../../base/record.ts";
import { type XmlElement, xml } from "../../base/xml.ts";
import {
  type Cursor,
  fault,
  nextIs,
  peek,
  readScoreWord,
  take,
  takeIf,
  takeLabel,
  takeNamed,
  takePair,
} from "./cursor.ts";
import type { Token } from "./tokens.ts";

const OPERATIONS = ["eq", "ne", "lt", "gt", "lte", "gte"];
const TYPES = ["string", "version", "number", "integer"];

function readBinary(cursor: Cursor, attribute: Token): XmlElement {
  const token = take(cursor, "a comparison (eq, ne, lt, gt, lte, gte)");
  const [, type, operation = ""] = /^(?:([a-z]+):)?(.*)$/.exec(token.text) ?? [];
  if (!OPERATIONS.includes(operation))
    throw fault(cursor, token, `"${token.text}" is no comparison`, `write one of ${OPERATIONS.join(", ")}`);
  if (type !== undefined && !TYPES.includes(type))
    throw fault(cursor, token, `"${type}" is no type of value`, `write one of ${TYPES.join(", ")}`);
  const value = take(cursor, "the value to compare with").text;
  return xml("expression", { operation, attribute: attribute.text, ...(type === undefined ? {} : { type }), value });
}

function takePairs(cursor: Cursor): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (let pair = takePair(cursor); pair !== undefined; pair = takePair(cursor)) setEntry(pairs, pair.name, pair.value);
  return pairs;
}

function readDate(cursor: Cursor): XmlElement {
  const token = take(cursor, "lt, gt, in or spec");
  switch (token.text) {
    case "lt":
      return xml("date_expression", { operation: "lt", end: take(cursor, "a date").text });
    case "gt":
      return xml("date_expression", { operation: "gt", start: take(cursor, "a date").text });
    case "in":
    case "in_range": {
      const start = takeNamed(cursor, "start");
      const end = takeNamed(cursor, "end");
      takeIf(cursor, "duration");
      const durationId = takeNamed(cursor, "id");
      const duration = takePairs(cursor);
      const bounds = {
        operation: "in_range",
        ...(start === undefined ? {} : { start: start.value }),
        ...(end === undefined ? {} : { end: end.value }),
      };
      if (start === undefined && end === undefined)
        throw fault(cursor, peek(cursor), "a range needs a start or an end", "write date in start=DATE end=DATE");
      if (Object.keys(duration).length === 0) return xml("date_expression", bounds);
      const id: Record<string, string> = durationId === undefined ? {} : { id: durationId.value };
      return xml("date_expression", bounds, [xml("duration", { ...id, ...duration })]);
    }
    case "spec":
    case "date_spec": {
      const spec = takePairs(cursor);
      if (Object.keys(spec).length === 0)
        throw fault(cursor, peek(cursor), "a date specification is empty", "write such as hours=9-16 weekdays=1-5");
      return xml("date_expression", { operation: "date_spec" }, [xml("date_spec", spec)]);
    }
    default:
      throw fault(cursor, token, `"${token.text}" is no date operation`, "write date lt, gt, in or spec");
  }
}

function readExpression(cursor: Cursor): XmlElement {
  const token = take(cursor, "an expression");
  if (token.text === "date" && !OPERATIONS.includes(peek(cursor, 1)?.text ?? "")) return readDate(cursor);
  if (token.text === "date" && ["lt", "gt"].includes(peek(cursor)?.text ?? "")) return readDate(cursor);
  if (token.text === "defined" || token.text === "not_defined")
    return xml("expression", { operation: token.text, attribute: take(cursor, "an attribute's name").text });
  return readBinary(cursor, token);
}

/** What stands behind the word `rule`. Without a score it counts as INFINITY where `scoreNeeded` is false. */
export function readRule(cursor: Cursor): XmlElement {
  const attributes: Record<string, string> = {};
  for (;;) {
    const named = takeNamed(cursor, "id-ref", "id", "role");
    if (named === undefined) break;
    setEntry(attributes, named.name, named.value);
  }
  if (attributes["id-ref"] !== undefined) return xml("rule", attributes);
  const label = takeLabel(cursor);
  const score = label === undefined ? "INFINITY" : readScoreWord(label.text);
  if (score === undefined) attributes["score-attribute"] = label?.text ?? "";
  else attributes["score"] = score;
  const expressions = [readExpression(cursor)];
  let joined: Token | undefined;
  while (nextIs(cursor, "and", "or")) {
    const word = take(cursor, "and");
    if (joined !== undefined && joined.text !== word.text)
      throw fault(cursor, word, "and and or are mixed in one rule", "write two rules, or a nested rule as xml");
    joined = word;
    expressions.push(readExpression(cursor));
  }
  if (joined?.text === "or") attributes["boolean-op"] = "or";
  return xml("rule", attributes, expressions);
}

const quoteWord = (word: string) => (/^[^\s"'\\]+$/.test(word) ? word : `"${word.replaceAll(/["\\]/g, "\\$&")}"`);
const pairs = (attributes: Readonly<Record<string, string>>, skip: readonly string[] = []) =>
  Object.entries(attributes)
    .filter(([name]) => !skip.includes(name))
    .map(([name, value]) => `${name}=${quoteWord(value)}`);

function printDate({ attributes, children: [detail] }: XmlElement): string {
  switch (attributes["operation"] ?? "in_range") {
    case "lt":
      return `date lt ${quoteWord(attributes["end"] ?? "")}`;
    case "gt":
      return `date gt ${quoteWord(attributes["start"] ?? "")}`;
    case "date_spec":
      return ["date spec", ...pairs(detail?.attributes ?? {}, ["id"])].join(" ");
    default:
      return ["date in", ...pairs(attributes, ["operation", "id"]), ...pairs(detail?.attributes ?? {}, ["id"])].join(
        " ",
      );
  }
}

function printExpression(expression: XmlElement): string {
  if (expression.name === "date_expression") return printDate(expression);
  const { operation = "", attribute = "", type, value = "" } = expression.attributes;
  if (operation === "defined" || operation === "not_defined") return `${operation} ${quoteWord(attribute)}`;
  return `${quoteWord(attribute)} ${type === undefined ? "" : `${type}:`}${operation} ${quoteWord(value)}`;
}

/** `rule ...` as read above; whether it was expressible at all is judged by reading it back. */
export function printRule({ attributes, children }: XmlElement, scoreNeeded: boolean): string {
  const { id, role, score, "score-attribute": scoreAttribute, "boolean-op": join = "and" } = attributes;
  const words = ["rule"];
  if (attributes["id-ref"] !== undefined) return `rule $id-ref=${attributes["id-ref"]}`;
  if (id !== undefined) words.push(`$id=${id}`);
  if (role !== undefined) words.push(`$role=${role}`);
  const label = scoreAttribute ?? printScore(score ?? "INFINITY");
  if (scoreNeeded || label !== "inf") words.push(`${label}:`);
  words.push(children.map(printExpression).join(` ${join} `));
  return words.join(" ");
}

/** `inf` and `-inf` for the infinite ones, as crmsh prints them. */
export function printScore(score: string): string {
  return score.replace(/^\+?INFINITY$/i, "inf").replace(/^-INFINITY$/i, "-inf");
}

export { pairs as printPairs, quoteWord };
