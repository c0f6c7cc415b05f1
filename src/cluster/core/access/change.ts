/**
 * Whether a person may make a change: both configurations are compared, element by element, by the rules that were in
 * force before it. What a person may not see cannot be taken away by sending back what was seen.
 * Facts: Pacemaker Explained, "Access Control Lists (ACLs)": write allows to create, change and remove an element with
 * all below, and to create the frames around it, which have no attribute but an id.
 */
import type { Problem } from "../../../base/problem.ts";
import type { XmlElement } from "../../../base/xml.ts";
import type { TreePath } from "../../../base/xml-path.ts";
import { isUnrestricted, type Person, type Rights, rightAt, rightsIn } from "./acl.ts";

const nameOf = ({ name, attributes }: XmlElement) =>
  `${name}${attributes["id"] === undefined ? "" : ` ${attributes["id"]}`}`;

interface Place {
  readonly child: XmlElement;
  readonly index: number;
}

/** Elements by name and id; those without ids by their turn. */
function keyed(places: readonly Place[]): ReadonlyMap<string, Place> {
  const found = new Map<string, Place>();
  for (const place of places) {
    let name = nameOf(place.child);
    while (found.has(name)) name += "'";
    found.set(name, place);
  }
  return found;
}

const placesIn = ({ children }: XmlElement): readonly Place[] => children.map((child, index) => ({ child, index }));

interface Sides {
  readonly before: XmlElement;
  readonly after: XmlElement;
  readonly rights: { readonly before: Rights; readonly after: Rights };
}

function refused(what: string): Problem {
  const remedy = "ask somebody with the right, or have a role extended (crm configure role, acl_target)";
  return { severity: "error", place: "acl", reason: `you may not ${what}`, remedy };
}

const isFrame = ({ attributes, text = "" }: XmlElement) =>
  text === "" && Object.keys(attributes).every((name) => name === "id");

/** What may not be created of a new element. `inherits`: whether its parent may be written. */
function created(child: XmlElement, path: TreePath, rights: Rights, inherits: boolean): Problem[] {
  const own = rights.get(path.join("."));
  const mayWrite = own === undefined ? inherits : own === "write";
  const isScaffold = isFrame(child) && child.children.length > 0;
  if (!mayWrite && !isScaffold) return [refused(`create ${nameOf(child)}`)];
  return child.children.flatMap((below, index) => created(below, [...path, index], rights, mayWrite));
}

/** What forbids to delete an element: itself, or something below that is kept from this person. */
function deleted(child: XmlElement, path: TreePath, rights: Rights): Problem[] {
  if (rightAt(rights, path) !== "write") return [refused(`delete ${nameOf(child)}`)];
  const holdsUnseen = (element: XmlElement, at: TreePath): boolean =>
    element.children.some((below, index) => {
      const deeper = [...at, index];
      return rightAt(rights, deeper) === "none" || holdsUnseen(below, deeper);
    });
  // Whoever renames or moves what he sees only in part would lose the rest of it.
  return holdsUnseen(child, path) ? [refused(`delete ${nameOf(child)}: it holds what you may not see`)] : [];
}

/** Every difference that stands where the person may not write. */
function differences(sides: Sides, paths: { readonly before: TreePath; readonly after: TreePath }): Problem[] {
  const { before, after, rights } = sides;
  const mayWrite = rightAt(rights.before, paths.before) === "write";
  const found: Problem[] = [];
  const isSame = JSON.stringify([before.attributes, before.text]) === JSON.stringify([after.attributes, after.text]);
  if (!isSame && !mayWrite) found.push(refused(`change ${nameOf(after)}`));
  const [old, now] = [keyed(placesIn(before)), keyed(placesIn(after))];
  for (const [name, { child, index }] of old)
    if (!now.has(name)) found.push(...deleted(child, [...paths.before, index], rights.before));
  const kept = [...old.keys()].filter((name) => now.has(name));
  if (kept.join("\n") !== [...now.keys()].filter((name) => old.has(name)).join("\n") && !mayWrite)
    found.push(refused(`reorder ${nameOf(after)}`));
  for (const [name, { child, index }] of now) {
    const match = old.get(name);
    const path = [...paths.after, index];
    if (match === undefined) found.push(...created(child, path, rights.after, mayWrite));
    else {
      const below = { before: [...paths.before, match.index], after: path };
      found.push(...differences({ before: match.child, after: child, rights }, below));
    }
  }
  return found;
}

/** Why that person may not make this change; empty when it is allowed. Both are whole CIBs. */
export function refuseChange(before: XmlElement, after: XmlElement, person: Person): readonly Problem[] {
  if (isUnrestricted(person)) return [];
  // The rules that were in force judge both sides: nobody gives himself rights by the very change.
  const rights = { before: rightsIn(before, person), after: rightsIn(after, person, before) };
  return differences({ before, after, rights }, { before: [], after: [] });
}

function isSeen(element: XmlElement, path: TreePath, rights: Rights): boolean {
  if (rightAt(rights, path) !== "none") return true;
  return element.children.some((child, index) => isSeen(child, [...path, index], rights));
}

/** `given` with everything of `whole` at that path that its sender was not shown. */
function restore(whole: XmlElement, given: XmlElement, path: TreePath, rights: Rights): XmlElement {
  const { id } = whole.attributes;
  const wasBare = rightAt(rights, path) === "none" && isFrame(given) && given.attributes["id"] === id;
  const at = (index: number) => [...path, index];
  const seen = placesIn(whole).filter(({ child, index }) => isSeen(child, at(index), rights));
  const [shown, back] = [keyed(seen), keyed(placesIn(given))];
  /** Which child of `whole` each child of the result is. */
  const children: { readonly element: XmlElement; readonly index: number | undefined }[] = [];
  for (const [name, { child }] of back) {
    const match = shown.get(name);
    const element = match === undefined ? child : restore(match.child, child, at(match.index), rights);
    children.push({ element, index: match?.index });
  }
  for (const [index, child] of whole.children.entries()) {
    const isShown = seen.some((one) => one.index === index);
    // Who names what was not shown means to write it, which is judged like any other change.
    const isNamed = child.attributes["id"] !== undefined && back.has(nameOf(child));
    if (isShown || isNamed) continue;
    // Behind the nearest of those that stood before it.
    const behind = children.findLastIndex((one) => one.index !== undefined && one.index < index);
    children.splice(behind + 1, 0, { element: child, index });
  }
  const own = wasBare ? whole : given;
  return {
    ...given,
    attributes: own.attributes,
    ...(own.text === undefined ? {} : { text: own.text }),
    children: children.map(({ element }) => element),
  };
}

/**
 * The configuration that a person means who sends back the one that was shown, changed or not: what a filter had kept
 * from that person (`filterCib`) is as it was.
 */
export function restoreUnseen(cib: XmlElement, configuration: XmlElement, person: Person): XmlElement {
  const index = cib.children.findIndex(({ name }) => name === "configuration");
  const whole = cib.children[index];
  if (isUnrestricted(person) || whole === undefined) return configuration;
  return restore(whole, configuration, [index], rightsIn(cib, person));
}
