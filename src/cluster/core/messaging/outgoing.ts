/**
 * The sending half of a channel: a queue of pieces, a window, and resending. Pure.
 * A piece is sent again when its acknowledgement is overdue, and at once when later pieces have arrived without it. A
 * peer that is slow and not deaf must never get more to do because of it: patience once grown stays until a piece that
 * was sent once is acknowledged, and what may be under way at a time shrinks with each loss.
 * Rules: RFC 6298, sections 2, 3 and 5 (round trip, Karn's rule, backing off); RFC 5681, section 3 (the window).
 */
import { WINDOW } from "./incoming.ts";
import { createOutgoing, type Outgoing, type QueuedPiece, withoutTopics } from "./queue.ts";
import type { Acknowledgement } from "./segment.ts";

/** A round trip goes through two keepers and two managers, either of which may be busy for some milliseconds. */
const RESEND_MIN_MS = 50;
/** Doubled up to here: whoever was deaf is asked again soon after. */
const RESEND_MAX_MS = 2000;
/**
 * Where round trips were measured that take longer. At 9600 baud an answer comes 3 s after the one before: a piece, the
 * piece that the answer waits behind, heartbeats in both directions.
 */
const RESEND_SLOW_MAX_MS = 6000;
/** Fewer would crawl over a line that loses half of all; four in two seconds overload nobody. */
const WINDOW_MIN = 4;

/**
 * Over a serial line alone: enough that it always has something to carry. What waits here instead of in front of the
 * line can still give way to a newer word (queue.ts), and what is sent again is little.
 */
export const WINDOW_SLOW = 4;

/** Everything unacknowledged is dropped; the next stream begins. */
export function giveUp({ stream }: Outgoing): Outgoing {
  return { ...createOutgoing(), stream: stream + 1 };
}

/** The pieces that may be sent now: what the peer can take ahead of a gap, and the window has room for. */
function sendable({ pieces, window }: Outgoing, most: number): readonly QueuedPiece[] {
  const first = pieces[0]?.sequence ?? 0;
  const due: QueuedPiece[] = [];
  let room = Math.min(window, most);
  // Asked after every turn: a plain loop.
  for (let at = 0; at < pieces.length && at < WINDOW; at += 1) {
    const piece = pieces[at];
    if (piece === undefined || piece.sequence >= first + WINDOW) break;
    if (piece.standing === "under-way") room -= 1;
    else if (piece.standing === "due") due.push(piece);
  }
  return due.length <= room ? due : due.slice(0, Math.max(0, room));
}

/** When something has to be sent: 0 for at once, Infinity while nothing is under way. Asked after every turn. */
export function outgoingWakeAtMs(outgoing: Outgoing, most = WINDOW): number {
  if (outgoing.pieces.length === 0) return Number.POSITIVE_INFINITY;
  return sendable(outgoing, most).length > 0 ? 0 : (outgoing.overdueAtMs ?? Number.POSITIVE_INFINITY);
}

/** The window after a loss; several within one round trip are one. */
function shrink(outgoing: Outgoing, nowMs: number): Outgoing {
  if (nowMs - outgoing.shrunkAtMs < (outgoing.roundTrip?.smoothMs ?? 0)) return outgoing;
  return { ...outgoing, window: Math.max(WINDOW_MIN, Math.floor(outgoing.window / 2)), shrunkAtMs: nowMs };
}

/** By the round trips; 0 until one was measured. */
function measuredPatienceMs({ roundTrip }: Pick<Outgoing, "roundTrip">): number {
  if (roundTrip === undefined) return 0;
  const { smoothMs, deviationMs } = roundTrip;
  return Math.min(RESEND_SLOW_MAX_MS, Math.max(RESEND_MIN_MS, smoothMs + 4 * deviationMs));
}

/** No acknowledgement for as long as our patience lasts: all that is under way counts as lost. */
function giveBack(outgoing: Outgoing, nowMs: number): Outgoing {
  if (outgoing.overdueAtMs === undefined || nowMs < outgoing.overdueAtMs) return outgoing;
  const pieces = outgoing.pieces.map((piece): QueuedPiece => {
    return piece.standing === "under-way" ? { ...piece, standing: "due" } : piece;
  });
  const mostMs = Math.max(RESEND_MAX_MS, measuredPatienceMs(outgoing));
  const patienceMs = Math.min(mostMs, outgoing.patienceMs * 2);
  return shrink({ ...outgoing, pieces, patienceMs, overdueAtMs: undefined }, nowMs);
}

/** The pieces that are to be sent now, with at most so many under way. */
export function takeDue(
  before: Outgoing,
  nowMs: number,
  most = WINDOW,
): { readonly outgoing: Outgoing; readonly due: readonly QueuedPiece[] } {
  const ready = giveBack(before, nowMs);
  const due = sendable(ready, most);
  if (due.length === 0) return { outgoing: ready, due };
  const pieces = ready.pieces.map((piece): QueuedPiece => {
    if (!due.includes(piece)) return piece;
    return { ...piece, tries: piece.tries + 1, sentAtMs: nowMs, standing: "under-way" };
  });
  return { outgoing: { ...ready, pieces, overdueAtMs: ready.overdueAtMs ?? nowMs + ready.patienceMs }, due };
}

/** Only a piece that was sent once tells the round trip (Karn's rule); it also ends a patience that had grown. */
function measure(outgoing: Outgoing, sampleMs: number): Outgoing {
  const { roundTrip } = outgoing;
  const smoothMs = roundTrip === undefined ? sampleMs : roundTrip.smoothMs * 0.875 + sampleMs * 0.125;
  const deviationMs =
    roundTrip === undefined
      ? sampleMs / 2
      : roundTrip.deviationMs * 0.75 + Math.abs(roundTrip.smoothMs - sampleMs) * 0.25;
  const measured = { smoothMs, deviationMs };
  return { ...outgoing, roundTrip: measured, patienceMs: measuredPatienceMs({ roundTrip: measured }) };
}

/** As nearly always: nothing is left to wait for. */
function allArrived(before: Outgoing, nowMs: number): Outgoing {
  const news = before.pieces.filter(({ standing }) => standing !== "arrived");
  const sample = news.find(({ tries }) => tries === 1);
  const measured = sample === undefined ? before : measure(before, nowMs - sample.sentAtMs);
  const window = Math.min(WINDOW, measured.window + news.length);
  return { ...measured, pieces: [], topics: {}, queuedLength: 0, window, overdueAtMs: undefined };
}

export function acknowledge(before: Outgoing, answer: Acknowledgement, nowMs: number): Outgoing {
  if (answer.stream !== before.stream || answer.expected > before.nextSequence) return before;
  if (before.pieces.length === 0) return before;
  if (answer.expected === before.nextSequence) return allArrived(before, nowMs);
  const has = (sequence: number) => {
    const bit = sequence - answer.expected - 1;
    // A shift by 32 is a shift by 0: what the bits cannot tell has not arrived.
    return bit < -1 || (bit >= 0 && bit < WINDOW && ((answer.beyond >>> bit) & 1) === 1);
  };
  const arrived = before.pieces.filter(({ sequence, standing }) => standing !== "arrived" && has(sequence));
  const sample = arrived.find(({ tries }) => tries === 1);
  const measured = sample === undefined ? before : measure(before, nowMs - sample.sentAtMs);
  const { roundTrip } = measured;
  const highest = before.pieces.findLast(({ sequence }) => has(sequence))?.sequence ?? 0;
  let isOvertaken = false;
  const pieces = before.pieces
    .filter(({ sequence }) => sequence >= answer.expected)
    .map((piece): QueuedPiece => {
      if (has(piece.sequence)) return { ...piece, standing: "arrived" };
      // Overtaken by later ones and older than a round trip: it is lost, not late.
      const isOld = nowMs - piece.sentAtMs > (roundTrip?.smoothMs ?? 0);
      if (piece.standing !== "under-way" || piece.sequence > highest || !isOld) return piece;
      isOvertaken = true;
      return { ...piece, standing: "due" };
    });
  const window = Math.min(WINDOW, measured.window + arrived.length);
  const queuedLength = pieces.reduce((sum, { text }) => sum + text.length, 0);
  const isUnderWay = pieces.some(({ standing }) => standing === "under-way");
  // Whatever has arrived shows that the peer is there: the wait for the rest begins anew.
  const waitMs = arrived.length > 0 ? nowMs + measured.patienceMs : measured.overdueAtMs;
  const overdueAtMs = isUnderWay ? waitMs : undefined;
  const topics = withoutTopics(measured.topics, answer.expected);
  const taken = { ...measured, pieces, topics, queuedLength, window, overdueAtMs };
  return isOvertaken ? shrink(taken, nowMs) : taken;
}
