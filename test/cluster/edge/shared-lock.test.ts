/** The sfex agent on a file in the place of a shared disk. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AgentCall } from "../../../src/cluster/edge/agents/contract.ts";
import { sharedLock } from "../../../src/cluster/edge/agents/shared-lock.ts";
import { printSfexControl, printSfexLock, readSfexLock } from "../../../src/hw/core/sfex/record.ts";

let directory = "";
let device = "";
beforeEach(() => {
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

function operate(operation: string, given: Record<string, string> = {}, timeoutMs = 20_000) {
  const parameters = { device, lock_timeout: "1", collision_timeout: "0.2", monitor_interval: "0.2", ...given };
  const rest = { instance: "lock", environment: {}, timeoutMs, runDirectory: directory, tellLease };
  const call: AgentCall = { operation, parameters, signal: AbortSignal.timeout(timeoutMs), ...rest };
  return sharedLock.operate(call);
}

test("a free lock is taken, renewed and released", async () => {
  write("", false);
  expect((await operate("monitor")).code).toBe(7);
  expect(await operate("start")).toEqual({ code: 0, reason: "" });
  expect((await operate("monitor")).code).toBe(0);
  expect(lockOf(1)).toMatchObject({ value: { held: true, node: os.hostname() } });
  const countNow = () => {
    const read = lockOf(1);
    return read.kind === "record" ? read.value.count : -1;
  };
  const before = countNow();
  const firstUntilMs = leaseUntilMs ?? 0;
  expect(firstUntilMs - performance.now()).toBeLessThan(1_000);
  await expect.poll(countNow).toBeGreaterThan(before);
  await expect.poll(() => leaseUntilMs).toBeGreaterThan(firstUntilMs);
  expect((await operate("stop")).code).toBe(0);
  expect(lockOf(1)).toMatchObject({ value: { held: false } });
  expect((await operate("monitor")).code).toBe(7);
  expect(leaseUntilMs).toBeUndefined();
});

test("the lock of a silent holder is taken after the lock timeout", async () => {
  write("somebody-else", true);
  expect((await operate("start")).code).toBe(0);
  expect(lockOf(1)).toMatchObject({ value: { held: true, node: os.hostname() } });
  await operate("stop");
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
