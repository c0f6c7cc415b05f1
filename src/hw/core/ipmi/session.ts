/**
 * One RMCP+ session with one board, as a state machine: opens it, keeps it, resends, opens it anew when it is lost.
 * Not to be assumed: that silence means anything. A board that has forgotten the session is silent; a lost RAKP 4
 * leaves both sides disagreeing for ever; a resent packet needs a new sequence number, but the same request number.
 * Facts: IPMI v2.0 rev. 1.1, section 13; resends and restarts as measured in docs/protocols/ipmi.md.
 */
import { present, unreachable } from "../../../base/check.ts";
import type { Stepped } from "../../../base/step.ts";
import { faultOfAccount, type IpmiAccount, PRIVILEGES } from "./account.ts";
import { fromHex, readU32, toHex, u32Bytes } from "./bytes.ts";
import { CIPHER_SUITES, type IpmiCrypto } from "./crypto.ts";
import { type IpmiFault, noSession, PRIVILEGE } from "./fault.ts";
import { COMPLETION, decodeResponse, encodeRequest, type IpmiRequest, type IpmiResponse, NETFN } from "./message.ts";
import { decodePacket, encodePlain, PAYLOAD, type SessionKeys, seal, unseal } from "./packet.ts";
import {
  encodeOpenSession,
  encodeRakp1,
  encodeRakp3,
  type Handshake,
  type Judged,
  judgeOpenSession,
  judgeRakp2,
  judgeRakp4,
} from "./rakp.ts";
import {
  acceptSequence,
  dullnessOf,
  type Exchange,
  establishSession,
  IDLE_MAX_MS,
  type IpmiResult,
  type LiveSession,
  type Opening,
  type PendingRequest,
  patienceMs,
  QUEUE_MAX,
  type RequestEvent,
  resendDelayMs,
  type SessionEffect,
  type SessionEvent,
  type SessionState,
  SILENT_TRIES_MAX,
} from "./session-state.ts";

/** What a step needs besides the state: the account holds secrets, so it stays outside of the state. */
export interface SessionContext {
  readonly crypto: IpmiCrypto;
  readonly account: IpmiAccount;
}

const SET_SESSION_PRIVILEGE = 0x3b;
const CLOSE_SESSION = 0x3c;
/** Six bits: IPMI v2.0, section 13.8. */
const REQUEST_SEQUENCES = 64;
/** A board that restarted in between has forgotten our Open Session: then RAKP 1 is asked in vain. */
const RAKP_1_TRIES_MAX = 3;

type Draft = { -readonly [Key in keyof SessionState]: SessionState[Key] } & { readonly effects: SessionEffect[] };

function draw({ crypto }: SessionContext, draft: Draft, bytes: number): Uint8Array {
  draft.drawn += 1;
  return crypto.hmac("sha256", fromHex(draft.seed), u32Bytes(draft.drawn)).subarray(0, bytes);
}

function answer(draft: Draft, { id }: PendingRequest, result: IpmiResult): void {
  draft.effects.push({ kind: "answer", id, result });
}

/** The board refuses us: everybody who waits is told, and nothing is kept. */
function refuse(draft: Draft, fault: IpmiFault): void {
  for (const pending of draft.queue) answer(draft, pending, { kind: "refused", fault });
  draft.queue = [];
  draft.opening = undefined;
  draft.exchange = undefined;
  draft.live = undefined;
}

function keysOf({ k1, k2 }: LiveSession): SessionKeys {
  return { k1: fromHex(k1), k2: fromHex(k2) };
}

function handshakeOf(opening: Opening): Handshake {
  const { tag, consoleId, managedId } = opening;
  return {
    tag,
    consoleId,
    managedId,
    consoleNonce: fromHex(opening.consoleNonce),
    managedNonce: fromHex(opening.managedNonce),
    guid: fromHex(opening.guid),
  };
}

/** Goes to the next step of the handshake by sending its packet. */
function advance(draft: Draft, opening: Opening, nowMs: number, packet: Uint8Array): void {
  // A restart waits longer for RAKP 4, for it cannot be told from a board that is slower than our first patience.
  const patience = opening.step === "rakp-3" ? opening.round : 1;
  const resendAtMs = nowMs + resendDelayMs(draft.roundTripMs, patience);
  draft.opening = { ...opening, packet: toHex(packet), tries: 1, sentAtMs: nowMs, resendAtMs };
  draft.effects.push({ kind: "send", bytes: packet });
}

function beginOpening(context: SessionContext, draft: Draft, nowMs: number): void {
  const random = draw(context, draft, 21);
  const tag = random[0] ?? 0;
  // Zero is no session id: IPMI v2.0, table 13-9.
  const consoleId = readU32(random, 1) || 1;
  const opening: Opening = {
    step: "open-session",
    tag,
    consoleId,
    managedId: 0,
    consoleNonce: toHex(random.subarray(5, 21)),
    managedNonce: "",
    guid: "",
    packet: "",
    tries: 0,
    round: (draft.opening?.round ?? 0) + 1,
    sentAtMs: nowMs,
    resendAtMs: nowMs,
  };
  const request = encodeOpenSession(context.account, tag, consoleId);
  advance(draft, opening, nowMs, encodePlain(PAYLOAD.openSessionRequest, request));
}

/** Sends, or sends again, what `exchange` holds: a new sequence number, the same request number. */
function transmit(context: SessionContext, draft: Draft, exchange: Exchange, nowMs: number): void {
  const live = present(draft.live, "an exchange without a session");
  const head = draft.queue[0];
  const suite = CIPHER_SUITES[context.account.suite];
  const sequence = live.sent + 1;
  const message = encodeRequest(exchange.request, exchange.requestSequence);
  const iv = draw(context, draft, 16);
  draft.effects.push({
    kind: "send",
    bytes: seal(context.crypto, suite, keysOf(live), live.managedId, sequence, iv, message),
  });
  draft.live = { ...live, sent: sequence };
  const tries = exchange.tries + 1;
  let resendAtMs = nowMs + resendDelayMs(draft.roundTripMs, tries);
  if (exchange.purpose === "caller" && head !== undefined) {
    // A board that is slow with just this request must not be asked ever faster over ever new sessions.
    const asked = { ...head, tries: head.tries + 1, firstSentAtMs: head.firstSentAtMs ?? nowMs };
    draft.queue = [asked, ...draft.queue.slice(1)];
    resendAtMs = nowMs + patienceMs(draft, asked.tries);
  }
  draft.exchange = { ...exchange, tries, sentAtMs: nowMs, resendAtMs };
}

function startExchange(
  context: SessionContext,
  draft: Draft,
  purpose: Exchange["purpose"],
  request: IpmiRequest,
  nowMs: number,
): void {
  draft.requestSequence = (draft.requestSequence + 1) % REQUEST_SEQUENCES;
  const { requestSequence } = draft;
  transmit(context, draft, { purpose, request, requestSequence, tries: 0, sentAtMs: nowMs, resendAtMs: nowMs }, nowMs);
}

function silence(draft: Draft, { tries, askedAtMs }: PendingRequest, nowMs: number): IpmiResult {
  const waitedMs = Math.round(nowMs - askedAtMs);
  const reason =
    tries > 0
      ? `the board took the login, but did not answer the request within ${waitedMs} ms`
      : noSession(waitedMs, draft.hint);
  return { kind: "silent", maybeReceived: tries > 0, reason };
}

/** Answers what has waited too long. */
function expire(draft: Draft, nowMs: number): void {
  const head = draft.queue[0];
  for (const pending of draft.queue) {
    if (nowMs >= pending.deadlineAtMs) answer(draft, pending, silence(draft, pending, nowMs));
  }
  draft.queue = draft.queue.filter(({ deadlineAtMs }) => nowMs < deadlineAtMs);
  if (draft.queue[0] === head) return;
  // It took our login: it may be alive and slow, and then the copies of this request still lie before it.
  if (draft.live !== undefined) draft.dullMs = Math.max(draft.dullMs, dullnessOf(draft, Infinity, head, nowMs));
  if (draft.exchange !== undefined && draft.live !== undefined) draft.live = { ...draft.live, suspect: true };
  draft.exchange = undefined;
}

function pumpOpening(context: SessionContext, draft: Draft, opening: Opening, nowMs: number): void {
  if (nowMs < opening.resendAtMs) return;
  if (opening.step === "rakp-3" || (opening.step === "rakp-1" && opening.tries >= RAKP_1_TRIES_MAX)) {
    beginOpening(context, draft, nowMs);
    return;
  }
  const tries = opening.tries + 1;
  const resendAtMs = nowMs + resendDelayMs(draft.roundTripMs, tries);
  draft.opening = { ...opening, tries, sentAtMs: nowMs, resendAtMs };
  draft.effects.push({ kind: "send", bytes: fromHex(opening.packet) });
}

/** Leaked sessions can lock the peer out: boards have 4 to 63. The answer is not waited for. */
function sendClose(context: SessionContext, draft: Draft, nowMs: number): void {
  if (draft.live === undefined) return;
  const request = { netFn: NETFN.app, command: CLOSE_SESSION, data: [...u32Bytes(draft.live.managedId)] };
  startExchange(context, draft, "privilege", request, nowMs);
  draft.live = undefined;
  draft.exchange = undefined;
}

/** Does whatever is due: answers the expired, resends, opens, starts the next request. */
function pump(context: SessionContext, draft: Draft, nowMs: number): void {
  expire(draft, nowMs);
  const head = draft.queue[0];
  if (head === undefined) {
    draft.opening = undefined;
    draft.exchange = undefined;
    return;
  }
  const { opening, exchange, live } = draft;
  if (opening !== undefined) {
    pumpOpening(context, draft, opening, nowMs);
    return;
  }
  if (live === undefined || (exchange === undefined && (live.suspect || nowMs - live.heardAtMs > IDLE_MAX_MS))) {
    draft.hint = undefined;
    sendClose(context, draft, nowMs);
    beginOpening(context, draft, nowMs);
    return;
  }
  if (exchange === undefined) {
    if (live.privileged) startExchange(context, draft, "caller", head.request, nowMs);
    else startExchange(context, draft, "privilege", setPrivilege(context.account), nowMs);
    return;
  }
  if (nowMs < exchange.resendAtMs) return;
  if (exchange.tries < SILENT_TRIES_MAX) transmit(context, draft, exchange, nowMs);
  else beginOpening(context, draft, nowMs);
}

function setPrivilege({ privilege }: IpmiAccount): IpmiRequest {
  return { netFn: NETFN.app, command: SET_SESSION_PRIVILEGE, data: [PRIVILEGES[privilege]] };
}

/** The value of an accepted answer; a refusal ends everything, a stranger's packet changes nothing. */
function accepted<Value>(draft: Draft, judged: Judged<Value>): Value | undefined {
  if (judged.kind === "refused") refuse(draft, judged.fault);
  return judged.kind === "accepted" ? judged.value : undefined;
}

function measure(draft: Draft, sentAtMs: number, tries: number, nowMs: number): void {
  draft.hint = undefined;
  // Karn: the answer to a resent packet may belong to either copy.
  if (tries === 1) draft.roundTripMs = nowMs - sentAtMs;
}

function takeHandshake(
  context: SessionContext,
  draft: Draft,
  payloadType: number,
  payload: Uint8Array,
  nowMs: number,
): void {
  const { opening } = draft;
  if (opening === undefined) return;
  const { crypto, account } = context;
  if (payloadType === PAYLOAD.openSessionResponse && opening.step === "open-session") {
    const managedId = accepted(draft, judgeOpenSession(account, opening, payload));
    if (managedId === undefined) return;
    measure(draft, opening.sentAtMs, opening.tries, nowMs);
    const next: Opening = { ...opening, step: "rakp-1", managedId };
    advance(draft, next, nowMs, encodePlain(PAYLOAD.rakp1, encodeRakp1(account, handshakeOf(next))));
  } else if (payloadType === PAYLOAD.rakp2 && opening.step === "rakp-1") {
    const handshake = accepted(draft, judgeRakp2(crypto, account, handshakeOf(opening), payload));
    if (handshake === undefined) return;
    measure(draft, opening.sentAtMs, opening.tries, nowMs);
    const managedNonce = toHex(handshake.managedNonce);
    const next: Opening = { ...opening, step: "rakp-3", managedNonce, guid: toHex(handshake.guid) };
    advance(draft, next, nowMs, encodePlain(PAYLOAD.rakp3, encodeRakp3(crypto, account, handshake)));
  } else if (payloadType === PAYLOAD.rakp4 && opening.step === "rakp-3") {
    const keys = accepted(draft, judgeRakp4(crypto, account, handshakeOf(opening), payload));
    if (keys === undefined) return;
    measure(draft, opening.sentAtMs, opening.tries, nowMs);
    draft.opening = undefined;
    draft.exchange = undefined;
    draft.live = establishSession(opening, toHex(keys.k1), toHex(keys.k2), nowMs);
  }
}

function takeResponse(draft: Draft, exchange: Exchange, response: IpmiResponse, nowMs: number): void {
  const [head, ...rest] = draft.queue;
  measure(draft, exchange.sentAtMs, exchange.tries, nowMs);
  if (exchange.purpose === "caller") draft.dullMs = dullnessOf(draft, nowMs - exchange.sentAtMs, head, nowMs);
  draft.exchange = undefined;
  // It lives after all: an answer that came late, while we were already opening another session.
  draft.opening = undefined;
  if (exchange.purpose === "caller") {
    if (head !== undefined) answer(draft, head, { kind: "response", ...response });
    draft.queue = rest;
    return;
  }
  const live = present(draft.live, "an answer without a session");
  if (response.completionCode === COMPLETION.done) draft.live = { ...live, privileged: true };
  else refuse(draft, PRIVILEGE);
}

function takeSealed(
  context: SessionContext,
  draft: Draft,
  sessionId: number,
  sequence: number,
  bytes: Uint8Array,
  nowMs: number,
): void {
  const { live, exchange } = draft;
  if (live === undefined || sessionId !== live.consoleId) return;
  const suite = CIPHER_SUITES[context.account.suite];
  const message = unseal(context.crypto, suite, keysOf(live), bytes);
  const window = message === undefined ? undefined : acceptSequence(live, sequence);
  if (message === undefined || window === undefined) return;
  draft.live = { ...window, heardAtMs: nowMs, suspect: false };
  const response =
    exchange === undefined ? undefined : decodeResponse(message, exchange.request, exchange.requestSequence);
  if (exchange !== undefined && response !== undefined) takeResponse(draft, exchange, response, nowMs);
}

function takeDatagram(context: SessionContext, draft: Draft, bytes: Uint8Array, nowMs: number): void {
  const packet = decodePacket(bytes);
  switch (packet.kind) {
    case "plain":
      takeHandshake(context, draft, packet.payloadType, packet.payload, nowMs);
      return;
    case "sealed":
      if (packet.payloadType === PAYLOAD.ipmi) {
        takeSealed(context, draft, packet.sessionId, packet.sequence, bytes, nowMs);
      }
      return;
    case "version-1.5":
    case "unreadable":
      // Somebody else's, or garbled: the resend will tell.
      return;
    default:
      unreachable(packet);
  }
}

function takeRequest({ account }: SessionContext, draft: Draft, event: RequestEvent, nowMs: number): void {
  const { id, request, budgetMs } = event;
  const pending: PendingRequest = {
    id,
    request,
    askedAtMs: nowMs,
    // Of a board that is known to be slow an answer is waited for, though a dead one would be given up by then.
    deadlineAtMs: nowMs + Math.max(budgetMs, 3 * draft.dullMs),
    tries: 0,
    firstSentAtMs: undefined,
  };
  const fault: IpmiFault | undefined =
    draft.queue.length < QUEUE_MAX
      ? faultOfAccount(account)
      : { code: "queue-full", reason: `${QUEUE_MAX} requests wait already`, remedy: "ask this board less often" };
  if (fault === undefined) draft.queue = [...draft.queue, pending];
  else answer(draft, pending, { kind: "refused", fault });
}

/** Ends everything; calls under way are silent. */
function closeAll(context: SessionContext, draft: Draft, nowMs: number): void {
  for (const pending of draft.queue) answer(draft, pending, silence(draft, pending, nowMs));
  draft.queue = [];
  sendClose(context, draft, nowMs);
  draft.opening = undefined;
}

/** One step; `nowMs` is monotonic. */
export function stepSession(
  context: SessionContext,
  state: SessionState,
  event: SessionEvent,
  nowMs: number,
): Stepped<SessionState, SessionEffect> {
  const draft: Draft = { ...state, effects: [] };
  switch (event.kind) {
    case "request":
      takeRequest(context, draft, event, nowMs);
      break;
    case "datagram":
      takeDatagram(context, draft, event.bytes, nowMs);
      break;
    case "network-error":
      draft.hint = event.reason;
      break;
    case "close":
      closeAll(context, draft, nowMs);
      break;
    case "tick":
      break;
    default:
      return unreachable(event);
  }
  pump(context, draft, nowMs);
  const { effects, ...next } = draft;
  return { state: next, effects };
}
