/**
 * Byte strings as IPMI needs them: little-endian numbers, hex for the plain state of the session, and a comparison
 * whose time does not tell where two authentication codes differ.
 */

/** All parts, one after another. */
export function concatBytes(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Two bytes, least significant first. */
export function u16Bytes(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff);
}

/** Four bytes, least significant first. */
export function u32Bytes(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, (value >>> 24) & 0xff);
}

/** The byte at `at`; -1 beyond the end, which is equal to no byte. */
export function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? -1;
}

/** The number in two bytes; the caller has checked that they are there. */
export function readU16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

/** The unsigned number in four bytes; the caller has checked that they are there. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (readU16(bytes, at) | (readU16(bytes, at + 2) << 16)) >>> 0;
}

/** Lower-case hex. */
export const toHex = (bytes: Uint8Array): string => bytes.toHex();

/** The bytes of a hex string that we ourselves wrote. */
export const fromHex = (hex: string): Uint8Array => Uint8Array.fromHex(hex);

/** One byte a character: user names and passwords of BMCs know no other encoding. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = text.charCodeAt(at) & 0xff;
  return bytes;
}

/** Whether both are the same, in a time that depends on the length only. */
export function equalInConstantTime(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let at = 0; at < left.length; at++) difference |= (left[at] ?? 0) ^ (right[at] ?? 0);
  return difference === 0;
}
