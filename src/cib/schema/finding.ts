/** How checks tell what they find: with a place that can be looked up, and the ids around it. */
import type { Problem } from "../../base/problem.ts";
import { addEntry } from "../../base/record.ts";
import { childrenOf, type XmlElement } from "../../base/xml.ts";

/** A problem with the ids of the elements around it, innermost first, and the id that is missing, if one is. */
export interface Finding extends Problem {
  readonly ids: readonly string[];
  readonly missing?: string;
}

/** The plain problem, without what only the checks know. */
export function toProblem({ severity, place, reason, remedy }: Finding): Problem {
  return { severity, place, reason, remedy };
}

/** An element with those above it, outermost first. */
export interface Seen {
  readonly element: XmlElement;
  readonly above: readonly XmlElement[];
}

export function placeOf({ element, above }: Seen): string {
  const { id } = element.attributes;
  if (id !== undefined) return `//${element.name}[@id="${id}"]`;
  const parent = above.at(-1);
  if (parent === undefined) return `/${element.name}`;
  const { attributes } = element;
  const test = attributes["name"] === undefined ? "" : `[@name="${attributes["name"]}"]`;
  return `${placeOf({ element: parent, above: above.slice(0, -1) })}/${element.name}${test}`;
}

export function finding(
  severity: Problem["severity"],
  seen: Seen,
  reason: string,
  remedy: string,
  missing?: string,
): Finding {
  const ids = [seen.element, ...[...seen.above].reverse()].flatMap(({ attributes: { id } }) =>
    id === undefined ? [] : [id],
  );
  const base = { severity, place: placeOf(seen), reason, remedy, ids };
  return missing === undefined ? base : { ...base, missing };
}

/** Every element of the tree with those above it, in document order. */
export function everyElement(root: XmlElement, above: readonly XmlElement[] = []): Seen[] {
  const list: Seen[] = [];
  const visit = (element: XmlElement, over: readonly XmlElement[]) => {
    list.push({ element, above: over });
    for (const child of element.children) visit(child, [...over, element]);
  };
  visit(root, above);
  return list;
}

/** Values of the options in all sets of that name below an element; the first that names an option wins. */
export function optionsIn(element: XmlElement | undefined, setName: string): Record<string, string> {
  const options: Record<string, string> = {};
  for (const set of childrenOf(element, setName))
    for (const { attributes } of childrenOf(set, "nvpair")) {
      const { name, value } = attributes;
      if (name !== undefined && value !== undefined) addEntry(options, name, value);
    }
  return options;
}
