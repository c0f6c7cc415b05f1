/**
 * Who may read and change what of the CIB: roles and users of the configuration, judged element by element.
 * A permission holds for what it names and all below, until a deeper one says otherwise; of two for the same element
 * `deny` goes before `write`, and `write` before `read`; what nobody has allowed is denied.
 * Facts: Pacemaker Explained, "Access Control Lists (ACLs)"; root and hacluster are never restricted.
 */
import { childOf, childrenOf, type XmlElement } from "../../../base/xml.ts";
import { findPaths, type TreePath } from "../../../base/xml-path.ts";
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
  if (type === undefined) return undefined;
  // Only the elements that have it, and those as a whole.
  return attribute === undefined ? `//${type}` : `//${type}[@${attribute}]`;
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

/** What is said of single elements, by their place; the rest inherits. */
export type Rights = ReadonlyMap<string, Right>;

/** What `rules` say of single elements of `cib`; the rest inherits. */
function explicitRights(cib: XmlElement, rules: readonly Permission[]): Rights {
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

/** The rights of a person in `cib` by the rules of another: those in force before a change judge both of its sides. */
export function rightsIn(cib: XmlElement, person: Person, rulesOf: XmlElement = cib): Rights {
  return explicitRights(cib, permissionsOf(rulesOf, person));
}

/** The right to the element at that path. */
export function rightAt(rights: Rights, path: TreePath): Right {
  for (let length = path.length; length >= 0; length -= 1) {
    const own = rights.get(key(path.slice(0, length)));
    if (own !== undefined) return own;
  }
  return "none";
}

/** The CIB as that person may see it; what leads to something that may be seen stays as a bare frame. */
export function filterCib(cib: XmlElement, person: Person): XmlElement {
  if (isUnrestricted(person)) return cib;
  const rights = rightsIn(cib, person);
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
  return isUnrestricted(person) ? "write" : rightAt(rightsIn(cib, person), []);
}
