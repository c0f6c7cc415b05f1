/**
 * Whether our own clock stood still. A machine that was frozen from outside (a paused VM) finds its clock just where it
 * was and believes that it never slept; but a peer's clock, sent with each heartbeat, has run on.
 * `aheadMs` is how far the peer's clock has gained on ours since the first heartbeat; a heartbeat that was delayed on
 * its way lowers it for a moment. `usualMs` follows it, but only slowly, so that neither a delayed heartbeat nor a
 * burst of queued ones, each a little further ahead, can pass for the usual.
 */
export interface PeerClock {
  readonly aheadMs: number;
  readonly usualMs: number;
}

export const UNKNOWN_CLOCK: PeerClock = { aheadMs: 0, usualMs: 0 };

/** Quartz clocks differ by 0.01 % at most; guessed ten times larger, for emulated machines. */
const RISE = 0.001;
/** A link that became slow for good is usual after ten times the delay. */
const FALL = 0.1;

/** The signed difference of two instants modulo 2^32. */
export const elapsedMs = (fromMs: number, toMs: number): number => (toMs - fromMs) | 0;

/** After a heartbeat that was sent `peerMs` after the one before it and came in `ownMs` after it. */
export function advanceClock({ aheadMs, usualMs }: PeerClock, peerMs: number, ownMs: number): PeerClock {
  const ahead = aheadMs + peerMs - ownMs;
  const usual = Math.min(Math.max(ahead, usualMs - FALL * ownMs), usualMs + RISE * ownMs);
  return { aheadMs: ahead, usualMs: usual };
}

/** How long we slept without noticing; about 0 in ordinary life. */
export const sleptMs = ({ aheadMs, usualMs }: PeerClock): number => aheadMs - usualMs;

/** We know of a sleep already, before the peer's clock can tell us: it is not to be found a second time. */
export const expectSleep = ({ aheadMs, usualMs }: PeerClock, sleptMs: number): PeerClock => ({
  aheadMs,
  usualMs: usualMs + sleptMs,
});

/** Once the sleep is known, the new distance is the usual one. */
export const acceptSleep = ({ aheadMs }: PeerClock): PeerClock => ({ aheadMs, usualMs: aheadMs });
