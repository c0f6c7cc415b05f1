/** What a proof says, tried: the CIB without cited facts, and with the change that a proof proposes. */
import type { XmlElement } from "../../src/base/xml.ts";
import { type Change, preferring } from "../../src/cluster/core/scheduler/why/change.ts";
import { type Candidate, type CitedFact, without } from "../../src/cluster/core/scheduler/why/fact.ts";

export const sameFact = (one: CitedFact, other: CitedFact): boolean =>
  one.kind === other.kind && one.place === other.place && JSON.stringify(one.values) === JSON.stringify(other.values);

/** Throws when a fact is not among those of the CIB. */
export function removeFacts(cib: XmlElement, all: readonly Candidate[], facts: readonly CitedFact[]): XmlElement {
  const found = facts.flatMap((fact) => {
    const same = all.filter((candidate) => sameFact(fact, candidate));
    if (same.length === 0) throw new Error(`${fact.kind} ${fact.place} is no fact of this CIB`);
    return same;
  });
  return without(cib, found);
}

export function applyChange(cib: XmlElement, all: readonly Candidate[], change: Change): XmlElement {
  const reduced = removeFacts(cib, all, change.remove);
  if (change.prefer === undefined) return reduced;
  return preferring(reduced, change.node, change.prefer);
}
