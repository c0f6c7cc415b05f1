/**
 * The sfex agent on a file in the place of a shared disk. A holder that comes too late resets its machine, and this one
 * may stand still at any time: nothing here may reach the kernel.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { AgentCall } from "../../../src/cluster/edge/agents/contract.ts";
import { sharedLock } from "../../../src/cluster/edge/agents/shared-lock.ts";
import { printSfexControl, printSfexLock, readSfexLock } from "../../../src/hw/core/sfex/record.ts";

const toKernel = vi.hoisted((): string[] => []);
vi.mock(import("node:fs"), async (original) => {
  const real = await original();
  const writeFileSync: typeof real.writeFileSync = (file, data, options) => {
    const isKernel = typeof file === "string" && /^\/(?:proc|dev)\//.test(file) && typeof data === "string";
    if (isKernel) toKernel.push(`${file}: ${data}`);
    else real.writeFileSync(file, data, options);
  };
  return { ...real, writeFileSync };
});

let directory = "";
let device = "";
beforeEach(() => {
  toKernel.length = 0;
  // Not in tmpfs: it knows no O_DIRECT.
  directory = mkdtempSync(path.join(import.meta.dirname, ".sfex-"));
  device = path.join(directory, "disk");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const lockOf = (index: number) => readSfexLock(readFileSync(device).subarray(index * 512, (index + 1) * 512));

function write(node: string, held: boolean): void {
  const control = printSfexControl({ sectorBytes: 512, lockCount: 1 });
  writeFileSync(device, Buffer.concat([control, printSfexLock({ held, count: 4, node }, 512), Buffer.alloc(7 * 512)]));
}

/** When the keeper would end the node; undefined: it holds nothing. */
let leaseUntilMs: number | undefined;
const tellLease = (lock: string, untilMs: number | undefined) => {
  expect(lock).toBe(`${device} (lock 1)`);
  leaseUntilMs = untilMs;
};

const LOCK_SECONDS = 8;

function operate(operation: string, given: Record<string, string> = {}, timeoutMs = 120_000) {
  const times = { lock_timeout: String(LOCK_SECONDS), collision_timeout: "0.5", monitor_interval: "0.2" };
  const parameters = { device, ...times, ...given };
  const rest = { instance: "lock", environment: {}, timeoutMs, runDirectory: directory, tellLease };
  const call: AgentCall = { operation, parameters, signal: AbortSignal.timeout(timeoutMs), ...rest };
  return sharedLock.operate(call);
}

/** A machine that stops between a read and its write is refused for it, rightly, and begins anew. */
async function startInTime(given: Record<string, string> = {}) {
  for (;;) {
    const answer = await operate("start", given);
    if (!answer.reason.includes("too slow")) return answer;
  }
}

test("a free lock is taken, renewed and released", async () => {
  write("", false);
  expect((await operate("monitor")).code).toBe(7);
  expect(await startInTime()).toEqual({ code: 0, reason: "" });
  expect((await operate("monitor")).code).toBe(0);
  expect(lockOf(1)).toMatchObject({ value: { held: true, node: os.hostname() } });
  const countNow = () => {
    const read = lockOf(1);
    return read.kind === "record" ? read.value.count : -1;
  };
  const before = countNow();
  const firstUntilMs = leaseUntilMs ?? 0;
  expect(firstUntilMs - performance.now()).toBeLessThan(LOCK_SECONDS * 1_000);
  await expect.poll(countNow).toBeGreaterThan(before);
  await expect.poll(() => leaseUntilMs).toBeGreaterThan(firstUntilMs);
  expect((await operate("stop")).code).toBe(0);
  expect(lockOf(1)).toMatchObject({ value: { held: false } });
  expect((await operate("monitor")).code).toBe(7);
  expect(leaseUntilMs).toBeUndefined();
});

test("the lock of a silent holder is taken after the lock timeout", async () => {
  write("somebody-else", true);
  expect((await startInTime({ lock_timeout: "1" })).code).toBe(0);
  expect(lockOf(1)).toMatchObject({ value: { held: true, node: os.hostname() } });
  await operate("stop");
});

test("a holder that stood still until another may have the lock resets its machine, and holds nothing", async () => {
  write("", false);
  expect((await startInTime({ lock_timeout: "1" })).code).toBe(0);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
  await expect
    .poll(() => toKernel)
    .toEqual([
      expect.stringMatching(/^\/dev\/kmsg: gemel: shared lock lost, .*: .* in time\n$/),
      "/proc/sysrq-trigger: b",
    ]);
  expect((await operate("stop")).code).toBe(0);
});

test("what nobody waits for any more when the disk answers takes no lock", async () => {
  write("", false);
  const call = { operation: "start", instance: "lock", parameters: { device }, environment: {}, timeoutMs: 1_000 };
  const late = { ...call, runDirectory: directory, tellLease, signal: AbortSignal.abort() };
  expect(await sharedLock.operate(late)).toEqual({ code: 1, reason: `${device} answered too late` });
  expect([lockOf(1), leaseUntilMs]).toMatchObject([{ value: { held: false } }, undefined]);
});

test("a damaged record is refused", async () => {
  writeFileSync(device, Buffer.alloc(8 * 512));
  const { code, reason } = await operate("start");
  expect(code).toBe(6);
  expect(reason).toContain("no sfex record");
});

test("a disk that is not there is told", async () => {
  expect((await operate("start", { device: "/dev/gemel-none" })).code).toBe(5);
});
