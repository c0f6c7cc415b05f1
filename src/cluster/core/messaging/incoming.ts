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

export function acceptPiece(before: Incoming, { stream, sequence, text, last }: Piece): Accepted {
  if (stream < before.stream) return { incoming: before, messages: [], answer: undefined };
  const current = stream > before.stream ? { ...NO_INCOMING, stream } : before;
  const messages: string[] = [];
  let { expected, pieces, ahead } = current;
  if (sequence >= expected && sequence <= expected + WINDOW) ahead = { ...ahead, [sequence]: { text, last } };
  for (let piece = ahead[expected]; piece !== undefined; piece = ahead[expected]) {
    const { [expected]: _, ...rest } = ahead;
    ahead = rest;
    expected += 1;
    pieces = [...pieces, piece.text];
    if (!piece.last) continue;
    messages.push(pieces.join(""));
    pieces = [];
  }
  const beyond = Object.keys(ahead).reduce((bits, key) => bits | (1 << (Number(key) - expected - 1)), 0) >>> 0;
  return { incoming: { stream, expected, ahead, pieces }, messages, answer: { stream, expected, beyond } };
}
