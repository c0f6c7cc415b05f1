/**
 * Frames on the pipe between keeper and manager (descriptor 3 of the manager, a Unix stream socket).
 * Frame: length u32 little-endian (of all that follows), kind u8, payload. Both ends are of one binary, so there is no
 * version; a frame that cannot be read is a broken invariant and ends the process that reads it.
 * The keeper never waits for the manager: when the pipe is full, datagrams are dropped as on a network, and the newest
 * view replaces older ones.
 */
import { check, unreachable } from "../base/check.ts";
import type { KeeperReport } from "../cluster/core/keeper/report.ts";
import type { MembershipView } from "../cluster/core/membership/view.ts";

export type ToManager =
  /**
   * The first frame. `session` grows with each start of the manager on this node, across reboots: for channels.
   * `hasForerunner`: another manager has worked since the node has booted, and what it has begun may run here.
   */
  | { readonly kind: "start"; readonly session: number; readonly hasForerunner: boolean }
  /** Everything the keeper knows, whenever something in it but `silentMs` changed, and once after `start`. */
  | { readonly kind: "view"; readonly view: MembershipView }
  /** Authenticated and fresh, but perhaps doubled, reordered or with losses before it. */
  | { readonly kind: "datagram"; readonly from: string; readonly bytes: Uint8Array }
  /** Answer with the same number from the main loop, at once; without answers the manager is sick. */
  | { readonly kind: "ping"; readonly number: number }
  /** How the keeper itself is, every few seconds. */
  | { readonly kind: "report"; readonly report: KeeperReport }
  /**
   * Stop all resources here, hand the DC over, send `stopped` and wait to be ended. `alreadyMs`: how long earlier
   * managers have tried; the bound of a shutdown does not begin anew with each of them.
   */
  | { readonly kind: "stop"; readonly alreadyMs: number };

export type ToKeeper =
  /** `complaint`: what it cannot do, where its loop turns but its work stands still. */
  | { readonly kind: "pong"; readonly number: number; readonly complaint?: string }
  /** At most DATAGRAM_BYTES_MAX bytes; to a peer by name, or to all members with `*`. */
  | { readonly kind: "send"; readonly to: string; readonly bytes: Uint8Array }
  /** Its power was read back as off (or the configured substitute held): up to `generation` it is never heard again. */
  | { readonly kind: "peer-fenced"; readonly name: string; readonly generation: number }
  /** It has to go and nobody can end it: it ends itself as soon as it hears that it is lost. */
  | { readonly kind: "peer-declared-lost"; readonly name: string }
  /** A lost peer that returned unfenced may be a member again: nothing was taken over from it. */
  | { readonly kind: "peer-accepted"; readonly name: string }
  /**
   * This node holds a lock on a shared disk, which another one may take, and this one for dead, at `untilMs` on the
   * machine's own clock; null: it was given back. The keeper ends the machine in time.
   */
  | { readonly kind: "lock-lease"; readonly lock: string; readonly untilMs: number | null }
  /** This node must not run on: the keeper resets the machine as configured. */
  | { readonly kind: "self-fence"; readonly reason: string }
  /** No resource runs here any more: the keeper may say goodbye, disarm the watchdog and end the manager. */
  | { readonly kind: "stopped" };

/** Both processes of a node read CLOCK_MONOTONIC here; `performance.now()` begins anew in each. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** What one `send` may carry; with header and HMAC it fits an Ethernet frame. */
export const DATAGRAM_BYTES_MAX = 1280;
/** A view of 16 nodes with 8 links each is below 20 KiB. */
export const FRAME_BYTES_MAX = 256 * 1024;

const KINDS = [
  "start",
  "view",
  "report",
  "datagram",
  "ping",
  "stop",
  "pong",
  "send",
  "peer-fenced",
  "peer-accepted",
  "self-fence",
  "stopped",
  "lock-lease",
  "peer-declared-lost",
] as const;
type Kind = (typeof KINDS)[number];

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

function frame(kind: Kind, ...parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length, 1);
  check(size <= FRAME_BYTES_MAX, `a frame of ${size} bytes`);
  const bytes = new Uint8Array(4 + size);
  new DataView(bytes.buffer).setUint32(0, size, true);
  bytes[4] = KINDS.indexOf(kind);
  let at = 5;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

const json = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value));

/** Name (length u8, UTF-8) and the bytes behind it. */
function addressed(kind: Kind, name: string, bytes: Uint8Array): Uint8Array {
  check(bytes.length <= DATAGRAM_BYTES_MAX, `a datagram of ${bytes.length} bytes`);
  const encoded = encoder.encode(name);
  return frame(kind, Uint8Array.of(encoded.length), encoded, bytes);
}

/** The frame as it goes over the pipe. */
export function encodeFrame(message: ToManager | ToKeeper): Uint8Array {
  switch (message.kind) {
    case "datagram":
      return addressed("datagram", message.from, message.bytes);
    case "send":
      return addressed("send", message.to, message.bytes);
    case "stopped":
      return frame(message.kind);
    case "stop":
    case "start":
    case "view":
    case "report":
    case "ping":
    case "pong":
    case "peer-fenced":
    case "peer-accepted":
    case "peer-declared-lost":
    case "self-fence":
    case "lock-lease":
      return frame(message.kind, json(message));
    default:
      return unreachable(message);
  }
}

function readAddressed(payload: Uint8Array): { name: string; bytes: Uint8Array } {
  const end = 1 + (payload[0] ?? 0);
  check(payload.length >= end, "a frame ends within its name");
  return { name: decoder.decode(payload.subarray(1, end)), bytes: payload.slice(end) };
}

function decode(kind: Kind, payload: Uint8Array): ToManager | ToKeeper {
  switch (kind) {
    case "datagram": {
      const { name, bytes } = readAddressed(payload);
      return { kind, from: name, bytes };
    }
    case "send": {
      const { name, bytes } = readAddressed(payload);
      return { kind, to: name, bytes };
    }
    case "stopped":
      return { kind };
    case "stop":
    case "start":
    case "view":
    case "report":
    case "ping":
    case "pong":
    case "peer-fenced":
    case "peer-accepted":
    case "peer-declared-lost":
    case "self-fence":
    case "lock-lease": {
      const message: unknown = JSON.parse(decoder.decode(payload));
      // Parser boundary: the other end is this very file in the same binary, so its JSON has the type it was given.
      return message as ToManager | ToKeeper;
    }
    default:
      return unreachable(kind);
  }
}

export interface FrameReader {
  /** Takes what the pipe delivered; returns the frames that are now whole. Throws when the stream is broken. */
  push(chunk: Uint8Array): readonly (ToManager | ToKeeper)[];
}

export function createFrameReader(): FrameReader {
  let rest: Uint8Array = new Uint8Array(0);
  return {
    push(chunk) {
      let bytes = chunk;
      if (rest.length > 0) {
        bytes = new Uint8Array(rest.length + chunk.length);
        bytes.set(rest);
        bytes.set(chunk, rest.length);
      }
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const messages: (ToManager | ToKeeper)[] = [];
      let at = 0;
      while (bytes.length - at >= 5) {
        const size = view.getUint32(at, true);
        check(size >= 1 && size <= FRAME_BYTES_MAX, `a frame of ${size} bytes`);
        if (bytes.length - at < 4 + size) break;
        const kind = KINDS[bytes[at + 4] ?? -1];
        check(kind !== undefined, "a frame of unknown kind");
        messages.push(decode(kind, bytes.subarray(at + 5, at + 4 + size)));
        at += 4 + size;
      }
      rest = bytes.slice(at);
      return messages;
    },
  };
}
