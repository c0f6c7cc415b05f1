/**
 * A small shared disk with one sfex lock, and what a virtual node does with it: the resource `lock` that holds it by
 * the product's own lease, and the fencing device that reads a holder's death from a lock that stands still. As
 * src/cluster/edge/agents/shared-lock.ts and src/fencing/drivers/sfex.ts, whose dialogs cannot be run without waiting.
 */
import { nodesWithActive } from "../cluster/core/controller/cib-read.ts";
import { nodeCib } from "../cluster/core/controller/node-core.ts";
import type { OperationRun } from "../cluster/core/executor/types.ts";
import type { FencingOutcome } from "../fencing/core/driver.ts";
import { nextCount, type SfexLock } from "../hw/core/sfex/record.ts";
import {
  createSfexLease,
  type SfexEffect,
  type SfexEvent,
  type SfexLease,
  type SfexTimes,
  sfexWakeAtMs,
  stepSfexLease,
} from "../storage/core/sfex-lease.ts";
import type { VirtualManager } from "./virtual-manager.ts";

export const LOCK = "lock";

const [SUCCESS, FAILED, NOT_RUNNING] = [0, 1, 7];
const IO_MAX_MS = 20;
const COLLISION_MS = 1_000;
const RENEWALS = 6;
const POLL_MS = 1_000;
/** A machine that hangs must be gone before its lock may be taken. */
const WATCHDOGS = 3;
const LOCK_MIN_MS = 20_000;

export const lockTimesOf = (watchdogMs: number): SfexTimes => {
  const lockTimeoutMs = Math.max(LOCK_MIN_MS, WATCHDOGS * watchdogMs);
  return { lockTimeoutMs, collisionTimeoutMs: COLLISION_MS, monitorIntervalMs: Math.floor(lockTimeoutMs / RENEWALS) };
};

/** The disk, and the nodes that have lost their way to it. */
export class SharedDisk {
  record: SfexLock = { held: false, count: 0, node: "none" };
  readonly cutOff = new Set<string>();
}

type Done = (code: number | undefined, execMs: number) => void;

export class LockOffice {
  readonly #manager: VirtualManager;
  readonly #disk: SharedDisk;
  readonly #times: SfexTimes;
  #lease: SfexLease;
  #settle: ((isDone: boolean) => void) | undefined;
  #wakeSerial = 0;

  constructor(manager: VirtualManager, disk: SharedDisk) {
    const { machine } = manager;
    this.#manager = manager;
    this.#disk = disk;
    this.#times = lockTimesOf(machine.world.setting.watchdogMs);
    this.#lease = createSfexLease(machine.name, this.#times);
  }

  get #isHeld(): boolean {
    return ["holding", "checking", "renewing"].includes(this.#lease.phase.kind);
  }

  /** The operations of the resource. */
  operate({ operation, timeoutMs }: OperationRun, done: Done): void {
    const { machine } = this.#manager;
    const beganAtMs = machine.nowMs;
    const end = (code: number) => done(code, machine.nowMs - beganAtMs);
    const isMarked = machine.marks.has(LOCK);
    if (operation === "stop") {
      machine.marks.delete(LOCK);
      this.#order("release", timeoutMs, () => end(SUCCESS));
    } else if (this.#isHeld) end(SUCCESS);
    // A manager that starts anew holds nothing, but its lock still stands on the disk: it takes it up again.
    else if (operation === "start" || isMarked)
      this.#order("acquire", timeoutMs, (isDone) => {
        if (isDone) machine.marks.add(LOCK);
        end(isDone ? SUCCESS : FAILED);
      });
    else end(NOT_RUNNING);
  }

  #order(kind: "acquire" | "release", timeoutMs: number, settle: (isDone: boolean) => void): void {
    const mine = (isDone: boolean) => {
      if (this.#settle !== mine) return;
      this.#settle = undefined;
      settle(isDone);
    };
    this.#settle = mine;
    this.#manager.later(timeoutMs, () => {
      if (this.#settle !== mine) return;
      if (kind === "acquire") this.#step({ kind: "release" });
      mine(false);
    });
    this.#step({ kind });
  }

  #step(event: SfexEvent): void {
    const { machine, keeper } = this.#manager;
    const before = this.#lease.phase;
    const stepped = stepSfexLease(this.#lease, event, machine.nowMs);
    this.#lease = stepped.state;
    const { phase } = this.#lease;
    if (phase.kind === "holding") keeper.noteLease(LOCK, phase.renewedAtMs + this.#times.lockTimeoutMs);
    else if (before.kind === "releasing" && event.kind === "wrote") keeper.noteLease(LOCK, undefined);
    for (const effect of stepped.effects) this.#perform(effect);
    this.#arm();
  }

  #arm(): void {
    const wakeMs = sfexWakeAtMs(this.#lease);
    this.#wakeSerial += 1;
    const serial = this.#wakeSerial;
    if (wakeMs === undefined) return;
    this.#manager.later(Math.max(0, Math.ceil(wakeMs - this.#manager.machine.nowMs)), () => {
      if (serial === this.#wakeSerial) this.#step({ kind: "tick" });
    });
  }

  /** Goes to the disk and comes back, or finds no way to it. */
  #io(act: () => void, done: (isDone: boolean) => void): void {
    const { machine } = this.#manager;
    machine.later(machine.chance.below(IO_MAX_MS), () => {
      const isThere = !this.#disk.cutOff.has(machine.name);
      if (isThere) act();
      this.#manager.later(0, () => done(isThere));
    });
  }

  #perform(effect: SfexEffect): void {
    const { machine } = this.#manager;
    const failed = { kind: "disk-failed", reason: "no way to the disk" } as const;
    switch (effect.kind) {
      case "read": {
        let seen = this.#disk.record;
        const look = () => {
          seen = this.#disk.record;
        };
        this.#io(look, (isDone) => {
          this.#step(isDone ? { kind: "read", result: { kind: "record", value: seen } } : failed);
        });
        break;
      }
      case "write":
        this.#io(
          () => this.#write(effect.lock),
          (isDone) => this.#step(isDone ? { kind: "wrote" } : failed),
        );
        break;
      case "acquired":
      case "released":
        this.#settle?.(true);
        break;
      case "refused":
        this.#settle?.(false);
        break;
      case "lost":
        machine.reset(`shared lock lost: ${effect.reason}`);
        break;
      default:
        effect satisfies never;
    }
  }

  #write(record: SfexLock): void {
    this.#disk.record = record;
  }

  /** stonith:sfex: off is proven by a lock that has stood still for all of its time, and was then taken away. */
  prove(target: string, end: (outcome: FencingOutcome) => void): void {
    const holders = nodesWithActive(nodeCib(this.#manager.node), LOCK);
    const notDone = (reason: string) => end({ kind: "not-done", reason });
    if (!holders.includes(target)) {
      notDone(`${LOCK} does not run on ${target}`);
      return;
    }
    this.#look((record) => {
      if (record === undefined || !record.held || record.node !== target) notDone("its lock tells nothing of it");
      else this.#watch(record, this.#manager.machine.nowMs + this.#times.lockTimeoutMs, end);
    });
  }

  #look(done: (record: SfexLock | undefined) => void): void {
    let seen = this.#disk.record;
    const look = () => {
      seen = this.#disk.record;
    };
    this.#io(look, (isDone) => done(isDone ? seen : undefined));
  }

  #watch(seen: SfexLock, untilMs: number, end: (outcome: FencingOutcome) => void): void {
    const beganAtMs = this.#manager.machine.nowMs;
    this.#look((record) => {
      if (record === undefined) end({ kind: "unknown", reason: "no way to the disk" });
      else if (record !== seen) end({ kind: "unknown", reason: "it renews its lock" });
      else if (beganAtMs < untilMs) this.#manager.later(POLL_MS, () => this.#watch(seen, untilMs, end));
      else this.#take(seen, end);
    });
  }

  #take(seen: SfexLock, end: (outcome: FencingOutcome) => void): void {
    const mine: SfexLock = { held: false, count: nextCount(seen.count), node: this.#manager.machine.name };
    this.#io(
      () => this.#write(mine),
      () =>
        this.#manager.later(2 * this.#times.collisionTimeoutMs, () =>
          this.#look((record) =>
            end(
              record === mine ? { kind: "confirmed", power: "off" } : { kind: "unknown", reason: "it is taken again" },
            ),
          ),
        ),
    );
  }
}
