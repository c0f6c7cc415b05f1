/**
 * Ethernet frames on a byte stream, as QEMU's `-netdev stream` sends them: four bytes of length (big-endian), then
 * the frame. Pure. Fact: QEMU 7.2, net/stream.c, "the packet is prefixed by its size in network byte order".
 */

/** A jumbo frame with its headers; anything longer is not QEMU's. */
const FRAME_MAX_BYTES = 69_632;
const PREFIX_BYTES = 4;

export function wrapFrame(frame: Uint8Array): Buffer {
  const bytes = Buffer.alloc(PREFIX_BYTES + frame.length);
  bytes.writeUInt32BE(frame.length, 0);
  bytes.set(frame, PREFIX_BYTES);
  return bytes;
}

/** The whole frames in `bytes` and what is left for the next time; undefined when this is no frame stream. */
export function takeFrames(bytes: Buffer): { readonly frames: readonly Buffer[]; readonly rest: Buffer } | undefined {
  const frames: Buffer[] = [];
  let at = 0;
  while (bytes.length - at >= PREFIX_BYTES) {
    const lengthBytes = bytes.readUInt32BE(at);
    if (lengthBytes > FRAME_MAX_BYTES) return undefined;
    if (bytes.length - at - PREFIX_BYTES < lengthBytes) break;
    frames.push(bytes.subarray(at + PREFIX_BYTES, at + PREFIX_BYTES + lengthBytes));
    at += PREFIX_BYTES + lengthBytes;
  }
  return { frames, rest: bytes.subarray(at) };
}

/** Whose word a frame carries: the IPv4 sender and its MAC, from an ARP packet or an IPv4 packet. */
export interface Sender {
  readonly mac: string;
  readonly address: string;
}

const ETHERTYPE_AT = 12;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_ARP = 0x0806;
const PAYLOAD_AT = 14;

export function senderOf(frame: Buffer): Sender | undefined {
  if (frame.length < PAYLOAD_AT + 20) return undefined;
  const kind = frame.readUInt16BE(ETHERTYPE_AT);
  // RFC 826: sender hardware address at 8, sender protocol address at 14. RFC 791: source address at 12.
  const at = kind === ETHERTYPE_ARP ? PAYLOAD_AT + 14 : kind === ETHERTYPE_IPV4 ? PAYLOAD_AT + 12 : undefined;
  if (at === undefined) return undefined;
  const mac = frame
    .subarray(6, 12)
    .toString("hex")
    .replaceAll(/(..)(?=.)/g, "$1:");
  return { mac, address: [...frame.subarray(at, at + 4)].join(".") };
}
