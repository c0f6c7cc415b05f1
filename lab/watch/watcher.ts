/**
 * Looks at both nodes without a pause, one after the other, and keeps the latest of each; the pure judge of two
 * writers (writers.ts) sees every answer and every frame that comes from the virtual address.
 */
import type { StatusReport } from "../../src/app/control-protocol.ts";
import { VIRTUAL_ADDRESS } from "../addresses.ts";
import type { Machine } from "../machine/machine.ts";
import { NODES, type NodeName } from "../names.ts";
import type { Sender } from "../net/frames.ts";
import { askStatus } from "./node-status.ts";
import { type Sample, sampleNode } from "./sample.ts";
import { addSample, addSender, NO_WRITERS, type WritersState } from "./writers.ts";

/** Between two looks at the pair: all that looks takes the time of the guests' one processor. */
const PAUSE_MS = 500;
/** The service's own status is asked for each so many rounds; more often while someone waits for a change. */
const STATUS_ROUNDS = 6;

export interface Watcher {
  latest(node: NodeName): Sample | undefined;
  status(node: NodeName): StatusReport | undefined;
  writers(): WritersState;
  /** The node that is DRBD Primary now. */
  active(): NodeName | undefined;
  /** Asks for the status in every round while true. */
  setClose(close: boolean): void;
  stop(): Promise<void>;
}

export interface WatcherOptions {
  readonly machines: Readonly<Record<NodeName, Machine>>;
  readonly onViolation: (what: string) => void;
}

export function startWatcher({ machines, onViolation }: WatcherOptions): Watcher & { see(sender: Sender): void } {
  let state = NO_WRITERS;
  let stopped = false;
  let close = false;
  const latest = new Map<NodeName, Sample>();
  const statuses = new Map<NodeName, StatusReport>();

  function take(next: WritersState): void {
    for (const { what } of next.violations.slice(state.violations.length)) onViolation(what);
    state = next;
  }
  async function look(round: number): Promise<void> {
    for (const node of NODES) {
      const sample = await sampleNode(machines[node]);
      latest.set(node, sample);
      take(addSample(state, sample));
      if (sample.seen === undefined) statuses.delete(node);
      else if (close || round % STATUS_ROUNDS === 0) {
        const status = await askStatus(machines[node]);
        if (status === undefined) statuses.delete(node);
        else statuses.set(node, status);
      }
    }
  }
  async function watch(): Promise<void> {
    for (let round = 0; !stopped; round++) {
      await look(round);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
  const watching = watch();
  return {
    latest: (node) => latest.get(node),
    status: (node) => statuses.get(node),
    writers: () => state,
    active: () => NODES.find((node) => latest.get(node)?.seen?.drbdRole === "Primary"),
    setClose(value) {
      close = value;
    },
    see({ mac, address }) {
      if (address === VIRTUAL_ADDRESS) take(addSender(state, mac, performance.now()));
    },
    async stop() {
      stopped = true;
      await watching;
    },
  };
}
