/**
 * The sending half of a channel: a queue of pieces, a window, and resending. Pure.
 * A piece is sent again when its acknowledgement is overdue, with growing patience, and at once when later pieces have
 * arrived without it.
 */
import { WINDOW } from "./incoming.ts";
import { type Acknowledgement, cutText } from "./segment.ts";

/** A round trip goes through two keepers and two managers, either of which may be busy for some milliseconds. */
const RESEND_MIN_MS = 50;
const RESEND_FIRST_MS = 100;
const RESEND_MAX_MS = 2000;

interface QueuedPiece {
  readonly sequence: number;
  readonly text: string;
  readonly last: boolean;
  readonly tries: number;
  readonly sentAtMs: number;
  readonly resendAtMs: number;
  readonly arrived: boolean;
}

export interface Outgoing {
  readonly stream: number;
  readonly nextSequence: number;
  /** Not yet acknowledged up to and including the one before; in order. */
  readonly pieces: readonly QueuedPiece[];
  readonly queuedLength: number;
  /** Smoothed; undefined until measured. */
  readonly roundTripMs?: number;
}

export function createOutgoing(): Outgoing {
  return { stream: 1, nextSequence: 1, pieces: [], queuedLength: 0 };
}

/** Everything unacknowledged is dropped; the next stream begins. */
export function giveUp({ stream }: Outgoing): Outgoing {
  return { ...createOutgoing(), stream: stream + 1 };
}

export function queueText(outgoing: Outgoing, text: string): Outgoing {
  const cut = cutText(text);
  const added = cut.map(
    (piece, index): QueuedPiece => ({
      sequence: outgoing.nextSequence + index,
      text: piece,
      last: index === cut.length - 1,
      tries: 0,
      sentAtMs: 0,
      resendAtMs: 0,
      arrived: false,
    }),
  );
  return {
    ...outgoing,
    nextSequence: outgoing.nextSequence + added.length,
    pieces: [...outgoing.pieces, ...added],
    queuedLength: outgoing.queuedLength + text.length,
  };
}

const inWindow = ({ pieces }: Outgoing): readonly QueuedPiece[] => {
  const first = pieces[0]?.sequence ?? 0;
  if (pieces.length < WINDOW && (pieces.at(-1)?.sequence ?? 0) < first + WINDOW) return pieces;
  return pieces.slice(0, WINDOW).filter(({ sequence }) => sequence < first + WINDOW);
};

/**
 * When the next piece has to be sent again, or never (Infinity); pieces that were never sent go out with the event that
 * queued them.
 */
export function outgoingWakeAtMs(outgoing: Outgoing): number {
  let wakeMs = Number.POSITIVE_INFINITY;
  for (const { arrived, resendAtMs } of inWindow(outgoing)) if (!arrived) wakeMs = Math.min(wakeMs, resendAtMs);
  return wakeMs;
}

function patienceMs({ roundTripMs }: Outgoing, tries: number): number {
  const first = roundTripMs === undefined ? RESEND_FIRST_MS : Math.max(RESEND_MIN_MS, 3 * roundTripMs);
  return Math.min(RESEND_MAX_MS, first * 2 ** Math.min(tries, 10));
}

/** The pieces that are to be sent now. */
export function takeDue(before: Outgoing, nowMs: number): { outgoing: Outgoing; due: readonly QueuedPiece[] } {
  const due = inWindow(before).filter(({ arrived, resendAtMs }) => !arrived && resendAtMs <= nowMs);
  if (due.length === 0) return { outgoing: before, due };
  const sequences = new Set(due.map(({ sequence }) => sequence));
  const pieces = before.pieces.map((piece) =>
    sequences.has(piece.sequence)
      ? { ...piece, tries: piece.tries + 1, sentAtMs: nowMs, resendAtMs: nowMs + patienceMs(before, piece.tries) }
      : piece,
  );
  return { outgoing: { ...before, pieces }, due };
}

export function acknowledge(before: Outgoing, answer: Acknowledgement, nowMs: number): Outgoing {
  if (answer.stream !== before.stream || answer.expected > before.nextSequence) return before;
  if (before.pieces.length === 0) return before;
  const has = (sequence: number) => {
    const bit = sequence - answer.expected - 1;
    // A shift by 32 is a shift by 0: what the bits cannot tell has not arrived.
    return bit < -1 || (bit >= 0 && bit < WINDOW && ((answer.beyond >>> bit) & 1) === 1);
  };
  // Only a piece that was sent once tells the round trip (Karn's rule, RFC 6298, section 3).
  const measured = before.pieces.find((piece) => !piece.arrived && piece.tries === 1 && has(piece.sequence));
  const sampleMs = measured === undefined ? undefined : nowMs - measured.sentAtMs;
  const roundTripMs =
    sampleMs === undefined || before.roundTripMs === undefined
      ? (sampleMs ?? before.roundTripMs)
      : before.roundTripMs * 0.875 + sampleMs * 0.125;
  const highest = before.pieces.findLast(({ sequence }) => has(sequence))?.sequence ?? 0;
  const pieces = before.pieces
    .filter(({ sequence }) => sequence >= answer.expected)
    .map((piece) => {
      if (has(piece.sequence)) return { ...piece, arrived: true };
      // Overtaken by later ones and older than a round trip: it is lost, not late.
      const overtaken = piece.sequence < highest && piece.tries > 0 && nowMs - piece.sentAtMs > (roundTripMs ?? 0);
      return overtaken ? { ...piece, resendAtMs: nowMs } : piece;
    });
  const queuedLength = pieces.reduce((sum, { text }) => sum + text.length, 0);
  return {
    stream: before.stream,
    nextSequence: before.nextSequence,
    pieces,
    queuedLength,
    ...(roundTripMs === undefined ? {} : { roundTripMs }),
  };
}
