/**
 * One power cut of the active node, and what the other node then does, as a timeline. What happened is read from the
 * survivor's own status: its fencing history tells that the power was read back as off, its resources since when they
 * run; what the client saw comes from its ledger. A takeover counts only with a confirmed fencing after the cut.
 */
import type { StatusReport } from "../../src/app/control-protocol.ts";
import type { FencingRecord } from "../../src/app/fencing-report.ts";
import type { Lab } from "../lab.ts";
import type { Machine } from "../machine/machine.ts";
import { type NodeName, peerOf } from "../names.ts";
import { longestGapMs } from "../records/ledger.ts";

const TAKEOVER_MAX_MS = 180_000;
const STATUS_MAX_MS = 60_000;

export interface TimelineEntry {
  readonly afterMs: number;
  readonly what: string;
}

export interface Takeover {
  readonly from: NodeName;
  readonly to: NodeName;
  readonly timeline: readonly TimelineEntry[];
  readonly outageMs: number;
  /** Undefined: the address moved without a confirmed fencing of the node that had it. */
  readonly fencing: FencingRecord | undefined;
}

/** How far the clock of a node is ahead of the lab's, in ms. The guest's answer stands between two of our instants. */
export async function clockAheadMs(machine: Machine): Promise<number> {
  const beforeMs = Date.now();
  const answer = await machine.must("date +%s%3N", 10_000);
  return Number(answer.trim()) - (beforeMs + Date.now()) / 2;
}

/** The record that `target` was read back as off after `sinceWallMs` of the asked node. */
export function confirmedOff(status: StatusReport, target: NodeName, sinceWallMs: number): FencingRecord | undefined {
  return status.fencing.history.find(
    (record) => record.target === target && record.outcome === "confirmed" && record.atWallMs >= sinceWallMs,
  );
}

/** The times since when each resource runs on `node`, as the node itself tells them. */
function resourceEntries(status: StatusReport, node: NodeName, cutAtNodeMs: number): TimelineEntry[] {
  return status.resources.flatMap(({ id, active }) =>
    active.flatMap(({ node: where, role, sinceWallMs }) => {
      if (where !== node || sinceWallMs === undefined || sinceWallMs < cutAtNodeMs) return [];
      return [{ afterMs: sinceWallMs - cutAtNodeMs, what: `${node}: ${id} ${role.toLowerCase()}` }];
    }),
  );
}

/** What is done to the active node; resolves when it is done. */
export type Strike = (machine: Machine) => Promise<void>;

/**
 * Strikes the active node while the client writes, and waits until the client is served by the other one. Rejects when
 * no takeover comes within TAKEOVER_MAX_MS.
 */
export async function takeOver(lab: Lab, what: string, strike: Strike): Promise<Takeover> {
  const { pair, watcher, client } = lab;
  const from = lab.active();
  const to = peerOf(from);
  const aheadMs = await clockAheadMs(pair.machines[to]);
  const cutAtWallMs = Date.now();
  const cutAtNodeMs = cutAtWallMs + aheadMs;
  lab.say(`${what}: ${from} (the active node)`);
  const before = client.acknowledged().length;
  await strike(pair.machines[from]);
  let lostAfterMs: number | undefined;
  watcher.setClose(true);
  try {
    const served = () => watcher.active() === to && watcher.latest(to)?.seen?.hasVirtualAddress === true;
    await lab.until(
      `${to} takes over`,
      () => {
        const peer = watcher.status(to)?.nodes.find(({ name }) => name === from);
        if (lostAfterMs === undefined && peer !== undefined && peer.membership === "lost") {
          lostAfterMs = Date.now() - cutAtWallMs;
          lab.say(`${to} has lost ${from}`);
        }
        return served();
      },
      TAKEOVER_MAX_MS,
    );
    lab.say(`${to} is Primary and has the address`);
    const after = () => client.acknowledged().filter(({ atWallMs }) => atWallMs > cutAtWallMs + 1_000);
    await lab.until("the client is served again", () => after().length >= 2 && client.acknowledged().length > before);
    await lab.until(
      `${to} tells what it did`,
      () => watcher.status(to)?.resources.some(({ id, active }) => id === "records" && active.length > 0) === true,
      STATUS_MAX_MS,
    );
  } finally {
    watcher.setClose(false);
  }
  const status = watcher.status(to);
  if (status === undefined) throw new Error(`${to} does not tell its status`);
  const fencing = confirmedOff(status, from, cutAtNodeMs);
  const acknowledged = client.acknowledged();
  const outageMs = longestGapMs(acknowledged, cutAtWallMs);
  const answered = acknowledged.find(({ atWallMs }) => atWallMs > cutAtWallMs + outageMs / 2);
  const timeline: TimelineEntry[] = [
    { afterMs: 0, what },
    ...(lostAfterMs === undefined ? [] : [{ afterMs: lostAfterMs, what: `${to} has lost ${from} (seen by the lab)` }]),
    ...(fencing === undefined
      ? []
      : [
          {
            afterMs: fencing.atWallMs - cutAtNodeMs,
            what: `fencing of ${from} confirmed by ${fencing.device}: ${fencing.evidence}`,
          },
        ]),
    ...resourceEntries(status, to, cutAtNodeMs),
    ...(answered === undefined
      ? []
      : [{ afterMs: answered.atWallMs - cutAtWallMs, what: `the client's record ${answered.number} is acknowledged` }]),
  ];
  return { from, to, timeline: timeline.toSorted((left, right) => left.afterMs - right.afterMs), outageMs, fencing };
}

export function formatTimeline({ timeline, outageMs }: Takeover): string[] {
  const rows = timeline.map(({ afterMs, what }) => `${(afterMs / 1000).toFixed(2).padStart(8)} s  ${what}`);
  return [...rows, `the client saw an outage of ${(outageMs / 1000).toFixed(2)} s`];
}
