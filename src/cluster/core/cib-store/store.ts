/**
 * The replicated CIB of one node, as a pure core. See types.ts for its words, docs/protocols/cib.md for the whole.
 * What holds: a change answered `accepted` stood on the disk of every member of the DC's view, and every later content
 * of any of them descends from it, or a conflict has told that it lost and kept it.
 */
import { check, unreachable } from "../../../base/check.ts";
import { earliest } from "../../../base/earliest.ts";
import type { Stepped } from "../../../base/step.ts";
import type { XmlElement } from "../../../base/xml.ts";
import { statusOf } from "./kept-status.ts";
import {
  beatNow,
  beginReign,
  lacking,
  pressOn,
  primaryMessage,
  primaryTick,
  RESEND_MS,
  reply,
  settle,
  takeStatus,
} from "./primary.ts";
import { forward, replicaMessage, sayStored } from "./replica.ts";
import { blankCib, type CibStore, change, type Draft, send } from "./state.ts";
import { coalesce, isInForce } from "./status.ts";
import type { CibMessage, CibStoreEffect, CibStoreEvent, StatusList, StoredCib } from "./types.ts";

/** Longer than any disk and any change of DC should take; then the asker is told that nobody knows. */
export const REQUEST_MAX_MS = 30_000;
/** Status changes kept while there is no DC to take them. */
const REPORTS_MAX = 10_000;

/**
 * `stored`: what the disk holds, or undefined on a first start. `generation` must grow with each start. `kept`: what
 * `keptStatus` said to an earlier manager of the same keeper, if there was any.
 */
export function createCibStore(
  self: string,
  generation: number,
  stored: StoredCib | undefined,
  kept?: XmlElement,
): CibStore {
  const found = stored ?? blankCib();
  return {
    self,
    generation,
    stored: found,
    disk: { head: found.head, quorateHead: found.quorateHead },
    writing: [],
    nextToken: 1,
    counter: 0,
    status: statusOf(kept),
    numUpdates: 0,
    members: [],
    dc: undefined,
    quorate: false,
    tied: false,
    requests: [],
    reports: [],
    firstReport: 1,
    reportAtMs: 0,
    reign: undefined,
    queue: [],
    inFlight: undefined,
    taken: {},
    round: "",
    statusRound: "",
    sequence: 0,
  };
}

function view(draft: Draft, { members, dc, quorate, tied }: Extract<CibStoreEvent, { kind: "view" }>): void {
  change(draft, { quorate, tied });
  const { state } = draft;
  check(dc === undefined || members.includes(dc), "the DC is a member");
  const same = dc === state.dc && [...members].sort().join(" ") === [...state.members].sort().join(" ");
  if (same) {
    // What stood on all disks already counts for more now.
    if (dc !== undefined && dc === state.self) settle(draft);
    return;
  }
  // Requests that others sent us are theirs to send again; our own are in `requests`.
  change(draft, { members, dc, queue: [], inFlight: undefined, reign: dc === state.self ? state.reign : undefined });
  if (dc === state.self) {
    const { reports } = draft.state;
    beginReign(draft);
    change(draft, { reports: [], firstReport: draft.state.firstReport + reports.length });
    takeStatus(draft, reports);
  }
  forward(draft);
  reportOn(draft);
}

function reportOn(draft: Draft): void {
  const { dc, self, reports, firstReport, generation } = draft.state;
  if (dc === undefined || dc === self || reports.length === 0) return;
  send(draft, dc, { kind: "cib-report", generation, first: firstReport, changes: reports });
  change(draft, { reportAtMs: draft.nowMs + RESEND_MS });
}

/**
 * What the DC would find in force, as agents tell their promotion scores with every monitor, is not told to it: as long
 * as we follow its status, and nothing of ours is under way that it does not say yet.
 */
function changesAnything({ dc, round, statusRound, reports, status }: CibStore, changes: StatusList): StatusList {
  if (dc === undefined || round !== statusRound || reports.length > 0) return changes;
  return changes.filter((one) => !isInForce(status, one));
}

function report(draft: Draft, changes: StatusList): void {
  const { state } = draft;
  if (state.dc === state.self) {
    takeStatus(draft, changes);
    return;
  }
  const news = changesAnything(state, changes);
  if (news.length === 0) return;
  let reports = [...state.reports, ...news];
  let { firstReport } = state;
  if (reports.length > REPORTS_MAX) {
    // Renumbered as if all were new, since what is dropped leaves holes; still only the void ones go.
    firstReport += state.reports.length;
    reports = reports.reduce<StatusList>(coalesce, []).slice(-REPORTS_MAX);
  }
  change(draft, { reports, firstReport });
  reportOn(draft);
}

function persisted(draft: Draft, token: number): void {
  const done = draft.state.writing.find((write) => write.token === token);
  if (done === undefined) return;
  change(draft, { disk: done.disk, writing: draft.state.writing.filter((write) => write.token > token) });
  if (draft.state.dc === draft.state.self) settle(draft);
  else if (done.disk.head === draft.state.stored.head) sayStored(draft);
}

/** Whatever that peer has not answered is sent again at once. */
function sendAgain(draft: Draft, peer: string): void {
  const { dc, self, reign } = draft.state;
  if (reign !== undefined && lacking(draft.state)) pressOn(draft);
  beatNow(draft);
  if (dc !== peer || dc === self) return;
  forward(draft);
  reportOn(draft);
}

function tick(draft: Draft): void {
  const { nowMs } = draft;
  for (const { request, sinceMs, sent } of draft.state.requests) {
    const { requestId } = request;
    if (nowMs - sinceMs >= REQUEST_MAX_MS) {
      const reason = `no answer of the DC within ${REQUEST_MAX_MS / 1000} s`;
      const problem = { severity: "error", place: "CIB", reason: "there is no DC", remedy: "try again later" } as const;
      const queue = draft.state.queue.filter((waiting) => waiting.request.requestId !== requestId);
      change(draft, { queue });
      if (sent) reply(draft, draft.state.self, { kind: "unconfirmed", requestId, reason });
      else reply(draft, draft.state.self, { kind: "refused", requestId, problems: [problem] });
    }
  }
  const isSilent = draft.state.requests.some(({ sentAtMs }) => nowMs - sentAtMs >= RESEND_MS);
  if (isSilent && draft.state.dc !== draft.state.self) forward(draft);
  if (draft.state.reports.length > 0 && nowMs >= draft.state.reportAtMs) reportOn(draft);
  primaryTick(draft);
}

function fromPeer(draft: Draft, from: string, message: CibMessage): void {
  const { dc, self } = draft.state;
  if (message.kind === "cib-answer") {
    reply(draft, self, message.answer);
    return;
  }
  if (dc === self) {
    primaryMessage(draft, from, message);
    return;
  }
  if (dc !== undefined) {
    replicaMessage(draft, from, message);
    return;
  }
}

export function stepCibStore(state: CibStore, event: CibStoreEvent, nowMs: number): Stepped<CibStore, CibStoreEffect> {
  const draft: Draft = { state, effects: [], nowMs };
  switch (event.kind) {
    case "submit": {
      const open = { request: event.request, sinceMs: nowMs, sentAtMs: nowMs, sent: false };
      change(draft, { requests: [...state.requests, open] });
      forward(draft);
      break;
    }
    case "report":
      report(draft, event.changes);
      break;
    case "from-peer":
      fromPeer(draft, event.from, event.message);
      break;
    case "view":
      view(draft, event);
      break;
    case "persisted":
      persisted(draft, event.token);
      break;
    case "messages-lost":
    case "follows":
      sendAgain(draft, event.peer);
      break;
    case "tick":
      tick(draft);
      break;
    default:
      unreachable(event);
  }
  return { state: draft.state, effects: draft.effects };
}

/** When the store next wants a `tick`; undefined: not before something happens. */
export function wakeCibStoreAtMs(state: CibStore): number | undefined {
  const { reign, dc, self } = state;
  const hasOtherDc = dc !== undefined && dc !== self;
  let wakeMs: number | undefined;
  for (const { sinceMs, sentAtMs } of state.requests) {
    wakeMs = earliest(wakeMs, sinceMs + REQUEST_MAX_MS);
    if (hasOtherDc) wakeMs = earliest(wakeMs, sentAtMs + RESEND_MS);
  }
  if (state.reports.length > 0 && hasOtherDc) wakeMs = earliest(wakeMs, state.reportAtMs);
  if (reign === undefined || state.members.length < 2) return wakeMs;
  if (reign.pending.length > 0) wakeMs = earliest(wakeMs, reign.flushAtMs);
  if (reign.synchronised) wakeMs = earliest(wakeMs, reign.beatAtMs);
  return lacking(state) ? earliest(wakeMs, reign.resendAtMs) : wakeMs;
}

export { cibTree } from "./state.ts";
