/**
 * The DC's side: configuration changes are checked, applied, given a version and sent to every member; they are
 * acknowledged when all have it on disk. What is asked for while one version is on its way goes together into the next
 * one, each judged and answered by itself. The same rule ends the round of questions after a change of view, so what is
 * in flight simply becomes part of what the next round spreads.
 */
import { unreachable } from "../../../base/check.ts";
import type { Problem } from "../../../base/problem.ts";
import { entryOf } from "../../../base/record.ts";
import { isKnownChange } from "../spoken.ts";
import { type Batch, join, openBatch, storedOf } from "./batch.ts";
import { covers } from "./lineage.ts";
import { mergeStored } from "./merge.ts";
import { type Asked, adopt, type CibStore, change, changeReign, confirmed, type Draft, others, send } from "./state.ts";
import { applyStatus, coalesce, isInForce, nodeIdFrom } from "./status.ts";
import type { Answer, CibMessage, CibVersion, ConfigurationRequest, DiskMark, StatusList, StoredCib } from "./types.ts";

/**
 * The channel resends on its own, and tells when something was lost for good (`messages-lost`): this is only the last
 * line. Much shorter, and a slow peer would drown in copies of what it has not yet had time for.
 */
export const RESEND_MS = 5_000;
/** Status changes that come close together travel together; small beside any operation of an agent. */
export const STATUS_FLUSH_MS = 20;
/** How soon a replica notices that it missed status changes: the last of them is followed by an empty word so soon. */
export const STATUS_BEAT_MS = 5_000;
/**
 * From then on, while nothing changes. The channel loses nothing without telling, and then a word goes out at once
 * (`beatNow`): this only guards against what cannot be, and a serial line has better things to carry.
 */
export const STATUS_CALM_MS = 60_000;
/** Requests that wait at the DC; beyond it somebody is flooding. */
const QUEUE_MAX = 100;
/** Changes made in one go: each is checked in whole, and the DC has other things to do as well. */
const BATCH_MAX = 20;
/** More than can be on their way at once. */
const ANSWERED_MAX = 4 * QUEUE_MAX;

const newHead = (draft: Draft): string => {
  const { self, generation, counter } = draft.state;
  change(draft, { counter: counter + 1 });
  return `${self}-${generation}-${counter + 1}`;
};

/** A new view with ourselves as its DC: ask every other member what it has. */
export function beginReign(draft: Draft): void {
  const { nowMs, state } = draft;
  const { pending, answered } = state.reign ?? { pending: [], answered: [] };
  change(draft, {
    reign: {
      round: newHead(draft),
      synchronised: false,
      heard: [],
      onDisk: {},
      sequence: 0,
      pending,
      flushAtMs: nowMs,
      resendAtMs: nowMs,
      beatAtMs: nowMs + STATUS_BEAT_MS,
      answered,
    },
  });
  pressOn(draft);
  settle(draft);
}

/** Whatever is still missing from the members is asked for or sent (again). */
export function pressOn(draft: Draft): void {
  const { state, nowMs } = draft;
  const { reign, stored } = state;
  if (reign === undefined) return;
  for (const member of others(state)) {
    const has = entryOf(reign.onDisk, member);
    if (!reign.heard.includes(member)) send(draft, member, { kind: "cib-ask", round: reign.round });
    else if (has?.head !== stored.head || isUnmarked(state, has))
      send(draft, member, { kind: "cib-install", round: reign.round, stored });
  }
  changeReign(draft, { resendAtMs: nowMs + RESEND_MS });
}

/** That disk does not say yet that the running configuration was on the disks of all members of a part with quorum. */
function isUnmarked({ quorate, stored }: CibStore, disk: DiskMark): boolean {
  return quorate && stored.quorateHead === stored.head && disk.quorateHead !== stored.head;
}

/** Whether any other member is not known to have the running configuration on its disk. */
function lacksContent(state: CibStore): boolean {
  const { reign, stored } = state;
  return others(state).some(
    (name) => entryOf(reign?.onDisk, name)?.head !== stored.head || reign?.heard.includes(name) !== true,
  );
}

function lacksMark(state: CibStore): boolean {
  return others(state).some((name) => isUnmarked(state, entryOf(state.reign?.onDisk, name) ?? state.disk));
}

/** Whether anything is still to be sent, or to be heard, of the running configuration. */
export function lacking(state: CibStore): boolean {
  return lacksContent(state) || lacksMark(state);
}

/** That member has nothing (any more) that we lack. */
function hear(draft: Draft, member: string): void {
  const heard = draft.state.reign?.heard ?? [];
  if (!heard.includes(member)) changeReign(draft, { heard: [...heard, member] });
}

/**
 * Every member has been heard: what we stand on is the newest that there is, and may be scheduled by. Disks do not
 * count here: a full disk must hold up changes of the configuration, and no takeover.
 */
function synchronise(draft: Draft): void {
  const { state } = draft;
  const { reign } = state;
  if (reign === undefined || reign.synchronised) return;
  if (others(state).some((member) => !reign.heard.includes(member))) return;
  changeReign(draft, { synchronised: true });
  for (const member of others(state)) sendWholeStatus(draft, member);
  draft.effects.push({ kind: "synchronised", head: state.stored.head });
}

/**
 * Whether what all members have on disk may be marked as confirmed with quorum. By a majority anything may: it has met
 * whatever was acknowledged with quorum before. Half of the nodes, quorate by a tie-breaker or because the other half
 * was fenced, may know nothing of what that one acknowledged while it was quorate: what they have from before their
 * quorum must not win over that, so only what they acknowledge now is marked.
 */
const mayMark = ({ quorate, tied, inFlight }: CibStore): boolean => quorate && (!tied || inFlight !== undefined);

/**
 * Everybody has it on disk: tell that it is confirmed, acknowledge, and take up the next request. With quorum it is
 * acknowledged only when all disks say that it was confirmed: whoever is left of them, and meets a part that was alone,
 * must know that this goes before whatever that one has.
 */
export function settle(draft: Draft): void {
  synchronise(draft);
  for (;;) {
    const { state } = draft;
    const { reign, stored } = state;
    if (reign?.synchronised !== true || state.disk.head !== stored.head || lacksContent(state)) return;
    const { head } = stored;
    const quorate = mayMark(state);
    if (stored.confirmedHead !== head || (quorate && stored.quorateHead !== head)) {
      adopt(draft, confirmed(stored, quorate));
      for (const member of others(state)) send(draft, member, { kind: "cib-confirmed", head, quorate });
    }
    if (isUnmarked(draft.state, state.disk) || lacksMark(draft.state)) return;
    if (state.inFlight !== undefined) {
      const { requests, version } = state.inFlight;
      change(draft, { inFlight: undefined });
      for (const { request, from, warnings } of requests) accept(draft, from, request.requestId, version, warnings);
    }
    const { queue } = draft.state;
    if (queue.length === 0) return;
    change(draft, { queue: queue.slice(BATCH_MAX) });
    carryOut(draft, queue.slice(0, BATCH_MAX));
  }
}

export function reply(draft: Draft, to: string, answer: Answer): void {
  if (to !== draft.state.self) send(draft, to, { kind: "cib-answer", answer });
  else {
    const requests = draft.state.requests.filter(({ request }) => request.requestId !== answer.requestId);
    // A copy of a request may be answered twice; only the first answer goes out.
    if (requests.length < draft.state.requests.length) draft.effects.push({ kind: "answer", answer });
    change(draft, { requests });
  }
}

/** The DC's own answer, for good. */
function conclude(draft: Draft, to: string, answer: Answer): void {
  const answered = [...(draft.state.reign?.answered ?? []), answer].slice(-ANSWERED_MAX);
  changeReign(draft, { answered });
  reply(draft, to, answer);
}

/** What we stand on is on all disks, and marked as acknowledged with or without quorum: the answer says the same. */
function accept(draft: Draft, to: string, requestId: string, version: CibVersion, warnings: readonly Problem[]): void {
  conclude(draft, to, { kind: "accepted", requestId, version, quorate: draft.state.quorate, warnings });
}

/** `requests`: all that this member still waits for, in their order; they take the place of those that wait here. */
export function enqueue(draft: Draft, requests: readonly ConfigurationRequest[], from: string): void {
  const { queue, inFlight, reign } = draft.state;
  const given = new Map(reign?.answered.map((answer) => [answer.requestId, answer]));
  const flying = new Set(inFlight?.requests.map(({ request }) => request.requestId));
  const waiting = requests.filter(({ requestId }) => !given.has(requestId) && !flying.has(requestId));
  const others = queue.filter((one) => one.from !== from);
  const first = queue.findIndex((one) => one.from === from);
  const at = first === -1 ? others.length : first;
  const room = Math.max(0, QUEUE_MAX - others.length);
  const taken = waiting.slice(0, room).map((request) => ({ request, from }));
  change(draft, { queue: [...others.slice(0, at), ...taken, ...others.slice(at)] });
  for (const { requestId } of requests) {
    const answer = given.get(requestId);
    if (answer !== undefined) reply(draft, from, answer);
  }
  for (const { requestId } of waiting.slice(room)) {
    const reason = `${QUEUE_MAX} changes are waiting already`;
    const problem: Problem = { severity: "error", place: "CIB", reason, remedy: "wait until they are done" };
    conclude(draft, from, { kind: "refused", requestId, problems: [problem] });
  }
  settle(draft);
}

function carryOut(draft: Draft, asked: readonly Asked[]): void {
  const { stored, quorate } = draft.state;
  // What half of the nodes had before their quorum is asked for (again): it is marked, and then answered.
  const isToMark = quorate && stored.quorateHead !== stored.head;
  const batch = openBatch(stored);
  for (const { request, from } of asked) {
    const { requestId } = request;
    const done = stored.history.find((entry) => entry.requestId === requestId);
    // An earlier DC, or an earlier copy of the request, has done it; it is on all disks, or we would not be here.
    if (done !== undefined) {
      if (isToMark) batch.accepted.push({ request, from, warnings: [] });
      else accept(draft, from, requestId, done.version, []);
      continue;
    }
    const problems = join(draft.state, batch, request, from);
    if (problems.length > 0) conclude(draft, from, { kind: "refused", requestId, problems });
  }
  if (batch.diffs.length > 0) adoptBatch(draft, batch);
  else if (isToMark && batch.accepted.length > 0)
    change(draft, { inFlight: { version: stored.version, requests: batch.accepted } });
  else
    for (const { request, from, warnings } of batch.accepted)
      accept(draft, from, request.requestId, stored.version, warnings);
}

function adoptBatch(draft: Draft, batch: Batch): void {
  const isAlone = others(draft.state).length === 0;
  const stored = storedOf(draft.state, batch, newHead(draft), isAlone);
  adopt(draft, stored);
  change(draft, { inFlight: { version: stored.version, requests: batch.accepted } });
  pressOn(draft);
}

/** Somebody else's content: newer ones are taken over, and where both have changed one wins and both are told. */
function meet(draft: Draft, theirs: StoredCib, node: string): void {
  const { state } = draft;
  const merge = mergeStored(
    state.stored,
    theirs,
    node,
    state.self,
    `${state.self}-${state.generation}-${state.counter + 1}`,
  );
  if (merge.kind !== "adopt" && merge.kind !== "join") {
    if (merge.kind === "keep" && state.reign !== undefined)
      send(draft, node, { kind: "cib-install", round: state.reign.round, stored: state.stored });
    return;
  }
  if (merge.kind === "join") {
    newHead(draft);
    if (merge.conflict !== undefined) draft.effects.push({ kind: "conflict", conflict: merge.conflict });
  }
  adopt(draft, merge.stored);
  if (merge.stored.head !== state.stored.head) judgeInFlight(draft, state.stored, node);
  pressOn(draft);
}

/**
 * What becomes of the requests in flight when another content has taken the place of the one that they made: the new
 * history says which changes are in force. What changed nothing stands in no history; it is judged anew, on what runs.
 */
function judgeInFlight(draft: Draft, before: StoredCib, node: string): void {
  const { inFlight, stored, queue } = draft.state;
  if (inFlight === undefined) return;
  const stands = ({ history }: StoredCib, { request }: Asked) =>
    history.some(({ requestId }) => requestId === request.requestId);
  const stay = inFlight.requests.filter((one) => stands(stored, one));
  const unchanging = inFlight.requests.filter((one) => !stands(before, one) && !stay.includes(one));
  change(draft, {
    inFlight: stay.length === 0 ? undefined : { ...inFlight, requests: stay },
    queue: [...unchanging.map(({ request, from }) => ({ request, from })), ...queue],
  });
  const reason = `${node} came with changes of its own that win over this one, which is kept as a conflict`;
  const remedy = "look at the conflict and submit again";
  const problem: Problem = { severity: "error", place: "CIB", reason, remedy };
  for (const one of inFlight.requests)
    if (!stay.includes(one) && !unchanging.includes(one))
      conclude(draft, one.from, { kind: "refused", requestId: one.request.requestId, problems: [problem] });
}

/** Applies status changes at once and lets them travel with the next flush. */
export function takeStatus(draft: Draft, changes: StatusList): void {
  const { state, nowMs } = draft;
  if (state.reign === undefined) return;
  const idOf = nodeIdFrom(state.stored.configuration);
  let { status, numUpdates } = state;
  let { pending } = state.reign;
  for (const one of changes) {
    if (!isKnownChange(one) || isInForce(status, one)) continue;
    status = applyStatus(status, one, idOf);
    numUpdates += 1;
    pending = coalesce(pending, one);
  }
  if (status === state.status) return;
  const first = state.reign.pending.length === 0;
  change(draft, { status, numUpdates });
  changeReign(draft, { pending, flushAtMs: first ? nowMs + STATUS_FLUSH_MS : state.reign.flushAtMs });
  draft.effects.push({ kind: "changed", what: "status" });
}

function flush(draft: Draft): void {
  const { reign, numUpdates } = draft.state;
  if (reign === undefined) return;
  const { round, pending: changes } = reign;
  const sequence = reign.sequence + changes.length;
  for (const member of others(draft.state))
    send(draft, member, { kind: "cib-status", round, sequence, numUpdates, changes });
  const nextMs = changes.length > 0 ? STATUS_BEAT_MS : STATUS_CALM_MS;
  changeReign(draft, { sequence, pending: [], beatAtMs: draft.nowMs + nextMs });
}

/** What was on its way to a member is lost for good, status perhaps: at the next tick all hear how far we are. */
export function beatNow(draft: Draft): void {
  if (draft.state.reign !== undefined) changeReign(draft, { beatAtMs: draft.nowMs });
}

function sendWholeStatus(draft: Draft, to: string): void {
  const { reign, status, numUpdates } = draft.state;
  if (reign === undefined) return;
  if (reign.pending.length > 0) flush(draft);
  const sequence = draft.state.reign?.sequence ?? 0;
  const { round } = reign;
  send(draft, to, { kind: "cib-status-whole", round, sequence, numUpdates, root: status.root, status: status.tree });
}

export function primaryMessage(draft: Draft, from: string, message: CibMessage): void {
  const { state } = draft;
  const { reign } = state;
  if (reign === undefined || !state.members.includes(from)) return;
  switch (message.kind) {
    case "cib-have":
      if (message.round !== reign.round) return;
      // What we do not cover may be newer: have it sent. What we cover is out of date, or the same.
      if (!covers(state.stored, message.have)) {
        send(draft, from, { kind: "cib-fetch", round: reign.round });
        return;
      }
      hear(draft, from);
      if (message.have.head !== state.stored.head)
        send(draft, from, { kind: "cib-install", round: reign.round, stored: state.stored });
      settle(draft);
      return;
    case "cib-document":
      if (message.round !== reign.round) return;
      meet(draft, message.stored, from);
      hear(draft, from);
      settle(draft);
      return;
    case "cib-stored":
      if (message.round !== reign.round) return;
      changeReign(draft, { onDisk: { ...reign.onDisk, [from]: message.disk } });
      settle(draft);
      return;
    case "cib-request":
      enqueue(draft, message.requests, from);
      return;
    case "cib-report": {
      const { generation, first, changes } = message;
      const known = entryOf(state.taken, from);
      if (known !== undefined && known.generation > generation) return;
      const last = known?.generation === generation ? known.last : first - 1;
      takeStatus(draft, changes.slice(Math.max(0, last + 1 - first)));
      const now = Math.max(last, first + changes.length - 1);
      change(draft, { taken: { ...state.taken, [from]: { generation, last: now } } });
      send(draft, from, { kind: "cib-report-taken", generation, last: now });
      return;
    }
    case "cib-status-ask":
      sendWholeStatus(draft, from);
      return;
    case "cib-ask":
    case "cib-fetch":
    case "cib-install":
    case "cib-confirmed":
    case "cib-answer":
    case "cib-report-taken":
    case "cib-status":
    case "cib-status-whole":
      // What only replicas are told: from a time when another was DC.
      return;
    default:
      unreachable(message);
  }
}

export function primaryTick(draft: Draft): void {
  const { reign } = draft.state;
  if (reign === undefined) return;
  const { nowMs, state } = draft;
  const due = reign.pending.length > 0 && nowMs >= reign.flushAtMs;
  if (due || (nowMs >= reign.beatAtMs && reign.synchronised)) flush(draft);
  if (lacking(state) && nowMs >= reign.resendAtMs) pressOn(draft);
}
