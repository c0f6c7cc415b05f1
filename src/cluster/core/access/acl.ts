/**
 * Who may read and change what of the CIB: roles and users of the configuration, judged element by element.
 * A permission holds for what it names and all below, until a deeper one says otherwise; of two for the same element
 * `deny` goes before `write`, and `write` before `read`; what nobody has allowed is denied.
 * Facts: Pacemaker Explained, "Access Control Lists (ACLs)"; root and hacluster are never restricted.
 */
import type { Problem } from "../../../base/problem.ts";
import { childOf, childrenOf, type XmlElement } from "../../../base/xml.ts";
import { findPaths, type TreePath } from "../cib-store/paths.ts";
import { clusterOption, configurationOf, readBoolean } from "../controller/cib-read.ts";

export interface Person {
  readonly uid: number;
  readonly user: string;
  readonly groups: readonly string[];
}

const UNRESTRICTED = ["root", "hacluster"];

/** Whether rules apply to that person at all. */
export function isUnrestricted({ uid, user }: Person): boolean {
  return uid === 0 || UNRESTRICTED.includes(user);
}

export function hasRules(cib: XmlElement): boolean {
  return readBoolean(clusterOption(cib, "enable-acl"), false);
}

export type Right = "none" | "read" | "write";

interface Permission {
  readonly kind: string;
  readonly path: string;
}

/** What a role names, as a path; `undefined` names nothing, so that it allows nothing. */
function pathOf({ xpath, reference, "object-type": type, attribute }: Readonly<Record<string, string>>) {
  if (xpath !== undefined) return xpath;
  if (reference !== undefined) return `//*[@id="${reference}"]`;
  // An attribute alone cannot be guarded here: then the whole element is.
  void attribute;
  return type === undefined ? undefined : `//${type}`;
}

function permissionsOf(cib: XmlElement, { user, groups }: Person): readonly Permission[] {
  const acls = childOf(configurationOf(cib), "acls");
  // Since schema 3.8 the name may stand beside the id, so that a user and a group may be called alike.
  const named = ({ attributes: { id = "", name = id } }: XmlElement) => name;
  const targets = [
    ...childrenOf(acls, "acl_target").filter((target) => named(target) === user),
    ...childrenOf(acls, "acl_group").filter((group) => groups.includes(named(group))),
  ];
  const roles = targets.flatMap((target) => childrenOf(target, "role").map(({ attributes }) => attributes["id"]));
  return childrenOf(acls, "acl_role")
    .filter(({ attributes }) => roles.includes(attributes["id"]))
    .flatMap((role) => childrenOf(role, "acl_permission"))
    .flatMap(({ attributes }) => {
      const path = pathOf(attributes);
      return path === undefined ? [] : [{ kind: attributes["kind"] ?? "deny", path }];
    });
}

const ORDER = ["deny", "write", "read"];
const key = (path: TreePath) => path.join(".");

/** A path that is not understood allows nothing, and a denial by such a path denies all: it fails closed. */
function understoodPaths(cib: XmlElement, { kind, path }: Permission): readonly TreePath[] {
  return findPaths(cib, path) ?? (kind === "deny" ? [[]] : []);
}

/** What `rules` say of single elements of `cib`; the rest inherits. */
function explicitRights(cib: XmlElement, rules: readonly Permission[]): ReadonlyMap<string, Right> {
  const found = new Map<string, string>();
  for (const { kind, path } of rules)
    for (const at of understoodPaths(cib, { kind, path })) {
      const before = found.get(key(at));
      if (before === undefined || ORDER.indexOf(kind) < ORDER.indexOf(before)) found.set(key(at), kind);
    }
  return new Map(
    [...found].map(([at, kind]): [string, Right] => [
      at,
      kind === "write" ? "write" : kind === "read" ? "read" : "none",
    ]),
  );
}

/** The right to the element at that path. */
function rightAt(rights: ReadonlyMap<string, Right>, path: TreePath): Right {
  for (let length = path.length; length >= 0; length -= 1) {
    const own = rights.get(key(path.slice(0, length)));
    if (own !== undefined) return own;
  }
  return "none";
}

/** The CIB as that person may see it; what leads to something that may be seen stays as a bare frame. */
export function filterCib(cib: XmlElement, person: Person): XmlElement {
  if (isUnrestricted(person)) return cib;
  const rights = explicitRights(cib, permissionsOf(cib, person));
  const filter = (element: XmlElement, path: TreePath): XmlElement | undefined => {
    const children = element.children.flatMap((child, index) => filter(child, [...path, index]) ?? []);
    if (rightAt(rights, path) !== "none") return { ...element, children };
    if (children.length === 0) return undefined;
    const { id } = element.attributes;
    return { name: element.name, attributes: id === undefined ? {} : { id }, children };
  };
  // The root itself is a frame at least: a person without rights sees an empty CIB.
  return filter(cib, []) ?? { name: cib.name, attributes: {}, children: [] };
}

const nameOf = ({ name, attributes }: XmlElement) =>
  `${name}${attributes["id"] === undefined ? "" : ` ${attributes["id"]}`}`;

/** Children matched by name and id; those without ids by their turn. */
function keyed(element: XmlElement | undefined): Map<string, { readonly child: XmlElement; readonly index: number }> {
  const found = new Map<string, { readonly child: XmlElement; readonly index: number }>();
  for (const [index, child] of (element?.children ?? []).entries()) {
    let name = nameOf(child);
    while (found.has(name)) name += "'";
    found.set(name, { child, index });
  }
  return found;
}

interface Sides {
  readonly before: XmlElement;
  readonly after: XmlElement;
  readonly rights: { readonly before: ReadonlyMap<string, Right>; readonly after: ReadonlyMap<string, Right> };
}

function refused(what: string): Problem {
  const remedy = "ask somebody with the right, or have a role extended (crm configure role, acl_target)";
  return { severity: "error", place: "acl", reason: `you may not ${what}`, remedy };
}

/** Every difference that stands where the person may not write. */
function differences(sides: Sides, paths: { readonly before: TreePath; readonly after: TreePath }): Problem[] {
  const { before, after, rights } = sides;
  const mayWrite = rightAt(rights.before, paths.before) === "write";
  const found: Problem[] = [];
  const isSame = JSON.stringify([before.attributes, before.text]) === JSON.stringify([after.attributes, after.text]);
  if (!isSame && !mayWrite) found.push(refused(`change ${nameOf(after)}`));
  const [old, now] = [keyed(before), keyed(after)];
  for (const [name, { child, index }] of old)
    if (!now.has(name) && rightAt(rights.before, [...paths.before, index]) !== "write")
      found.push(refused(`delete ${nameOf(child)}`));
  const kept = [...old.keys()].filter((name) => now.has(name));
  if (kept.join("\n") !== [...now.keys()].filter((name) => old.has(name)).join("\n") && !mayWrite)
    found.push(refused(`reorder ${nameOf(after)}`));
  for (const [name, { child, index }] of now) {
    const match = old.get(name);
    const path = [...paths.after, index];
    if (match === undefined) {
      // Where there was nothing the place decides, or a rule that stood before names what comes.
      if (!mayWrite && rightAt(rights.after, path) !== "write") found.push(refused(`create ${nameOf(child)}`));
      continue;
    }
    const below = { before: [...paths.before, match.index], after: path };
    found.push(...differences({ before: match.child, after: child, rights }, below));
  }
  return found;
}

/** Why that person may not make this change; empty when it is allowed. Both are whole CIBs. */
export function refuseChange(before: XmlElement, after: XmlElement, person: Person): readonly Problem[] {
  if (isUnrestricted(person)) return [];
  // The rules that were in force judge both sides: nobody gives himself rights by the very change.
  const rules = permissionsOf(before, person);
  const rights = { before: explicitRights(before, rules), after: explicitRights(after, rules) };
  return differences({ before, after, rights }, { before: [], after: [] });
}

/**
 * Whether nothing at all is kept from this person, now or in any earlier configuration: what a denial names today may
 * have stood elsewhere before, and a history tells it as text.
 */
export function seesEverything(cib: XmlElement, person: Person): boolean {
  if (isUnrestricted(person)) return true;
  return wholeRight(cib, person) !== "none" && permissionsOf(cib, person).every(({ kind }) => kind !== "deny");
}

/** The right to the CIB as a whole: what is needed for doings that are no change of it, and for seeing all of it. */
export function wholeRight(cib: XmlElement, person: Person): Right {
  return isUnrestricted(person) ? "write" : rightAt(explicitRights(cib, permissionsOf(cib, person)), []);
}
