/** What this node knows of fencings and proofs, kept and told to the other managers. */
import { mergeRecords } from "../../fencing/core/archive.ts";
import type { FencingRecord } from "../../fencing/core/fencer-state.ts";
import { type Manager, sendMessage } from "./manager.ts";

const peersOf = ({ view, self }: Manager) => view?.members.filter((name) => name !== self) ?? [];

/** Certificates of this node, or told by another one. */
export function keepRecords(manager: Manager, told: readonly FencingRecord[]): void {
  const merged = mergeRecords(manager.records, told);
  if (merged === manager.records) return;
  manager.records = merged;
  manager.keepRecords(merged);
}

export function takeRecord(manager: Manager, record: FencingRecord): void {
  keepRecords(manager, [record]);
  for (const peer of peersOf(manager)) sendMessage(manager, peer, { room: "fencing", records: [record] });
}

export function tellProofs(manager: Manager): void {
  const report = manager.fencing.proofs();
  for (const peer of peersOf(manager)) sendMessage(manager, peer, { room: "proofs", report });
}
