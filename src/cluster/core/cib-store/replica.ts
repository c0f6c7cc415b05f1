/** A member that is not the DC: it answers the DC's questions, stores what the DC sends, and follows the status. */
import { unreachable } from "../../../base/check.ts";
import { isKnownChange } from "../spoken.ts";
import { compareLineage, compareVersion, standingOf } from "./lineage.ts";
import { enqueue } from "./primary.ts";
import { adopt, change, confirmed, type Draft, send } from "./state.ts";
import { applyStatus, nodeIdFrom } from "./status.ts";
import type { CibMessage, StoredCib } from "./types.ts";

/** Tells the DC of this round what is on our disk, once it is. */
export function sayStored(draft: Draft): void {
  const { dc, self, disk, round } = draft.state;
  if (dc === undefined || dc === self || round === "") return;
  send(draft, dc, { kind: "cib-stored", round, disk });
}

/** Sends all open requests of ours to the DC, or takes them up when we are the DC. */
export function forward(draft: Draft): void {
  const { dc, self, requests: open } = draft.state;
  if (dc === undefined || open.length === 0) return;
  change(draft, { requests: open.map((one) => ({ ...one, sent: true, sentAtMs: draft.nowMs })) });
  const requests = open.map(({ request }) => request);
  if (dc === self) enqueue(draft, requests, self);
  else send(draft, dc, { kind: "cib-request", requests });
}

/** What we have, or have from, was on all disks of a part with quorum: that counts when it meets what others have. */
function note(draft: Draft, { quorateHead, quorateVersion }: StoredCib): void {
  const { stored } = draft.state;
  if (compareVersion(quorateVersion, stored.quorateVersion) > 0)
    adopt(draft, { ...stored, quorateHead, quorateVersion });
}

function install(draft: Draft, from: string, message: CibMessage & { kind: "cib-install" }): void {
  const { stored } = message;
  const { round } = message;
  change(draft, { round });
  switch (compareLineage(draft.state.stored, stored)) {
    case "same":
      // Sent again because we are not known to have it, or to have noted that it was confirmed.
      note(draft, stored);
      sayStored(draft);
      return;
    case "newer":
      adopt(draft, stored);
      return;
    case "older":
    case "diverged":
      // A late copy of something older, or we know what the DC does not: show it, the DC decides.
      send(draft, from, { kind: "cib-document", round, stored: draft.state.stored });
      return;
  }
}

function follow(draft: Draft, message: CibMessage & { kind: "cib-status" }): void {
  const { state } = draft;
  const { round, sequence, numUpdates, changes } = message;
  const first = sequence - changes.length;
  if (round !== state.statusRound || first > state.sequence) {
    send(draft, state.dc ?? "", { kind: "cib-status-ask", round });
    return;
  }
  const fresh = changes.slice(state.sequence - first);
  if (sequence < state.sequence) return;
  // A later version says something new: what has come of it stands in the status itself.
  if (!fresh.every(isKnownChange)) {
    send(draft, state.dc ?? "", { kind: "cib-status-ask", round });
    return;
  }
  change(draft, { numUpdates });
  if (fresh.length === 0) return;
  const idOf = nodeIdFrom(state.stored.configuration);
  const status = fresh.reduce((before, one) => applyStatus(before, one, idOf), state.status);
  change(draft, { status, sequence });
  draft.effects.push({ kind: "changed", what: "status" });
}

export function replicaMessage(draft: Draft, from: string, message: CibMessage): void {
  const { state } = draft;
  if (from !== state.dc) return;
  switch (message.kind) {
    case "cib-ask": {
      const isNewReign = message.round !== state.round;
      change(draft, { round: message.round });
      send(draft, from, { kind: "cib-have", round: message.round, have: standingOf(state.stored) });
      sayStored(draft);
      // What we sent before the DC knew that it is one, or meant for its reign before, it has dropped.
      if (isNewReign) forward(draft);
      return;
    }
    case "cib-fetch":
      send(draft, from, { kind: "cib-document", round: message.round, stored: state.stored });
      return;
    case "cib-install":
      install(draft, from, message);
      return;
    case "cib-confirmed": {
      const { stored } = state;
      if (stored.head !== message.head) return;
      const known = confirmed(stored, message.quorate);
      if (known.confirmedHead !== stored.confirmedHead || known.quorateHead !== stored.quorateHead) adopt(draft, known);
      return;
    }
    case "cib-status":
      follow(draft, message);
      return;
    case "cib-status-whole": {
      const { round, sequence, numUpdates, root, status } = message;
      if (round === state.statusRound && sequence <= state.sequence) return;
      change(draft, { statusRound: round, sequence, numUpdates, status: { root, tree: status } });
      draft.effects.push({ kind: "changed", what: "status" });
      return;
    }
    case "cib-report-taken": {
      const { firstReport, reports, generation } = state;
      if (message.generation !== generation) return;
      const count = Math.min(reports.length, Math.max(0, message.last + 1 - firstReport));
      change(draft, { reports: reports.slice(count), firstReport: firstReport + count });
      return;
    }
    case "cib-have":
    case "cib-document":
    case "cib-stored":
    case "cib-request":
    case "cib-answer":
    case "cib-report":
    case "cib-status-ask":
      // What only a DC is told: from a time when we were it.
      return;
    default:
      unreachable(message);
  }
}
