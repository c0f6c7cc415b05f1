/**
 * Spoils a CIB by seed, as slips of the pen, broken tools and enemies would: elements lost, doubled and moved,
 * attributes lost and set to what nobody expects, references that lead nowhere, to themselves or in a circle.
 */
import type { XmlElement } from "../../src/base/xml.ts";
import { randomNumbers } from "./random-cib/draw.ts";

const VALUES = [
  "",
  " ",
  "0",
  "-1",
  "1",
  "true",
  "false",
  "INFINITY",
  "-INFINITY",
  "+INFINITY",
  "999999999999999999999",
  "-999999999999999999999",
  "1e9",
  "NaN",
  "0x10",
  "10s",
  "P1Y2M3DT4H5M6S",
  "2100-13-45T99:99:99",
  "__proto__",
  "constructor",
  "hasOwnProperty",
  "#uname",
  ":0",
  "r1:1",
  "\u0000\uffff",
  "(((((",
  "日本語",
  "x".repeat(5_000),
  "Promoted",
  "Stopped",
  "start",
  "stop",
  "fence",
  "block",
  "demote",
] as const;

const NAMES = [
  "primitive",
  "group",
  "clone",
  "bundle",
  "rule",
  "nvpair",
  "lrm_rsc_op",
  "node_state",
  "rsc_order",
] as const;

interface Chance {
  readonly next: () => number;
  readonly pick: <Item>(items: readonly Item[]) => Item | undefined;
}

function count(element: XmlElement): number {
  return 1 + element.children.reduce((sum, child) => sum + count(child), 0);
}

/** The tree with its element number `at` (in document order) replaced by what `change` makes of it. */
function changeAt(root: XmlElement, at: number, change: (element: XmlElement) => readonly XmlElement[]): XmlElement {
  let number = -1;
  const visit = (element: XmlElement): readonly XmlElement[] => {
    number += 1;
    if (number === at) return change(element);
    const children = element.children.flatMap(visit);
    return [
      children.length === element.children.length && children.every((c, i) => c === element.children[i])
        ? element
        : { ...element, children },
    ];
  };
  return visit(root)[0] ?? root;
}

function elementAt(root: XmlElement, at: number): XmlElement {
  let found = root;
  changeAt(root, at, (element) => {
    found = element;
    return [element];
  });
  return found;
}

/** A value that stands elsewhere in the tree: a reference to something else, or to itself. */
function borrowedValue(root: XmlElement, size: number, { next, pick }: Chance): string {
  const { attributes } = elementAt(root, Math.floor(next() * size));
  return pick(Object.values(attributes)) ?? "";
}

function spoilAttribute(root: XmlElement, element: XmlElement, size: number, chance: Chance): XmlElement {
  const name = chance.pick(Object.keys(element.attributes));
  if (name === undefined) return element;
  const attributes: Record<string, string> = { ...element.attributes };
  const kind = chance.next();
  if (kind < 0.2) delete attributes[name];
  else attributes[name] = kind < 0.6 ? (chance.pick(VALUES) ?? "") : borrowedValue(root, size, chance);
  return { ...element, attributes };
}

function spoilOnce(root: XmlElement, chance: Chance): XmlElement {
  const size = count(root);
  const at = 1 + Math.floor(chance.next() * (size - 1));
  const kind = chance.next();
  return changeAt(root, at, (element) => {
    if (kind < 0.5) return [spoilAttribute(root, element, size, chance)];
    if (kind < 0.62) return [];
    if (kind < 0.74) return [element, element];
    if (kind < 0.82) return [{ ...element, children: [] }];
    if (kind < 0.88) return [{ ...element, children: [...element.children].reverse() }];
    if (kind < 0.94) return [element, elementAt(root, Math.floor(chance.next() * size))];
    return [{ ...element, name: chance.pick(NAMES) ?? element.name }];
  });
}

/** Far above any real CIB: doubling what was doubled must not become the test of a machine's memory. */
const SIZE_MAX = 20_000;
const SPOILS_MAX = 12;

export function mutateCib(root: XmlElement, seed: number): XmlElement {
  const next = randomNumbers(seed);
  const chance: Chance = { next, pick: (items) => items[Math.floor(next() * items.length)] };
  let spoiled = root;
  const times = 1 + Math.floor(next() * SPOILS_MAX);
  for (let time = 0; time < times && count(spoiled) < SIZE_MAX; time++) spoiled = spoilOnce(spoiled, chance);
  return spoiled;
}
