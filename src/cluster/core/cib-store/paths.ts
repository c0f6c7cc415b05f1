/** Finding an element of a CIB by a path, its id or a section's name; and a tree with one element replaced. */
import type { XmlElement } from "../../../base/xml.ts";
import { findPaths, type TreePath, walk } from "../../../base/xml-path.ts";

/** References carry other elements' ids and are never meant by one. */
const REFERENCES = ["resource_ref", "obj_ref", "role"];

/** A path, an id, or the name of a section (a child of the root). Undefined: not a path of ours. */
export function resolveTarget(root: XmlElement, target: string): readonly TreePath[] | undefined {
  if (target.startsWith("/")) return findPaths(root, target);
  if (target === root.name) return [[]];
  const section = root.children.findIndex(({ name }) => name === target);
  if (section >= 0) return [[section]];
  const found: TreePath[] = [];
  walk(root, [], (element, path) => {
    if (element.attributes["id"] === target && !REFERENCES.includes(element.name)) found.push(path);
  });
  return found;
}

/** The tree with the element at `path` replaced; undefined removes it. The root cannot be removed. */
export function replaceAt(
  root: XmlElement,
  path: TreePath,
  change: (element: XmlElement) => XmlElement | undefined,
): XmlElement {
  const [index, ...rest] = path;
  if (index === undefined) return change(root) ?? root;
  const children = root.children.flatMap((child, at) => {
    if (at !== index) return [child];
    const changed = rest.length === 0 ? change(child) : replaceAt(child, rest, change);
    return changed === undefined ? [] : [changed];
  });
  return { ...root, children };
}
