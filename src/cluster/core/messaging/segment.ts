/**
 * What channels put into a datagram: a piece of a message, an acknowledgement, or a greeting.
 * A message is cut into pieces of UTF-8 text; pieces are numbered from 1 within a stream. A stream ends with either
 * manager's session or when its sender gives it up, and then the next one begins at 1 again.
 * Layout: docs/protocols/heartbeat.md, "Datagrams of the managers". Byte order: network.
 */
import { readUint16, readUint32, readUint48, writeUint16, writeUint32, writeUint48 } from "../wire/bytes.ts";

interface SegmentBase {
  /** The sender's session, and the receiver's as the sender knows it (0: not yet). */
  readonly session: number;
  readonly target: number;
}

export interface Piece extends SegmentBase {
  readonly kind: "piece";
  readonly stream: number;
  readonly sequence: number;
  /** The message ends with this piece. */
  readonly last: boolean;
  readonly text: string;
}

export interface Acknowledgement extends SegmentBase {
  readonly kind: "acknowledgement";
  readonly stream: number;
  /** The first piece that is missing. */
  readonly expected: number;
  /** Bit n: piece `expected + 1 + n` is there. */
  readonly beyond: number;
  /** Whoever answers reads packed messages (app/manager/packed-text.ts); earlier versions leave this byte 0. */
  readonly unpacks: boolean;
}

/** Tells the session; one with `asks` is answered by one without. */
export interface Greeting extends SegmentBase {
  readonly kind: "greeting";
  readonly asks: boolean;
}

export type Segment = Piece | Acknowledgement | Greeting;

const KINDS = ["piece", "acknowledgement", "greeting"] as const;
const HEADER_BYTES = 20;
/** What an acknowledgement carries behind the header. */
const ACKNOWLEDGEMENT_BYTES = 4;
/** With this header below DATAGRAM_BYTES_MAX of the keeper's pipe, and with the keeper's below an Ethernet frame. */
export const PIECE_BYTES_MAX = 1200;

/** Of one UTF-16 unit; a pair of them takes four. */
const UTF8_BYTES_MAX = 3;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** The text in pieces of at most PIECE_BYTES_MAX bytes, never cut within a character; at least one piece. */
export function cutText(text: string): string[] {
  // Nearly all: no character of a string takes more than three bytes.
  if (text.length * UTF8_BYTES_MAX <= PIECE_BYTES_MAX) return [text];
  const bytes = encoder.encode(text);
  if (bytes.length <= PIECE_BYTES_MAX) return [text];
  const pieces: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    let end = Math.min(at + PIECE_BYTES_MAX, bytes.length);
    // A continuation byte (10xxxxxx) belongs to the character before it.
    while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
    pieces.push(decoder.decode(bytes.subarray(at, end)));
    at = end;
  }
  return pieces;
}

/**
 * Pieces are cut from a block until it is used up, and no byte of it is ever used again: an allocation of its own for
 * each piece, by what its text might take at most, is a call of malloc and work for the collector.
 */
const BLOCK_BYTES = 64 * 1024;
let block = new Uint8Array(BLOCK_BYTES);
let usedBytes = 0;

/** The header, and the text behind it. */
function encodePiece(text: string): Uint8Array {
  const most = HEADER_BYTES + text.length * UTF8_BYTES_MAX;
  if (most > block.length - usedBytes) {
    block = new Uint8Array(Math.max(BLOCK_BYTES, most));
    usedBytes = 0;
  }
  const { written } = encoder.encodeInto(text, block.subarray(usedBytes + HEADER_BYTES));
  const bytes = block.subarray(usedBytes, usedBytes + HEADER_BYTES + written);
  usedBytes += bytes.length;
  return bytes;
}

/** Room for the header and what follows it; the text of a piece stands in it already. */
function roomFor(segment: Segment): Uint8Array {
  if (segment.kind === "piece") return encodePiece(segment.text);
  return new Uint8Array(HEADER_BYTES + (segment.kind === "acknowledgement" ? ACKNOWLEDGEMENT_BYTES : 0));
}

export function encodeSegment(segment: Segment): Uint8Array {
  const bytes = roomFor(segment);
  bytes[0] = KINDS.indexOf(segment.kind);
  writeUint48(bytes, 1, segment.session);
  writeUint48(bytes, 7, segment.target);
  if (segment.kind === "greeting") {
    bytes[13] = segment.asks ? 1 : 0;
    return bytes;
  }
  writeUint16(bytes, 14, segment.stream);
  if (segment.kind === "acknowledgement") {
    writeUint32(bytes, 16, segment.expected);
    writeUint32(bytes, 20, segment.beyond);
    bytes[13] = segment.unpacks ? 1 : 0;
    return bytes;
  }
  bytes[13] = segment.last ? 1 : 0;
  writeUint32(bytes, 16, segment.sequence);
  return bytes;
}

/** Undefined when the bytes are no segment of this version. */
export function decodeSegment(bytes: Uint8Array): Segment | undefined {
  const kind = KINDS[bytes[0] ?? -1];
  if (kind === undefined || bytes.length < HEADER_BYTES) return undefined;
  const session = readUint48(bytes, 1);
  const target = readUint48(bytes, 7);
  const flag = bytes[13] === 1;
  if (kind === "greeting") return { kind, session, target, asks: flag };
  const stream = readUint16(bytes, 14);
  const number = readUint32(bytes, 16);
  if (kind === "acknowledgement") {
    if (bytes.length < HEADER_BYTES + ACKNOWLEDGEMENT_BYTES) return undefined;
    return { kind, session, target, stream, expected: number, beyond: readUint32(bytes, 20), unpacks: flag };
  }
  try {
    const text = decoder.decode(bytes.subarray(HEADER_BYTES));
    return { kind, session, target, stream, sequence: number, last: flag, text };
  } catch {
    return undefined;
  }
}

/**
 * What a segment is, for whoever has to let it wait: the conversation that it belongs to, and what it is within it. An
 * answer says all that those before it have said.
 */
export function segmentLabel(bytes: Uint8Array): { stream: string; name: string; isAnswer: boolean } {
  const kind = KINDS[bytes[0] ?? -1];
  const stream = `${readUint48(bytes, 1)} ${readUint48(bytes, 7)} ${readUint16(bytes, 14)}`;
  if (kind === "piece") return { stream, name: String(readUint32(bytes, 16)), isAnswer: false };
  if (kind === "acknowledgement") return { stream, name: kind, isAnswer: true };
  return { stream, name: `${kind} ${bytes[13]}`, isAnswer: kind === "greeting" };
}
