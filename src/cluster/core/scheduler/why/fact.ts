/** A fact of a CIB that can be taken away, to see what it was worth. */
import { childrenOf, type XmlElement } from "../../../../base/xml.ts";
import { resolveReference } from "../../../../cib/sets.ts";
import type { Node, Setting } from "../facts/model.ts";

/** Its kind names the sentence in which it is told (why-text.ts), `values` are what the sentence names. */
export interface CitedFact {
  readonly kind: FactKind;
  /** Where it stands, as XPath. */
  readonly place: string;
  readonly values: Readonly<Record<string, string>>;
}

export type FactKind =
  | "option"
  | "default"
  | "meta"
  | "utilization"
  | "node-attribute"
  | "node-capacity"
  | "node-score"
  | "location"
  | "location-rule"
  | "colocation"
  | "order"
  | "ticket-constraint"
  | "ticket"
  | "fail-count"
  | "last-failure"
  | "promotion-score"
  | "transient-attribute"
  | "node-down"
  | "node-unclean"
  | "shutdown-lock"
  | "operation"
  | "on-fail"
  | "no-quorum"
  | "no-fencing"
  | "resource";

export interface Candidate extends CitedFact {
  readonly element: XmlElement;
  /** What stands in its place when it is taken away: made of what other facts of the same element leave. */
  readonly instead: ((element: XmlElement) => XmlElement) | undefined;
}

/** The tree without these facts. */
export function without(root: XmlElement, facts: Iterable<Candidate>): XmlElement {
  const left = new Map<XmlElement, XmlElement | undefined>();
  for (const { element, instead } of facts) {
    const rest = left.has(element) ? left.get(element) : element;
    left.set(element, rest === undefined ? undefined : instead?.(rest));
  }
  const rebuild = (element: XmlElement): XmlElement | undefined => {
    const base = left.has(element) ? left.get(element) : element;
    if (base === undefined) return undefined;
    let changed = false;
    const children = base.children.flatMap((child) => {
      const made = rebuild(child);
      if (made !== child) changed = true;
      return made === undefined ? [] : [made];
    });
    return changed ? { ...base, children } : base;
  };
  return rebuild(root) ?? root;
}

/** Takes one fact in; without `instead` its element is what is taken away. */
export type Collect = (
  fact: Omit<Candidate, "instead"> & { readonly instead?: (was: XmlElement) => XmlElement },
) => void;

export const idPlace = ({ name, attributes }: XmlElement) => `//${name}[@id="${attributes["id"] ?? ""}"]`;

/** To be put in place of an element: the same without that attribute. */
export const lacking =
  (name: string) =>
  (was: XmlElement): XmlElement => ({
    ...was,
    attributes: Object.fromEntries(Object.entries(was.attributes).filter(([each]) => each !== name)),
  });

/** The pairs of these sets, wherever a set that is borrowed (id-ref) is written. */
export function pairsOf(
  { ids }: Setting,
  sets: readonly XmlElement[],
  collect: Collect,
  kind: FactKind,
  values: Record<string, string>,
): void {
  for (const set of sets)
    for (const pair of childrenOf(resolveReference(set, ids), "nvpair")) {
      const { name = "", value = "" } = pair.attributes;
      collect({ kind, place: idPlace(pair), values: { ...values, name, value }, element: pair });
    }
}

/** Exit codes that tell a state, not a failure. */
export const STATES: ReadonlySet<string> = new Set(["0", "7", "8"]);

/** Something that happened there, to whatever resource, concerns all: the node is to be fenced, or left empty. */
export const isGivenUp = (node: Node | undefined): boolean => node?.unclean === true || node?.standbyOnFail === true;
