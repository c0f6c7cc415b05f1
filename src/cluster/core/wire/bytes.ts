/**
 * Unsigned integers of 16, 32 and 48 bits in network byte order, without a DataView: what is short and made for each
 * packet then stays out of the allocator. Past the end zeros are read, and nothing is written.
 */

/** The largest value of 6 bytes; a double holds all of them exactly. */
export const UINT48_MAX = 2 ** 48 - 1;

export const readUint16 = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

export const readUint32 = (bytes: Uint8Array, at: number): number =>
  ((readUint16(bytes, at) << 16) | readUint16(bytes, at + 2)) >>> 0;

export const readUint48 = (bytes: Uint8Array, at: number): number =>
  readUint16(bytes, at) * 2 ** 32 + readUint32(bytes, at + 2);

export function writeUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  writeUint16(bytes, at, value >>> 16);
  writeUint16(bytes, at + 2, value);
}

export function writeUint48(bytes: Uint8Array, at: number, value: number): void {
  writeUint16(bytes, at, Math.floor(value / 2 ** 32));
  writeUint32(bytes, at + 2, value % 2 ** 32);
}
