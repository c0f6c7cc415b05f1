/**
 * ocf:gemel:drbd on a virtual machine: what src/cluster/edge/agents/drbd.ts asks of the tools, asked of the virtual
 * kernel; and the words in which that kernel would describe itself. The scores are the product's own.
 */
import type { AttributeUpdate, OperationRun } from "../cluster/core/executor/types.ts";
import type { DrbdResource } from "../storage/core/drbd-events.ts";
import { promotionOf } from "../storage/core/promotion.ts";
import type { Drbd } from "./drbd.ts";
import type { DrbdSide } from "./drbd-side.ts";

export const DATA = "data";

const [SUCCESS, FAILED, UNIMPLEMENTED, NOT_RUNNING, PROMOTED, FAILED_PROMOTED] = [0, 1, 3, 7, 8, 9];
const TOOL_MS = 20;
/** As the real agent tries again, and how long its start waits for the peer. */
const RETRY_MS = 500;
const CONNECT_WAIT_MS = 5_000;
const CONNECT_POLL_MS = 250;
/** Left at the end of the timeout to say what went wrong. */
const REPORT_MS = 1_000;

/** As `drbdsetup events2` tells it. */
export function describeSide(drbd: Drbd, side: DrbdSide): DrbdResource {
  const peer = drbd.peerOf(side);
  const peerDisk = side.isConnected ? peer.disk : side.isPeerOutdated ? "Outdated" : "DUnknown";
  const replication = side.isConnected ? "Established" : "Off";
  return {
    name: DATA,
    role: side.role,
    suspended: side.isFrozen ? "fencing" : "no",
    volumes: { 0: { number: 0, minor: 0, disk: side.disk, sizeKib: 1 } },
    connections: {
      0: {
        peerNodeId: 0,
        peer: "peer",
        connection: side.isConnected ? "Connected" : "Connecting",
        peerRole: side.isConnected ? peer.role : "Unknown",
        volumes: { 0: { number: 0, replication, disk: peerDisk, outOfSyncKib: 0 } },
      },
    },
  };
}

export type DrbdDone = (code: number | undefined, execMs: number, attributes: readonly AttributeUpdate[]) => void;

class Operation {
  readonly #drbd: Drbd;
  readonly #side: DrbdSide;
  readonly #done: DrbdDone;
  readonly #beganAtMs: number;
  readonly #endsAtMs: number;

  constructor(drbd: Drbd, side: DrbdSide, timeoutMs: number, done: DrbdDone) {
    this.#drbd = drbd;
    this.#side = side;
    this.#done = done;
    this.#beganAtMs = this.#nowMs;
    this.#endsAtMs = this.#nowMs + Math.max(timeoutMs - REPORT_MS, REPORT_MS);
  }

  get #nowMs(): number {
    return this.#side.machine.world.agenda.nowMs;
  }

  get #score(): number | undefined {
    return this.#side.isUp ? promotionOf(describeSide(this.#drbd, this.#side)).score : undefined;
  }

  #end(code: number): void {
    const name = `master-${DATA}`;
    const value = this.#score;
    const attributes = [value === undefined ? { name } : { name, value: String(value) }];
    this.#done(code, this.#nowMs - this.#beganAtMs, attributes);
  }

  monitor(): void {
    const side = this.#side;
    if (!side.isUp) this.#end(NOT_RUNNING);
    else if (side.role === "Secondary") this.#end(SUCCESS);
    else this.#end(this.#drbd.hasGoodData(side) || side.isConnected ? PROMOTED : FAILED_PROMOTED);
  }

  start(): void {
    this.#drbd.up(this.#side);
    this.#awaitPeer(Math.min(this.#endsAtMs, this.#nowMs + CONNECT_WAIT_MS));
  }

  #awaitPeer(untilMs: number): void {
    if (this.#side.isConnected || this.#nowMs > untilMs) this.#end(this.#side.isUp ? SUCCESS : FAILED);
    else this.#side.machine.later(CONNECT_POLL_MS, () => this.#awaitPeer(untilMs));
  }

  promote(): void {
    const side = this.#side;
    if (!side.isUp) {
      this.#end(NOT_RUNNING);
      return;
    }
    this.#drbd.primary(side, (isGranted) => {
      if (isGranted) this.#end(SUCCESS);
      // Waiting makes no good data: the scheduler shall look for another node at once.
      else if (this.#score === undefined) this.#end(FAILED);
      else this.#again(() => this.promote());
    });
  }

  /** Repeats what the kernel may refuse for a while. */
  insist(order: (side: DrbdSide) => boolean): void {
    if (!this.#side.isUp || order(this.#side)) this.#end(SUCCESS);
    else this.#again(() => this.insist(order));
  }

  #again(run: () => void): void {
    if (this.#nowMs + RETRY_MS > this.#endsAtMs) this.#end(FAILED);
    else this.#side.machine.later(RETRY_MS, run);
  }

  refuse(): void {
    this.#end(UNIMPLEMENTED);
  }
}

export function runDrbdAgent(drbd: Drbd, side: DrbdSide, { operation, timeoutMs }: OperationRun, done: DrbdDone): void {
  const run = new Operation(drbd, side, timeoutMs, done);
  side.machine.later(TOOL_MS, () => {
    if (operation === "monitor") run.monitor();
    else if (operation === "start") run.start();
    else if (operation === "promote") run.promote();
    else if (operation === "demote") run.insist((one) => drbd.secondary(one));
    else if (operation === "stop") run.insist((one) => drbd.down(one));
    else run.refuse();
  });
}
