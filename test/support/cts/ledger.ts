/**
 * Operators who never rest, one at each node: changes of the configuration, one after another. What was acknowledged
 * without a caution must be in the configuration of every node afterwards, or something later of the same name.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "./cluster.ts";
import { NODES, type NodeName } from "./configuration.ts";

/** Each operator has so many entries, and writes them in turn. */
const NAMES = 4;
const PAUSE_MS = 50;
/** Longer than the cluster takes to say at least that it does not know: who asks anew before only fills the queue. */
const ANSWER_MS = 35_000;

export interface Ledger {
  /** The number last acknowledged, by attribute. */
  readonly acknowledged: ReadonlyMap<string, number>;
  /** The highest number used; the next ledger goes on from there. */
  readonly last: () => number;
  readonly close: () => Promise<void>;
}

/** All entries stand at one node of the configuration, so that they can be read at one place. */
export const LEDGER_NODE: NodeName = NODES[0];

export function openLedger(cluster: Cluster, from: number): Ledger {
  const acknowledged = new Map<string, number>();
  let isOpen = true;
  let last = from;
  async function write(through: NodeName): Promise<void> {
    while (isOpen) {
      last += 1;
      const number = last;
      const name = `ledger-${through}-${number % NAMES}`;
      const value = String(number);
      const request = { kind: "attribute", node: LEDGER_NODE, name, value, lifetime: "forever" } as const;
      const reply = await cluster.ask(through, request, ANSWER_MS);
      if (reply.kind === "answer" && reply.cautions === undefined) acknowledged.set(name, number);
      await sleep(PAUSE_MS);
    }
  }
  const writing = NODES.map(write);
  return {
    acknowledged,
    last: () => last,
    async close() {
      isOpen = false;
      await Promise.all(writing);
    },
  };
}
