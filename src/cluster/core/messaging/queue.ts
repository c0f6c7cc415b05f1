/**
 * What waits to be sent to a peer, in pieces and in order. Pure.
 * On a slow line words wait for minutes, and whoever says each second how he stands says it again meanwhile. So a
 * message may have a topic, of which only the newest word counts: it takes the place of an older one that has not been
 * sent yet, and while a long one is on its way the very same is not sent again. A short one is: whoever was not ready
 * for it has dropped it, and its acknowledgement may be what was lost.
 */
import { entryOf } from "../../../base/record.ts";
import { cutText } from "./segment.ts";

const RESEND_FIRST_MS = 100;
/** Pieces under way to a peer of which nothing is known: RFC 6928, section 2. */
const WINDOW_FIRST = 10;

export interface QueuedPiece {
  readonly sequence: number;
  readonly text: string;
  readonly last: boolean;
  readonly tries: number;
  readonly sentAtMs: number;
  /** `due`: to be sent as soon as the window has room, for the first time or again. */
  readonly standing: "due" | "under-way" | "arrived";
}

/** The newest message of a topic: its first and its last piece. */
interface NewestWord {
  readonly first: number;
  readonly last: number;
  readonly text: string;
}

type Topics = Readonly<Record<string, NewestWord>>;

export interface Outgoing {
  readonly stream: number;
  readonly nextSequence: number;
  /** Not yet acknowledged up to and including the one before; in order. */
  readonly pieces: readonly QueuedPiece[];
  /** Of what stands in `pieces`. */
  readonly topics: Topics;
  readonly queuedLength: number;
  /** Smoothed, with its mean deviation; undefined until measured. */
  readonly roundTrip: { readonly smoothMs: number; readonly deviationMs: number } | undefined;
  /** How long an acknowledgement is waited for now. */
  readonly patienceMs: number;
  /** When what is under way counts as lost; undefined while nothing is. */
  readonly overdueAtMs: number | undefined;
  /** How many pieces may be under way. */
  readonly window: number;
  readonly shrunkAtMs: number;
}

export function createOutgoing(): Outgoing {
  return {
    stream: 1,
    nextSequence: 1,
    pieces: [],
    topics: {},
    queuedLength: 0,
    roundTrip: undefined,
    patienceMs: RESEND_FIRST_MS,
    overdueAtMs: undefined,
    window: WINDOW_FIRST,
    shrunkAtMs: 0,
  };
}

/** Those that have arrived wholly are nothing that waits. */
export function withoutTopics(topics: Topics, expected: number): Topics {
  for (const topic in topics)
    if ((entryOf(topics, topic)?.last ?? 0) < expected)
      return Object.fromEntries(Object.entries(topics).filter(([, { last }]) => last >= expected));
  return topics;
}

function piecesOf(text: string, first: number): QueuedPiece[] {
  const cut = cutText(text);
  return cut.map((piece, index) => ({
    sequence: first + index,
    text: piece,
    last: index === cut.length - 1,
    tries: 0,
    sentAtMs: 0,
    standing: "due",
  }));
}

/** What stands behind it has not been sent either, so that it may be numbered anew. */
function replaceWord(outgoing: Outgoing, topic: string, { first, last, text: old }: NewestWord, text: string) {
  const fresh = piecesOf(text, first);
  const shift = fresh.length - (last - first + 1);
  const pieces = outgoing.pieces.flatMap((piece) => {
    if (piece.sequence === first) return fresh;
    if (piece.sequence < first) return [piece];
    return piece.sequence <= last ? [] : [{ ...piece, sequence: piece.sequence + shift }];
  });
  const moved = Object.entries(outgoing.topics).map(([name, word]) => [
    name,
    word.first > last ? { ...word, first: word.first + shift, last: word.last + shift } : word,
  ]);
  const topics: Topics = { ...Object.fromEntries(moved), [topic]: { first, last: last + shift, text } };
  const queuedLength = outgoing.queuedLength + text.length - old.length;
  return { ...outgoing, pieces, topics, queuedLength, nextSequence: outgoing.nextSequence + shift };
}

export function queueText(outgoing: Outgoing, text: string, topic?: string): Outgoing {
  const word = topic === undefined ? undefined : entryOf(outgoing.topics, topic);
  if (topic !== undefined && word !== undefined) {
    const isUnsent = outgoing.pieces.some(({ sequence, tries }) => sequence === word.first && tries === 0);
    if (word.text === text && (isUnsent || word.last > word.first)) return outgoing;
    if (isUnsent) return replaceWord(outgoing, topic, word, text);
  }
  const first = outgoing.nextSequence;
  const added = piecesOf(text, first);
  const nextSequence = first + added.length;
  const queuedLength = outgoing.queuedLength + text.length;
  const pieces = [...outgoing.pieces, ...added];
  if (topic === undefined) return { ...outgoing, nextSequence, pieces, queuedLength };
  const topics: Topics = { ...outgoing.topics, [topic]: { first, last: nextSequence - 1, text } };
  return { ...outgoing, nextSequence, pieces, topics, queuedLength };
}
