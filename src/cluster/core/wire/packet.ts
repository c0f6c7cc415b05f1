/**
 * A packet between keepers: fixed header, payload, HMAC-SHA-256 over both, cut to 16 bytes (RFC 2104, section 5).
 * The HMAC is checked before anything but the lengths is looked at; the hash itself and the comparison in constant time
 * come from the edge. The key of a packet is derived from the configured one and the cluster's name, so that two
 * clusters with one key file do not hear each other.
 * Layout: docs/protocols/heartbeat.md. Byte order: network.
 */
import { readUint48, writeUint48 } from "./bytes.ts";

export type PacketKind = "heartbeat" | "datagram";

export interface PacketHeader {
  readonly kind: PacketKind;
  /** Node ids; `to` 0 is every node. */
  readonly from: number;
  readonly to: number;
  /** Position of the link in the configuration: a packet recorded on one link is no packet of another. */
  readonly link: number;
  readonly generation: number;
  /** Grows with each packet of this generation on this link. */
  readonly sequence: number;
}

export interface Packet extends PacketHeader {
  readonly payload: Uint8Array;
}

/** `sign` cuts to MAC_BYTES; `verify` compares in constant time, and is false for an unknown key number. */
export interface Signer {
  readonly keyNumber: number;
  sign(signed: Uint8Array): Uint8Array;
  verify(keyNumber: number, signed: Uint8Array, mac: Uint8Array): boolean;
}

const MAGIC = 0x674d;
export const WIRE_VERSION = 1;
export const HEADER_BYTES = 20;
export const MAC_BYTES = 16;
const KINDS: readonly PacketKind[] = ["heartbeat", "datagram"];

/** The whole packet, signed. */
export function encodePacket(header: PacketHeader, payload: Uint8Array, signer: Signer): Uint8Array {
  const end = HEADER_BYTES + payload.length;
  const bytes = new Uint8Array(end + MAC_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, MAGIC);
  view.setUint8(2, WIRE_VERSION);
  view.setUint8(3, KINDS.indexOf(header.kind));
  view.setUint8(4, header.from);
  view.setUint8(5, header.to);
  view.setUint8(6, header.link);
  view.setUint8(7, signer.keyNumber);
  writeUint48(view, 8, header.generation);
  writeUint48(view, 14, header.sequence);
  bytes.set(payload, HEADER_BYTES);
  bytes.set(signer.sign(bytes.subarray(0, end)), end);
  return bytes;
}

/** Why a packet is not heard. `foreign`: not of our kind at all; `version`: ours, of a version we do not speak. */
export type PacketRead =
  | { readonly kind: "packet"; readonly packet: Packet }
  | { readonly kind: "foreign" | "forged" | "version" };

/** The payload is a view into `bytes`. */
export function decodePacket(bytes: Uint8Array, signer: Signer): PacketRead {
  const end = bytes.length - MAC_BYTES;
  if (end < HEADER_BYTES) return { kind: "foreign" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0) !== MAGIC) return { kind: "foreign" };
  if (!signer.verify(view.getUint8(7), bytes.subarray(0, end), bytes.subarray(end))) return { kind: "forged" };
  const kind = KINDS[view.getUint8(3)];
  if (view.getUint8(2) !== WIRE_VERSION || kind === undefined) return { kind: "version" };
  const packet: Packet = {
    kind,
    from: view.getUint8(4),
    to: view.getUint8(5),
    link: view.getUint8(6),
    generation: readUint48(view, 8),
    sequence: readUint48(view, 14),
    payload: bytes.subarray(HEADER_BYTES, end),
  };
  return { kind: "packet", packet };
}
