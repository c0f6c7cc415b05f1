/** diskd: a disk that answers, one that does not, and one that is not there. */
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AgentCall } from "../../../src/cluster/edge/agents/contract.ts";
import { diskCheck } from "../../../src/cluster/edge/agents/disk-check.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), "gemel-diskd-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function operate(operation: string, parameters: Record<string, string>) {
  const rest = { instance: "disk", environment: {}, timeoutMs: 20_000, runDirectory: directory };
  const call: AgentCall = { operation, parameters, signal: AbortSignal.timeout(20_000), ...rest };
  return diskCheck.operate(call);
}

test("a directory that can be written is normal", async () => {
  const parameters = { write_dir: directory };
  expect((await operate("monitor", parameters)).code).toBe(7);
  const { code, attributes } = await operate("start", parameters);
  expect([code, attributes]).toEqual([0, [{ name: "diskcheck_status", value: "normal" }]]);
  expect((await operate("stop", parameters)).attributes).toEqual([{ name: "diskcheck_status" }]);
});

test("a disk that fails is an ERROR of the node, with its reason, and no failure of the resource", async () => {
  const parameters = { device: path.join(directory, "none"), name: "disk" };
  const { code, reason, attributes } = await operate("start", parameters);
  expect([code, attributes]).toEqual([0, [{ name: "disk", value: "ERROR" }]]);
  expect(reason).toContain("No such file");
});

test.each([{}, { device: "/dev/sda", write_dir: "/tmp" }])("%j is not configured", async (parameters) => {
  expect((await operate("start", parameters)).code).toBe(6);
});
