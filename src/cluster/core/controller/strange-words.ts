/**
 * What managers of other versions say. A word of a later version is left alone and told once; a manager whose version
 * is too far away is a stranger, with whom this one forms no cluster: see ../spoken.ts.
 */
import type { CibMessage } from "../cib-store/types.ts";
import type { Hello } from "../election.ts";
import { isKnownMessage, SPOKEN, strangeness, unknownWord } from "../spoken.ts";
import { emit, log, type Turn } from "./turn.ts";
import type { ControllerEffect, ControllerMessage } from "./types.ts";

/** A version that brings more new words than this is no next one. */
const STRANGE_MAX = 100;

interface Heard {
  /** As `FROM WORD`. */
  readonly strange: readonly string[];
  readonly effects: readonly Extract<ControllerEffect, { kind: "log" }>[];
  /** The rest of the message is understood; else the whole of it is to be left alone. */
  readonly isFollowed: boolean;
}

/** Undefined where every word is known. */
export function noteStrange(
  strange: readonly string[],
  from: string,
  message: ControllerMessage | CibMessage,
): Heard | undefined {
  const word = unknownWord(message);
  if (word === undefined) return undefined;
  const isFollowed = isKnownMessage(message);
  const name = `${from} ${word}`;
  if (strange.includes(name) || strange.length >= STRANGE_MAX) return { strange, effects: [], isFollowed };
  const text = `the manager of ${from} said "${word}", which this version does not know: it is left alone`;
  return { strange: [...strange, name], effects: [{ kind: "log", level: "warning", text }], isFollowed };
}

/**
 * True when the speaker is a stranger: its word is not followed. Of two one goes, which has joined nobody and has
 * started nothing since it has booted: the one that comes to a cluster that stands, or else the newer one. Where
 * neither may go, nobody decides anything, which is told.
 */
export function refuseStranger(turn: Turn, from: string, hello: Hello): boolean {
  const { self, strangers, round, lead, election, hasBegun, left } = turn.state;
  const why = strangeness(from, self, hello);
  if (why === undefined) {
    // Updated since: if it becomes one again, that is told again.
    if (strangers.includes(from)) turn.state = { ...turn.state, strangers: strangers.filter((name) => name !== from) };
    return false;
  }
  if (!strangers.includes(from)) {
    turn.state = { ...turn.state, strangers: [...strangers, from] };
    log(turn, "error", why);
  }
  // Each is its own DC for a moment when it comes up, before it knows of anybody.
  const isUnbound = (round === undefined || lead !== undefined) && !election.hasDecided && !hasBegun && !left;
  const standsAlready = hello.hasDecided || ![null, self, from].includes(hello.dc);
  if (!isUnbound || (!standsAlready && (hello.speaks ?? 0) > SPOKEN)) return true;
  log(turn, "error", `this node leaves the cluster to ${from}: it has not joined it, and nothing runs here`);
  turn.state = { ...turn.state, left: true };
  emit(turn, { kind: "leave", clean: true });
  return true;
}
