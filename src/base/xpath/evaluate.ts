/**
 * The nodes that an XPath expression means. Each look at a node is counted: an expression that wants too many is given
 * up, for whoever may query the CIB must not be able to hold up the manager.
 * Facts: XPath 1.0, sections 2 and 3.
 */
import type { XmlElement } from "../xml.ts";
import { type Context, call } from "./functions.ts";
import { type Expression, readXpath, type Step } from "./grammar.ts";
import { along, documentOf, fits, inOrder, type TreeNode } from "./nodes.ts";
import { XpathFault } from "./tokens.ts";
import { compareValues, isNodes, toBoolean, toNumber, type Value } from "./values.ts";

/** A tenth of a second at most; the largest CIB seen has some twenty thousand elements. */
const LOOKS_MAX = 1_000_000;

/** Of those along one axis, counted as it counts, the ones for which a predicate holds. */
function chosen(nodes: readonly TreeNode[], predicate: Expression, { spend }: Context): readonly TreeNode[] {
  const size = nodes.length;
  return nodes.filter((node, index) => {
    const context = { node, position: index + 1, size, spend };
    const value = evaluate(predicate, context);
    return typeof value === "number" ? value === context.position : toBoolean(value);
  });
}

function take(step: Step, from: readonly TreeNode[], context: Context): readonly TreeNode[] {
  const found: TreeNode[] = [];
  for (const node of from) {
    const meant: TreeNode[] = [];
    for (const each of along(step.axis, node)) {
      context.spend(1);
      if (fits(step, each)) meant.push(each);
    }
    let near: readonly TreeNode[] = meant;
    for (const predicate of step.predicates) near = chosen(near, predicate, context);
    for (const each of near) found.push(each);
  }
  context.spend(found.length);
  return inOrder(found);
}

function follow({ from, steps }: Extract<Expression, { kind: "path" }>, context: Context): readonly TreeNode[] {
  let nodes: readonly TreeNode[];
  if (from === undefined) nodes = [context.node];
  else if (from === "root") nodes = [context.node, ...along("ancestor", context.node)].slice(-1);
  else nodes = nodesOf(from, context);
  for (const step of steps) nodes = take(step, nodes, context);
  return nodes;
}

function operate({ operator, left, right }: Extract<Expression, { kind: "operation" }>, context: Context): Value {
  if (operator === "or") return toBoolean(evaluate(left, context)) || toBoolean(evaluate(right, context));
  if (operator === "and") return toBoolean(evaluate(left, context)) && toBoolean(evaluate(right, context));
  const [ours, theirs] = [evaluate(left, context), evaluate(right, context)];
  if (operator === "|") return inOrder([...(isNodes(ours) ? ours : []), ...(isNodes(theirs) ? theirs : [])]);
  const [one, other] = [toNumber(ours), toNumber(theirs)];
  switch (operator) {
    case "+":
      return one + other;
    case "-":
      return one - other;
    case "*":
      return one * other;
    case "div":
      return one / other;
    case "mod":
      return one % other;
    default:
      return compareValues(operator, ours, theirs, context.spend);
  }
}

function evaluate(expression: Expression, context: Context): Value {
  context.spend(1);
  switch (expression.kind) {
    case "literal":
    case "number":
      return expression.value;
    case "negate":
      return -toNumber(evaluate(expression.operand, context));
    case "operation":
      return operate(expression, context);
    case "call":
      return call(
        expression.name,
        expression.given.map((each) => evaluate(each, context)),
        context,
      );
    case "path":
      return follow(expression, context);
    case "filter":
      return expression.predicates.reduce(
        (nodes, predicate) => chosen(nodes, predicate, context),
        nodesOf(expression.of, context),
      );
    default:
      return expression satisfies never;
  }
}

function nodesOf(expression: Expression, context: Context): readonly TreeNode[] {
  const value = evaluate(expression, context);
  return isNodes(value) ? value : [];
}

export type Evaluated =
  | { readonly kind: "found"; readonly nodes: readonly TreeNode[] }
  /** No expression that means elements, or one that wants too much; the reason is for whoever wrote it. */
  | { readonly kind: "not-xpath"; readonly reason: string };

/** In document order, each node once; it begins at the document above `root`. */
export function evaluateXpath(root: XmlElement, text: string): Evaluated {
  let looks = 0;
  const spend = (more: number) => {
    looks += more;
    if (looks > LOOKS_MAX)
      throw new XpathFault(`it looks at more than ${LOOKS_MAX} nodes; name the way to what is meant`);
  };
  try {
    const context = { node: documentOf(root), position: 1, size: 1, spend };
    return { kind: "found", nodes: nodesOf(readXpath(text), context) };
  } catch (error) {
    if (error instanceof XpathFault) return { kind: "not-xpath", reason: error.message };
    throw error;
  }
}

/** What is wrong with an expression whatever it is asked of; undefined when nothing is. */
export function xpathFault(text: string): string | undefined {
  try {
    readXpath(text);
    return undefined;
  } catch (error) {
    if (error instanceof XpathFault) return error.message;
    throw error;
  }
}
