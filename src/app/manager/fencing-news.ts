/** What this node knows of fencings, proofs and its alerts, kept and told to the other managers. */
import type { ToldTrouble } from "../../cluster/core/alerts/dispatch.ts";
import { nodeCib } from "../../cluster/core/controller/node-core.ts";
import { mergeRecords } from "../../fencing/core/archive.ts";
import type { FencingRecord } from "../../fencing/core/fencer-state.ts";
import { type Manager, sendMessage } from "./manager.ts";

const peersOf = ({ view, self }: Manager) => view?.members.filter((name) => name !== self) ?? [];

/** Certificates of this node, or told by another one; `isNews`: they have just ended, and alerts tell of them. */
export function keepRecords(manager: Manager, told: readonly FencingRecord[], isNews: boolean): void {
  const merged = mergeRecords(manager.records, told);
  if (merged === manager.records) return;
  if (isNews) for (const record of told) manager.alerts.fenced(record, nodeCib(manager.node));
  manager.records = merged;
  manager.keepRecords(merged);
}

export function takeRecord(manager: Manager, record: FencingRecord): void {
  keepRecords(manager, [record], true);
  for (const peer of peersOf(manager)) sendMessage(manager, peer, { room: "fencing", records: [record], isNews: true });
}

export function tellProofs(manager: Manager): void {
  const report = manager.fencing.proofs();
  for (const peer of peersOf(manager)) sendMessage(manager, peer, { room: "proofs", report });
}

export function tellAlerts(manager: Manager): void {
  const troubles = manager.alerts.troubles();
  for (const peer of peersOf(manager)) sendMessage(manager, peer, { room: "alerts", troubles });
}

/** Alerts of any node that do not arrive. */
export function alertTroubles({ self, alerts, peerAlerts }: Manager): readonly ToldTrouble[] {
  return [[self, alerts.troubles()] as const, ...peerAlerts].flatMap(([node, troubles]) =>
    troubles.map((trouble) => ({ node, ...trouble })),
  );
}
