/**
 * Which node is the DC: the one whose scheduler decides. Every manager says `hello` to all members with the DC that it
 * knows; the present DC stays while it is a member and lives, else the lowest name among the members is elected.
 * Two DCs that meet: one whose last decision had quorum outranks one that was cut off and could do nothing, for it
 * knows what became of the cluster meanwhile, and its status section is the one in force; one that has decided
 * something outranks one that has not (a node that has just come up and knew nobody); of equals (a healed partition, a
 * race at start) the lower name stays. The other one stands down.
 * What makes this safe is not the election but the join: a DC schedules only when every member of its view has joined
 * it, and a node follows one DC at a time.
 */
import { entryOf, withEntry } from "../../base/record.ts";
import type { Stepped } from "../../base/step.ts";
import { SPOKEN } from "./spoken.ts";

export interface Hello {
  /** Names one start of the manager, so that a restart is seen even where the keeper lived on. */
  readonly incarnation: string;
  /** The DC as the speaker knows it; null while it knows none. */
  readonly dc: string | null;
  /** The speaker is the DC and has decided something in this reign. */
  readonly hasDecided: boolean;
  /** Its last decision had quorum; one that does not tell may be of a version that does not know this word. */
  readonly hadQuorum?: boolean;
  /** The version of the managers' messages that the speaker speaks: see spoken.ts. The first one tells none. */
  readonly speaks?: number;
}

export interface Election {
  readonly self: string;
  readonly incarnation: string;
  readonly members: readonly string[];
  readonly dc: string | null;
  /** We are the DC and have decided something; see `noteDecided`. */
  readonly hasDecided: boolean;
  /** And did so with quorum when it last decided. */
  readonly hadQuorum: boolean;
  /** The last word of each member, without our own. */
  readonly hellos: Readonly<Record<string, Hello>>;
  /** Since when there is no DC, or since when nobody could be elected. */
  readonly openSinceMs: number;
  readonly helloDueAtMs: number;
  /** The DC or the members have changed lately: words come often until then. */
  readonly restlessUntilMs: number;
}

export type ElectionEvent =
  | { readonly kind: "members"; readonly members: readonly string[] }
  | { readonly kind: "hello"; readonly from: string; readonly hello: Hello }
  /** Something on the way to a member was lost for good: our last word, perhaps. */
  | { readonly kind: "messages-lost" }
  | { readonly kind: "tick" };

export type ElectionEffect =
  /** To every other member. */
  | { readonly kind: "say-hello"; readonly hello: Hello }
  | { readonly kind: "dc-changed"; readonly dc: string | null }
  /** The manager of a member that lived on was started anew: what it held in memory is gone. */
  | { readonly kind: "manager-restarted"; readonly node: string }
  /** We are the DC, and that member follows us from now on. */
  | { readonly kind: "follows"; readonly node: string };

/** Managers that hang are the keeper's business; until it has dealt with them, the others do not wait longer. */
export const ELECTION_WAIT_MS = 2_000;
/** Everybody repeats itself, so that a manager that lost a message, or came late, is heard. */
export const HELLO_EVERY_MS = 1_000;
/** Long after the last change the words only guard against what cannot be; a serial line has better things to carry. */
const HELLO_CALM_MS = 60_000;
const RESTLESS_MS = 15_000;

export function createElection(self: string, incarnation: string, nowMs: number): Election {
  return {
    self,
    incarnation,
    members: [],
    dc: null,
    hasDecided: false,
    hadQuorum: false,
    hellos: {},
    openSinceMs: nowMs,
    helloDueAtMs: nowMs,
    restlessUntilMs: nowMs + RESTLESS_MS,
  };
}

export function electionWakeAtMs(election: Election): number | undefined {
  if (election.members.length === 0) return undefined;
  if (election.dc !== null) return election.helloDueAtMs;
  return Math.min(election.helloDueAtMs, election.openSinceMs + ELECTION_WAIT_MS);
}

type Claim = Pick<Hello, "hasDecided" | "hadQuorum">;

const NO_CLAIM: Claim = { hasDecided: false };

/** What each DC's claim weighs. Quorum counts only where all tell of it: so two of different versions judge alike. */
function weightsOf(claims: readonly Claim[]): readonly number[] {
  const isTold = claims.every(({ hadQuorum }) => hadQuorum !== undefined);
  return claims.map(({ hasDecided, hadQuorum }) => Number(hasDecided) + Number(hasDecided && isTold && hadQuorum));
}

/** The winner, or null while words are missing that may still come. */
function elect({ self, members, hellos, openSinceMs }: Election, nowMs: number): string | null {
  const heard = members.filter((name) => name === self || entryOf(hellos, name) !== undefined);
  if (heard.length < members.length && nowMs - openSinceMs < ELECTION_WAIT_MS) return null;
  const claiming = heard.filter((name) => entryOf(hellos, name)?.dc === name);
  // Whoever follows a DC that we do not see will not lead us: until it lets go of it, or we hear that DC, we have none.
  const isFollower = (name: string) => !members.includes(entryOf(hellos, name)?.dc ?? name);
  if (claiming.length === 0 && heard.some(isFollower)) return null;
  const weights = weightsOf(claiming.map((name) => entryOf(hellos, name) ?? NO_CLAIM));
  const foremost = claiming.filter((_, at) => weights[at] === Math.max(...weights));
  return [foremost, heard].find((names) => names.length > 0)?.toSorted()[0] ?? null;
}

function ourHello({ incarnation, dc, hasDecided, hadQuorum }: Election): Hello {
  return { incarnation, dc, hasDecided, hadQuorum, speaks: SPOKEN };
}

/** The DC has made a decision: it is not to be displaced by one that has not, or that had no quorum for its own. */
export function noteDecided(election: Election, hadQuorum: boolean): Election {
  return election.dc === election.self ? { ...election, hasDecided: true, hadQuorum } : election;
}

/** Whether a claim of `from` is to be followed; both sides of a conflict come to the same answer. */
function outranks(election: Election, from: string, hello: Hello): boolean {
  const { self, dc, hellos } = election;
  if (dc === null || dc === from) return true;
  const standing = dc === self ? election : (entryOf(hellos, dc) ?? NO_CLAIM);
  const [theirs = 0, present = 0] = weightsOf([hello, standing]);
  return theirs === present ? from < dc : theirs > present;
}

function restless(nowMs: number): Pick<Election, "helloDueAtMs" | "restlessUntilMs"> {
  return { helloDueAtMs: nowMs + HELLO_EVERY_MS, restlessUntilMs: nowMs + RESTLESS_MS };
}

function withDc(election: Election, dc: string | null, nowMs: number): Stepped<Election, ElectionEffect> {
  if (dc === election.dc) return { state: election, effects: [] };
  const state: Election = {
    ...election,
    dc,
    hasDecided: false,
    hadQuorum: false,
    openSinceMs: nowMs,
    ...restless(nowMs),
  };
  return {
    state,
    effects: [
      { kind: "dc-changed", dc },
      { kind: "say-hello", hello: ourHello(state) },
    ],
  };
}

function decide(election: Election, nowMs: number): Stepped<Election, ElectionEffect> {
  if (election.dc !== null) return { state: election, effects: [] };
  const dc = elect(election, nowMs);
  if (dc !== null) return withDc(election, dc, nowMs);
  // Nobody can be elected yet: it is looked at again after another wait.
  const isOver = nowMs - election.openSinceMs >= ELECTION_WAIT_MS;
  return { state: isOver ? { ...election, openSinceMs: nowMs } : election, effects: [] };
}

/** Nearly always: each says it again every few seconds. */
const isSame = (before: Hello | undefined, hello: Hello): boolean =>
  before?.incarnation === hello.incarnation &&
  before.dc === hello.dc &&
  before.hasDecided === hello.hasDecided &&
  before.hadQuorum === hello.hadQuorum &&
  before.speaks === hello.speaks;

function hear(election: Election, from: string, hello: Hello, nowMs: number): Stepped<Election, ElectionEffect> {
  if (!election.members.includes(from) || from === election.self) return { state: election, effects: [] };
  const before = entryOf(election.hellos, from);
  const effects: ElectionEffect[] = [];
  let next: Election = isSame(before, hello)
    ? election
    : { ...election, hellos: withEntry(election.hellos, from, hello) };
  const isRestart = before !== undefined && before.incarnation !== hello.incarnation;
  if (isRestart) effects.push({ kind: "manager-restarted", node: from });
  // Our DC is none any more: it was started anew, or follows another one.
  if (next.dc === from && (isRestart || hello.dc !== from)) {
    const left = withDc(next, null, nowMs);
    next = left.state;
    effects.push(...left.effects);
  }
  const decided = hello.dc === from && outranks(next, from, hello) ? withDc(next, from, nowMs) : decide(next, nowMs);
  effects.push(...decided.effects);
  const { dc, self } = decided.state;
  if (dc === self && hello.dc === self && before?.dc !== self) effects.push({ kind: "follows", node: from });
  // A newcomer must not wait for our next regular word.
  const isNews = before === undefined || isRestart;
  if (isNews && !decided.effects.some(({ kind }) => kind === "say-hello"))
    effects.push({ kind: "say-hello", hello: ourHello(decided.state) });
  return { state: decided.state, effects };
}

export function stepElection(
  election: Election,
  event: ElectionEvent,
  nowMs: number,
): Stepped<Election, ElectionEffect> {
  switch (event.kind) {
    case "members": {
      const { members } = event;
      const hellos = Object.fromEntries(Object.entries(election.hellos).filter(([name]) => members.includes(name)));
      const dcStays = election.dc !== null && members.includes(election.dc);
      const kept: Election = { ...election, members, hellos };
      const changed = dcStays ? { state: kept, effects: [] } : withDc(kept, null, nowMs);
      const decided = decide({ ...changed.state, ...restless(nowMs) }, nowMs);
      const changes = [...changed.effects, ...decided.effects].filter(({ kind }) => kind !== "say-hello");
      return { state: decided.state, effects: [...changes, { kind: "say-hello", hello: ourHello(decided.state) }] };
    }
    case "hello":
      return hear(election, event.from, event.hello, nowMs);
    case "messages-lost":
      return { state: { ...election, helloDueAtMs: nowMs }, effects: [] };
    case "tick": {
      const decided = decide(election, nowMs);
      if (decided.effects.length > 0 || nowMs < election.helloDueAtMs) return decided;
      const isCalm = election.dc !== null && nowMs >= election.restlessUntilMs;
      return {
        state: { ...decided.state, helloDueAtMs: nowMs + (isCalm ? HELLO_CALM_MS : HELLO_EVERY_MS) },
        effects: [{ kind: "say-hello", hello: ourHello(election) }],
      };
    }
    default:
      return event satisfies never;
  }
}
