/**
 * Elements of an XML tree by their paths, and by XPath 1.0 (`xpath/`): what the commands of operators and the rules of
 * access use. What is no XPath is refused, never guessed.
 */
import type { XmlElement } from "./xml.ts";
import { evaluateXpath, xpathFault } from "./xpath/evaluate.ts";
import type { TreeNode } from "./xpath/nodes.ts";

/** Child indexes from the root down to the element. */
export type TreePath = readonly number[];

/** Every element from `element` down, each with its path; `path` is that of `element`. */
export function walk(element: XmlElement, path: number[], visit: (element: XmlElement, path: number[]) => void): void {
  visit(element, path);
  element.children.forEach((child, index) => {
    walk(child, [...path, index], visit);
  });
}

/** Why that is no XPath that means elements; undefined when it is one. */
export const pathFault = (path: string): string | undefined => xpathFault(path);

/** An attribute or a text stands for its element, and the document for the root. */
function pathOf({ kind, parent, place }: TreeNode): TreePath {
  return (kind === "attribute" || kind === "text" ? (parent?.place ?? []) : place).slice(1);
}

export type PathsFound =
  | { readonly kind: "found"; readonly paths: readonly TreePath[] }
  | { readonly kind: "not-xpath"; readonly reason: string };

/** All elements that the XPath means, in document order; one for each of its attributes where these are meant. */
export function searchPaths(root: XmlElement, path: string): PathsFound {
  const found = evaluateXpath(root, path);
  return found.kind === "found" ? { kind: "found", paths: found.nodes.map(pathOf) } : found;
}

/** The same; undefined when it is no XPath, or one that is too much. */
export function findPaths(root: XmlElement, path: string): readonly TreePath[] | undefined {
  const found = searchPaths(root, path);
  return found.kind === "found" ? found.paths : undefined;
}

export function elementAt(root: XmlElement, path: TreePath): XmlElement | undefined {
  let element: XmlElement | undefined = root;
  for (const index of path) element = element?.children[index];
  return element;
}
