/**
 * libvirt's wire, as far as a fencing device needs it: one call, one reply, numbers and strings in XDR.
 * What comes back is hostile: every read is bounded, and what does not fit is `undefined`, never a guess.
 * Facts: libvirt.org/internals/rpc.html (header, strings, errors); remote_protocol.x (procedures and their arguments);
 * RFC 4506 (XDR). Tried against libvirtd 9.0.0.
 */

const PROGRAM = 0x2000_8086;
const VERSION = 1;
const CALL = 0;
const REPLY = 1;
const HEADER_BYTES = 28;
/** Replies here have some hundred bytes; an error text is what may be longer. */
export const PACKET_BYTES_MAX = 65_536;

export const PROCEDURE = {
  connectOpen: 1,
  connectClose: 2,
  domainDestroy: 12,
  domainLookupByName: 23,
  authList: 66,
  domainIsPersistent: 151,
  domainCreateWithFlags: 196,
  domainGetState: 212,
} as const;

export type Procedure = (typeof PROCEDURE)[keyof typeof PROCEDURE];

/** A machine, as libvirt's calls name it. */
export interface Domain {
  readonly name: string;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
  readonly id: number;
}

export type Reply =
  | { readonly kind: "done"; readonly body: Uint8Array }
  /** libvirt's own number and words: VIR_ERR_*. */
  | { readonly kind: "error"; readonly code: number; readonly message: string };

const UUID_BYTES = 16;
const padded = (length: number) => Math.ceil(length / 4) * 4;

export function encodeNumber(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value | 0);
  return bytes;
}

export function encodeText(text: string): Uint8Array {
  const encoded = new TextEncoder().encode(text);
  const bytes = new Uint8Array(4 + padded(encoded.length));
  bytes.set(encodeNumber(encoded.length));
  bytes.set(encoded, 4);
  return bytes;
}

export function encodeDomain({ name, uuid, id }: Domain): readonly Uint8Array[] {
  return [encodeText(name), uuid, encodeNumber(id)];
}

/** One call, ready for the line. */
export function encodeCall(procedure: Procedure, serial: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = HEADER_BYTES + parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(length);
  const header = [length, PROGRAM, VERSION, procedure, CALL, serial, 0];
  for (const [index, value] of header.entries()) bytes.set(encodeNumber(value), index * 4);
  let at = HEADER_BYTES;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Reads on from the start; every read beyond the end is `undefined`. */
export interface Reader {
  number(): number | undefined;
  text(): string | undefined;
  bytes(length: number): Uint8Array | undefined;
}

export function createReader(body: Uint8Array): Reader {
  let at = 0;
  const reader: Reader = {
    number() {
      const bytes = reader.bytes(4);
      return bytes === undefined ? undefined : new DataView(bytes.buffer, bytes.byteOffset).getInt32(0);
    },
    text() {
      const length = reader.number();
      if (length === undefined || length < 0 || length > PACKET_BYTES_MAX) return undefined;
      const bytes = reader.bytes(padded(length));
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes.subarray(0, length));
    },
    bytes(length) {
      if (at + length > body.length) return undefined;
      at += length;
      return body.subarray(at - length, at);
    },
  };
  return reader;
}

export function decodeDomain(body: Uint8Array): Domain | undefined {
  const reader = createReader(body);
  const [name, uuid, id] = [reader.text(), reader.bytes(UUID_BYTES), reader.number()];
  return name === undefined || uuid === undefined || id === undefined ? undefined : { name, uuid, id };
}

function decodeError(body: Uint8Array): Reply {
  const reader = createReader(body);
  const [code, , hasMessage] = [reader.number(), reader.number(), reader.number()];
  const message = hasMessage === 1 ? reader.text() : undefined;
  return { kind: "error", code: code ?? 0, message: message ?? "an error without words" };
}

/** Length of the packet that begins here; "broken": no packet of libvirt; undefined: not enough bytes yet. */
export function lengthOf(received: Uint8Array): number | "broken" | undefined {
  if (received.length < 4) return undefined;
  const length = createReader(received).number() ?? 0;
  return length < HEADER_BYTES || length > PACKET_BYTES_MAX ? "broken" : length;
}

/** The reply to the call of that serial; undefined for anything else that comes along, as events do. */
export function decodeReply(packet: Uint8Array, procedure: Procedure, serial: number): Reply | undefined {
  const reader = createReader(packet);
  const [, program, version, seen, kind, answered, status] = Array.from({ length: 7 }, () => reader.number());
  if (program !== PROGRAM || version !== VERSION || seen !== procedure) return undefined;
  if (kind !== REPLY || answered !== serial) return undefined;
  const body = packet.subarray(HEADER_BYTES);
  return status === 0 ? { kind: "done", body } : decodeError(body);
}
