/** Asking the scheduler again: what would be concluded of a resource without some of the facts of the CIB. */
import type { XmlElement } from "../../../../base/xml.ts";
import type { ScheduleOptions } from "../decision.ts";
import { work } from "../schedule.ts";
import { type Conclusion, conclusionOf, targetsOf, textOf } from "./conclusion.ts";
import { type Candidate, type CitedFact, without } from "./fact.ts";

/** Facts that change nothing all together need not be tried one by one. */
export const CHUNK = 12;

export interface Question {
  readonly nowWallMs: number;
  readonly asked: ScheduleOptions;
  readonly name: string;
}

export interface Inquiry extends Question {
  readonly cib: XmlElement;
  readonly node: string | undefined;
  readonly base: Conclusion;
}

export function concludeFor(cib: XmlElement, { nowWallMs, asked, name }: Question): Conclusion | undefined {
  const worked = work(cib, nowWallMs, asked);
  const targets = targetsOf(worked, name);
  return targets === undefined ? undefined : conclusionOf(worked, targets);
}

const NOTHING: Conclusion = { nodes: [], blocked: [] };

export const ask = (inquiry: Inquiry, dropped: readonly Candidate[]): Conclusion =>
  concludeFor(without(inquiry.cib, dropped), inquiry) ?? NOTHING;

export const isSame = (inquiry: Inquiry, other: Conclusion) =>
  textOf(other, inquiry.node) === textOf(inquiry.base, inquiry.node);

export const plain = ({ kind, place, values }: Candidate): CitedFact => ({ kind, place, values });

export function chunksOf<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

/**
 * A part of `facts` that still does what all of them do, and of which none can be spared; `does` must hold for all.
 * What could not be spared at first may be once others have gone: so it ends with a round that spares none.
 */
export function smallest(facts: readonly Candidate[], does: (part: readonly Candidate[]) => boolean): Candidate[] {
  let kept = [...facts];
  const spare = (part: readonly Candidate[]) => {
    const rest = kept.filter((fact) => !part.includes(fact));
    if (rest.length === 0 || rest.length === kept.length || !does(rest)) return false;
    kept = rest;
    return true;
  };
  for (const chunk of chunksOf(facts, CHUNK)) if (!spare(chunk)) for (const fact of chunk) spare([fact]);
  let sparesAny = true;
  while (sparesAny && kept.length > 1) {
    sparesAny = false;
    for (const fact of [...kept]) if (spare([fact])) sparesAny = true;
  }
  return kept;
}
