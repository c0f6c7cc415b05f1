/** The core functions of XPath. Facts: XPath 1.0, section 4. The parser has counted the arguments already. */
import { entryOf } from "../record.ts";
import { along, documentOf, inOrder, type TreeNode } from "./nodes.ts";
import { isNodes, textOf, toBoolean, toNumber, toText, type Value } from "./values.ts";

export interface Context {
  readonly node: TreeNode;
  readonly position: number;
  readonly size: number;
  /** Counts what is looked at; it throws when it is too much. */
  readonly spend: (looks: number) => void;
}

/** XPath counts code points, and knows nothing of what people see as one sign (XPath 1.0, section 3.6). */
const charactersOf = (text: string): readonly string[] => Array.from(text);

/** `substring("12345", 1.5, 2.6)` is "234": rounded ends, from one. */
function substring(text: string, from: number, length: number): string {
  const first = round(from);
  const end = first + round(length);
  return charactersOf(text)
    .filter((_, index) => index + 1 >= first && index + 1 < end)
    .join("");
}

/** Halves go up. */
const round = (number: number) => (Number.isFinite(number) ? Math.floor(number + 0.5) : number);

function translate(text: string, from: string, to: string): string {
  const [old, fresh] = [charactersOf(from), charactersOf(to)];
  return charactersOf(text)
    .map((each) => (old.includes(each) ? (fresh[old.indexOf(each)] ?? "") : each))
    .join("");
}

function before(text: string, word: string): string {
  return text.slice(0, Math.max(text.indexOf(word), 0));
}

function after(text: string, word: string): string {
  return text.includes(word) ? text.slice(text.indexOf(word) + word.length) : "";
}

/** Elements by their `id`: the only attribute of a CIB that is one. */
function byId({ node, spend }: Context, given: Value): readonly TreeNode[] {
  const wanted = (isNodes(given) ? given.map(textOf).join(" ") : toText(given)).split(/\s+/).filter(Boolean);
  const top = [node, ...along("ancestor", node)].at(-1) ?? documentOf({ name: "", attributes: {}, children: [] });
  const found: TreeNode[] = [];
  for (const each of along("descendant", top)) {
    spend(1);
    if (wanted.includes(each.element?.attributes["id"] ?? "")) found.push(each);
  }
  return inOrder(found);
}

type Core = (given: readonly Value[], context: Context) => Value;

const first = (given: readonly Value[], { node }: Context): Value => given[0] ?? [node];
const text = (given: readonly Value[], at: number) => toText(given[at] ?? "");
const number = (given: readonly Value[], at = 0) => toNumber(given[at] ?? Number.NaN);
const nodes = (value: Value) => (isNodes(value) ? value : []);
const nameOf: Core = (given, context) => nodes(first(given, context))[0]?.name ?? "";

const CORE: Readonly<Record<string, Core>> = {
  last: (_given, { size }) => size,
  position: (_given, { position }) => position,
  count: ([given = []]) => nodes(given).length,
  id: ([given = ""], context) => byId(context, given),
  name: nameOf,
  "local-name": nameOf,
  "namespace-uri": () => "",
  string: (given, context) => toText(first(given, context)),
  concat: (given) => given.map(toText).join(""),
  "starts-with": (given) => text(given, 0).startsWith(text(given, 1)),
  contains: (given) => text(given, 0).includes(text(given, 1)),
  "substring-before": (given) => before(text(given, 0), text(given, 1)),
  "substring-after": (given) => after(text(given, 0), text(given, 1)),
  substring: (given) => substring(text(given, 0), number(given, 1), toNumber(given[2] ?? Number.POSITIVE_INFINITY)),
  "string-length": (given, context) => charactersOf(toText(first(given, context))).length,
  "normalize-space": (given, context) => toText(first(given, context)).trim().replaceAll(/\s+/g, " "),
  translate: (given) => translate(text(given, 0), text(given, 1), text(given, 2)),
  boolean: ([given = false]) => toBoolean(given),
  not: ([given = false]) => !toBoolean(given),
  true: () => true,
  false: () => false,
  number: (given, context) => toNumber(first(given, context)),
  sum: ([given = []]) => nodes(given).reduce((total, each) => total + toNumber(textOf(each)), 0),
  floor: (given) => Math.floor(number(given)),
  ceiling: (given) => Math.ceil(number(given)),
  round: (given) => round(number(given)),
};

/** Texts cost by their length: a predicate may join and take apart long ones for every node. */
const TEXT_PER_LOOK = 32;

export function call(name: string, given: readonly Value[], context: Context): Value {
  const result = entryOf(CORE, name)?.(given, context) ?? [];
  const lengths = [...given, result].map((value) => (typeof value === "string" ? value.length : 0));
  context.spend(1 + Math.floor(lengths.reduce((sum, length) => sum + length, 0) / TEXT_PER_LOOK));
  return result;
}
