/** The ping agent in a network namespace: hosts that answer, and hosts that do not. */
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addressCheck } from "../../../src/cluster/edge/agents/address-check.ts";
import type { AgentCall } from "../../../src/cluster/edge/agents/contract.ts";
import { ping } from "../../../src/cluster/edge/agents/ping.ts";
import { inNetworkNamespace } from "../../support/network-namespace.ts";

let runDirectory = "";
beforeEach(() => {
  runDirectory = mkdtempSync(path.join(os.tmpdir(), "gemel-ping-"));
});
afterEach(() => rmSync(runDirectory, { recursive: true, force: true }));

function operate(operation: string, parameters: Record<string, string>) {
  const rest = { instance: "net", environment: {}, timeoutMs: 20_000, runDirectory };
  const call: AgentCall = { operation, parameters, signal: AbortSignal.timeout(20_000), ...rest };
  return ping.operate(call);
}

test("reachable hosts are counted, and the silent ones named", () =>
  inNetworkNamespace(async () => {
    const host_list = "127.0.0.1 198.18.7.1 198.18.7.99 203.0.113.1 ::1";
    const parameters = { host_list, multiplier: "100", attempts: "1", timeout: "1", name: "net" };
    expect((await operate("monitor", parameters)).code).toBe(7);
    const { code, reason, attributes } = await operate("start", parameters);
    expect([code, attributes]).toEqual([0, [{ name: "net", value: "300" }]]);
    expect(reason).toBe("no answer from 198.18.7.99, 203.0.113.1");
    const low = await operate("monitor", { ...parameters, failure_score: "400" });
    expect(low.code).toBe(1);
    expect((await operate("stop", parameters)).attributes).toEqual([{ name: "net" }]);
    expect((await operate("monitor", parameters)).code).toBe(7);
  }));

test("a silent service address may be taken, one that answers may not", () =>
  inNetworkNamespace(async () => {
    const rest = { instance: "vip", environment: {}, timeoutMs: 20_000, runDirectory };
    const check = (operation: string, target_ip: string) =>
      addressCheck.operate({
        operation,
        parameters: { target_ip, wait: "1" },
        signal: AbortSignal.timeout(20_000),
        ...rest,
      });
    expect(await check("start", "198.18.7.1")).toEqual({
      code: 1,
      reason: "198.18.7.1 answers already: another machine has it",
    });
    expect((await check("monitor", "198.18.7.77")).code).toBe(7);
    expect((await check("start", "198.18.7.77")).code).toBe(0);
    expect((await check("monitor", "198.18.7.77")).code).toBe(0);
    expect((await check("stop", "198.18.7.77")).code).toBe(0);
    expect((await check("monitor", "198.18.7.77")).code).toBe(7);
  }));

test("a process that stood still for longer than it waits still hears who has answered meanwhile", () =>
  inNetworkNamespace(async () => {
    const parameters = { host_list: "198.18.7.1 ::1", attempts: "1", timeout: "1", name: "net" };
    const asked = operate("start", parameters);
    // The requests are on their way, and the loop has not turned since.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
    expect((await asked).attributes).toEqual([{ name: "net", value: "2" }]);
  }));

test("without hosts it is not configured", async () => {
  expect((await operate("start", { host_list: " " })).code).toBe(6);
});
