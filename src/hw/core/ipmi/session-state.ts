/**
 * The state of one RMCP+ session as plain data, its events and effects, and the numbers that bound its waiting.
 * The password is never part of the state; the session keys are, so the state is not for logs.
 */
import type { IpmiFault } from "./fault.ts";
import type { IpmiRequest, IpmiResponse } from "./message.ts";

/** First resend while the board's speed is unknown. Measured: ipmi_sim answers in 0.1 ms, slow boards in 100 ms. */
export const RESEND_FIRST_MS = 250;
/** Least wait for a board whose round trip is known: four round trips, but never below this. */
export const RESEND_MIN_MS = 100;
/** Resends double up to here; more patience only delays the detection of a dead session. */
export const RESEND_CAP_MS = 2_000;
/** An answer that comes later than this after the last copy was not owed to it: the board is slow, not the wire. */
const COPY_SLACK_MS = 100;
/** Of a board that answers slowly: more patience than for this would hold up those who wait for another device. */
const DULL_MAX_MS = 10_000;
/** A session that a board has forgotten gives no error, only silence: after so many tries open a new one. */
export const SILENT_TRIES_MAX = 2;
/** ipmi_sim forgets an idle session after 30 s, IPMI v2.0 section 6.12.15 says 60 s: open anew before that. */
export const IDLE_MAX_MS = 25_000;
/** Fencing asks one thing at a time, status polls beside it; more means that a caller runs wild. */
export const QUEUE_MAX = 16;

/** What a caller wants answered. `id` is the caller's; `budgetMs` covers the session, too. */
export interface RequestEvent {
  readonly kind: "request";
  readonly id: number;
  readonly request: IpmiRequest;
  readonly budgetMs: number;
}

export type SessionEvent =
  | RequestEvent
  | { readonly kind: "datagram"; readonly bytes: Uint8Array }
  /** The network says why nothing comes: `nothing listens there`. Kept as a hint, no proof of anything. */
  | { readonly kind: "network-error"; readonly reason: string }
  | { readonly kind: "close" | "tick" };

export type IpmiResult =
  | ({ readonly kind: "response" } & IpmiResponse)
  /** The board said no to the session; the request was never sent. */
  | { readonly kind: "refused"; readonly fault: IpmiFault }
  /** No answer within the budget. `maybeReceived`: the request itself was sent, so it may have been carried out. */
  | { readonly kind: "silent"; readonly maybeReceived: boolean; readonly reason: string };

export type SessionEffect =
  | { readonly kind: "send"; readonly bytes: Uint8Array }
  | { readonly kind: "answer"; readonly id: number; readonly result: IpmiResult };

/** An open session. `highest` and `seen` are the window of sequence numbers that came in (IPMI v2.0, 6.12.13). */
export interface LiveSession {
  readonly consoleId: number;
  readonly managedId: number;
  /** Hex. */
  readonly k1: string;
  readonly k2: string;
  readonly guid: string;
  /** Set Session Privilege Level was accepted. */
  readonly privileged: boolean;
  readonly sent: number;
  readonly highest: number;
  /** Bit n: number `highest - n` came in. */
  readonly seen: number;
  readonly heardAtMs: number;
  /** A request met silence on it: the next one opens a new session at once. */
  readonly suspect: boolean;
}

/** A handshake under way. */
export interface Opening {
  readonly step: "open-session" | "rakp-1" | "rakp-3";
  readonly tag: number;
  readonly consoleId: number;
  readonly managedId: number;
  /** Hex. */
  readonly consoleNonce: string;
  readonly managedNonce: string;
  readonly guid: string;
  /** The packet of this step, for the resend; hex. */
  readonly packet: string;
  readonly tries: number;
  /** Starts of the handshake for the same need, ourselves included: each waits longer for RAKP 4. */
  readonly round: number;
  readonly sentAtMs: number;
  readonly resendAtMs: number;
}

/** The one request that is on the wire. */
export interface Exchange {
  readonly purpose: "privilege" | "caller";
  readonly request: IpmiRequest;
  readonly requestSequence: number;
  /** Times sent in this session. */
  readonly tries: number;
  readonly sentAtMs: number;
  readonly resendAtMs: number;
}

export interface PendingRequest {
  readonly id: number;
  readonly request: IpmiRequest;
  readonly askedAtMs: number;
  readonly deadlineAtMs: number;
  /** Times sent in any session. */
  readonly tries: number;
  readonly firstSentAtMs: number | undefined;
}

export interface SessionState {
  /** 32 random bytes, hex; all nonces and initialisation vectors are drawn from it. */
  readonly seed: string;
  readonly drawn: number;
  readonly live: LiveSession | undefined;
  readonly opening: Opening | undefined;
  readonly exchange: Exchange | undefined;
  readonly queue: readonly PendingRequest[];
  readonly requestSequence: number;
  /** Last measured; undefined before the first answer. */
  readonly roundTripMs: number | undefined;
  /**
   * What the board took for the last request, or did not suffice for it, when that was longer than a wire explains;
   * else 0. Each copy costs such a board as much time again, and what is asked next waits for all of them.
   */
  readonly dullMs: number;
  readonly hint: string | undefined;
}

/** A session that has not begun. `seed`: 32 unpredictable bytes as hex. */
export function createSession(seed: string): SessionState {
  return {
    seed,
    drawn: 0,
    live: undefined,
    opening: undefined,
    exchange: undefined,
    queue: [],
    requestSequence: 0,
    roundTripMs: undefined,
    dullMs: 0,
    hint: undefined,
  };
}

/** The session that a handshake has led to; the keys as hex. */
export function establishSession(
  { consoleId, managedId, guid }: Opening,
  k1: string,
  k2: string,
  nowMs: number,
): LiveSession {
  return {
    consoleId,
    managedId,
    k1,
    k2,
    guid,
    privileged: false,
    sent: 0,
    highest: 0,
    seen: 0,
    heardAtMs: nowMs,
    suspect: false,
  };
}

/** When the session next wants a `tick`. */
export function wakeAtMs({ opening, exchange, queue }: SessionState): number | undefined {
  if (queue.length === 0) return undefined;
  const resendAtMs = opening?.resendAtMs ?? exchange?.resendAtMs ?? Infinity;
  return Math.min(resendAtMs, ...queue.map(({ deadlineAtMs }) => deadlineAtMs));
}

/** The GUID that the board authenticated in RAKP 2, hex; undefined while no session is open. */
export function boardGuid({ live }: SessionState): string | undefined {
  return live?.guid;
}

/** The wait before try `tries + 1`: doubling from the first wait, up to the cap. */
export function resendDelayMs(roundTripMs: number | undefined, tries: number): number {
  const first = roundTripMs === undefined ? RESEND_FIRST_MS : Math.max(RESEND_MIN_MS, 4 * roundTripMs);
  return Math.min(RESEND_CAP_MS, first * 2 ** Math.max(0, tries - 1));
}

/** How slow a board is with what a caller asks, from an answer `sinceCopyMs` after the last copy; 0 for a quick one. */
export function dullnessOf(
  { roundTripMs = 0 }: Pick<SessionState, "roundTripMs">,
  sinceCopyMs: number,
  request: PendingRequest | undefined,
  nowMs: number,
): number {
  if (request?.firstSentAtMs === undefined || sinceCopyMs <= Math.max(COPY_SLACK_MS, 4 * roundTripMs)) return 0;
  return Math.min(DULL_MAX_MS, nowMs - request.firstSentAtMs);
}

/** The wait for the answer to a caller's request before it is sent again. */
export function patienceMs(
  { roundTripMs, dullMs }: Pick<SessionState, "roundTripMs" | "dullMs">,
  tries: number,
): number {
  return Math.max(2 * dullMs, resendDelayMs(roundTripMs, tries));
}

/** Whether a number that came in is new, and the window after it; numbers 16 and more behind are refused. */
export function acceptSequence(live: LiveSession, sequence: number): LiveSession | undefined {
  const ahead = sequence - live.highest;
  if (live.highest === 0 || (ahead > 0 && ahead <= 15)) {
    const seen = live.highest === 0 ? 1 : ((live.seen << ahead) | 1) & 0xffff;
    return { ...live, highest: sequence, seen };
  }
  if (ahead > 15 || ahead <= -16) return undefined;
  const bit = 1 << -ahead;
  return (live.seen & bit) === 0 ? { ...live, seen: live.seen | bit } : undefined;
}
