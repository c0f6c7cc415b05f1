/**
 * Whether an XML document is valid by a RELAX NG schema, for tests that judge what our commands write by the schemas
 * that Pacemaker installs: xmllint is not on every machine that runs the tests.
 * Knows what those schemas use: no name spaces, no name classes but one name or any, no parameters of data types.
 * Fact: J. Clark, "An algorithm for RELAX NG validation" (2002): a pattern is derived by what is read, piece by piece.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { unreachable } from "../../src/base/check.ts";
import { parseXml, type XmlElement } from "../../src/base/xml.ts";

type Pair = "choice" | "group" | "interleave" | "after";
type Pattern =
  | { readonly kind: "empty" | "none" | "text"; readonly id: number }
  | { readonly kind: Pair; readonly id: number; readonly first: Pattern; readonly second: Pattern }
  | { readonly kind: "some"; readonly id: number; readonly each: Pattern }
  | { readonly kind: "value"; readonly id: number; readonly accepts: (text: string) => boolean }
  | {
      readonly kind: "attribute" | "element";
      readonly id: number;
      readonly name: string;
      readonly inside: () => Pattern;
    };

let lastId = 0;
const nextId = () => {
  lastId += 1;
  return lastId;
};
const EMPTY: Pattern = { kind: "empty", id: nextId() };
const NONE: Pattern = { kind: "none", id: nextId() };
const TEXT: Pattern = { kind: "text", id: nextId() };
const ANY_NAME = "*";

/** Equal ones are the same one, or derivatives would grow with every element. */
const known = new Map<string, Pattern>();
function keep(key: string, make: () => Pattern): Pattern {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}

function pair(kind: Pair, first: Pattern, second: Pattern): Pattern {
  if (kind === "choice") {
    if (first === NONE || first === second) return second;
    if (second === NONE) return first;
  } else if (first === NONE || second === NONE) return NONE;
  if (kind === "group" || kind === "interleave") {
    if (first === EMPTY) return second;
    if (second === EMPTY) return first;
  }
  return keep(`${kind} ${first.id} ${second.id}`, () => ({ kind, id: nextId(), first, second }));
}

const choice = (first: Pattern, second: Pattern) => pair("choice", first, second);
const some = (each: Pattern): Pattern =>
  each === NONE ? NONE : keep(`some ${each.id}`, () => ({ kind: "some", id: nextId(), each }));

function isNullable(pattern: Pattern): boolean {
  switch (pattern.kind) {
    case "empty":
    case "text":
      return true;
    case "choice":
      return isNullable(pattern.first) || isNullable(pattern.second);
    case "group":
    case "interleave":
      return isNullable(pattern.first) && isNullable(pattern.second);
    case "some":
      return isNullable(pattern.each);
    case "none":
    case "value":
    case "attribute":
    case "element":
    case "after":
      return false;
    default:
      return unreachable(pattern);
  }
}

/** What is left of a pattern once `leaf` has taken one piece of the input out of one place of it. */
function derive(pattern: Pattern, leaf: (pattern: Pattern) => Pattern, isOrdered: boolean): Pattern {
  const down = (each: Pattern) => derive(each, leaf, isOrdered);
  /** What was opened stays in front of all that is still to come. */
  const behind = (derived: Pattern, rest: (tail: Pattern) => Pattern): Pattern => {
    if (derived.kind === "choice") return choice(behind(derived.first, rest), behind(derived.second, rest));
    if (derived.kind === "after") return pair("after", derived.first, rest(derived.second));
    return derived === NONE ? NONE : rest(derived);
  };
  switch (pattern.kind) {
    case "choice":
      return choice(down(pattern.first), down(pattern.second));
    case "group": {
      const { first, second } = pattern;
      const inFirst = behind(down(first), (tail) => pair("group", tail, second));
      if (isOrdered) return isNullable(first) ? choice(inFirst, down(second)) : inFirst;
      return choice(
        inFirst,
        behind(down(second), (tail) => pair("group", first, tail)),
      );
    }
    case "interleave": {
      const { first, second } = pattern;
      return choice(
        behind(down(first), (tail) => pair("interleave", tail, second)),
        behind(down(second), (tail) => pair("interleave", first, tail)),
      );
    }
    case "some":
      return behind(down(pattern.each), (tail) => pair("group", tail, choice(pattern, EMPTY)));
    case "after":
      return behind(down(pattern.first), (tail) => pair("after", tail, pattern.second));
    case "empty":
    case "none":
    case "text":
    case "value":
    case "attribute":
    case "element":
      return leaf(pattern);
    default:
      return unreachable(pattern);
  }
}

function accepts(pattern: Pattern, text: string): boolean {
  const read = (leaf: Pattern) =>
    leaf.kind === "text" ? TEXT : leaf.kind === "value" && leaf.accepts(text) ? EMPTY : NONE;
  return isNullable(derive(pattern, read, true)) || (text.trim() === "" && isNullable(pattern));
}

/** No more attributes: one that is still wanted is missing. */
function withoutAttributes(pattern: Pattern): Pattern {
  switch (pattern.kind) {
    case "attribute":
      return NONE;
    case "after":
      return pair("after", withoutAttributes(pattern.first), pattern.second);
    case "some":
      return some(withoutAttributes(pattern.each));
    case "choice":
    case "group":
    case "interleave":
      return pair(pattern.kind, withoutAttributes(pattern.first), withoutAttributes(pattern.second));
    case "empty":
    case "none":
    case "text":
    case "value":
    case "element":
      return pattern;
    default:
      return unreachable(pattern);
  }
}

function closed(pattern: Pattern): Pattern {
  if (pattern.kind === "choice") return choice(closed(pattern.first), closed(pattern.second));
  return pattern.kind === "after" && isNullable(pattern.first) ? pattern.second : NONE;
}

interface Judged {
  readonly rest: Pattern;
  /** The first thing that does not fit. */
  readonly fault: string | undefined;
}

const isNamed = (pattern: { readonly name: string }, name: string) =>
  pattern.name === ANY_NAME || pattern.name === name;

function judge(pattern: Pattern, element: XmlElement, place: string): Judged {
  const here = `${place}/${element.name}`;
  const open = (leaf: Pattern): Pattern =>
    leaf.kind === "element" && isNamed(leaf, element.name) ? pair("after", leaf.inside(), EMPTY) : NONE;
  let rest = derive(pattern, open, true);
  if (rest === NONE) return { rest, fault: `${here}: not wanted here` };
  for (const [name, value] of Object.entries(element.attributes)) {
    const take = (leaf: Pattern): Pattern =>
      leaf.kind === "attribute" && isNamed(leaf, name) && accepts(leaf.inside(), value) ? EMPTY : NONE;
    rest = derive(rest, take, false);
    if (rest === NONE) return { rest, fault: `${here}: ${name}="${value}"` };
  }
  rest = withoutAttributes(rest);
  if (rest === NONE) return { rest, fault: `${here}: an attribute is missing` };
  const { text } = element;
  if (text !== undefined)
    rest = derive(
      rest,
      (leaf) => (leaf.kind === "text" ? TEXT : leaf.kind === "value" && leaf.accepts(text) ? EMPTY : NONE),
      true,
    );
  for (const child of element.children) {
    const judged = judge(rest, child, here);
    if (judged.fault !== undefined) return judged;
    rest = judged.rest;
  }
  rest = closed(rest);
  return { rest, fault: rest === NONE ? `${here}: something is missing` : undefined };
}

/** Fact: W3C XML Schema, part 2: lexical spaces. */
const TYPES: Readonly<Record<string, RegExp>> = {
  boolean: /^(?:true|false|0|1)$/,
  integer: /^[-+]?\d+$/,
  nonNegativeInteger: /^(?:\+?\d+|-0+)$/,
  double: /^(?:[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[Ee][-+]?\d+)?|-?INF|NaN)$/,
  NCName: /^[A-Za-z_\u00c0-\uffff][-.\w\u00b7-\uffff]*$/,
  string: /^/,
};

type Definitions = ReadonlyMap<string, () => Pattern>;

function value(accept: (text: string) => boolean): Pattern {
  return { kind: "value", id: nextId(), accepts: accept };
}

/** Reads each pattern once, and not before it is needed: definitions speak of themselves. */
function once(make: () => Pattern): () => Pattern {
  let made: Pattern | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function readPattern(element: XmlElement, folder: string, names: Definitions): Pattern {
  const { attributes, children, text = "" } = element;
  const read = (each: XmlElement) => readPattern(each, folder, names);
  const all = (kind: Pair, given = children) => given.map(read).reduce((left, right) => pair(kind, left, right));
  switch (element.name) {
    case "element":
    case "attribute": {
      const [first] = children;
      const isAny = attributes["name"] === undefined && first?.name === "anyName";
      const inside = isAny ? children.slice(1) : children;
      const content = once(() => (inside.length === 0 ? TEXT : all("group", inside)));
      return { kind: element.name, id: nextId(), name: isAny ? ANY_NAME : (attributes["name"] ?? ""), inside: content };
    }
    case "group":
    case "choice":
    case "interleave":
      return all(element.name);
    case "optional":
      return choice(all("group"), EMPTY);
    case "zeroOrMore":
      return choice(some(all("group")), EMPTY);
    case "oneOrMore":
      return some(all("group"));
    case "text":
      return TEXT;
    case "empty":
      return EMPTY;
    case "value":
      return value((given) => given.trim() === text.trim());
    case "data": {
      const type = TYPES[attributes["type"] ?? ""];
      if (type === undefined) throw new Error(`data type ${attributes["type"]} is not known`);
      return value((given) => type.test(given.trim()));
    }
    case "ref":
      return names.get(attributes["name"] ?? "")?.() ?? NONE;
    case "externalRef":
      return readSchema(path.join(folder, attributes["href"] ?? ""));
    case "grammar":
      return readGrammar(element, folder);
    default:
      throw new Error(`<${element.name}> is not known`);
  }
}

function readGrammar({ children }: XmlElement, folder: string): Pattern {
  const names = new Map<string, () => Pattern>();
  const groupOf = (element: XmlElement) => () =>
    element.children
      .map((each) => readPattern(each, folder, names))
      .reduce((left, right) => pair("group", left, right));
  for (const each of children)
    if (each.name === "define") names.set(each.attributes["name"] ?? "", once(groupOf(each)));
  const start = children.find(({ name }) => name === "start");
  return start === undefined ? NONE : groupOf(start)();
}

/** Throws for a schema that uses more than is known here: then a document would be judged by half of it. */
export function readSchema(file: string): Pattern {
  const read = parseXml(readFileSync(file, "utf8"));
  if (read.kind === "not-xml") throw new Error(`${file}:${read.line}: ${read.reason}`);
  return readPattern(read.root, path.dirname(file), new Map());
}

/** The first thing in the document that the schema does not allow; undefined when it is valid. */
export function faultBy(schema: Pattern, document: XmlElement): string | undefined {
  const { rest, fault } = judge(schema, document, "");
  return fault ?? (isNullable(rest) ? undefined : "the document ends too early");
}
