/**
 * Death by a lock that was not renewed: the contract on a virtual lock, who is no proof, and a real holder on a file in
 * the place of a shared disk.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseXml } from "../../src/base/xml.ts";
import { readFencingConfiguration } from "../../src/fencing/core/read-configuration.ts";
import { CATALOGUE } from "../../src/fencing/drivers/index.ts";
import { boundMs, provePower } from "../../src/fencing/drivers/prove-power.ts";
import { type LockUse, lockDevice } from "../../src/fencing/drivers/sfex.ts";
import type { ClusterSight } from "../../src/fencing/edge/open-device.ts";
import { createRunner } from "../../src/fencing/edge/runner.ts";
import type { SharedLock } from "../../src/hw/core/sfex/lock.ts";
import { printSfexControl, printSfexLock, readSfexLock, type SfexLock } from "../../src/hw/core/sfex/record.ts";
import { createVirtualClock, type VirtualClock } from "../support/virtual-clock.ts";
import { ContractDevice, describeContract } from "./driver-contract.ts";

const times = { answerMs: 5_000, confirmMs: 40_000, pollMs: 1_000, settleMs: 0 };
const use: LockUse = {
  resource: "lock",
  node: "alpha",
  lockTimeoutMs: 20_000,
  collisionTimeoutMs: 1_000,
  confirmMs: times.confirmMs,
};
const HELD: SfexLock = { held: true, count: 7, node: "alpha" };

/** A cluster that knows alpha as the holder, in its start 7. */
const SIGHT: ClusterSight = {
  holdersOf: () => ["alpha"],
  startOf: () => 7,
  read: () => ({ kind: "none", reason: "nobody has promised anything" }),
  withoutPromise: () => [],
  declareLost: () => {},
};

/** A lock whose record is what `recordAt` says, until we write. */
function lockOf(clock: VirtualClock, recordAt: (nowMs: number) => SfexLock, more: Partial<SharedLock> = {}) {
  const written: SfexLock[] = [];
  const lock: SharedLock = {
    self: "bravo",
    nowMs: () => clock.nowMs(),
    holders: () => ["alpha"],
    startOf: () => 7,
    read: () => Promise.resolve({ kind: "record", value: written.at(-1) ?? recordAt(clock.nowMs()) }),
    write(record) {
      written.push(record);
      return Promise.resolve(undefined);
    },
    ...more,
  };
  return { lock, written };
}

describeContract("sfex", {
  boundMs: boundMs(times),
  // A lock takes no command; the node dies, or does not. It has no word for "busy", nor for the power.
  skips: ["is busy at first", "says off for a moment while it runs"],
  tellsPower: false,
  switchesOn: false,
  async run(behaviour, clock, action) {
    const device = new ContractDevice(behaviour, clock);
    let isSilent = false;
    let isDying = false;
    const failed = (reason: string) => Promise.resolve({ kind: "failed", reason } as const);
    let count = 0;
    const { lock, written } = lockOf(clock, () => {
      // Whoever lives renews.
      count += device.power() === "on" ? 1 : 0;
      return { ...HELD, count: count % 1_000 };
    });
    const judged: SharedLock = {
      ...lock,
      read() {
        if (behaviour.unreachable === true) return failed("no such disk");
        if (behaviour.commandAnswer === "denied") return failed("EACCES");
        if (isSilent) {
          clock.advance(times.answerMs);
          return failed("it does not answer");
        }
        const answer = lock.read();
        if (!isDying && action === "off") {
          isDying = true;
          if (!device.isSilent("command")) device.command("off");
          isSilent = behaviour.silentFrom !== undefined;
        }
        return answer;
      },
    };
    const outcome = await provePower(lockDevice(judged, use), clock, times, action);
    if (outcome.kind !== "confirmed") expect(written).toEqual([]);
    return { outcome, power: device.power() };
  },
});

describe("a lock", () => {
  async function judge(recordAt: (nowMs: number) => SfexLock, more: Partial<SharedLock> = {}) {
    const clock = createVirtualClock();
    const { lock, written } = lockOf(clock, recordAt, more);
    const outcome = await provePower(lockDevice(lock, use), clock, times, "off");
    return { outcome, written, tookMs: clock.nowMs() };
  }

  test("that stands still for its whole time proves the death, and is taken away from whoever wakes up", async () => {
    const { outcome, written, tookMs } = await judge(() => HELD);
    expect(outcome).toEqual({ kind: "confirmed", power: "off" });
    expect(tookMs).toBeGreaterThanOrEqual(use.lockTimeoutMs + use.collisionTimeoutMs);
    expect(written).toEqual([{ held: false, count: 8, node: "bravo" }]);
  });

  test("that stands still proves nothing of a start that came meanwhile", async () => {
    let start = 7;
    const { outcome, written } = await judge(
      (nowMs) => {
        start = nowMs < 10_000 ? 7 : 8;
        return HELD;
      },
      { startOf: () => start },
    );
    expect(outcome).toMatchObject({ kind: "unknown", reason: expect.stringContaining("alpha has started anew") });
    expect(written).toEqual([]);
  });

  test.each([
    ["is renewed late", (nowMs: number) => ({ ...HELD, count: Math.floor(nowMs / 19_000) }), "unknown", /not yet for/],
    [
      "is renewed again and again",
      (nowMs: number) => ({ ...HELD, count: Math.floor(nowMs / 1_000) }),
      "unknown",
      /on by its renewal|still reads on/,
    ],
    ["is given back", (nowMs: number) => ({ ...HELD, held: nowMs < 5_000 }), "unknown", /no longer held by alpha/],
    ["is free", () => ({ ...HELD, held: false }), "not-done", /free: it tells nothing of alpha/],
    ["is another node's", () => ({ ...HELD, node: "bravo" }), "not-done", /held by bravo, count 7: it tells nothing/],
  ] as const)("that %s proves nothing", async (_, recordAt, kind, reason) => {
    const { outcome, written } = await judge(recordAt);
    expect(outcome).toMatchObject({ kind, reason: expect.stringMatching(reason) });
    expect(written).toEqual([]);
  });

  // The name of a node that was switched off stays on the disk, and its next start knows nothing of it.
  test("of a resource that does not run there tells nothing", async () => {
    const { outcome } = await judge(() => HELD, { holders: () => ["bravo"] });
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("does not run on alpha") });
    const alone = await judge(() => HELD, { holders: () => undefined });
    expect(alone.outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("running cluster only") });
  });

  test("that is written over after we took it proves nothing: somebody lives", async () => {
    let reads = 0;
    const clock = createVirtualClock();
    const { lock, written } = lockOf(clock, () => HELD);
    const stubborn: SharedLock = {
      ...lock,
      read: () => {
        reads += 1;
        return written.length === 0 ? lock.read() : Promise.resolve({ kind: "record", value: { ...HELD, count: 8 } });
      },
    };
    const outcome = await provePower(lockDevice(stubborn, use), clock, times, "off");
    expect(outcome).toMatchObject({ kind: "unknown", reason: expect.stringContaining("is now held by alpha") });
    expect(reads).toBeGreaterThan(20);
  });

  test("whose time does not fit into confirm_time is refused with the time to write", async () => {
    const clock = createVirtualClock();
    const { lock } = lockOf(clock, () => HELD);
    const outcome = await provePower(lockDevice(lock, { ...use, lockTimeoutMs: 100_000 }), clock, times, "off");
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("confirm_time=106s") });
  });
});

describe("in a configuration", () => {
  const read = (type: string) => {
    const xml = `<cib><configuration><resources>
      <group id="g"><primitive id="lock" class="ocf" provider="gemel" type="${type}"><instance_attributes>
        <nvpair name="device" value="/dev/witness"/><nvpair name="index" value="2"/>
        <nvpair name="lock_timeout" value="60"/></instance_attributes></primitive></group>
      <primitive id="proof" class="stonith" type="sfex"><instance_attributes>
        <nvpair name="resource" value="lock"/><nvpair name="pcmk_host_list" value="alpha bravo"/>
      </instance_attributes></primitive></resources></configuration></cib>`;
    const parsed = parseXml(xml);
    if (parsed.kind !== "xml") throw new Error(parsed.reason);
    return readFencingConfiguration(parsed.root, CATALOGUE);
  };

  test("disk, lock and time are those of the resource", () => {
    const { configuration, problems } = read("sfex");
    expect(problems).toEqual([]);
    expect(configuration.devices[0]).toMatchObject({
      parameters: { resource: "lock", device: "/dev/witness", index: "2", lock_timeout: "60" },
      perTarget: { alpha: { node: "alpha" }, bravo: { node: "bravo" } },
      staysOff: true,
    });
  });

  test("a resource that keeps no such promise is refused", () => {
    const { configuration, problems } = read("Dummy");
    expect(configuration.devices).toEqual([]);
    expect(problems[0]?.reason).toContain("lock is no resource of ocf:gemel:sfex");
  });
});

describe("a disk", () => {
  let directory = "";
  let disk = "";
  beforeEach(() => {
    // Not in tmpfs: it knows no O_DIRECT.
    directory = mkdtempSync(path.join(import.meta.dirname, ".sfex-"));
    disk = path.join(directory, "disk");
    const control = printSfexControl({ sectorBytes: 512, lockCount: 1 });
    writeFileSync(disk, Buffer.concat([control, printSfexLock(HELD, 512), Buffer.alloc(7 * 512)]));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test("through the runner: the certificate says whose silence it was, and the record is ours afterwards", async () => {
    const runner = createRunner({ secretsFile: "/nowhere", sight: SIGHT });
    const lock = { resource: "lock", node: "alpha", device: disk, lock_timeout: "1", collision_timeout: "200ms" };
    const parameters = { ...lock, poll_time: "100ms", confirm_time: "10s" };
    const { outcome, evidence } = await runner.run({ id: "proof", driver: "sfex", parameters }, "off", 12_000);
    runner.close();
    expect(outcome).toEqual({ kind: "confirmed", power: "off" });
    expect(evidence.at(-1)?.answered).toBe("off by its lock, not renewed for 1 s");
    expect(readSfexLock(readFileSync(disk).subarray(512, 1_024))).toMatchObject({ value: { held: false, count: 8 } });
  });

  test("that is not there is told", async () => {
    const runner = createRunner({ secretsFile: "/nowhere", sight: SIGHT });
    const parameters = { resource: "lock", node: "alpha", device: path.join(directory, "none") };
    const { outcome } = await runner.run({ id: "proof", driver: "sfex", parameters }, "status", 5_000);
    runner.close();
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("ENOENT") });
  });
});
