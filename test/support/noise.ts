/** What no node ever sent, by seed: bytes of any length, the beginning of a packet and nonsense, nothing at all. */

/** mulberry32: 32 bits of state, good enough for noise. Numbers from 0 up to 1. */
export function createNoise(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const LENGTH_MAX = 120;
/** Magic and version of docs/protocols/heartbeat.md: what gets past the first look. */
const BEGINNING = [0x67, 0x4d, 1];

export function noisePacket(random: () => number): Uint8Array {
  const bytes = Uint8Array.from({ length: Math.floor(random() * LENGTH_MAX) }, () => Math.floor(random() * 256));
  const kind = Math.floor(random() * 4);
  if (kind > 0) bytes.set(BEGINNING.slice(0, bytes.length));
  // A key that there is, so that the seal is looked at.
  if (kind > 1 && bytes.length > 8) bytes[7] = 1;
  return bytes;
}
