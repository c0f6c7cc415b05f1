/**
 * The payload of a heartbeat: what its sender thinks of itself and of each other node.
 * A pair's heartbeat is 65 bytes with header and HMAC, sixteen nodes' 205 (serial lines join pairs only).
 * Layout: docs/protocols/heartbeat.md. Byte order: network.
 */
import { readUint48, writeUint48 } from "./bytes.ts";

/** `fenced`: that start of yours was fenced and will never be listened to again. */
const OPINIONS = ["awaited", "member", "left", "lost", "fenced"] as const;
export type Opinion = (typeof OPINIONS)[number];

/** What the sender thinks of one other node. */
export interface PeerOpinion {
  readonly id: number;
  /** The latest start of that node that the sender knows of. */
  readonly generation: number;
  readonly opinion: Opinion;
  /** Whether the sender hears that start now: within deadtime, on any link. */
  readonly heard: boolean;
  /** Number of the last heartbeat heard from it, modulo 65536. */
  readonly echo: number;
}

/** Of a sender that ends itself when it loses quorum, so that time alone proves its death: see quorum-lease.ts. */
export interface EndPromise {
  /** After the last moment at which a majority had heard it, watchdog and all. */
  readonly endsWithinMs: number;
  /** Of how many nodes it takes the majority. */
  readonly votes: number;
}

export interface Heartbeat {
  readonly leaving: boolean;
  readonly settled: boolean;
  readonly holding: boolean;
  /** The sender's members may decide, by its judgement. */
  readonly quorate: boolean;
  /** The sender has the tie-breaker: it reaches the ping node, or holds the lock. */
  readonly holdsTie: boolean;
  readonly epoch: number;
  /** Ids of the members in the sender's view, itself included; bit n is id n + 1. */
  readonly members: number;
  /** The sender's monotonic clock, modulo 2^32: how long it was really between two heartbeats. */
  readonly sentAtMs: number;
  readonly beat: number;
  /** How many ping nodes the sender reaches; undefined where there are none, or it is too early to say. */
  readonly reachable?: number | undefined;
  readonly promise?: EndPromise | undefined;
  readonly peers: readonly PeerOpinion[];
}

const FIXED_BYTES = 17;
/** Where it is promised to end without quorum: a time of 4 bytes, and the number of votes. */
const PROMISE_BYTES = 5;
/** In front of the list; later versions may put more before it, which this one passes over. */
const FIXED_LENGTH_AT = 15;
const UNKNOWN = 255;
const PEER_BYTES = 10;
const HEARD = 0x80;

export function encodeHeartbeat(heartbeat: Heartbeat): Uint8Array {
  const { leaving, settled, holding, quorate, holdsTie, promise } = heartbeat;
  const fixed = FIXED_BYTES + (promise === undefined ? 0 : PROMISE_BYTES);
  const bytes = new Uint8Array(fixed + PEER_BYTES * heartbeat.peers.length);
  const view = new DataView(bytes.buffer);
  const flags = [leaving, settled, holding, quorate, holdsTie];
  view.setUint8(
    0,
    flags.reduce((bits, flag, bit) => bits | (flag ? 1 << bit : 0), 0),
  );
  view.setUint32(1, heartbeat.epoch);
  view.setUint16(5, heartbeat.members);
  view.setUint32(7, heartbeat.sentAtMs);
  view.setUint32(11, heartbeat.beat);
  view.setUint8(FIXED_LENGTH_AT, fixed);
  view.setUint8(16, heartbeat.reachable ?? UNKNOWN);
  if (promise !== undefined) {
    view.setUint32(FIXED_BYTES, promise.endsWithinMs);
    view.setUint8(FIXED_BYTES + 4, promise.votes);
  }
  for (const [index, peer] of heartbeat.peers.entries()) {
    const at = fixed + PEER_BYTES * index;
    view.setUint8(at, peer.id);
    writeUint48(bytes, at + 1, peer.generation);
    view.setUint8(at + 7, OPINIONS.indexOf(peer.opinion) | (peer.heard ? HEARD : 0));
    view.setUint16(at + 8, peer.echo);
  }
  return bytes;
}

/** Undefined when it is no heartbeat of this version; unknown flags and fields are left alone. */
export function decodeHeartbeat(bytes: Uint8Array): Heartbeat | undefined {
  const fixed = bytes[FIXED_LENGTH_AT] ?? 0;
  const count = (bytes.length - fixed) / PEER_BYTES;
  if (fixed < FIXED_BYTES || !Number.isInteger(count) || count < 0 || count > 15) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const peers: PeerOpinion[] = [];
  for (let index = 0; index < count; index += 1) {
    const at = fixed + PEER_BYTES * index;
    const state = view.getUint8(at + 7);
    const opinion = OPINIONS[state & 0x7f];
    if (opinion === undefined) return undefined;
    peers.push({
      id: view.getUint8(at),
      generation: readUint48(bytes, at + 1),
      opinion,
      heard: (state & HEARD) !== 0,
      echo: view.getUint16(at + 8),
    });
  }
  const flags = view.getUint8(0);
  const reachable = view.getUint8(16);
  const promises = fixed >= FIXED_BYTES + PROMISE_BYTES;
  return {
    leaving: (flags & 1) !== 0,
    settled: (flags & 2) !== 0,
    holding: (flags & 4) !== 0,
    quorate: (flags & 8) !== 0,
    holdsTie: (flags & 16) !== 0,
    epoch: view.getUint32(1),
    members: view.getUint16(5),
    sentAtMs: view.getUint32(7),
    beat: view.getUint32(11),
    ...(reachable === UNKNOWN ? {} : { reachable }),
    ...(promises
      ? { promise: { endsWithinMs: view.getUint32(FIXED_BYTES), votes: view.getUint8(FIXED_BYTES + 4) } }
      : {}),
    peers,
  };
}
