/**
 * Reliable, ordered messages between managers over the keepers' datagrams, which may be lost, doubled or reordered.
 * Each message is delivered once and in order, or not at all: when either manager starts anew, or the sender forgets
 * the peer, what was not acknowledged is dropped, and both sides are told by `peer-started` (the sender that forgets
 * knows by itself). Delivered means taken by the peer's channel, not that its manager has acted on it.
 * Pure: time arrives as `nowMs`; the state is plain data.
 */
import { check, unreachable } from "../../../base/check.ts";
import { entryOf, withEntry } from "../../../base/record.ts";
import type { Stepped } from "../../../base/step.ts";
import { acceptPiece, type Incoming, NO_INCOMING, WINDOW } from "./incoming.ts";
import { acknowledge, giveUp, outgoingWakeAtMs, takeDue, WINDOW_SLOW } from "./outgoing.ts";
import { createOutgoing, type Outgoing, queueText } from "./queue.ts";
import { decodeSegment, encodeSegment, type Segment } from "./segment.ts";

/** Far above the largest CIB; a longer message is a mistake of ours. */
export const MESSAGE_LENGTH_MAX = 16 * 1024 * 1024;
/** What may wait for a peer that does not acknowledge: some CIBs, and little against the manager's heap. */
export const QUEUE_LENGTH_MAX = 32 * 1024 * 1024;
/**
 * Each link brings a piece again, and the answer to the first copy goes by all of them: one that comes so soon behind
 * an answer wants none. A piece that is sent again comes later (RESEND_MIN_MS).
 */
const COPY_MS = 20;
/** How long a greeting may stay unanswered before it is sent again: at first, and at most, since it doubles. */
const GREETING_MS = 200;
const GREETING_MAX_MS = 2000;

export interface ChannelPeer {
  /** The peer's session; 0 while it has not been heard. */
  readonly session: number;
  readonly greetAtMs: number;
  readonly greetWaitMs: number;
  readonly outgoing: Outgoing;
  readonly incoming: Incoming;
  /** When the last acknowledgement went out. */
  readonly answeredAtMs: number;
  /** By the acknowledgements of this session; false until the first. */
  readonly unpacks: boolean;
}

export interface ChannelState {
  /** Of this manager; grows with each start (frame `start` of the keeper). */
  readonly session: number;
  /** This manager reads packed messages, and tells its peers so. */
  readonly unpacks: boolean;
  /** Peers that only a serial line reaches. */
  readonly slow: readonly string[];
  readonly peers: Readonly<Record<string, ChannelPeer>>;
}

export type ChannelEvent =
  /**
   * The manager wants `text` (at most MESSAGE_LENGTH_MAX) delivered to the peer, once and in order. Of a topic only the
   * newest word counts: those before it that have not left yet are not said any more (queue.ts).
   */
  | { readonly kind: "submit"; readonly to: string; readonly text: string; readonly topic?: string | undefined }
  /** What the keeper handed over from the peer. */
  | { readonly kind: "datagram"; readonly from: string; readonly bytes: Uint8Array }
  /** Which peers only a serial line reaches now; told whenever that may have changed. */
  | { readonly kind: "slow-peers"; readonly peers: readonly string[] }
  /** The peer is no member any more: what it has not acknowledged is dropped. */
  | { readonly kind: "forget"; readonly peer: string }
  | { readonly kind: "tick" };

export type ChannelEffect =
  | { readonly kind: "send"; readonly to: string; readonly bytes: Uint8Array }
  | { readonly kind: "deliver"; readonly from: string; readonly text: string }
  /** The peer's manager is heard for the first time, or has started anew: what came before is void on both sides. */
  | { readonly kind: "peer-started"; readonly peer: string; readonly session: number }
  /** The queue to the peer is over its limit: everything in it was dropped, and the stream begins anew. */
  | { readonly kind: "overflow"; readonly peer: string };

type Step = Stepped<ChannelState, ChannelEffect>;

export function createChannel(session: number, unpacks = false): ChannelState {
  check(session > 0, "a session is a positive number");
  return { session, unpacks, slow: [], peers: {} };
}

const NEW_PEER: ChannelPeer = {
  session: 0,
  greetAtMs: 0,
  greetWaitMs: GREETING_MS,
  outgoing: createOutgoing(),
  incoming: NO_INCOMING,
  answeredAtMs: Number.NEGATIVE_INFINITY,
  unpacks: false,
};

const peerOf = (state: ChannelState, name: string): ChannelPeer => entryOf(state.peers, name) ?? NEW_PEER;

const withPeer = (state: ChannelState, name: string, peer: ChannelPeer): ChannelState => ({
  session: state.session,
  unpacks: state.unpacks,
  slow: state.slow,
  peers: withEntry(state.peers, name, peer),
});

const send = (to: string, segment: Segment): ChannelEffect => ({ kind: "send", to, bytes: encodeSegment(segment) });

const mostFor = (slow: readonly string[], name: string): number =>
  slow.length > 0 && slow.includes(name) ? WINDOW_SLOW : WINDOW;

/** When the core next wants a tick; undefined while nothing is under way. Asked after every turn: a plain loop. */
export function channelWakeAtMs({ peers, slow }: ChannelState): number | undefined {
  let wakeMs = Number.POSITIVE_INFINITY;
  for (const name in peers) {
    const peer = entryOf(peers, name);
    if (peer === undefined || peer.outgoing.pieces.length === 0) continue;
    wakeMs = Math.min(
      wakeMs,
      peer.session === 0 ? peer.greetAtMs : outgoingWakeAtMs(peer.outgoing, mostFor(slow, name)),
    );
  }
  return wakeMs === Number.POSITIVE_INFINITY ? undefined : wakeMs;
}

/** Whether that peer's manager is known to read packed messages. */
export const unpacks = ({ peers }: ChannelState, name: string): boolean => entryOf(peers, name)?.unpacks ?? false;

/** Sends what is due to one peer: a greeting while its session is unknown, or else pieces. */
function flush(state: ChannelState, name: string, nowMs: number): Step {
  const peer = peerOf(state, name);
  if (peer.outgoing.pieces.length === 0) return { state, effects: [] };
  if (peer.session === 0) {
    if (nowMs < peer.greetAtMs) return { state, effects: [] };
    const greeting: Segment = { kind: "greeting", session: state.session, target: 0, asks: true };
    const greetWaitMs = Math.min(GREETING_MAX_MS, peer.greetWaitMs * 2);
    return {
      state: withPeer(state, name, { ...peer, greetAtMs: nowMs + peer.greetWaitMs, greetWaitMs }),
      effects: [send(name, greeting)],
    };
  }
  const { outgoing, due } = takeDue(peer.outgoing, nowMs, mostFor(state.slow, name));
  if (outgoing === peer.outgoing) return { state, effects: [] };
  const effects = due.map(({ sequence, text, last }) =>
    send(name, {
      kind: "piece",
      session: state.session,
      target: peer.session,
      stream: outgoing.stream,
      sequence,
      last,
      text,
    }),
  );
  return { state: withPeer(state, name, { ...peer, outgoing }), effects };
}

function flushAll(state: ChannelState, nowMs: number): Step {
  const effects: ChannelEffect[] = [];
  let next = state;
  for (const name of Object.keys(state.peers)) {
    const flushed = flush(next, name, nowMs);
    next = flushed.state;
    effects.push(...flushed.effects);
  }
  return { state: next, effects };
}

function submit(state: ChannelState, event: ChannelEvent & { kind: "submit" }, nowMs: number): Step {
  const { to: name, text, topic } = event;
  check(text.length <= MESSAGE_LENGTH_MAX, `a message of ${text.length} characters`);
  const peer = peerOf(state, name);
  if (peer.outgoing.queuedLength + text.length > QUEUE_LENGTH_MAX) {
    const dropped = withPeer(state, name, { ...peer, outgoing: giveUp(peer.outgoing) });
    return { state: dropped, effects: [{ kind: "overflow", peer: name }] };
  }
  return flush(withPeer(state, name, { ...peer, outgoing: queueText(peer.outgoing, text, topic) }), name, nowMs);
}

/** The peer as its own session number shows it; a new session voids both streams, but not what has never been sent. */
function meet(peer: ChannelPeer, session: number): ChannelPeer {
  const outgoing = peer.session === 0 ? peer.outgoing : giveUp(peer.outgoing);
  return { ...NEW_PEER, session, outgoing };
}

function receive(before: ChannelState, name: string, bytes: Uint8Array, nowMs: number): Step {
  const segment = decodeSegment(bytes);
  if (segment === undefined) return { state: before, effects: [] };
  const known = peerOf(before, name);
  // An older session is a straggler of a manager that is gone.
  if (segment.session < known.session) return { state: before, effects: [] };
  const effects: ChannelEffect[] = [];
  let peer = known;
  if (segment.session > known.session) {
    peer = meet(known, segment.session);
    effects.push({ kind: "peer-started", peer: name, session: segment.session });
  }
  const asked = segment.kind === "greeting" ? segment.asks : segment.target !== before.session;
  if (asked) effects.push(send(name, { kind: "greeting", session: before.session, target: peer.session, asks: false }));
  if (segment.kind !== "greeting" && segment.target === before.session) {
    if (segment.kind === "acknowledgement") {
      const outgoing = acknowledge(peer.outgoing, segment, nowMs);
      // Each link brings it again: what says nothing new changes nothing.
      const { unpacks } = segment;
      if (outgoing !== peer.outgoing || unpacks !== peer.unpacks) peer = { ...peer, outgoing, unpacks };
    } else {
      const { incoming, messages, answer } = acceptPiece(peer.incoming, segment);
      const isCopy = incoming === peer.incoming && nowMs - peer.answeredAtMs < COPY_MS;
      if (!isCopy && answer !== undefined) peer = { ...peer, incoming, answeredAtMs: nowMs };
      for (const text of messages) effects.push({ kind: "deliver", from: name, text });
      if (!isCopy && answer !== undefined) {
        const { stream, expected, beyond } = answer;
        const { session, unpacks } = before;
        const target = peer.session;
        effects.push(send(name, { kind: "acknowledgement", session, target, stream, expected, beyond, unpacks }));
      }
    }
  }
  const state = peer === entryOf(before.peers, name) ? before : withPeer(before, name, peer);
  if (peer.outgoing.pieces.length === 0) return { state, effects };
  const flushed = flush(state, name, nowMs);
  return { state: flushed.state, effects: [...effects, ...flushed.effects] };
}

export function stepChannel(state: ChannelState, event: ChannelEvent, nowMs: number): Step {
  switch (event.kind) {
    case "submit":
      return submit(state, event, nowMs);
    case "datagram":
      return receive(state, event.from, event.bytes, nowMs);
    case "slow-peers":
      return event.peers.join() === state.slow.join()
        ? { state, effects: [] }
        : flushAll({ ...state, slow: event.peers }, nowMs);
    case "forget": {
      const peer = entryOf(state.peers, event.peer);
      if (peer === undefined) return { state, effects: [] };
      return { state: withPeer(state, event.peer, { ...peer, outgoing: giveUp(peer.outgoing) }), effects: [] };
    }
    case "tick":
      return flushAll(state, nowMs);
    default:
      return unreachable(event);
  }
}
