/**
 * Sets of name-value pairs (meta_attributes, cluster_property_set, ...): which set counts first, which value wins, and
 * what `id-ref` borrows. Every reader of a CIB reads them by this, so that scheduler, fencer and displays agree.
 * A set of higher score wins; within equal scores the one that stands first. Rules are the caller's to ask.
 * Facts: Pacemaker Explained, "Using Rules to Control Resource Options"; "Reusing Parts of the Configuration".
 */
import { setEntry } from "../base/record.ts";
import type { XmlElement } from "../base/xml.ts";
import { parseScore } from "./schema/values.ts";

/** The set of cluster options that outranks every score. Fact: Pacemaker Explained, "Cluster Options". */
export const FIRST_OPTION_SET = "cib-bootstrap-options";

/** A value that stands as if it were not written there. */
const UNSET = "#default";

/** All elements by id, for `id-ref`. */
export type IdIndex = ReadonlyMap<string, XmlElement>;

export function indexIds(root: XmlElement): IdIndex {
  const index = new Map<string, XmlElement>();
  const stack: XmlElement[] = [root];
  for (let element = stack.pop(); element !== undefined; element = stack.pop()) {
    const { id } = element.attributes;
    if (id !== undefined && !index.has(id)) index.set(id, element);
    stack.push(...element.children);
  }
  return index;
}

/** The index of all below `root`, made when something first refers by `id-ref`: most CIBs never do. */
export function lazyIds(root: XmlElement): () => IdIndex {
  let index: IdIndex | undefined;
  return () => (index ??= indexIds(root));
}

/** What the element names by `id-ref`; itself where it names nothing, or what is nowhere. */
export function resolveReference(element: XmlElement, ids: () => IdIndex): XmlElement {
  const reference = element.attributes["id-ref"];
  return reference === undefined ? element : (ids().get(reference) ?? element);
}

/** The sets, resolved, those that count first before the others; `firstId` names the one that outranks every score. */
export function rankSets(sets: readonly XmlElement[], ids: () => IdIndex, firstId?: string): readonly XmlElement[] {
  const targets = sets.map((set) => resolveReference(set, ids));
  if (targets.length < 2) return targets;
  const rank = ({ attributes: { id, score } }: XmlElement) => (id === firstId ? Infinity : parseScore(score));
  return targets.toSorted((left, right) => rank(right) - rank(left) || 0);
}

/** Adds the pairs of one set to `values`, never overwriting: the first that gives a name a value wins. */
export function addPairs(set: XmlElement, ids: () => IdIndex, values: Record<string, string>): void {
  for (const child of set.children) {
    if (child.name === "attributes") addPairs(child, ids, values);
    if (child.name !== "nvpair") continue;
    const pair = resolveReference(child, ids);
    // A borrowed pair may stand under another name.
    const name = child.attributes["name"] ?? pair.attributes["name"];
    const { value } = pair.attributes;
    if (name === undefined || value === undefined || value === UNSET || Object.hasOwn(values, name)) continue;
    setEntry(values, name, value);
  }
}
