/**
 * Why a resource is where it is: which facts counted, found by taking each away and asking the scheduler again, so that
 * every cited fact changes the conclusion by definition. Where several facts say the same, so that none of them alone
 * changes anything, the smallest set of them that does is cited as one. What no citation needs is left out.
 */
import { childOf, type XmlElement, xml } from "../../../../base/xml.ts";
import type { ScheduleOptions } from "../decision.ts";
import { topOf } from "../facts/model.ts";
import { INFINITY_SCORE } from "../facts/values.ts";
import { work } from "../schedule.ts";
import type { Worked } from "../worked.ts";
import {
  type Conclusion,
  conclusionOf,
  type Following,
  followingOf,
  type NodeVerdict,
  targetsOf,
  textOf,
  whereOf,
} from "./conclusion.ts";
import { type Candidate, type CitedFact, candidatesFor, type FactKind, STATES, without } from "./facts-of-cib.ts";

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

/** A change after which the resource would be on that node: both parts together, where there are both. */
export interface Change {
  readonly node: string;
  readonly remove: readonly CitedFact[];
  readonly prefer?: Preference;
}

/** A location constraint: of the group or clone that the resource is part of, which goes as a whole. */
export interface Preference {
  readonly resource: string;
  readonly score: number;
}

export interface Proof {
  readonly resource: string;
  readonly node?: string;
  readonly following?: Following;
  readonly conclusion: Conclusion;
  readonly citations: readonly Citation[];
  /** For each node where it will not be: the smallest change that would bring it there. */
  readonly changes: readonly Change[];
  /** More facts than could be tried: some may be missing. */
  readonly incomplete: boolean;
}

/** Each fact costs a decision; beyond this the answer would keep an operator waiting. */
const CANDIDATES_MAX = 400;
/** Facts that change nothing all together need not be tried one by one. */
const CHUNK = 12;
/** Sets of facts that count only together. The records of a group on four nodes make a dozen; it bounds the time. */
const SETS_MAX = 24;

interface Question {
  readonly nowWallMs: number;
  readonly asked: ScheduleOptions;
  readonly name: string;
}

interface Inquiry extends Question {
  readonly cib: XmlElement;
  readonly node: string | undefined;
  readonly base: Conclusion;
}

function concludeFor(cib: XmlElement, { nowWallMs, asked, name }: Question): Conclusion | undefined {
  const worked = work(cib, nowWallMs, asked);
  const targets = targetsOf(worked, name);
  return targets === undefined ? undefined : conclusionOf(worked, targets);
}

const NOTHING: Conclusion = { nodes: [], blocked: [] };

const ask = (inquiry: Inquiry, dropped: readonly Candidate[]): Conclusion =>
  concludeFor(without(inquiry.cib, dropped), inquiry) ?? NOTHING;

const isSame = (inquiry: Inquiry, other: Conclusion) =>
  textOf(other, inquiry.node) === textOf(inquiry.base, inquiry.node);

function effectsOf(inquiry: Inquiry, after: Conclusion): Effect[] {
  return inquiry.base.nodes.flatMap((verdict) => {
    const other = after.nodes.find(({ node }) => node === verdict.node);
    return JSON.stringify(verdict) === JSON.stringify(other) ? [] : [{ before: verdict, after: other }];
  });
}

const plain = ({ kind, place, values }: Candidate): CitedFact => ({ kind, place, values });

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

function chunksOf<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

interface Decisive {
  readonly fact: Candidate;
  readonly after: Conclusion;
}

/** Facts whose loss alone changes the conclusion. */
function decisiveOf(inquiry: Inquiry, candidates: readonly Candidate[]): Decisive[] {
  const few = candidates.length <= 5 * CHUNK;
  return chunksOf(candidates, few ? 1 : CHUNK).flatMap((chunk) => {
    const all = ask(inquiry, chunk);
    if (isSame(inquiry, all)) return [];
    if (chunk.length === 1) return chunk.map((fact) => ({ fact, after: all }));
    return chunk.flatMap((fact) => {
      const after = ask(inquiry, [fact]);
      return isSame(inquiry, after) ? [] : [{ fact, after }];
    });
  });
}

/**
 * A part of `facts` that still does what all of them do, and of which none can be spared; `does` must hold for all.
 * What could not be spared at first may be once others have gone: so it ends with a round that spares none.
 */
function smallest(facts: readonly Candidate[], does: (part: readonly Candidate[]) => boolean): Candidate[] {
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

/** The CIB with one more location constraint. */
function preferring(cib: XmlElement, resource: string, node: string, score: number): XmlElement {
  const constraint = xml("rsc_location", { id: "gemel-why", rsc: resource, node, score: String(score) });
  const configuration = childOf(cib, "configuration") ?? xml("configuration");
  const constraints = childOf(configuration, "constraints") ?? xml("constraints");
  const added = { ...constraints, children: [...constraints.children, constraint] };
  const others = configuration.children.filter(({ name }) => name !== "constraints");
  const changed = { ...configuration, children: [...others, added] };
  return { ...cib, children: cib.children.map((child) => (child === configuration ? changed : child)) };
}

/** Nothing is on a node that is gone. */
const isOn = ({ nodes }: Conclusion, node: string) => nodes.some((each) => each.node === node && each.roles.length > 0);

/** The lowest preference that brings it there once `removed` is gone. */
function preferenceFor(
  inquiry: Inquiry,
  top: string,
  node: string,
  removed: readonly Candidate[],
): Preference | undefined {
  const cib = without(inquiry.cib, removed);
  const base = removed.length === 0 ? inquiry.base : ask(inquiry, removed);
  const own = base.nodes.find((each) => each.node === node);
  const chosen = base.nodes.filter(({ roles }) => roles.length > 0).map(({ score }) => score ?? 0);
  if (own?.score === undefined || own.score < -INFINITY_SCORE / 2) return undefined;
  const exact = Math.max(0, ...chosen) - own.score + 1;
  for (const score of exact < INFINITY_SCORE ? [exact, INFINITY_SCORE] : [INFINITY_SCORE]) {
    const after = concludeFor(preferring(cib, top, node, score), inquiry);
    if (after !== undefined && isOn(after, node)) return { resource: top, score };
  }
  return undefined;
}

/** What an operator can do something about: what has happened has happened, but a failure can be cleaned up. */
const isInHand = ({ kind, values }: Candidate) =>
  kind !== "resource" && kind !== "no-quorum" && (kind !== "operation" || !STATES.has(values["code"] ?? ""));

/** A setting with many effects: whoever wants the resource elsewhere would rather say so. */
const ROUNDABOUT: ReadonlySet<FactKind> = new Set([
  "option",
  "default",
  "meta",
  "utilization",
  "node-capacity",
  "promotion-score",
]);
const isRoundabout = ({ kind }: Candidate) => ROUNDABOUT.has(kind);

/**
 * The smallest change: one ground to take away, or one preference, or one of each, or else as few facts as will do.
 * What is not cited may stand in the way all the same (where it is now, it would be anyway): it is looked at last.
 */
function changeFor(
  inquiry: Inquiry,
  top: string,
  node: string,
  grounds: readonly (readonly Candidate[])[],
  candidates: readonly Candidate[],
): Change | undefined {
  const own = grounds.filter((ground) => ground.every(isInHand));
  const brings = (part: readonly Candidate[]) => isOn(ask(inquiry, part), node);
  const enoughOf = (part: readonly (readonly Candidate[])[]): Change | undefined => {
    const enough = part.find(brings);
    return enough === undefined ? undefined : { node, remove: smallest(enough, brings).map(plain) };
  };
  const preferred = (removed: readonly Candidate[]): Change | undefined => {
    const prefer = preferenceFor(inquiry, top, node, removed);
    return prefer === undefined ? undefined : { node, remove: removed.map(plain), prefer };
  };
  const simple =
    enoughOf(own.filter((ground) => !ground.every(isRoundabout))) ??
    preferred([]) ??
    enoughOf(own.filter((ground) => ground.every(isRoundabout)));
  if (simple !== undefined) return simple;
  for (const removed of own) {
    const change = preferred(removed);
    if (change !== undefined) return change;
  }
  const facts = own.flat();
  if (facts.length > 0 && brings(facts)) return { node, remove: smallest(facts, brings).map(plain) };
  const allows = (part: readonly Candidate[]) => preferred(part) !== undefined;
  const all = [facts, candidates.filter(isInHand)].find((part) => part.length > 0 && allows(part));
  return all === undefined ? undefined : preferred(smallest(all, allows));
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
  const all = candidatesFor(worked.facts, targets);
  const candidates = all.slice(0, CANDIDATES_MAX);
  const decisive = decisiveOf(inquiry, candidates);
  const alone = new Set(decisive.map(({ fact }) => fact));
  const sets = jointlyDecisive(
    inquiry,
    candidates.filter((fact) => !alone.has(fact)),
  );
  const grounds = [...[...alone].map((fact) => [fact]), ...sets];
  const top = topOf(first, true).baseId;
  const following = followingOf(name, targets);
  const elsewhere = base.nodes.filter((each) => each.roles.length === 0 && (node === undefined || each.node === node));
  return {
    resource: name,
    ...(node === undefined ? {} : { node }),
    ...(following === undefined ? {} : { following }),
    conclusion: base,
    citations: [
      ...decisive.map(({ fact, after }) => cite(inquiry, [fact], after)),
      ...sets.map((set) => cite(inquiry, set, ask(inquiry, set))),
    ],
    changes: elsewhere.flatMap((each) => changeFor(inquiry, top, each.node, grounds, candidates) ?? []),
    incomplete: all.length > candidates.length,
  };
}
