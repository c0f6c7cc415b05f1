/** ICMP echo: the request's bytes, and what a received datagram answers. Facts: RFC 792; RFC 4443, section 4. */

const REQUEST_V4 = 8;
const REPLY_V4 = 0;
const REQUEST_V6 = 128;
const REPLY_V6 = 129;

/** Of RFC 1071, over 16-bit words. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** For IPv6 the kernel fills in the checksum. */
export function encodeEcho(family: 2 | 10, identifier: number, sequence: number): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set([family === 2 ? REQUEST_V4 : REQUEST_V6, 0, 0, 0, identifier >> 8, identifier & 255]);
  bytes.set([sequence >> 8, sequence & 255], 6);
  if (family === 2) {
    const sum = checksum(bytes);
    bytes.set([sum >> 8, sum & 255], 2);
  }
  return bytes;
}

/** The sequence number of our echo's reply; undefined for anything else. IPv4 datagrams come with their IP header. */
export function decodeEchoReply(family: 2 | 10, datagram: Uint8Array, identifier: number): number | undefined {
  const at = family === 2 ? ((datagram[0] ?? 0) & 15) * 4 : 0;
  const type = datagram[at];
  if (datagram.length < at + 8 || type !== (family === 2 ? REPLY_V4 : REPLY_V6)) return undefined;
  const found = ((datagram[at + 4] ?? 0) << 8) | (datagram[at + 5] ?? 0);
  return found === identifier ? ((datagram[at + 6] ?? 0) << 8) | (datagram[at + 7] ?? 0) : undefined;
}
