/** The receiving half of a channel: pieces in any order become messages in their order. Pure. */
import type { Piece } from "./segment.ts";

/** Pieces that may be ahead of the first missing one: what the bits of one acknowledgement can tell. */
export const WINDOW = 32;

export interface Incoming {
  /** 0: no stream yet. */
  readonly stream: number;
  readonly expected: number;
  /** Pieces ahead of the expected one, by sequence. */
  readonly ahead: Readonly<Record<number, { readonly text: string; readonly last: boolean }>>;
  /** The pieces of the message that is coming in. */
  readonly pieces: readonly string[];
}

export const NO_INCOMING: Incoming = { stream: 0, expected: 1, ahead: {}, pieces: [] };

interface Accepted {
  readonly incoming: Incoming;
  readonly messages: readonly string[];
  /** What to acknowledge; undefined for a piece of a stream that was given up. */
  readonly answer: { readonly stream: number; readonly expected: number; readonly beyond: number } | undefined;
}

function answerOf({ stream, expected, ahead }: Incoming): NonNullable<Accepted["answer"]> {
  let bits = 0;
  for (const key in ahead) bits |= 1 << (Number(key) - expected - 1);
  return { stream, expected, beyond: bits >>> 0 };
}

function inTurn(before: Incoming, text: string, last: boolean): Accepted {
  const { stream, ahead, pieces } = before;
  const expected = before.expected + 1;
  const incoming = { stream, expected, ahead, pieces: last ? [] : [...pieces, text] };
  return { incoming, messages: last ? [pieces.join("") + text] : [], answer: answerOf(incoming) };
}

export function acceptPiece(before: Incoming, { stream, sequence, text, last }: Piece): Accepted {
  if (stream < before.stream) return { incoming: before, messages: [], answer: undefined };
  const current = stream > before.stream ? { ...NO_INCOMING, stream } : before;
  // Each link brings it again; the answer may have been what was lost.
  if (sequence < current.expected) return { incoming: current, messages: [], answer: answerOf(current) };
  // In its turn, as nearly always.
  if (sequence === current.expected && current.ahead[sequence + 1] === undefined) return inTurn(current, text, last);
  const messages: string[] = [];
  let { expected, pieces, ahead } = current;
  if (sequence <= expected + WINDOW) ahead = { ...ahead, [sequence]: { text, last } };
  for (let piece = ahead[expected]; piece !== undefined; piece = ahead[expected]) {
    const { [expected]: _, ...rest } = ahead;
    ahead = rest;
    expected += 1;
    pieces = [...pieces, piece.text];
    if (!piece.last) continue;
    messages.push(pieces.join(""));
    pieces = [];
  }
  const incoming = { stream, expected, ahead, pieces };
  return { incoming, messages, answer: answerOf(incoming) };
}
