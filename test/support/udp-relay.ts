/**
 * A bad wire in front of a board: an in-process UDP relay that loses, doubles, delays and reorders what it is told to.
 * Each packet is numbered from 1 in its direction; the same seed gives the same fate to the same sequence of packets.
 */
import { createSocket, type Socket } from "node:dgram";

export type Direction = "request" | "answer";
export type Fate = "pass" | "drop" | "double" | "late";

export interface UdpRelay {
  readonly port: number;
  readonly dropped: () => number;
  /** Replaces what decides. */
  decide(fate: (direction: Direction, number: number, bytes: Uint8Array) => Fate): void;
  close(): void;
}

/** Late enough that the next packet overtakes it. */
const LATE_MS = 30;

/** A generator of numbers in [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Relays between any number of clients and the board on `boardPort`. */
export function startUdpRelay(boardPort: number): Promise<UdpRelay> {
  const front = createSocket("udp4");
  const backs = new Map<string, Socket>();
  const counts = { request: 0, answer: 0, dropped: 0 };
  let fateOf: (direction: Direction, number: number, bytes: Uint8Array) => Fate = () => "pass";
  const carry = (direction: Direction, bytes: Uint8Array, send: () => void) => {
    counts[direction] += 1;
    const fate = fateOf(direction, counts[direction], bytes);
    if (fate === "drop") counts.dropped += 1;
    else if (fate === "late") setTimeout(send, LATE_MS);
    else send();
    if (fate === "double") send();
  };
  front.on("message", (bytes, client) => {
    const key = `${client.address}:${client.port}`;
    let back = backs.get(key);
    if (back === undefined) {
      back = createSocket("udp4");
      back.on("error", () => {}); // a board that is not there; the client shall see silence
      back.on("message", (answer) => carry("answer", answer, () => front.send(answer, client.port, client.address)));
      backs.set(key, back);
    }
    const target = back;
    carry("request", bytes, () => target.send(bytes, boardPort, "127.0.0.1"));
  });
  return new Promise((resolve) => {
    front.bind(0, "127.0.0.1", () =>
      resolve({
        port: front.address().port,
        dropped: () => counts.dropped,
        decide(fate) {
          fateOf = fate;
          counts.request = 0;
          counts.answer = 0;
        },
        close() {
          fateOf = () => "drop";
          front.close();
          for (const back of backs.values()) back.close();
        },
      }),
    );
  });
}
