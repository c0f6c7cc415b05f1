/**
 * The nodes that XPath speaks of, made from our elements as they are asked for: the document above the root, elements,
 * their attributes and their text. Each is made once, so that two ways to it lead to the same one.
 * Fact: XPath 1.0, section 5 (data model) and 2.2 (axes).
 */
import type { XmlElement } from "../xml.ts";
import type { Axis, Step } from "./grammar.ts";

export interface TreeNode {
  readonly kind: "document" | "element" | "attribute" | "text";
  readonly name: string;
  /** Of an attribute or a text. */
  readonly value: string;
  readonly parent: TreeNode | undefined;
  readonly element: XmlElement | undefined;
  /** Places from the document down; attributes stand, as negative ones, before the children. */
  readonly place: readonly number[];
  /** Once they were asked for. */
  children: readonly TreeNode[] | undefined;
  attributes: readonly TreeNode[] | undefined;
}

type Made = Pick<TreeNode, "kind" | "name" | "value" | "element">;

function make(parent: TreeNode | undefined, at: number, made: Made): TreeNode {
  const place = parent === undefined ? [] : [...parent.place, at];
  return { ...made, parent, place, children: undefined, attributes: undefined };
}

export function documentOf(root: XmlElement): TreeNode {
  const document = make(undefined, 0, { kind: "document", name: "", value: "", element: undefined });
  document.children = [make(document, 0, { kind: "element", name: root.name, value: "", element: root })];
  return document;
}

export function childrenOf(node: TreeNode): readonly TreeNode[] {
  if (node.children !== undefined) return node.children;
  const { children = [], text } = node.element ?? {};
  const elements = children.map((element, at) =>
    make(node, at, { kind: "element", name: element.name, value: "", element }),
  );
  node.children =
    text === undefined
      ? elements
      : [...elements, make(node, elements.length, { kind: "text", name: "", value: text, element: undefined })];
  return node.children;
}

function attributesOf(node: TreeNode): readonly TreeNode[] {
  if (node.attributes === undefined) {
    const entries = Object.entries(node.element?.attributes ?? {});
    node.attributes = entries.map(([name, value], at) =>
      make(node, at - entries.length, { kind: "attribute", name, value, element: undefined }),
    );
  }
  return node.attributes;
}

function* below(node: TreeNode): Generator<TreeNode> {
  for (const child of childrenOf(node)) {
    yield child;
    yield* below(child);
  }
}

function* above(node: TreeNode): Generator<TreeNode> {
  for (let parent = node.parent; parent !== undefined; parent = parent.parent) yield parent;
}

function siblings(node: TreeNode, isAfter: boolean): readonly TreeNode[] {
  const all = node.kind === "attribute" || node.parent === undefined ? [] : childrenOf(node.parent);
  const at = all.indexOf(node);
  return isAfter ? all.slice(at + 1) : all.slice(0, Math.max(at, 0)).toReversed();
}

/** What stands behind it (or before it, backwards) and is neither above nor below it. */
function* beside(node: TreeNode, isAfter: boolean): Generator<TreeNode> {
  if (isAfter && node.kind === "attribute" && node.parent !== undefined) yield* below(node.parent);
  for (const at of [node, ...above(node)])
    for (const sibling of siblings(at, isAfter)) {
      const whole = [sibling, ...below(sibling)];
      yield* isAfter ? whole : whole.toReversed();
    }
}

/** In the order in which the axis counts: backwards for those that look back. */
export function* along(axis: Axis, node: TreeNode): Generator<TreeNode> {
  if (axis === "self" || axis === "ancestor-or-self" || axis === "descendant-or-self") yield node;
  if (axis === "child") yield* childrenOf(node);
  else if (axis === "attribute") yield* attributesOf(node);
  else if (axis === "descendant" || axis === "descendant-or-self") yield* below(node);
  else if (axis === "parent") yield* node.parent === undefined ? [] : [node.parent];
  else if (axis === "ancestor" || axis === "ancestor-or-self") yield* above(node);
  else if (axis === "following-sibling" || axis === "preceding-sibling")
    yield* siblings(node, axis === "following-sibling");
  else if (axis === "following" || axis === "preceding") yield* beside(node, axis === "following");
}

/** Whether the node is one of those that the step means. */
export function fits({ axis, test }: Step, node: TreeNode): boolean {
  if (test === "node()") return true;
  if (test.endsWith("()")) return test === `${node.kind}()`;
  return node.kind === (axis === "attribute" ? "attribute" : "element") && (test === "*" || test === node.name);
}

function compare({ place: left }: TreeNode, { place: right }: TreeNode): number {
  for (const [index, at] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    if (at !== other) return at - other;
  }
  return left.length - right.length;
}

/** In document order, each once. */
export function inOrder(nodes: readonly TreeNode[]): readonly TreeNode[] {
  return nodes.length < 2 ? nodes : [...new Set(nodes)].toSorted(compare);
}
