/**
 * A packet between keepers: fixed header, then the payload sealed by the key that the header names.
 * The seal is checked before anything but the lengths is looked at; the ciphers and the comparison in constant time
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

/** The keys at work. What they make of a payload is as long as the payload and `SEAL_BYTES_MAX` at most. */
export interface Signer {
  /** The key that packets are sent with. */
  readonly keyNumber: number;
  /** What follows the header on the wire: the payload, as it is or hidden, with the proof over header and payload. */
  seal(header: Uint8Array, payload: Uint8Array): Uint8Array;
  /** The payload of what `seal` made; undefined for an unknown key or a wrong proof. Compares in constant time. */
  open(keyNumber: number, header: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

export const MAGIC = 0x674d;
export const WIRE_VERSION = 1;
export const HEADER_BYTES = 20;
export const MAC_BYTES = 16;
/** An encrypted payload carries its nonce, too. */
export const SEAL_BYTES_MAX = MAC_BYTES + 12;
const KINDS: readonly PacketKind[] = ["heartbeat", "datagram"];

const SENDER_AT = 4;

/** The id of the sending node, of a header as `Signer.open` gets it: true only once the seal is. */
export const senderOf = (header: Uint8Array): number => header[SENDER_AT] ?? 0;

/** The whole packet, sealed. */
export function encodePacket(header: PacketHeader, payload: Uint8Array, signer: Signer): Uint8Array {
  const start = new Uint8Array(HEADER_BYTES);
  const view = new DataView(start.buffer);
  view.setUint16(0, MAGIC);
  view.setUint8(2, WIRE_VERSION);
  view.setUint8(3, KINDS.indexOf(header.kind));
  view.setUint8(SENDER_AT, header.from);
  view.setUint8(5, header.to);
  view.setUint8(6, header.link);
  view.setUint8(7, signer.keyNumber);
  writeUint48(start, 8, header.generation);
  writeUint48(start, 14, header.sequence);
  const sealed = signer.seal(start, payload);
  const bytes = new Uint8Array(HEADER_BYTES + sealed.length);
  bytes.set(start);
  bytes.set(sealed, HEADER_BYTES);
  return bytes;
}

/** Why a packet is not heard. `foreign`: not of our kind at all; `version`: ours, of a version we do not speak. */
export type PacketRead =
  | { readonly kind: "packet"; readonly packet: Packet }
  | { readonly kind: "foreign" | "forged" }
  | { readonly kind: "version"; readonly from: number; readonly version: number };

/** The payload may be a view into `bytes`. */
export function decodePacket(bytes: Uint8Array, signer: Signer): PacketRead {
  if (bytes.length < HEADER_BYTES + MAC_BYTES) return { kind: "foreign" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0) !== MAGIC) return { kind: "foreign" };
  const payload = signer.open(view.getUint8(7), bytes.subarray(0, HEADER_BYTES), bytes.subarray(HEADER_BYTES));
  if (payload === undefined) return { kind: "forged" };
  const kind = KINDS[view.getUint8(3)];
  const version = view.getUint8(2);
  if (version !== WIRE_VERSION || kind === undefined) return { kind: "version", from: senderOf(bytes), version };
  const packet: Packet = {
    kind,
    from: senderOf(bytes),
    to: view.getUint8(5),
    link: view.getUint8(6),
    generation: readUint48(bytes, 8),
    sequence: readUint48(bytes, 14),
    payload,
  };
  return { kind: "packet", packet };
}
