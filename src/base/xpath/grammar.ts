/**
 * XPath expressions as trees. Everything of XPath 1.0 but what a CIB does not have: variables, namespaces, comments and
 * processing instructions. What can be known to be wrong before it is evaluated is refused here, with its reason.
 * Facts: XPath 1.0, sections 2 (location paths), 3 (expressions) and 4 (the core function library).
 */
import { entryOf } from "../record.ts";
import { readTokens, type Token, XpathFault } from "./tokens.ts";

export const AXES = [
  "ancestor",
  "ancestor-or-self",
  "attribute",
  "child",
  "descendant",
  "descendant-or-self",
  "following",
  "following-sibling",
  "parent",
  "preceding",
  "preceding-sibling",
  "self",
] as const;
export type Axis = (typeof AXES)[number];

export interface Step {
  readonly axis: Axis;
  /** A name, `*`, or a kind of nodes with its brackets. */
  readonly test: string;
  readonly predicates: readonly Expression[];
}

export type Expression =
  | { readonly kind: "literal"; readonly value: string }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "negate"; readonly operand: Expression }
  | {
      readonly kind: "operation";
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: "call"; readonly name: string; readonly given: readonly Expression[] }
  | {
      readonly kind: "path";
      /** Undefined: the node that is looked at. */
      readonly from: "root" | Expression | undefined;
      readonly steps: readonly Step[];
    }
  | { readonly kind: "filter"; readonly of: Expression; readonly predicates: readonly Expression[] };

/** How many arguments each function takes; `nodes` wants elements or attributes for what it is given. */
const FUNCTIONS: Readonly<Record<string, readonly [least: number, most: number, wants?: "nodes"]>> = {
  last: [0, 0],
  position: [0, 0],
  count: [1, 1, "nodes"],
  id: [1, 1],
  "local-name": [0, 1, "nodes"],
  "namespace-uri": [0, 1, "nodes"],
  name: [0, 1, "nodes"],
  string: [0, 1],
  concat: [2, 100],
  "starts-with": [2, 2],
  contains: [2, 2],
  "substring-before": [2, 2],
  "substring-after": [2, 2],
  substring: [2, 3],
  "string-length": [0, 1],
  "normalize-space": [0, 1],
  translate: [3, 3],
  boolean: [1, 1],
  not: [1, 1],
  true: [0, 0],
  false: [0, 0],
  number: [0, 1],
  sum: [1, 1, "nodes"],
  floor: [1, 1],
  ceiling: [1, 1],
  round: [1, 1],
};

const NODE_KINDS = ["node", "text", "comment", "processing-instruction"];

/** Nobody writes longer ones by hand; a script that lists a hundred ids stays below. */
const LENGTH_MAX = 4000;
/** Brackets within brackets: each costs a few frames of the stack. */
const DEPTH_MAX = 40;

/** From the loosest to the tightest. */
const LEVELS = [
  ["or"],
  ["and"],
  ["=", "!="],
  ["<", "<=", ">", ">="],
  ["+", "-"],
  ["*", "div", "mod"],
] as const satisfies readonly (readonly string[])[];

/** Whether it means elements or attributes, and not a number, a text or a truth. */
export function givesNodes(expression: Expression): boolean {
  if (expression.kind === "filter") return givesNodes(expression.of);
  if (expression.kind === "operation") return expression.operator === "|";
  return expression.kind === "path" || (expression.kind === "call" && expression.name === "id");
}

/** What begins at the node that is looked at has no beginning where none is. */
function isRelative(expression: Expression): boolean {
  if (expression.kind === "filter") return isRelative(expression.of);
  if (expression.kind === "operation") return isRelative(expression.left) || isRelative(expression.right);
  if (expression.kind !== "path" || expression.from === "root") return false;
  return expression.from === undefined || isRelative(expression.from);
}

interface Reader {
  readonly tokens: readonly Token[];
  at: number;
  depth: number;
}

const peek = ({ tokens, at }: Reader, ahead = 0) => tokens[at + ahead];

function isAt(reader: Reader, kind: Token["kind"], ...texts: readonly string[]): boolean {
  const token = peek(reader);
  return token !== undefined && token.kind === kind && texts.includes(token.text);
}

function skip(reader: Reader, kind: Token["kind"], text: string): boolean {
  const found = isAt(reader, kind, text);
  if (found) reader.at += 1;
  return found;
}

function expect(reader: Reader, text: string): void {
  if (skip(reader, "mark", text)) return;
  const found = peek(reader);
  throw new XpathFault(
    found === undefined ? `"${text}" is missing at the end` : `"${text}" is missing before "${found.text}"`,
  );
}

function nodesOf(expression: Expression, what: string): Expression {
  if (givesNodes(expression)) return expression;
  throw new XpathFault(`${what} needs elements or attributes`);
}

function readPredicates(reader: Reader): Expression[] {
  const predicates: Expression[] = [];
  while (skip(reader, "mark", "[")) {
    predicates.push(readExpression(reader));
    expect(reader, "]");
  }
  return predicates;
}

const isAxis = (text: string): text is Axis => AXES.some((axis) => axis === text);

function readAxis(reader: Reader): Axis {
  if (skip(reader, "mark", "@")) return "attribute";
  const [token, next] = [peek(reader), peek(reader, 1)];
  if (next?.kind !== "mark" || next.text !== "::") return "child";
  reader.at += 2;
  const { text = "" } = token ?? {};
  if (isAxis(text)) return text;
  throw new XpathFault(`there is no axis "${text}"`);
}

function readStep(reader: Reader): Step {
  if (skip(reader, "mark", ".")) return { axis: "self", test: "node()", predicates: [] };
  if (skip(reader, "mark", "..")) return { axis: "parent", test: "node()", predicates: [] };
  const axis = readAxis(reader);
  const token = peek(reader);
  if (token?.kind !== "name")
    throw new XpathFault(
      token === undefined ? "a name is missing at the end" : `a name is missing before "${token.text}"`,
    );
  reader.at += 1;
  if (isAt(reader, "mark", ":")) throw new XpathFault(`"${token.text}:" is a namespace, of which a CIB has none`);
  if (!skip(reader, "mark", "(")) return { axis, test: token.text, predicates: readPredicates(reader) };
  if (!NODE_KINDS.includes(token.text)) throw new XpathFault(`${token.text}() is no step of a path`);
  expect(reader, ")");
  return { axis, test: `${token.text}()`, predicates: readPredicates(reader) };
}

const ANYWHERE: Step = { axis: "descendant-or-self", test: "node()", predicates: [] };

/** Steps, each behind its `/` or `//` but the first. */
function readSteps(reader: Reader, begun: readonly Step[]): Step[] {
  const steps = [...begun];
  for (;;) {
    const step = readStep(reader);
    // The same elements, found in one go: only a predicate could tell their places apart.
    if (steps.at(-1) === ANYWHERE && step.axis === "child" && step.predicates.length === 0)
      steps.splice(-1, 1, { ...step, axis: "descendant" });
    else steps.push(step);
    if (skip(reader, "operator", "//")) steps.push(ANYWHERE);
    else if (!skip(reader, "operator", "/")) return steps;
  }
}

function beginsStep(reader: Reader): boolean {
  return peek(reader)?.kind === "name" || isAt(reader, "mark", ".", "..", "@");
}

function readCall(reader: Reader, name: string): Expression {
  reader.at += 2;
  const given: Expression[] = [];
  while (!isAt(reader, "mark", ")")) {
    if (given.length > 0) expect(reader, ",");
    given.push(readExpression(reader));
  }
  expect(reader, ")");
  const known = entryOf(FUNCTIONS, name);
  if (known === undefined) throw new XpathFault(`there is no function ${name}()`);
  const [least, most, wants] = known;
  if (given.length < least || given.length > most)
    throw new XpathFault(`${name}() takes ${least === most ? least : `${least} to ${most}`} arguments`);
  if (wants === "nodes") for (const each of given) nodesOf(each, `${name}()`);
  return { kind: "call", name, given };
}

/** What may stand before predicates and further steps; undefined where a path begins. */
function readPrimary(reader: Reader): Expression | undefined {
  const [token, next] = [peek(reader), peek(reader, 1)];
  if (token === undefined) throw new XpathFault("an operand is missing at the end");
  if (token.kind === "literal" || token.kind === "number") {
    reader.at += 1;
    return token.kind === "literal"
      ? { kind: "literal", value: token.text }
      : { kind: "number", value: Number(token.text) };
  }
  if (skip(reader, "mark", "(")) {
    const inner = readExpression(reader);
    expect(reader, ")");
    return inner;
  }
  if (token.text === "$") throw new XpathFault("there are no variables here");
  const isCall =
    token.kind === "name" && next?.kind === "mark" && next.text === "(" && !NODE_KINDS.includes(token.text);
  return isCall ? readCall(reader, token.text) : undefined;
}

function readPath(reader: Reader): Expression {
  if (skip(reader, "operator", "//")) return { kind: "path", from: "root", steps: readSteps(reader, [ANYWHERE]) };
  if (skip(reader, "operator", "/"))
    return { kind: "path", from: "root", steps: beginsStep(reader) ? readSteps(reader, []) : [] };
  const primary = readPrimary(reader);
  if (primary === undefined) return { kind: "path", from: undefined, steps: readSteps(reader, []) };
  const predicates = readPredicates(reader);
  const filtered: Expression =
    predicates.length === 0 ? primary : { kind: "filter", of: nodesOf(primary, "a predicate"), predicates };
  const isDeep = skip(reader, "operator", "//");
  if (!isDeep && !skip(reader, "operator", "/")) return filtered;
  const from = nodesOf(filtered, "a path");
  return { kind: "path", from, steps: readSteps(reader, isDeep ? [ANYWHERE] : []) };
}

function readUnion(reader: Reader): Expression {
  let left = readPath(reader);
  while (skip(reader, "operator", "|")) {
    const right = nodesOf(readPath(reader), "|");
    left = { kind: "operation", operator: "|", left: nodesOf(left, "|"), right };
  }
  return left;
}

function readUnary(reader: Reader): Expression {
  let isNegative = false;
  while (skip(reader, "operator", "-")) isNegative = !isNegative;
  const operand = readUnion(reader);
  return isNegative ? { kind: "negate", operand } : operand;
}

function readOperation(reader: Reader, level: number): Expression {
  const operators: readonly string[] | undefined = LEVELS[level];
  if (operators === undefined) return readUnary(reader);
  let left = readOperation(reader, level + 1);
  for (let token = peek(reader); token?.kind === "operator" && operators.includes(token.text); token = peek(reader)) {
    reader.at += 1;
    left = { kind: "operation", operator: token.text, left, right: readOperation(reader, level + 1) };
  }
  return left;
}

function readExpression(reader: Reader): Expression {
  reader.depth += 1;
  if (reader.depth > DEPTH_MAX) throw new XpathFault(`brackets stand more than ${DEPTH_MAX} deep`);
  const expression = readOperation(reader, 0);
  reader.depth -= 1;
  return expression;
}

/** The tree of an expression that means elements or attributes; an `XpathFault` says what is wrong with it. */
export function readXpath(text: string): Expression {
  if (text.length > LENGTH_MAX) throw new XpathFault(`it is longer than ${LENGTH_MAX} characters`);
  const reader: Reader = { tokens: readTokens(text), at: 0, depth: 0 };
  const expression = readExpression(reader);
  const rest = peek(reader);
  if (rest !== undefined) throw new XpathFault(`"${rest.text}" is not understood there`);
  if (isRelative(nodesOf(expression, "the whole"))) throw new XpathFault("a path begins with / or //");
  return expression;
}
