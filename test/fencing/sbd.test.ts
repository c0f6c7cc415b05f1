/**
 * Poison pills on shared disks: the contract on virtual disks, then real disks together with Debian's own sbd, in both
 * directions: it reads what we write, our driver ends its daemon, and it takes our disk for one of its own.
 */
import { afterEach, describe, expect, test } from "vitest";
import { boundMs, provePower } from "../../src/fencing/drivers/prove-power.ts";
import { sbdDevice } from "../../src/fencing/drivers/sbd.ts";
import { createRunner } from "../../src/fencing/edge/runner.ts";
import type { DiskLook, PoisonDisks } from "../../src/hw/core/poison/disks.ts";
import type { Mailbox, PoisonHeader } from "../../src/hw/core/poison/format.ts";
import { createPoisonDisk, openPoisonDisk } from "../../src/hw/edge/poison-disk.ts";
import { attachLoopDisk, type LoopDisk, objectToLoopDisks, runSbd, watchWithSbd } from "../support/loop-disk.ts";
import { skips } from "../support/skip.ts";
import { createVirtualClock, type VirtualClock } from "../support/virtual-clock.ts";
import { type Behaviour, ContractDevice, describeContract } from "./driver-contract.ts";

const times = { answerMs: 5_000, confirmMs: 40_000, pollMs: 250, settleMs: 0 };
const header: PoisonHeader = {
  uuid: "0".repeat(32),
  slotCount: 255,
  sectorBytes: 512,
  watchdogMs: 5_000,
  allocateMs: 2_000,
  loopMs: 1_000,
  msgwaitMs: 10_000,
};

/** One disk whose mailbox shows the kill when the device has "obeyed": then the node has it before its eyes. */
function createDisk(behaviour: Behaviour, clock: VirtualClock, device: ContractDevice): PoisonDisks {
  const failed = (reason: string): readonly DiskLook[] => [{ kind: "failed", disk: "/dev/d", reason }];
  let isSilent = false;
  return {
    nowMs: () => clock.nowMs(),
    look() {
      if (behaviour.unreachable === true) return Promise.resolve(failed("no such disk"));
      if (behaviour.commandAnswer === "denied") return Promise.resolve(failed("EACCES"));
      if (isSilent) {
        clock.advance(times.answerMs);
        return Promise.resolve(failed("it does not answer"));
      }
      const mailbox: Mailbox =
        device.status() === "off" ? { command: "off", from: "a" } : { command: "clear", from: "" };
      return Promise.resolve([{ kind: "slot", disk: "/dev/d", header, mailbox }]);
    },
    write() {
      const isLost = device.isSilent("command");
      if (!isLost) device.command("off");
      isSilent = behaviour.silentFrom !== undefined;
      return Promise.resolve();
    },
  };
}

describeContract("sbd", {
  boundMs: boundMs(times),
  // A write that fails is seen as a mailbox without the kill; a disk has no word for "busy", nor for the power.
  skips: ["is busy at first", "says off for a moment while it runs"],
  tellsPower: false,
  switchesOn: false,
  async run(behaviour, clock, action) {
    const device = new ContractDevice(behaviour, clock);
    const pill = sbdDevice(createDisk(behaviour, clock, device), "alpha", "off", times.confirmMs);
    return { outcome: await provePower(pill, clock, times, action), power: device.power() };
  },
});

/** Three disks of which each shows what `mailboxAt` says. */
function scripted(clock: VirtualClock, mailboxAt: (disk: number, nowMs: number) => Mailbox | "failed" | "no-slot") {
  const disks: PoisonDisks = {
    nowMs: () => clock.nowMs(),
    look: () =>
      Promise.resolve(
        [0, 1, 2].map((disk): DiskLook => {
          const mailbox = mailboxAt(disk, clock.nowMs());
          const name = `/dev/d${disk}`;
          if (mailbox === "failed") return { kind: "failed", disk: name, reason: `${name} is gone` };
          return mailbox === "no-slot"
            ? { kind: "no-slot", disk: name, header }
            : { kind: "slot", disk: name, header, mailbox };
        }),
      ),
    write: () => Promise.resolve(),
  };
  return sbdDevice(disks, "alpha", "reset", times.confirmMs);
}

const kill: Mailbox = { command: "reset", from: "bravo" };
const empty: Mailbox = { command: "clear", from: "" };

describe("three disks", () => {
  test.each([
    ["one is gone", (disk: number) => (disk === 0 ? "failed" : kill), "confirmed", ""],
    ["two are gone", (disk: number) => (disk < 2 ? "failed" : kill), "not-done", "/dev/d0 is gone"],
    ["the node has no slot", () => "no-slot" as const, "not-done", "no slot for alpha"],
    ["it stands on one only", (disk: number) => (disk === 0 ? kill : empty), "unknown", "stands on 1 of 3"],
    [
      "it is taken away after 9 s",
      (_: number, nowMs: number) => (nowMs < 9_000 ? kill : empty),
      "unknown",
      "taken away",
    ],
  ] as const)("%s: %s", async (_, mailboxAt, expected, reason) => {
    const clock = createVirtualClock();
    const outcome = await provePower(scripted(clock, mailboxAt), clock, times, "off");
    expect(outcome.kind).toBe(expected);
    if (outcome.kind === "confirmed") expect(clock.nowMs()).toBeGreaterThanOrEqual(header.msgwaitMs);
    else expect(outcome.reason).toContain(reason);
  });

  test("a confirm_time below msgwait is refused with the time to write, and nothing is sent", async () => {
    const clock = createVirtualClock();
    let writes = 0;
    const disks: PoisonDisks = {
      nowMs: () => clock.nowMs(),
      look: () => Promise.resolve([{ kind: "slot", disk: "/dev/d", header, mailbox: empty }]),
      write() {
        writes += 1;
        return Promise.resolve();
      },
    };
    const outcome = await provePower(sbdDevice(disks, "alpha", "off", 8_000), clock, times, "off");
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("confirm_time=12s") });
    expect(writes).toBe(0);
  });
});

const objection = objectToLoopDisks();
if (objection !== undefined) process.stderr.write(`test/fencing/sbd: without Debian's sbd: ${objection}\n`);

describe.skipIf(skips(objection !== undefined, `${objection}`))("together with Debian's sbd", () => {
  const disks: LoopDisk[] = [];
  afterEach(() => {
    for (const disk of disks.splice(0)) disk.detach();
  });
  const attach = () => {
    const disk = attachLoopDisk();
    disks.push(disk);
    return disk;
  };
  const runner = createRunner({ secretsFile: "/nowhere" });
  const device = (disk: LoopDisk, more: Readonly<Record<string, string>> = {}) => ({
    id: "pill",
    driver: "sbd",
    parameters: { devices: disk.path, node: "alpha", confirm_time: "10s", ...more },
  });

  test("our disk is one of its own, byte for byte but for the id", async () => {
    const [ours, theirs] = [attach(), attach()];
    await createPoisonDisk(ours.path, 5_000);
    runSbd([theirs], "-1", "5", "-4", "10", "create");
    const dump = (disk: LoopDisk) => runSbd([disk], "dump").replaceAll(/UUID.*|disk \S+/g, "");
    expect(dump(ours)).toBe(dump(theirs));
    const disk = await openPoisonDisk(ours.path, 3_000);
    expect(await disk.allocateSlot("bravo")).toBe(0);
    runSbd([ours], "allocate", "alpha");
    expect(await disk.findSlot("alpha")).toBe(1);
    runSbd([ours], "-n", "bravo", "message", "alpha", "test");
    expect(await disk.read(1)).toEqual({ command: "test", from: "bravo" });
    await disk.write(1, { command: "exit", from: "root" });
    expect(runSbd([ours], "list")).toBe("0\tbravo\tclear\t\n1\talpha\texit\troot\n");
    await disk.close();
  });

  test("our kill ends its daemon, and is confirmed after msgwait, not before", async () => {
    const disk = attach();
    runSbd([disk], "-1", "2", "-2", "1", "-4", "4", "create");
    const daemon = watchWithSbd(disk, "alpha");
    try {
      await daemon.started;
      // Its start clears the mailbox; what stands there afterwards is read.
      runSbd([disk], "message", "alpha", "test");
      await expect.poll(() => runSbd([disk], "list"), { timeout: 10_000 }).toContain("clear");
      expect((await runner.run(device(disk), "status", 5_000)).outcome).toEqual({
        kind: "confirmed",
        power: "not-told",
      });
      const startedAtMs = performance.now();
      const killing = runner.run(device(disk, { comes_back: "yes" }), "off", 20_000);
      await daemon.ended;
      const { outcome, evidence } = await killing;
      expect(outcome).toEqual({ kind: "confirmed", power: "off" });
      expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(4_000);
      expect(evidence.map(({ asked, answered }) => `${asked}: ${answered}`)).toEqual([
        "switch off: accepted",
        "read power: the reset stands; not yet for 4 s",
        "read power: off",
      ]);
      expect(runSbd([disk], "list")).toMatch(/alpha\treset\t/);
    } finally {
      daemon.stop();
    }
  });

  test.each([
    ["there is no such disk", { devices: "/dev/gemel-no-disk" }, /ENOENT/],
    ["the disk was never made", {}, /no header of sbd: run `sbd -d DISK create`/],
  ] as const)("%s: not done, and the remedy is said", async (_, more, reason) => {
    const { outcome } = await runner.run(device(attach(), more), "off", 5_000);
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringMatching(reason) });
  });
});
