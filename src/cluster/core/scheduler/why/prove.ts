/**
 * Why a resource is where it is: which facts counted, found by taking each away and asking the scheduler again, so that
 * every cited fact changes the conclusion by definition. Where several facts say the same, so that none of them alone
 * changes anything, the smallest set of them that does is cited as one. What no citation needs is left out.
 */
import type { XmlElement } from "../../../../base/xml.ts";
import type { ScheduleOptions } from "../decision.ts";
import { inPromotable, type Resource } from "../facts/model.ts";
import { work } from "../schedule.ts";
import type { Worked } from "../worked.ts";
import { barrierFor, type Change, changeFor, type Goal, movedWith, type Obstacle, obstacleFor } from "./change.ts";
import {
  type Conclusion,
  conclusionOf,
  type Following,
  followingOf,
  type NodeVerdict,
  targetsOf,
  whereOf,
} from "./conclusion.ts";
import type { Candidate, CitedFact } from "./fact.ts";
import { candidatesFor } from "./facts-of-cib.ts";
import { ask, CHUNK, chunksOf, type Inquiry, isSame, plain, smallest } from "./inquiry.ts";

/** What a fact was worth: the verdict on a node as it is and as it would be without the fact. */
export interface Effect {
  readonly before: NodeVerdict;
  /** `undefined` when there would be no such node or resource any more. */
  readonly after: NodeVerdict | undefined;
}

export interface Citation {
  /** One fact; or several that say the same, and of which each would have been enough. */
  readonly facts: readonly CitedFact[];
  /** One for each node whose verdict would differ. */
  readonly effects: readonly Effect[];
  /** Operations that would not be held back without it, and those that only then would be. */
  readonly unblocks: readonly string[];
  readonly blocks: readonly string[];
  /** Without it the resource would be elsewhere, or in another role, and not merely with other scores. */
  readonly moves: boolean;
}

export interface Proof {
  readonly resource: string;
  readonly node?: string;
  readonly following?: Following;
  readonly conclusion: Conclusion;
  readonly citations: readonly Citation[];
  /** For each node where it will not be, or not promoted: the smallest change that would bring it there. */
  readonly changes: readonly Change[];
  /** For each of the others: why there is none. */
  readonly obstacles: readonly Obstacle[];
  /** More facts than could be tried: some may be missing. */
  readonly incomplete: boolean;
}

/** Each dozen of facts costs a decision; beyond this the answer would keep an operator waiting. */
const CANDIDATES_MAX = 2000;
/** Sets of facts that count only together. The records of a group on four nodes make a dozen; it bounds the time. */
const SETS_MAX = 24;

function effectsOf(inquiry: Inquiry, after: Conclusion): Effect[] {
  return inquiry.base.nodes.flatMap((verdict) => {
    const other = after.nodes.find(({ node }) => node === verdict.node);
    return JSON.stringify(verdict) === JSON.stringify(other) ? [] : [{ before: verdict, after: other }];
  });
}

function cite(inquiry: Inquiry, facts: readonly Candidate[], after: Conclusion): Citation {
  const moves = whereOf(after) !== whereOf(inquiry.base);
  const keys = ({ blocked }: Conclusion) => blocked.map(({ key, node }) => `${key} ${node}`);
  const [now, then] = [keys(inquiry.base), keys(after)];
  return {
    facts: facts.map(plain),
    effects: effectsOf(inquiry, after),
    unblocks: now.filter((key) => !then.includes(key)),
    blocks: then.filter((key) => !now.includes(key)),
    moves,
  };
}

interface Decisive {
  readonly fact: Candidate;
  readonly after: Conclusion;
}

/** Facts whose loss alone changes the conclusion: where a part changes it, each half of the part is tried. */
function decisiveOf(inquiry: Inquiry, candidates: readonly Candidate[]): Decisive[] {
  const halve = (part: readonly Candidate[]): Decisive[] => {
    const after = ask(inquiry, part);
    if (isSame(inquiry, after)) return [];
    if (part.length === 1) return part.map((fact) => ({ fact, after }));
    const middle = Math.ceil(part.length / 2);
    return [...halve(part.slice(0, middle)), ...halve(part.slice(middle))];
  };
  const few = candidates.length <= 5 * CHUNK;
  return chunksOf(candidates, few ? 1 : CHUNK).flatMap(halve);
}

/** Sets of facts that only together change the conclusion, each minimal; until the rest changes nothing any more. */
function jointlyDecisive(inquiry: Inquiry, candidates: readonly Candidate[]): Candidate[][] {
  const sets: Candidate[][] = [];
  let rest = [...candidates];
  const changes = (part: readonly Candidate[]) => !isSame(inquiry, ask(inquiry, part));
  while (sets.length < SETS_MAX && rest.length > 0 && changes(rest)) {
    const set = smallest(rest, changes);
    sets.push(set);
    rest = rest.filter((fact) => !set.includes(fact));
  }
  return sets;
}

/** The nodes where it is not, and of a promotable clone those where it is and not promoted. */
function goalsOf({ nodes }: Conclusion, targets: readonly Resource[], asked: string | undefined): readonly Goal[] {
  const goals = nodes.flatMap(({ node, roles }): Goal[] => {
    if (roles.length === 0) return [{ node }];
    const mayBe = targets.some(inPromotable) && !roles.includes("Promoted");
    return mayBe ? [{ node, role: "Promoted" }] : [];
  });
  const there = goals.filter(({ node }) => node === asked);
  // Asked about a node where it is: then what would move it anywhere else.
  return there.length > 0 ? there : goals;
}

/** `undefined` when the CIB has no such resource. `node` asks about that node alone. */
export function prove(
  cib: XmlElement,
  nowWallMs: number,
  name: string,
  node?: string,
  asked: ScheduleOptions = {},
): Proof | undefined {
  const worked: Worked = work(cib, nowWallMs, asked);
  const targets = targetsOf(worked, name);
  const [first] = targets ?? [];
  if (targets === undefined || first === undefined) return undefined;
  const base = conclusionOf(worked, targets);
  const inquiry: Inquiry = { cib, nowWallMs, asked, name, node, base };
  const all = candidatesFor(worked, targets);
  const candidates = all.slice(0, CANDIDATES_MAX);
  const decisive = decisiveOf(inquiry, candidates);
  const alone = new Set(decisive.map(({ fact }) => fact));
  const sets = jointlyDecisive(
    inquiry,
    candidates.filter((fact) => !alone.has(fact)),
  );
  const grounds = [...[...alone].map((fact) => [fact]), ...sets];
  const movable = movedWith(worked.facts, targets);
  const following = followingOf(name, targets);
  const searched = goalsOf(base, targets, node).map((goal) => {
    const barrier = barrierFor(worked, targets, goal);
    const change = barrier === undefined ? changeFor(inquiry, movable, goal, grounds, candidates) : undefined;
    return { change, obstacle: change === undefined ? (barrier ?? obstacleFor(worked.facts, goal)) : undefined };
  });
  return {
    resource: name,
    ...(node === undefined ? {} : { node }),
    ...(following === undefined ? {} : { following }),
    conclusion: base,
    citations: [
      ...decisive.map(({ fact, after }) => cite(inquiry, [fact], after)),
      ...sets.map((set) => cite(inquiry, set, ask(inquiry, set))),
    ],
    changes: searched.flatMap(({ change }) => change ?? []),
    obstacles: searched.flatMap(({ obstacle }) => obstacle ?? []),
    incomplete: all.length > candidates.length,
  };
}
