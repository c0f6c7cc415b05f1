/**
 * Round a serial ring everything could go both ways, and heartbeats do. A message of the managers takes a line for
 * long: it goes the one way on which its receiver was heard first, as a switch learns its ports. What is sent again
 * goes both ways: the wire towards a node may be broken where the wire from it is not.
 */
import { segmentLabel } from "../core/messaging/segment.ts";

/** Of one receiver, as many as are on their way at a time, twice. */
const SENT_MAX = 64;

export interface RingWays {
  /** The first copy of a packet of that node came by this port. */
  hear(from: number, port: number): void;
  /** By which port alone this datagram of ours may go; undefined: by all. */
  portFor(to: number, payload: Uint8Array): number | undefined;
}

export function createRingWays(): RingWays {
  const ports = new Map<number, number>();
  /** By receiver: what was sent lately, oldest first. */
  const sent = new Map<number, string[]>();

  function isFirst(to: number, payload: Uint8Array): boolean {
    const { stream, name, isAnswer } = segmentLabel(payload);
    // Answers are small, and each says all that those before it said.
    if (isAnswer) return true;
    const names = sent.get(to) ?? [];
    const label = `${stream} ${name}`;
    if (names.includes(label)) return false;
    sent.set(to, [...names.slice(1 - SENT_MAX), label]);
    return true;
  }

  return {
    hear: (from, port) => void ports.set(from, port),
    portFor: (to, payload) => (isFirst(to, payload) ? ports.get(to) : undefined),
  };
}
