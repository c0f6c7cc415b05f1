/** IPMI 1.5 on demand: a real `ipmi_sim`, which ipmitool drives the same way; and packets that nobody has signed. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CATALOGUE } from "../../src/fencing/drivers/index.ts";
import { GET_CHASSIS_STATUS } from "../../src/hw/core/ipmi/bmc.ts";
import { encodeOpen, encodeSigned, type Md5, openPacket } from "../../src/hw/core/ipmi/lan15.ts";
import { freeUdpPort, type IpmiSim, startIpmiSim } from "../support/ipmi-sim.ts";
import { LOGIN, say, useRunner } from "./real-line.ts";

const runner = useRunner();
let board: IpmiSim;
beforeAll(async () => {
  board = await startIpmiSim({ machine: "file" });
});
afterAll(() => board.stop());

const ANSWER_MS = 1_500;

function device(more: Readonly<Record<string, string>> = {}) {
  const quick = { confirm_time: "3s", settle_time: "100ms", poll_time: "50ms", answer_time: `${ANSWER_MS}ms` };
  const parameters = { ...LOGIN, port: String(board.port), version: "1.5", ...quick, ...more };
  return { id: "old", driver: "ipmi-lan", parameters };
}

test("the judge: ipmitool speaks 1.5 with this board", async () => {
  const login = ["-I", "lan", "-H", "127.0.0.1", "-p", String(board.port), "-U", "admin", "-P", "adminpw", "-A", "MD5"];
  expect(await say("/usr/bin/ipmitool", [...login, "chassis", "power", "status"])).toContain("Chassis Power is on");
});

test("identity is told; off is read back, then on", async () => {
  const status = await runner.run(device(), "status");
  expect(status.outcome).toEqual({ kind: "confirmed", power: "on" });
  expect(status.evidence[0]?.answered).toMatch(/manufacturer \d+, product/);
  expect((await runner.run(device(), "off")).outcome).toEqual({ kind: "confirmed", power: "off" });
  expect(board.power()).toBe("off");
  expect((await runner.run(device(), "on")).outcome).toEqual({ kind: "confirmed", power: "on" });
});

test("ten sessions in a row: each is given back", async () => {
  for (let round = 0; round < 10; round += 1)
    expect((await runner.run(device(), "status")).outcome.kind, `round ${round}`).toBe("confirmed");
});

test.each([
  ["a wrong password", { secret: "wrong" }, /does not answer the login: a wrong password/],
  ["an unknown user", { user: "nobody" }, /does not know this user/],
  ["a disabled user", { user: "off" }, /does not know this user|does not answer the login/],
])("%s: not done, within two answer times, and nothing is switched", async (_, more, words) => {
  const startedAtMs = performance.now();
  const { outcome } = await runner.run(device(more), "off");
  expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringMatching(words) });
  expect(performance.now() - startedAtMs).toBeLessThan(2 * ANSWER_MS + 1_000);
  expect(board.power()).toBe("on");
});

test("nobody listens", async () => {
  const { outcome } = await runner.run(device({ port: String(await freeUdpPort()) }), "off");
  expect(outcome).toMatchObject({
    kind: "not-done",
    reason: expect.stringMatching(/opened no session|nothing listens/),
  });
});

test("a board that says yes and does nothing is unknown; one that hangs is not done", async () => {
  board.setFaults({ stuckOff: true });
  const stuck = await runner.run(device({ confirm_time: "1s" }), "off");
  expect(stuck.outcome).toMatchObject({ kind: "unknown", reason: expect.stringContaining("it still reads on") });
  board.setFaults({});
  board.freeze();
  expect((await runner.run(device(), "off")).outcome.kind).toBe("not-done");
  board.thaw();
  expect(board.power()).toBe("on");
});

test("2.0 is what is spoken unless 1.5 is asked for", () => {
  const parameters = { host: "192.0.2.1", user: "admin", secret: "board", pcmk_host_list: "alpha" };
  const words = CATALOGUE.choose("external/ipmi", { ipaddr: "192.0.2.1", interface: "lan" })?.complaints;
  expect(words?.find(({ parameter }) => parameter === "interface")?.remedy).toContain("version=1.5");
  expect(CATALOGUE.choose("ipmi-lan", { ...parameters, version: "1.4" })?.complaints[0]?.remedy).toContain("write 2.0");
});

describe("a packet", () => {
  const md5: Md5 = (data) => createHash("md5").update(data).digest();
  const session = { id: 0x1234, password: "adminpw" };
  const signed = encodeSigned(md5, session, 7, GET_CHASSIS_STATUS, 3);
  test("counts with the right signature only", () => {
    expect(openPacket(md5, session, signed)).toBeDefined();
    expect(openPacket(md5, { ...session, password: "other" }, signed)).toBeUndefined();
    expect(openPacket(md5, { ...session, id: 1 }, signed)).toBeUndefined();
    expect(openPacket(md5, session, encodeOpen(GET_CHASSIS_STATUS, 3))).toBeUndefined();
    for (let at = 4; at < signed.length; at += 1) {
      const bent = Uint8Array.from(signed);
      bent[at] = (bent[at] ?? 0) ^ 0x01;
      expect(openPacket(md5, session, bent), `byte ${at}`).toBeUndefined();
    }
  });
  test("that is cut anywhere is nothing, and no error", () => {
    for (let end = 0; end < signed.length; end += 1) {
      expect(openPacket(md5, session, signed.subarray(0, end)), `cut at ${end}`).toBeUndefined();
      openPacket(md5, undefined, signed.subarray(0, end));
    }
  });
});
