/**
 * What XPath expressions give, and how one kind becomes another.
 * Facts: XPath 1.0, sections 3.4 (booleans), 4.2 to 4.4 (string, boolean and number functions), 5 (string-values).
 */
import { childrenOf, type TreeNode } from "./nodes.ts";

export type Value = string | number | boolean | readonly TreeNode[];

export const isNodes = (value: Value): value is readonly TreeNode[] => typeof value === "object";

/** Its own value, or all text below it. */
export function textOf(node: TreeNode): string {
  if (node.kind === "attribute" || node.kind === "text") return node.value;
  return childrenOf(node).map(textOf).join("");
}

export function toText(value: Value): string {
  if (isNodes(value)) return value[0] === undefined ? "" : textOf(value[0]);
  // Negative zero is written without its sign.
  return typeof value === "number" ? String(value === 0 ? 0 : value) : String(value);
}

export function toNumber(value: Value): number {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  const text = toText(value).trim();
  return /^-?(?:\d+(?:\.\d*)?|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
}

export function toBoolean(value: Value): boolean {
  if (isNodes(value)) return value.length > 0;
  return typeof value === "number" ? value !== 0 && !Number.isNaN(value) : Boolean(value);
}

function ordered(operator: string, left: number, right: number): boolean {
  if (operator === "<") return left < right;
  if (operator === "<=") return left <= right;
  return operator === ">" ? left > right : left >= right;
}

function single(operator: string, left: Value, right: Value): boolean {
  if (operator !== "=" && operator !== "!=") return ordered(operator, toNumber(left), toNumber(right));
  const kinds = [typeof left, typeof right];
  const isSame = kinds.includes("boolean")
    ? toBoolean(left) === toBoolean(right)
    : kinds.includes("number")
      ? toNumber(left) === toNumber(right)
      : toText(left) === toText(right);
  return isSame === (operator === "=");
}

/** Of nodes it is enough that one of them fits. `spend` counts what is looked at. */
export function compareValues(operator: string, left: Value, right: Value, spend: (looks: number) => void): boolean {
  const each = (value: Value, other: Value): readonly Value[] =>
    isNodes(value) && typeof other !== "boolean" ? value.map(textOf) : [isNodes(value) ? toBoolean(value) : value];
  const [ours, theirs] = [each(left, right), each(right, left)];
  spend(ours.length * theirs.length);
  return ours.some((one) => theirs.some((other) => single(operator, one, other)));
}
