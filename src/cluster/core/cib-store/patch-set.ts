/**
 * The difference of two XML trees as the patch that crm_diff writes and cibadmin --patch takes (format 2), and its
 * application: whole or not at all. Elements are matched by name and id.
 * Facts: crm_diff(8); patches of crm_diff 2.1.5. In a patch deletions come first, then a parent's own change before
 * its children's; `position` is the place in the finished list.
 */
import type { Problem } from "../../../base/problem.ts";
import { entryOf, setEntry } from "../../../base/record.ts";
import { childOf, childrenOf, type XmlElement, xml } from "../../../base/xml.ts";
import { elementAt, findPaths, type TreePath } from "../../../base/xml-path.ts";
import { replaceAt } from "./paths.ts";

/** Told by the version part; never a change of their own where versions are left out. */
const VERSION = ["admin_epoch", "epoch", "num_updates"] as const;

const isSame = (left: XmlElement, right: XmlElement) =>
  left.name === right.name && left.attributes["id"] === right.attributes["id"];

const stepOf = ({ name, attributes: { id } }: XmlElement) => (id === undefined ? name : `${name}[@id='${id}']`);

interface Changes {
  readonly deletions: XmlElement[];
  readonly others: XmlElement[];
}

function attributeChanges(before: XmlElement, after: XmlElement, path: string): XmlElement | undefined {
  const names = [...new Set([...Object.keys(after.attributes), ...Object.keys(before.attributes)])];
  const list = names
    .filter((name) => entryOf(before.attributes, name) !== entryOf(after.attributes, name))
    .map((name) => {
      const value = entryOf(after.attributes, name);
      return value === undefined
        ? xml("change-attr", { name, operation: "unset" })
        : xml("change-attr", { name, operation: "set", value });
    });
  if (list.length === 0) return undefined;
  const result = xml("change-result", {}, [xml(after.name, after.attributes)]);
  return xml("change", { operation: "modify", path }, [xml("change-list", {}, list), result]);
}

function compare(before: XmlElement, after: XmlElement, path: string, changes: Changes): void {
  const own = attributeChanges(before, after, path);
  if (own !== undefined) changes.others.push(own);
  const kept: XmlElement[] = [];
  for (const child of before.children) {
    if (after.children.some((now) => isSame(child, now))) kept.push(child);
    else changes.deletions.push(xml("change", { operation: "delete", path: `${path}/${stepOf(child)}` }));
  }
  after.children.forEach((child, position) => {
    const at = kept.findIndex((old) => isSame(old, child));
    const old = kept[at];
    if (old === undefined) {
      changes.others.push(xml("change", { operation: "create", path, position: String(position) }, [child]));
      kept.splice(position, 0, child);
      return;
    }
    const below = `${path}/${stepOf(child)}`;
    compare(old, child, below, changes);
    if (at === position) return;
    changes.others.push(xml("change", { operation: "move", path: below, position: String(position) }));
    kept.splice(at, 1);
    kept.splice(position, 0, old);
  });
}

function versionOf(name: string, { attributes }: XmlElement): XmlElement {
  return xml(name, Object.fromEntries(VERSION.map((part) => [part, attributes[part] ?? "0"])));
}

export interface PatchOptions {
  /** Neither tell nor change the versions of the CIB: a patch for any version. */
  readonly isVersionless?: boolean;
  readonly digest?: string;
}

/** Undefined when nothing differs. Both roots have the same name. */
export function makePatch(before: XmlElement, after: XmlElement, options: PatchOptions = {}): XmlElement | undefined {
  const changes: Changes = { deletions: [], others: [] };
  const versions = VERSION.flatMap((part) => (part in before.attributes ? [[part, before.attributes[part]]] : []));
  const wanted: XmlElement =
    options.isVersionless === true
      ? { ...after, attributes: { ...after.attributes, ...Object.fromEntries(versions) } }
      : after;
  compare(before, wanted, `/${before.name}`, changes);
  const all = [...changes.deletions, ...changes.others];
  if (all.length === 0) return undefined;
  const told = xml("version", {}, [versionOf("source", before), versionOf("target", after)]);
  const isCib = before.name === "cib" && options.isVersionless !== true;
  const digest = options.digest === undefined ? {} : { digest: options.digest };
  return xml("diff", { format: "2", ...digest }, [...(isCib ? [told] : []), ...all]);
}

const refuse = (place: string, reason: string, remedy: string): Problem => ({
  severity: "error",
  place,
  reason,
  remedy,
});

/** Why a patch cannot be applied: `stale` when it was made for another version. */
export type Patched =
  | { readonly kind: "patched"; readonly root: XmlElement }
  | { readonly kind: "stale" | "wrong"; readonly problem: Problem };

function checkVersion(root: XmlElement, patch: XmlElement): Problem | undefined {
  const source = childOf(childOf(patch, "version"), "source");
  if (source === undefined) return undefined;
  const differing = VERSION.filter((part) => (source.attributes[part] ?? "0") !== (root.attributes[part] ?? "0"));
  if (differing.length === 0) return undefined;
  const text = ({ attributes }: XmlElement) => VERSION.map((part) => attributes[part] ?? "0").join(".");
  return refuse(
    "patch: version",
    `it was made for ${text(source)}, and this is ${text(root)}`,
    "make it anew with crm_diff, or without versions (crm_diff -u)",
  );
}

function one(root: XmlElement, path: string): TreePath | undefined {
  const found = findPaths(root, path);
  return found?.length === 1 ? found[0] : undefined;
}

function modify(element: XmlElement, change: XmlElement): XmlElement {
  const attributes: Record<string, string> = { ...element.attributes };
  for (const { attributes: wish } of childrenOf(childOf(change, "change-list"), "change-attr")) {
    const { name = "", operation, value = "" } = wish;
    if (operation === "unset") delete attributes[name];
    else setEntry(attributes, name, value);
  }
  return { ...element, attributes };
}

function insertAt(children: readonly XmlElement[], position: number, child: XmlElement): XmlElement[] {
  return [...children.slice(0, position), child, ...children.slice(position)];
}

/** The field's patches carry comments of the XML from place to place; our trees have none. */
function isOfComment({ attributes: { operation, path = "" }, children }: XmlElement): boolean {
  return path.endsWith("/comment") || (operation === "create" && children.length === 0);
}

function applyOne(root: XmlElement, change: XmlElement): XmlElement | undefined {
  const { operation = "", path = "", position = "" } = change.attributes;
  const at = one(root, path);
  if (at === undefined) return undefined;
  const place = position === "" ? Number.MAX_SAFE_INTEGER : Number(position);
  switch (operation) {
    case "delete":
      return replaceAt(root, at, () => undefined);
    case "modify":
      return replaceAt(root, at, (element) => modify(element, change));
    case "create": {
      const [child] = change.children;
      if (child === undefined || !Number.isInteger(place) || place < 0) return undefined;
      return replaceAt(root, at, (parent) => ({ ...parent, children: insertAt(parent.children, place, child) }));
    }
    case "move": {
      const moved = elementAt(root, at);
      const index = at.at(-1);
      if (moved === undefined || index === undefined || !Number.isInteger(place) || place < 0) return undefined;
      return replaceAt(root, at.slice(0, -1), (parent) => {
        const rest = parent.children.filter((_, number) => number !== index);
        return { ...parent, children: insertAt(rest, place, moved) };
      });
    }
    default:
      return undefined;
  }
}

/** What changes places comes last and in the order of the places: then each finds those before it where they belong. */
function inTurn(changes: readonly XmlElement[]): readonly XmlElement[] {
  const isPlacing = ({ attributes }: XmlElement) => ["create", "move"].includes(attributes["operation"] ?? "");
  const placing = changes.filter(isPlacing).map((change, turn) => ({ change, turn }));
  const depth = ({ attributes: { operation, path = "" } }: XmlElement) =>
    path.split("/").length + (operation === "create" ? 1 : 0);
  placing.sort(
    (left, right) =>
      depth(left.change) - depth(right.change) ||
      Number(left.change.attributes["position"]) - Number(right.change.attributes["position"]) ||
      left.turn - right.turn,
  );
  return [...changes.filter((change) => !isPlacing(change)), ...placing.map(({ change }) => change)];
}

/** The tree with all changes of the patch, or the first reason against it. */
export function applyPatch(root: XmlElement, patch: XmlElement): Patched {
  if (patch.name !== "diff" || patch.attributes["format"] !== "2")
    return {
      kind: "wrong",
      problem: refuse(
        "patch",
        `<${patch.name} format="${patch.attributes["format"] ?? "1"}"> is no patch of format 2`,
        "make one with crm_diff, with the whole CIB on both sides",
      ),
    };
  const stale = checkVersion(root, patch);
  if (stale !== undefined) return { kind: "stale", problem: stale };
  let tree = root;
  const changes = childrenOf(patch, "change").filter((change) => !isOfComment(change));
  for (const change of inTurn(changes)) {
    const changed = applyOne(tree, change);
    if (changed === undefined) {
      const { operation = "?", path = "?" } = change.attributes;
      const problem = refuse(`patch: ${operation} ${path}`, "it fits nothing here, or not one thing", "make it anew");
      return { kind: "wrong", problem };
    }
    tree = changed;
  }
  return { kind: "patched", root: tree };
}
