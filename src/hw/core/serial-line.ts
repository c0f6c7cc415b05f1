/**
 * A serial line as its sender has to see it: the kernel takes kilobytes at once and the line brings them seconds later,
 * so whoever writes what he has when he has it sends heartbeats that are dead on arrival. One frame at a time is given
 * to the port, by the time that the one before takes at this rate; meanwhile heartbeats go before datagrams, of each
 * node only the newest.
 * Pure: time arrives as `nowMs`. Fact: 8N1, ten bits for a byte.
 */
export interface SerialLine {
  readonly baud: number;
  /** When what was given to the port has left it. */
  readonly freeAtMs: number;
  /** By the id of the node that they are of, in the order in which they are to go. */
  readonly beats: readonly { readonly from: number; readonly frame: Uint8Array }[];
  /** `name`: what is in it, for what is sent again while it still waits. */
  readonly datagrams: readonly { readonly name: string; readonly frame: Uint8Array }[];
}

/**
 * The managers send again what is beyond it. More would wait for longer than they wait for an answer, and a line that
 * is full of what has come already brings nothing new.
 */
const DATAGRAMS_MAX = 2;
const BITS_PER_BYTE = 10;

export const lineTimeMs = (bytes: number, baud: number): number => (1000 * BITS_PER_BYTE * bytes) / baud;

export function createSerialLine(baud: number): SerialLine {
  return { baud, freeAtMs: 0, beats: [], datagrams: [] };
}

export function offerBeat(line: SerialLine, from: number, frame: Uint8Array): SerialLine {
  // In the place of the older one: nobody is overtaken again and again.
  const at = line.beats.findIndex((beat) => beat.from === from);
  const beats = at < 0 ? [...line.beats, { from, frame }] : line.beats.with(at, { from, frame });
  return { ...line, beats };
}

/** Small ones go first: an answer that waits behind messages has everything sent again. */
const SMALL_BYTES = 200;
const SMALL_MAX = 16;

/** Undefined when too much waits already. */
export function offerDatagram(line: SerialLine, name: string, frame: Uint8Array): SerialLine | undefined {
  const at = line.datagrams.findIndex((one) => one.name === name);
  if (at >= 0) return { ...line, datagrams: line.datagrams.with(at, { name, frame }) };
  const isSmall = (bytes: Uint8Array) => bytes.length < SMALL_BYTES;
  const small = line.datagrams.filter((one) => isSmall(one.frame));
  const large = line.datagrams.slice(small.length);
  if (isSmall(frame))
    return small.length < SMALL_MAX ? { ...line, datagrams: [...small, { name, frame }, ...large] } : undefined;
  return large.length < DATAGRAMS_MAX ? { ...line, datagrams: [...line.datagrams, { name, frame }] } : undefined;
}

export interface LineTaken {
  readonly line: SerialLine;
  /** For the port, now; undefined while the line is busy, or when nothing waits. */
  readonly frame: Uint8Array | undefined;
}

export function takeFrame(line: SerialLine, nowMs: number): LineTaken {
  if (nowMs < line.freeAtMs) return { line, frame: undefined };
  const [beat, ...beats] = line.beats;
  const [datagram, ...datagrams] = line.datagrams;
  const frame = (beat ?? datagram)?.frame;
  if (frame === undefined) return { line, frame };
  const rest = beat === undefined ? { datagrams } : { beats };
  const freeAtMs = Math.max(nowMs, line.freeAtMs) + lineTimeMs(frame.length, line.baud);
  return { line: { ...line, ...rest, freeAtMs }, frame };
}

/** When the next frame may be taken; undefined while nothing waits. */
export function lineWakeAtMs({ freeAtMs, beats, datagrams }: SerialLine): number | undefined {
  return beats.length + datagrams.length === 0 ? undefined : freeAtMs;
}
