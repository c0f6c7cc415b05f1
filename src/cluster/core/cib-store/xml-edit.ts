/**
 * What cibadmin does to a CIB: create, modify, replace and delete an element that is given, wherever it stands or below
 * the place that is named. Pure, and all or nothing. Elements are meant by name and id; those without an id by name.
 * Facts: cibadmin(8); its results on CIB files (2.1.5): an element of the same id is merged by modify, attribute by
 * attribute and child by child; a deletion that finds nothing is done; `NAME++` and `NAME+=N` count up.
 */
import { entryOf, setEntry } from "../../../base/record.ts";
import { type XmlElement, xml } from "../../../base/xml.ts";
import { elementAt, findPaths, pathFault, type TreePath } from "../../../base/xml-path.ts";
import { replaceAt } from "./paths.ts";

export type Edited =
  | { readonly kind: "edited"; readonly root: XmlElement }
  /** There is no such place or element. */
  | { readonly kind: "not-found"; readonly reason: string }
  | { readonly kind: "exists"; readonly reason: string }
  | { readonly kind: "not-allowed"; readonly reason: string };

export interface Place {
  /** The name of a section; anywhere without it. */
  readonly scope?: string;
  readonly xpath?: string;
}

const edited = (root: XmlElement): Edited => ({ kind: "edited", root });
const nameOf = ({ name, attributes: { id } }: XmlElement) => (id === undefined ? `<${name}>` : `<${name} id="${id}">`);

/** Sections of the CIB by name: they stand below <cib> or <configuration>. */
export function findSection(root: XmlElement, name: string): TreePath | undefined {
  if (name === "cib") return [];
  for (const parent of ["/cib", "/cib/configuration"]) {
    const [found] = findPaths(root, `${parent}/${name}`) ?? [];
    if (found !== undefined) return found;
  }
  return undefined;
}

function isMeant(candidate: XmlElement, given: XmlElement): boolean {
  return candidate.name === given.name && candidate.attributes["id"] === given.attributes["id"];
}

/** The first element in document order for which `fits` holds. */
function findWhere(element: XmlElement, path: TreePath, fits: (one: XmlElement) => boolean): TreePath | undefined {
  if (fits(element)) return path;
  for (const [index, child] of element.children.entries()) {
    const found = findWhere(child, [...path, index], fits);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Where to look: at the place that is named, or everywhere. */
function startAt(root: XmlElement, { scope, xpath }: Place): TreePath | undefined {
  if (xpath !== undefined) return findPaths(root, xpath)?.[0];
  return scope === undefined ? [] : findSection(root, scope);
}

function noPlace({ scope, xpath }: Place): Edited {
  const fault = xpath === undefined ? undefined : pathFault(xpath);
  const reason = `there is no ${xpath ?? scope ?? "such place"}`;
  return { kind: "not-found", reason: fault === undefined ? reason : `${xpath ?? ""} is not understood: ${fault}` };
}

function findGiven(root: XmlElement, place: Place, fits: (one: XmlElement) => boolean): TreePath | undefined {
  const start = startAt(root, place);
  const from = start === undefined ? undefined : elementAt(root, start);
  return start === undefined || from === undefined ? undefined : findWhere(from, start, fits);
}

/** `epoch++` and `epoch+=2`, as the value of any attribute. */
function counted(name: string, value: string, before: string | undefined): string {
  const [, counter, by] = /^([\w.-]+)(?:\+\+|\+=(\d{1,9}))$/.exec(value) ?? [];
  if (counter !== name) return value;
  return String(Number(before ?? 0) + Number(by ?? 1));
}

function merge(before: XmlElement, given: XmlElement): XmlElement {
  const attributes: Record<string, string> = { ...before.attributes };
  for (const [name, value] of Object.entries(given.attributes))
    setEntry(attributes, name, counted(name, value, entryOf(before.attributes, name)));
  const children = [...before.children];
  for (const child of given.children) {
    const at = children.findIndex((old) => isMeant(old, child));
    const old = children[at];
    if (old === undefined) children.push(child);
    else children[at] = merge(old, child);
  }
  return { ...before, attributes, children };
}

/** A section that is given whole stands for what is in it. */
function membersOf(place: Place, given: XmlElement): readonly XmlElement[] {
  return place.scope !== undefined && given.name === place.scope ? given.children : [given];
}

export function create(root: XmlElement, place: Place, given: XmlElement): Edited {
  const named = place.scope === undefined && place.xpath === undefined;
  if (named && given.name === "cib") return create(root, { scope: "cib" }, given);
  const at = startAt(root, named ? { scope: given.name } : place);
  if (at === undefined) return noPlace(named ? { scope: given.name } : place);
  const members = named ? given.children : membersOf(place, given);
  const parent = elementAt(root, at) ?? xml("none");
  const taken = members.find((child) => parent.children.some((old) => isMeant(old, child)));
  if (taken !== undefined) return { kind: "exists", reason: `${nameOf(taken)} exists already` };
  return edited(replaceAt(root, at, (found) => ({ ...found, children: [...found.children, ...members] })));
}

/** `allowsCreate`: what is not there is put at the place that is named. */
export function modify(root: XmlElement, place: Place, given: XmlElement, allowsCreate: boolean): Edited {
  // Of what has no id there is one in all: a section, which stands above every scope.
  const isSection = given.attributes["id"] === undefined && place.xpath === undefined;
  const at = findGiven(root, isSection ? {} : place, (one) => isMeant(one, given));
  if (at !== undefined) return edited(replaceAt(root, at, (found) => merge(found, given)));
  if (place.xpath !== undefined && startAt(root, place) === undefined) return noPlace(place);
  if (allowsCreate && (place.scope !== undefined || place.xpath !== undefined)) return create(root, place, given);
  return { kind: "not-found", reason: `there is no ${nameOf(given)}` };
}

export function replace(root: XmlElement, place: Place, given: XmlElement): Edited {
  if (given.name === "cib" && place.xpath === undefined) return edited(given);
  const at =
    place.xpath === undefined
      ? findGiven(root, place, (one) => isMeant(one, given))
      : findPaths(root, place.xpath)?.[0];
  if (at === undefined && place.xpath !== undefined) return noPlace(place);
  if (at === undefined) return { kind: "not-found", reason: `there is no ${nameOf(given)}` };
  return edited(replaceAt(root, at, () => given));
}

/** Every attribute that is given must be there as given. */
function fitsAll(one: XmlElement, given: XmlElement): boolean {
  if (one.name !== given.name) return false;
  return Object.entries(given.attributes).every(([name, value]) => entryOf(one.attributes, name) === value);
}

/** Sections are emptied: a CIB without them is none. */
function without(tree: XmlElement, at: TreePath): XmlElement {
  return replaceAt(tree, at, (found) => (isSection(tree, at) ? { ...found, children: [] } : undefined));
}

function isSection(tree: XmlElement, at: TreePath): boolean {
  return at.length <= 2 && elementAt(tree, at)?.attributes["id"] === undefined;
}

/** All are found before the first goes: `//a[1]` means one, not what comes after it as well. */
function removeAt(root: XmlElement, xpath: string, all: boolean): Edited {
  const found = findPaths(root, xpath);
  if (found === undefined) return noPlace({ xpath });
  if (found.some((path) => path.length === 0))
    return { kind: "not-allowed", reason: `${xpath} is the CIB itself, which cannot be deleted` };
  const meant = found.filter((path, index) => path.join() !== found[index - 1]?.join());
  // Backwards, so that the paths that are still to come remain what they were.
  return edited((all ? meant : meant.slice(0, 1)).toReversed().reduce(without, root));
}

/** What is not there is deleted already. */
export function remove(root: XmlElement, place: Place, given: XmlElement | undefined, all: boolean): Edited {
  if (place.xpath !== undefined) return removeAt(root, place.xpath, all);
  let tree = root;
  for (;;) {
    const at = given === undefined ? undefined : findGiven(tree, place, (one) => fitsAll(one, given));
    if (at === undefined || at.length === 0) return edited(tree);
    const isEmpty = isSection(tree, at) && elementAt(tree, at)?.children.length === 0;
    tree = without(tree, at);
    if (!all || isEmpty) return edited(tree);
  }
}
