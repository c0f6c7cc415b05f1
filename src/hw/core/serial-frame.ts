/**
 * Packets on a serial line: HDLC-like framing with a CRC, so that a receiver finds the next packet after any noise.
 * 0x7E ends a frame; 0x7E and 0x7D inside are sent as 0x7D and the byte with bit 5 turned (RFC 1662, section 4.2).
 * XON and XOFF (0x11, 0x13) are escaped as well: a driver with flow control would swallow them.
 * The CRC only saves the work of checking an HMAC of noise; trust comes from the HMAC alone.
 */
const FLAG = 0x7e;
const ESCAPE = 0x7d;
const FLIP = 0x20;
const ESCAPED = new Set([FLAG, ESCAPE, 0x11, 0x13]);

/** CRC-16/X-25, the frame check sequence of RFC 1662, section C.2. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0x8408;
  }
  return crc ^ 0xffff;
}

/** The packet between two flags. The first flag ends whatever noise came before it. */
export function encodeSerialFrame(packet: Uint8Array): Uint8Array {
  const crc = crc16(packet);
  const out: number[] = [FLAG];
  for (const byte of [...packet, crc & 0xff, crc >>> 8]) {
    if (ESCAPED.has(byte)) out.push(ESCAPE, byte ^ FLIP);
    else out.push(byte);
  }
  out.push(FLAG);
  return Uint8Array.from(out);
}

export interface SerialFrameReader {
  /** Takes what the port delivered; returns the packets that are now whole and sound, in order. */
  push(chunk: Uint8Array): readonly Uint8Array[];
  /** Frames that were broken since the start: noise, or two ports of different speed. */
  readonly broken: number;
}

/** `lengthMax`: longer frames are noise. The reader keeps one frame at most. */
export function createSerialFrameReader(lengthMax: number): SerialFrameReader {
  const buffer = new Uint8Array(lengthMax + 2);
  let length = 0;
  let escaped = false;
  let overlong = false;
  let broken = 0;

  function finish(): Uint8Array | undefined {
    const size = length;
    const sound = !overlong && !escaped && size > 2;
    length = 0;
    escaped = false;
    const wasEmpty = size === 0 && !overlong;
    overlong = false;
    if (wasEmpty) return undefined;
    const packet = buffer.slice(0, Math.max(0, size - 2));
    const crc = (buffer[size - 2] ?? 0) | ((buffer[size - 1] ?? 0) << 8);
    if (sound && crc16(packet) === crc) return packet;
    broken += 1;
    return undefined;
  }

  return {
    get broken() {
      return broken;
    },
    push(chunk) {
      const packets: Uint8Array[] = [];
      for (const byte of chunk) {
        if (byte === FLAG) {
          const packet = finish();
          if (packet !== undefined) packets.push(packet);
        } else if (byte === ESCAPE) escaped = true;
        else if (length === buffer.length) overlong = true;
        else {
          buffer[length] = escaped ? byte ^ FLIP : byte;
          length += 1;
          escaped = false;
        }
      }
      return packets;
    },
  };
}
