/**
 * The contract table of all fencing drivers: what devices do, and what a driver must make of it.
 * Each driver brings a device that behaves as told, on a virtual clock. Only one row is allowed to say `confirmed`
 * where the power has not gone for good, and there is none.
 */
import { describe, expect, test } from "vitest";
import type { Clock, FencingOutcome } from "../../src/fencing/core/driver.ts";
import { createVirtualClock, type VirtualClock } from "../support/virtual-clock.ts";

/** How the device under test behaves from its first call on. */
export interface Behaviour {
  readonly name: string;
  /** Power at the start. */
  readonly power: "on" | "off";
  /** When the power follows the command; Infinity: never. */
  readonly obeysAfterMs: number;
  /** What comes back for the command. */
  readonly commandAnswer: "done" | "lost" | "denied" | "busy-once";
  /** The device falls silent with the command, which it never gets, or right after it. */
  readonly silentFrom?: "command" | "after-command";
  /** No session can be opened at all. */
  readonly unreachable?: boolean;
  /** "off" is read until then, whatever the power: a board that has just restarted. */
  readonly lyingOffUntilMs?: number;
}

const obedient = { power: "on", obeysAfterMs: 0, commandAnswer: "done" } as const;

export const TABLE: readonly (Behaviour & { readonly off: FencingOutcome["kind"] })[] = [
  { ...obedient, name: "obeys", off: "confirmed" },
  { ...obedient, name: "obeys after 4 s", obeysAfterMs: 4_000, off: "confirmed" },
  { ...obedient, name: "obeys, but its answer is lost", commandAnswer: "lost", off: "confirmed" },
  { ...obedient, name: "is busy at first", commandAnswer: "busy-once", off: "confirmed" },
  { ...obedient, name: "is off already", power: "off", off: "confirmed" },
  { ...obedient, name: "says off for a moment while it runs", lyingOffUntilMs: 700, off: "confirmed" },
  { ...obedient, name: "says yes and does nothing", obeysAfterMs: Infinity, off: "unknown" },
  { ...obedient, name: "obeys an hour later", obeysAfterMs: 3_600_000, off: "unknown" },
  { ...obedient, name: "denies", commandAnswer: "denied", off: "not-done" },
  { ...obedient, name: "is unreachable", unreachable: true, off: "not-done" },
  { ...obedient, name: "hangs up after the command", silentFrom: "after-command", off: "unknown" },
  {
    ...obedient,
    name: "hangs up after the command, which it never got",
    silentFrom: "command",
    obeysAfterMs: Infinity,
    off: "unknown",
  },
];

export interface Subject {
  /** Runs one action against a fresh device that behaves so; also tells what its power is in the end. */
  run(
    behaviour: Behaviour,
    clock: VirtualClock,
    action: "off" | "on" | "status",
  ): Promise<{ readonly outcome: FencingOutcome; readonly power: "on" | "off" }>;
  readonly boundMs: number;
  /** Rows that this kind of device cannot show; the reason stands where they are named. */
  readonly skips?: readonly string[];
  /** False for a device that has no word for the power. */
  readonly tellsPower?: boolean;
  /** What "on" comes to where nothing happens; `confirmed` only for a device that is taken at its word. */
  readonly onWithoutEffect?: "unknown" | "confirmed";
  /** False for a device that can only end a machine. */
  readonly switchesOn?: boolean;
}

export function describeContract(driver: string, subject: Subject): void {
  describe(`the contract of ${driver}`, () => {
    const { skips = [], tellsPower = true, switchesOn = true, onWithoutEffect = "unknown" } = subject;
    test("skips only rows that there are", () => {
      expect(skips.filter((name) => !TABLE.some((row) => row.name === name))).toEqual([]);
    });

    for (const row of TABLE.filter(({ name }) => !skips.includes(name))) {
      test(`off: a device that ${row.name} is ${row.off}`, async () => {
        const clock = createVirtualClock();
        const { outcome, power } = await subject.run(row, clock, "off");
        expect(outcome.kind).toBe(row.off);
        if (outcome.kind === "confirmed") expect([outcome.power, power]).toEqual(["off", "off"]);
        else expect(outcome.reason).not.toBe("");
        expect(clock.nowMs()).toBeLessThanOrEqual(subject.boundMs);
      });
    }

    test.runIf(!switchesOn)("on: a device that cannot says so", async () => {
      const { outcome } = await subject.run({ ...obedient, name: "", power: "off" }, createVirtualClock(), "on");
      expect(outcome.kind).toBe("not-done");
    });

    test.runIf(switchesOn)("on: a device that obeys is read back as on", async () => {
      const { outcome, power } = await subject.run({ ...obedient, name: "", power: "off" }, createVirtualClock(), "on");
      expect([outcome, power]).toEqual([{ kind: "confirmed", power: "on" }, "on"]);
    });

    test.runIf(switchesOn)(`on: a device that says yes and does nothing is ${onWithoutEffect}`, async () => {
      const stuck = { ...obedient, name: "", power: "off", obeysAfterMs: Infinity } as const;
      expect((await subject.run(stuck, createVirtualClock(), "on")).outcome.kind).toBe(onWithoutEffect);
    });

    for (const power of ["on", "off"] as const) {
      test(`status: a device that is ${power} says so, and nothing is switched`, async () => {
        const result = await subject.run({ ...obedient, name: "", power }, createVirtualClock(), "status");
        expect(result).toEqual({ outcome: { kind: "confirmed", power: tellsPower ? power : "not-told" }, power });
      });
    }

    test("status: an unreachable device is not done", async () => {
      const dead = { ...obedient, name: "", unreachable: true };
      expect((await subject.run(dead, createVirtualClock(), "status")).outcome.kind).toBe("not-done");
    });
  });
}

/** The power of a device that behaves so, for emulators of every dialect. */
export class ContractDevice {
  #power: "on" | "off";
  #wanted: "on" | "off" | undefined;
  #followsAtMs = Infinity;
  #hasSeenCommand = false;
  #busy: boolean;
  readonly #behaviour: Behaviour;
  readonly #clock: Clock;

  constructor(behaviour: Behaviour, clock: Clock) {
    this.#behaviour = behaviour;
    this.#clock = clock;
    this.#power = behaviour.power;
    this.#busy = behaviour.commandAnswer === "busy-once";
  }

  /** Whether the device leaves this call without an answer. */
  isSilent(call: "command" | "other"): boolean {
    const { silentFrom } = this.#behaviour;
    if (call === "other") return this.#hasSeenCommand && silentFrom !== undefined;
    this.#hasSeenCommand = true;
    return silentFrom === "command";
  }

  /** Takes the command as far as it takes commands; what it would answer. */
  command(wanted: "on" | "off"): "done" | "lost" | "denied" | "busy" {
    if (this.#behaviour.commandAnswer === "denied") return "denied";
    if (this.#busy) {
      this.#busy = false;
      return "busy";
    }
    // A board that lies while it starts has lost the command, too.
    if (this.#clock.nowMs() >= (this.#behaviour.lyingOffUntilMs ?? 0)) {
      this.#wanted = wanted;
      this.#followsAtMs = Math.min(this.#followsAtMs, this.#clock.nowMs() + this.#behaviour.obeysAfterMs);
    }
    return this.#behaviour.commandAnswer === "lost" ? "lost" : "done";
  }

  power(): "on" | "off" {
    if (this.#wanted !== undefined && this.#clock.nowMs() >= this.#followsAtMs) this.#power = this.#wanted;
    return this.#power;
  }

  status(): "on" | "off" {
    return this.#clock.nowMs() < (this.#behaviour.lyingOffUntilMs ?? 0) ? "off" : this.power();
  }
}
