/**
 * A serial line as its sender has to see it: the kernel takes kilobytes at once and the line brings them seconds later,
 * so whoever writes what he has when he has it sends heartbeats that are dead on arrival. One frame at a time is given
 * to the port, by the time that the one before takes at this rate; meanwhile heartbeats go before answers, and answers
 * before messages. What waits is never there twice: of heartbeats and answers only the newest goes, and a message that
 * is sent again while it waits costs nothing. Messages keep their order: one that is overtaken is taken for lost.
 * Pure: time arrives as `nowMs`. Fact: 8N1, ten bits for a byte.
 */
export interface SerialLine {
  readonly baud: number;
  /** When what was given to the port has left it. */
  readonly freeAtMs: number;
  /** By the id of the node that they are of, in the order in which they are to go. */
  readonly beats: readonly { readonly from: number; readonly frame: Uint8Array }[];
  readonly answers: readonly SerialDatagram[];
  readonly messages: readonly SerialDatagram[];
  /** What is on its way now, where it is a message. */
  readonly leaving: SerialDatagram | undefined;
}

export interface SerialDatagram {
  /** From whom to whom. */
  readonly way: string;
  /** The conversation that it belongs to; the next one voids what waits of this one. */
  readonly stream: string;
  /** What is in it: the same again has the same name, and so has a newer answer. */
  readonly name: string;
  readonly isAnswer: boolean;
  readonly frame: Uint8Array;
}

/**
 * All that a manager sends before it hears an answer (WINDOW of cluster/core/messaging), twice, for a ring: what does
 * not fit is lost, and is to be sent again.
 */
const MESSAGES_MAX = 64;
/** A node answers each other one, and a ring carries the answers of all. */
const ANSWERS_MAX = 256;
const BITS_PER_BYTE = 10;

export const lineTimeMs = (bytes: number, baud: number): number => (1000 * BITS_PER_BYTE * bytes) / baud;

export function createSerialLine(baud: number): SerialLine {
  return { baud, freeAtMs: 0, beats: [], answers: [], messages: [], leaving: undefined };
}

export function offerBeat(line: SerialLine, from: number, frame: Uint8Array): SerialLine {
  // In the place of the older one: nobody is overtaken again and again.
  const at = line.beats.findIndex((beat) => beat.from === from);
  const beats = at < 0 ? [...line.beats, { from, frame }] : line.beats.with(at, { from, frame });
  return { ...line, beats };
}

const isSame = (one: SerialDatagram | undefined, other: SerialDatagram): boolean =>
  one?.name === other.name && one.way === other.way && one.stream === other.stream;

/** In the place of an older one of its name; undefined when too many wait. */
function placed(waiting: readonly SerialDatagram[], one: SerialDatagram, most: number) {
  const at = waiting.findIndex((other) => isSame(other, one));
  if (at >= 0) return waiting.with(at, one);
  return waiting.length < most ? [...waiting, one] : undefined;
}

/** Undefined when too much waits already. */
export function offerDatagram(line: SerialLine, one: SerialDatagram, nowMs: number): SerialLine | undefined {
  if (one.isAnswer) {
    const answers = placed(line.answers, one, ANSWERS_MAX);
    return answers === undefined ? undefined : { ...line, answers };
  }
  if (nowMs < line.freeAtMs && isSame(line.leaving, one)) return line;
  const standing = line.messages.filter(({ way, stream }) => way !== one.way || stream === one.stream);
  const messages = placed(standing, one, MESSAGES_MAX);
  return messages === undefined ? undefined : { ...line, messages };
}

export interface LineTaken {
  readonly line: SerialLine;
  /** For the port, now; undefined while the line is busy, or when nothing waits. */
  readonly frame: Uint8Array | undefined;
}

export function takeFrame(line: SerialLine, nowMs: number): LineTaken {
  if (nowMs < line.freeAtMs) return { line, frame: undefined };
  const [beat, ...beats] = line.beats;
  const [answer, ...answers] = line.answers;
  const [message, ...messages] = line.messages;
  const frame = (beat ?? answer ?? message)?.frame;
  if (frame === undefined) return { line, frame };
  const freeAtMs = Math.max(nowMs, line.freeAtMs) + lineTimeMs(frame.length, line.baud);
  if (beat !== undefined) return { line: { ...line, beats, freeAtMs, leaving: undefined }, frame };
  if (answer !== undefined) return { line: { ...line, answers, freeAtMs, leaving: undefined }, frame };
  return { line: { ...line, messages, freeAtMs, leaving: message }, frame };
}

/** When the next frame may be taken; undefined while nothing waits. */
export function lineWakeAtMs({ freeAtMs, beats, answers, messages }: SerialLine): number | undefined {
  return beats.length + answers.length + messages.length === 0 ? undefined : freeAtMs;
}
