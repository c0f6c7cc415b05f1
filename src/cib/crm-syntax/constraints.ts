/**
 * Statements about constraints: location, colocation, order, rsc_ticket, with resource sets.
 * `( a b )` is a set in no order, `[ a b ]` one of which any member suffices, `{ a b }` one with attributes of its own.
 * Scores of an order are read as its kind: 0 is Optional, anything else Mandatory (as crmsh does).
 */
import { entryOf, isKeyOf, setEntry } from "../../base/record.ts";
import { type XmlElement, xml } from "../../base/xml.ts";
import {
  atEnd,
  type Cursor,
  fault,
  finish,
  peek,
  readScoreWord,
  take,
  takeId,
  takeIf,
  takeLabel,
  takeNamed,
  takePair,
} from "./cursor.ts";
import type { Said } from "./resources.ts";
import { readRule } from "./rules.ts";
import type { Token } from "./tokens.ts";

const ROLES = ["Started", "Stopped", "Master", "Slave", "Promoted", "Unpromoted"];
const ACTIONS = ["start", "stop", "promote", "demote"];
/** A name apart, because an object literal with it looks like a promise to the linter. */
const THEN = "then";
const KINDS = ["Mandatory", "Optional", "Serialize"];
const BRACKETS: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

interface Endpoint {
  readonly id: string;
  /** Role or action behind the colon. */
  readonly suffix?: string;
}

/** `resource[:role]` or `resource[:action]`; which of the two the statement knows. */
function readEndpoint(cursor: Cursor, token: Token, suffixes: readonly string[], what: string): Endpoint {
  const [, id = "", suffix] = /^([^:]*)(?::(.*))?$/.exec(token.text) ?? [];
  if (!/^[A-Za-z_\u00c0-\uffff][-.\w\u00b7-\uffff]*$/.test(id))
    throw fault(cursor, token, `"${token.text}" is no resource`, "write the id of a resource");
  if (suffix === undefined) return { id };
  const found = suffixes.find((known) => known.toLowerCase() === suffix.toLowerCase());
  if (found === undefined)
    throw fault(cursor, token, `"${suffix}" is no ${what}`, `write one of ${suffixes.join(", ")}`);
  return { id, suffix: found };
}

/** Brackets are words of their own, also when they cling to a resource: `(a b)`. */
function splitBrackets(cursor: Cursor): void {
  cursor.tokens = cursor.tokens.flatMap((token, index) => {
    if (index < cursor.at || token.text.length < 2 || token.plainLength < token.text.length) return [token];
    if (!/^[([{]|[)\]}]$/.test(token.text) || token.text.startsWith("/")) return [token];
    const [, open = "", middle = "", close = ""] = /^([([{]?)(.*?)([)\]}]?)$/.exec(token.text) ?? [];
    let column = token.column;
    return [open, middle, close].flatMap((text) => {
      if (text === "") return [];
      const part = { text, plainLength: text.length, line: token.line, column };
      column += text.length;
      return [part];
    });
  });
}

interface SetWords {
  /** `role` or `action`: the attribute of a set that the words behind colons mean. */
  readonly attribute: "role" | "action";
  readonly words: readonly string[];
}

function bracketed(cursor: Cursor, open: Token, { attribute, words }: SetWords): XmlElement[] {
  const close = entryOf(BRACKETS, open.text) ?? "";
  const sets: { attributes: Record<string, string>; references: XmlElement[] }[] = [];
  const extra: Record<string, string> = {};
  for (let token = peek(cursor); token?.text !== close; token = peek(cursor)) {
    const pair = takePair(cursor);
    if (pair !== undefined) setEntry(extra, pair.name.replace(/^\$/, ""), pair.value);
    else {
      const { id, suffix } = readEndpoint(cursor, take(cursor, `${close}`), words, attribute);
      const last = sets.at(-1);
      if (last !== undefined && last.attributes[attribute] === suffix)
        last.references.push(xml("resource_ref", { id }));
      else
        sets.push({
          attributes: suffix === undefined ? {} : { [attribute]: suffix },
          references: [xml("resource_ref", { id })],
        });
    }
  }
  take(cursor, close);
  if (sets.length === 0) throw fault(cursor, open, "a set of resources is empty", "name resources in it");
  return sets.map(({ attributes, references }) => {
    const marks: Record<string, string> =
      open.text === "("
        ? { sequential: "false" }
        : open.text === "["
          ? { "require-all": "false", sequential: "false" }
          : {};
    const merged: Record<string, string> = { ...marks, ...attributes, ...extra };
    // `[ a b sequential=true ]`: the default again, which is not written down.
    if (open.text === "[" && merged["sequential"] === "true") delete merged["sequential"];
    return xml("resource_set", merged, references);
  });
}

/** All sets up to the first `name=value`; runs of resources without brackets are one set each. */
function readSets(cursor: Cursor, words: SetWords): XmlElement[] {
  const sets: XmlElement[] = [];
  let run: XmlElement[] = [];
  let runSuffix: string | undefined;
  const close = () => {
    const attributes: Record<string, string> = runSuffix === undefined ? {} : { [words.attribute]: runSuffix };
    if (run.length > 0) sets.push(xml("resource_set", attributes, run));
    run = [];
  };
  while (!atEnd(cursor) && !/^\$?[\w-]+=/.test(peek(cursor)?.text ?? "")) {
    const token = take(cursor, "a resource");
    if (entryOf(BRACKETS, token.text) !== undefined) {
      close();
      sets.push(...bracketed(cursor, token, words));
      continue;
    }
    const { id, suffix } = readEndpoint(cursor, token, words.words, words.attribute);
    if (suffix !== runSuffix) close();
    runSuffix = suffix;
    run.push(xml("resource_ref", { id }));
  }
  close();
  return sets;
}

/** The two ends of a plain constraint, when the sets are no more than that. */
function plainEnds(cursor: Cursor): readonly [Token, Token] | undefined {
  const rest = cursor.tokens.slice(cursor.at);
  const end = rest.findIndex(({ text }) => /^\$?[\w-]+=/.test(text));
  const [first, second, ...more] = end < 0 ? rest : rest.slice(0, end);
  if (first === undefined || second === undefined || more.length > 0) return undefined;
  if ([first, second].some(({ text }) => entryOf(BRACKETS, text) !== undefined || /^[)\]}]$/.test(text)))
    return undefined;
  cursor.at += 2;
  return [first, second];
}

function takeExtras(cursor: Cursor, allowed: readonly string[]): Record<string, string> {
  const extras: Record<string, string> = {};
  for (let pair = takePair(cursor); pair !== undefined; pair = takePair(cursor)) {
    const name = pair.name.replace(/^\$/, "");
    if (!allowed.includes(name))
      throw fault(cursor, pair.token, `"${name}" is no attribute of this constraint`, `use ${allowed.join(", ")}`);
    setEntry(extras, name, pair.value);
  }
  return extras;
}

function takeScore(cursor: Cursor): Record<string, string> {
  const label = takeLabel(cursor);
  if (label === undefined)
    throw fault(cursor, peek(cursor), "the score is missing", "write it with a colon, such as inf: or 100:");
  const score = readScoreWord(label.text);
  if (score !== undefined) return { score };
  throw fault(cursor, label, `"${label.text}" is no score`, "write a whole number, inf or -inf, then a colon");
}

function readLocationTarget(cursor: Cursor): { attributes: Record<string, string>; sets: XmlElement[] } {
  const token = take(cursor, "the resource");
  const pattern = /^\/(.+)\/$/.exec(token.text);
  if (pattern !== null) return { attributes: { "rsc-pattern": pattern[1] ?? "" }, sets: [] };
  if (isKeyOf(BRACKETS, token.text))
    return { attributes: {}, sets: bracketed(cursor, token, { attribute: "role", words: ROLES }) };
  const { id, suffix } = readEndpoint(cursor, token, ROLES, "role");
  return { attributes: { rsc: id, ...(suffix === undefined ? {} : { role: suffix }) }, sets: [] };
}

export function readLocation(cursor: Cursor): Said {
  const id = takeId(cursor, "the constraint's id");
  splitBrackets(cursor);
  const target = readLocationTarget(cursor);
  const extras = takeExtras(cursor, ["role", "resource-discovery"]);
  const attributes: Record<string, string> = { id, ...target.attributes, ...extras };
  const rules: XmlElement[] = [];
  while (takeIf(cursor, "rule") !== undefined) rules.push(readRule(cursor));
  if (rules.length > 0) {
    finish(cursor, "and, or, or another rule");
    return { element: xml("rsc_location", attributes, [...target.sets, ...rules]) };
  }
  const scored = { ...attributes, ...takeScore(cursor), node: take(cursor, "the node's name").text };
  finish(cursor, "nothing more");
  return { element: xml("rsc_location", scored, target.sets) };
}

export function readColocation(cursor: Cursor): Said {
  const id = takeId(cursor, "the constraint's id");
  const attributes: Record<string, string> = { id, ...takeScore(cursor) };
  splitBrackets(cursor);
  const ends = plainEnds(cursor);
  const sets = ends === undefined ? readSets(cursor, { attribute: "role", words: ROLES }) : [];
  if (ends !== undefined) {
    const [first, second] = ends.map((token) => readEndpoint(cursor, token, ROLES, "role"));
    attributes["rsc"] = first?.id ?? "";
    if (first?.suffix !== undefined) attributes["rsc-role"] = first.suffix;
    attributes["with-rsc"] = second?.id ?? "";
    if (second?.suffix !== undefined) attributes["with-rsc-role"] = second.suffix;
  }
  needTwo(cursor, ends, sets);
  const extras = takeExtras(cursor, ["node-attribute", "influence"]);
  finish(cursor, "nothing more");
  return { element: xml("rsc_colocation", { ...attributes, ...extras }, sets) };
}

function needTwo(cursor: Cursor, ends: readonly [Token, Token] | undefined, sets: readonly XmlElement[]): void {
  const count = sets.reduce((sum, { children }) => sum + children.length, 0);
  if (ends === undefined && count < 2)
    throw fault(cursor, undefined, "the constraint names fewer than two resources", "name both of its resources");
}

export function readOrder(cursor: Cursor): Said {
  const id = takeId(cursor, "the constraint's id");
  const label = takeLabel(cursor);
  const attributes: Record<string, string> = { id };
  if (label !== undefined) {
    const score = readScoreWord(label.text);
    const kind = KINDS.find((known) => known.toLowerCase() === label.text.toLowerCase());
    if (kind === undefined && score === undefined)
      throw fault(cursor, label, `"${label.text}" is no kind of order`, `write ${KINDS.join(", ")} or a score`);
    attributes["kind"] = kind ?? (/^[+-]?0+$/.test(score ?? "") ? "Optional" : "Mandatory");
  }
  splitBrackets(cursor);
  const ends = plainEnds(cursor);
  const sets = ends === undefined ? readSets(cursor, { attribute: "action", words: ACTIONS }) : [];
  if (ends !== undefined) {
    const [first, then] = ends.map((token) => readEndpoint(cursor, token, ACTIONS, "action"));
    attributes["first"] = first?.id ?? "";
    if (first?.suffix !== undefined) attributes["first-action"] = first.suffix;
    attributes[THEN] = then?.id ?? "";
    if (then?.suffix !== undefined) attributes["then-action"] = then.suffix;
  }
  needTwo(cursor, ends, sets);
  const extras = takeExtras(cursor, ["symmetrical", "require-all"]);
  finish(cursor, "nothing more");
  return { element: xml("rsc_order", { ...attributes, ...extras }, sets) };
}

export function readTicket(cursor: Cursor): Said {
  const id = takeId(cursor, "the constraint's id");
  const ticket = takeLabel(cursor);
  if (ticket === undefined)
    throw fault(cursor, peek(cursor), "the ticket is missing", "write its name with a colon, such as ticketA:");
  splitBrackets(cursor);
  const sets = readSets(cursor, { attribute: "role", words: ROLES });
  const loss = takeNamed(cursor, "loss-policy");
  finish(cursor, "loss-policy=stop, demote, fence or freeze");
  const attributes = { id, ticket: ticket.text, ...(loss === undefined ? {} : { "loss-policy": loss.value }) };
  const [only, ...others] = sets;
  const reference = only?.children.length === 1 && others.length === 0 ? only.children[0] : undefined;
  if (only === undefined)
    throw fault(cursor, undefined, "the constraint names no resource", "name a resource behind the ticket");
  if (reference === undefined || only.attributes["sequential"] !== undefined)
    return { element: xml("rsc_ticket", attributes, sets) };
  const role: Record<string, string> =
    only.attributes["role"] === undefined ? {} : { "rsc-role": only.attributes["role"] };
  return { element: xml("rsc_ticket", { ...attributes, rsc: reference.attributes["id"] ?? "", ...role }) };
}
