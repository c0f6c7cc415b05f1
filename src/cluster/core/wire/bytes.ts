/** Unsigned integers of up to 48 bits in network byte order; the rest of a number is in DataView. */

/** The largest value of 6 bytes; a double holds all of them exactly. */
export const UINT48_MAX = 2 ** 48 - 1;

export function readUint48(view: DataView, at: number): number {
  return view.getUint16(at) * 2 ** 32 + view.getUint32(at + 2);
}

export function writeUint48(view: DataView, at: number, value: number): void {
  view.setUint16(at, Math.floor(value / 2 ** 32));
  view.setUint32(at + 2, value % 2 ** 32);
}
