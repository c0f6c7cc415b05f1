/** What generated CIBs are drawn from: seeded numbers, the themes of a CIB, the parts that its sections share. */

/** The second at which every generated CIB is judged. */
export const NOW_SECONDS = 1_700_000_000;

/** Numbers from 0 to below 1 by seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Draw {
  /** True once in `1 / probability` times. */
  readonly chance: (probability: number) => boolean;
  readonly pick: <Item>(items: readonly [Item, ...Item[]]) => Item;
  /** From `low` to `high`, both included. */
  readonly between: (low: number, high: number) => number;
}

export function drawFrom(next: () => number): Draw {
  return {
    chance: (probability) => next() < probability,
    pick: (items) => items[Math.floor(next() * items.length)] ?? items[0],
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
  };
}

export interface Primitive {
  readonly id: string;
  readonly isFencing: boolean;
  readonly monitors: readonly { readonly seconds: number; readonly role: string }[];
}

export interface Top {
  readonly id: string;
  readonly kind: "primitive" | "group" | "clone" | "promotable";
  readonly members: readonly Primitive[];
  readonly unique: boolean;
  readonly xml: string;
}

/** What this CIB is about: with all at once, one feature would hide the other. */
export interface Theme {
  readonly colocations: boolean;
  readonly orders: boolean;
  readonly locations: boolean;
  readonly sets: boolean;
  readonly failures: boolean;
  readonly fencing: boolean;
  readonly tickets: boolean;
  readonly utilization: boolean;
  readonly migration: boolean;
  readonly rules: boolean;
  readonly meta: boolean;
  readonly health: boolean;
  readonly troubledNodes: boolean;
  readonly quorum: boolean;
  readonly notify: boolean;
}

export function themeOf({ chance }: Draw): Theme {
  return {
    colocations: chance(0.5),
    orders: chance(0.5),
    locations: chance(0.5),
    sets: chance(0.12),
    failures: chance(0.3),
    fencing: chance(0.4),
    tickets: chance(0.08),
    utilization: chance(0.08),
    migration: chance(0.1),
    rules: chance(0.15),
    meta: chance(0.4),
    health: chance(0.06),
    troubledNodes: chance(0.3),
    quorum: chance(0.12),
    notify: chance(0.15),
  };
}

export const SCORES = ["INFINITY", "INFINITY", "-INFINITY", "100", "-100", "10", "1000", "-5"] as const;

/** An element as text; attributes without a value are left out. */
export function tag(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
  ...inside: readonly string[]
): string {
  const given = Object.entries(attributes).filter(([, value]) => value !== undefined);
  const head = [name, ...given.map(([key, value]) => `${key}="${value}"`)].join(" ");
  return `<${head}>${inside.join("")}</${name}>`;
}

export function pairs(id: string, values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `<nvpair id="${id}-${name}" name="${name}" value="${value}"/>`)
    .join("");
}

export function metaSet(id: string, values: Readonly<Record<string, string>>): string {
  if (Object.keys(values).length === 0) return "";
  return `<meta_attributes id="${id}-meta">${pairs(`${id}-meta`, values)}</meta_attributes>`;
}
