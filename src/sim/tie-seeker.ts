/**
 * The tie-breaker of one virtual node: while its keeper seeks it, the lock on a small shared disk, by the product's own
 * lease. As src/app/keeper/tie-lock.ts, whose waits cannot be run in a world with a clock of its own.
 */
import {
  createSfexLease,
  type SfexEffect,
  type SfexEvent,
  sfexWakeAtMs,
  stepSfexLease,
  TIE_LOCK_RETRY_MS,
  TIE_LOCK_TIMES,
} from "../storage/core/sfex-lease.ts";
import type { Machine } from "./machine.ts";
import type { SharedDisk } from "./shared-lock.ts";

const IO_MAX_MS = 20;

export class TieSeeker {
  readonly #machine: Machine;
  readonly #disk: SharedDisk;
  readonly #later: (delayMs: number, run: () => void) => void;
  readonly #onHeld: (held: boolean) => void;
  #lease;
  #isWanted = false;
  #wakeSerial = 0;

  /** `later` runs only what its keeper is still there for. */
  constructor(
    machine: Machine,
    disk: SharedDisk,
    later: (delayMs: number, run: () => void) => void,
    onHeld: (held: boolean) => void,
  ) {
    this.#machine = machine;
    this.#disk = disk;
    this.#later = later;
    this.#onHeld = onHeld;
    this.#lease = createSfexLease(machine.name, TIE_LOCK_TIMES);
  }

  /** Told at each step; only a change does something. */
  seek(isWanted: boolean): void {
    if (isWanted === this.#isWanted) return;
    this.#isWanted = isWanted;
    this.#later(0, () => this.#step({ kind: this.#isWanted ? "acquire" : "release" }));
  }

  #step(event: SfexEvent): void {
    const stepped = stepSfexLease(this.#lease, event, this.#machine.nowMs);
    this.#lease = stepped.state;
    for (const effect of stepped.effects) this.#perform(effect);
    const wakeMs = sfexWakeAtMs(this.#lease);
    this.#wakeSerial += 1;
    const serial = this.#wakeSerial;
    if (wakeMs === undefined) return;
    this.#later(Math.max(0, Math.ceil(wakeMs - this.#machine.nowMs)), () => {
      if (serial === this.#wakeSerial) this.#step({ kind: "tick" });
    });
  }

  #io(act: () => SfexEvent): void {
    this.#later(this.#machine.chance.below(IO_MAX_MS), () => {
      const isThere = !this.#disk.cutOff.has(this.#machine.name);
      this.#step(isThere ? act() : { kind: "disk-failed", reason: "no way to the disk" });
    });
  }

  #retry(): void {
    this.#later(TIE_LOCK_RETRY_MS, () => {
      if (this.#isWanted) this.#step({ kind: "acquire" });
    });
  }

  #perform(effect: SfexEffect): void {
    switch (effect.kind) {
      case "read":
        this.#io(() => ({ kind: "read", result: { kind: "record", value: this.#disk.record } }));
        break;
      case "write":
        this.#io(() => {
          this.#disk.record = effect.lock;
          return { kind: "wrote" };
        });
        break;
      case "acquired":
        this.#onHeld(true);
        break;
      case "refused":
        this.#retry();
        break;
      case "lost":
        this.#onHeld(false);
        this.#retry();
        break;
      case "released":
        this.#onHeld(false);
        break;
      default:
        effect satisfies never;
    }
  }
}
