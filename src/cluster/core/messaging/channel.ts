/**
 * Reliable, ordered messages between managers over the keepers' datagrams. (Interface first; the core follows.)
 */
import type { Stepped } from "../../../base/step.ts";

export type ChannelEvent =
  /** The manager wants `text` (any length up to MESSAGE_BYTES_MAX in UTF-8) delivered to the peer, once and in order. */
  | { readonly kind: "submit"; readonly to: string; readonly text: string }
  /** What the keeper handed over from the peer. */
  | { readonly kind: "datagram"; readonly from: string; readonly bytes: Uint8Array }
  /** The peer is no member any more: what it has not acknowledged is dropped. */
  | { readonly kind: "forget"; readonly peer: string }
  | { readonly kind: "tick" };

export type ChannelEffect =
  | { readonly kind: "send"; readonly to: string; readonly bytes: Uint8Array }
  | { readonly kind: "deliver"; readonly from: string; readonly text: string }
  /** The peer's manager has started anew (or is heard for the first time): what came before is void on both sides. */
  | { readonly kind: "peer-started"; readonly peer: string; readonly session: number }
  /** The queue to the peer is over its limit: everything in it was dropped, and the stream begins anew. */
  | { readonly kind: "overflow"; readonly peer: string };

export interface ChannelState {
  /** Of this manager; grows with each start (frame `start` of the keeper). */
  readonly session: number;
  readonly peers: Readonly<Record<string, unknown>>;
}

export declare function createChannel(session: number): ChannelState;
export declare function stepChannel(
  state: ChannelState,
  event: ChannelEvent,
  nowMs: number,
): Stepped<ChannelState, ChannelEffect>;
export declare function channelWakeAtMs(state: ChannelState): number | undefined;
