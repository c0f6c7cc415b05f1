/**
 * MD5, because the field's operation digests are MD5: the scheduler compares them with what a node recorded.
 * Never used to protect anything. Source: RFC 1321.
 */
const SHIFTS = Int32Array.of(7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21);
const TABLE = Int32Array.from({ length: 64 }, (_, index) => Math.floor(Math.abs(Math.sin(index + 1)) * 2 ** 32));

function block(words: Int32Array, at: number, state: Int32Array): void {
  let a = state[0] ?? 0;
  let b = state[1] ?? 0;
  let c = state[2] ?? 0;
  let d = state[3] ?? 0;
  for (let step = 0; step < 64; step++) {
    const round = step >> 4;
    let mix: number;
    let word: number;
    if (round === 0) {
      mix = (b & c) | (~b & d);
      word = step;
    } else if (round === 1) {
      mix = (d & b) | (~d & c);
      word = (5 * step + 1) & 15;
    } else if (round === 2) {
      mix = b ^ c ^ d;
      word = (3 * step + 5) & 15;
    } else {
      mix = c ^ (b | ~d);
      word = (7 * step) & 15;
    }
    const sum = (a + mix + (TABLE[step] ?? 0) + (words[at + word] ?? 0)) | 0;
    const shift = SHIFTS[round * 4 + (step & 3)] ?? 0;
    const turned = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
    a = d;
    d = c;
    c = b;
    b = turned;
  }
  state[0] = ((state[0] ?? 0) + a) | 0;
  state[1] = ((state[1] ?? 0) + b) | 0;
  state[2] = ((state[2] ?? 0) + c) | 0;
  state[3] = ((state[3] ?? 0) + d) | 0;
}

/** Of the UTF-8 bytes of the text; 32 lower-case hexadecimal digits. */
export function md5(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const padded = new Uint8Array((((bytes.length + 8) >> 6) + 1) << 6);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, (bytes.length << 3) >>> 0, true);
  view.setUint32(padded.length - 4, Math.floor(bytes.length / 2 ** 29), true);
  const words = new Int32Array(padded.length >> 2);
  for (let index = 0; index < words.length; index++) words[index] = view.getInt32(index << 2, true);
  const state = new Int32Array([0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476]);
  for (let at = 0; at < words.length; at += 16) block(words, at, state);
  return [...new Uint8Array(state.buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
