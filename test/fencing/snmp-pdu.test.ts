/** PDUs by SNMP: the contract on a virtual agent, then Debian's snmpd as a PDU, which fence_apc_snmp has judged. */
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { boundMs, provePower } from "../../src/fencing/drivers/prove-power.ts";
import { PDU_MODELS, pduDevice, snmpPdu } from "../../src/fencing/drivers/snmp-pdu.ts";
import type { SnmpAgent, SnmpAnswer } from "../../src/hw/core/snmp/agent.ts";
import { skips } from "../support/skip.ts";
import { type PduPlaces, type SnmpPdu, startSnmpPdu } from "../support/snmp-pdu.ts";
import { startPduClient } from "../support/ups-server.ts";
import { ContractDevice, describeContract } from "./driver-contract.ts";
import { say, useBoards, useRunner } from "./real-line.ts";

const times = { answerMs: 5_000, confirmMs: 20_000, pollMs: 500, settleMs: 1_000 };

describeContract("snmp-pdu", {
  boundMs: boundMs(times),
  // An agent has no word for "busy": it refuses, or it does not answer.
  skips: ["is busy at first"],
  async run(behaviour, clock, action) {
    const device = new ContractDevice(behaviour, clock);
    const silent = (maybeReceived: boolean): SnmpAnswer => {
      clock.advance(times.answerMs);
      return { kind: "silent", maybeReceived, reason: "no answer" };
    };
    const agent: SnmpAgent = {
      async read(oids) {
        if (behaviour.unreachable === true || device.isSilent("other")) return silent(false);
        return { kind: "values", values: oids.map(() => (device.status() === "on" ? 1 : 2)) };
      },
      async write([write]) {
        if (behaviour.unreachable === true) return silent(true);
        if (device.isSilent("command")) return silent(true);
        const answer = device.command(write?.value === 1 ? "on" : "off");
        if (answer === "lost") return silent(true);
        return answer === "done" ? { kind: "values", values: [] } : { kind: "refused", reason: "noAccess" };
      },
    };
    const pdu = pduDevice(agent, PDU_MODELS.apc, ["3", "7"]);
    return { outcome: await provePower(pdu, clock, times, action), power: device.power() };
  },
});

describe("parameters", () => {
  const good = { host: "192.0.2.1", secret: "pdu", version: "1", outlets: "3,7" };
  test.each([
    [{ ...good, version: "3" }, "user"],
    [{ ...good, outlets: "three" }, "outlets"],
    [{ ...good, outlets: "3,3" }, "outlets"],
    [{ ...good, model: "own" }, "model"],
    [{ ...good, state_oid: ".1.3.6.1.4.1.1" }, "model"],
  ])("%o is refused for its %s", (given, parameter) => {
    const read = snmpPdu.read(given);
    expect(read.kind === "wrong" ? read.complaints.map((complaint) => complaint.parameter) : []).toEqual([parameter]);
  });
  test("a model of one's own is told in the configuration", () => {
    const own = { state_oid: ".1.3.6.1.4.1.2634.1", state_on: "1", state_off: "0" };
    const command = { command_oid: ".1.3.6.1.4.1.2634.2", command_on: "5", command_off: "6" };
    expect(snmpPdu.read({ ...good, model: "own", ...own, ...command }).kind).toBe("bound");
  });
});

/** The names of the outlets, from which a client sees where they begin. */
const named = (place: string) =>
  [1, 2, 3, 4].map((outlet) => [`${place}.${outlet}`, "string", `outlet ${outlet}`] as const);

/** Written down here a second time, so that a slip in the driver's table shows. */
const APC: PduPlaces = {
  systemId: "1.3.6.1.4.1.318.1.3.4.5",
  state: "1.3.6.1.4.1.318.1.1.12.3.5.1.1.4",
  isOn: 1,
  isOff: 2,
  onCommand: "1.3.6.1.4.1.318.1.1.12.3.3.1.1.4",
  onValue: 1,
  offCommand: "1.3.6.1.4.1.318.1.1.12.3.3.1.1.4",
  offValue: 2,
};
const EATON: PduPlaces = {
  systemId: "1.3.6.1.4.1.534.6.6.7",
  state: "1.3.6.1.4.1.534.6.6.7.6.6.1.2.0",
  isOn: 1,
  isOff: 0,
  onCommand: "1.3.6.1.4.1.534.6.6.7.6.6.1.4.0",
  onValue: 0,
  offCommand: "1.3.6.1.4.1.534.6.6.7.6.6.1.3.0",
  offValue: 0,
  more: [
    ["1.3.6.1.4.1.534.6.6.7.1.2.1.2.0", "string", "EMAB03"],
    ["1.3.6.1.4.1.534.6.6.7.1.2.1.22.0", "integer", "4"],
    ...named("1.3.6.1.4.1.534.6.6.7.6.1.1.3.0"),
  ],
};
const EATON_MANAGED: PduPlaces = {
  systemId: "1.3.6.1.4.1.534.6.6.6",
  state: "1.3.6.1.4.1.534.6.6.6.1.2.2.1.3",
  isOn: 1,
  isOff: 0,
  onCommand: "1.3.6.1.4.1.534.6.6.6.1.2.2.1.3",
  onValue: 1,
  offCommand: "1.3.6.1.4.1.534.6.6.6.1.2.2.1.3",
  offValue: 0,
};
const RARITAN: PduPlaces = {
  systemId: "1.3.6.1.4.1.13742.6",
  state: "1.3.6.1.4.1.13742.6.4.1.2.1.3.1",
  isOn: 7,
  isOff: 8,
  onCommand: "1.3.6.1.4.1.13742.6.4.1.2.1.2.1",
  onValue: 1,
  offCommand: "1.3.6.1.4.1.13742.6.4.1.2.1.2.1",
  offValue: 0,
  more: [
    ["1.3.6.1.4.1.13742.6.3.2.1.1.3.1", "string", "PX2-5475"],
    ["1.3.6.1.4.1.13742.6.3.2.2.1.4.1", "integer", "4"],
    ...named("1.3.6.1.4.1.13742.6.3.5.3.1.3.1"),
  ],
};
/** WTI's groups of outlets; its state stands where the test has put it, for no client of it asks for a state. */
const WTI_GROUPS = "1.3.6.1.4.1.2634.3.100.300.1";
const WTI: PduPlaces = {
  systemId: "1.3.6.1.4.1.2634.3",
  state: "1.3.6.1.4.1.2634.3.100.200.1.3",
  isOn: 1,
  isOff: 0,
  onCommand: `${WTI_GROUPS}.3`,
  onValue: 5,
  offCommand: `${WTI_GROUPS}.3`,
  offValue: 6,
  more: ["alpha", "bravo", "charlie", ""].map((name, at) => [`${WTI_GROUPS}.2.${at + 1}`, "string", name]),
};

const missing = ["/usr/sbin/snmpd", "/usr/bin/snmpget", "/usr/sbin/stonith"].filter((file) => !existsSync(file));

describe.skipIf(skips(missing.length > 0, `not installed: ${missing.join(", ")}`))("a real agent", () => {
  const runner = useRunner(
    "write=private\nread=public\nwrong=nobody\nauth=authpassword\npriv=privpassword\nbad=otherpassword\n",
  );
  const pdus = useBoards<SnmpPdu>();
  const start = (places: PduPlaces): Promise<SnmpPdu> => pdus.keep(startSnmpPdu(places));

  const V1 = { version: "1", secret: "write" };
  const V3 = { version: "3", user: "fencer", secret: "auth", privacy_secret: "priv" };

  function device({ port }: SnmpPdu, more: Readonly<Record<string, string>>) {
    // The agent behind is a shell script: on a busy machine an answer takes a second. Who waits for what never comes,
    // says so itself.
    const quick = { confirm_time: "30s", settle_time: "100ms", poll_time: "100ms", answer_time: "5s" };
    const parameters = { host: "127.0.0.1", port: String(port), outlets: "2,3", ...quick, ...more };
    return { id: "pdu", driver: "snmp-pdu", parameters };
  }

  test.concurrent("the judge: fence_apc_snmp switches it by v1 and v3, and reads it back", async () => {
    const started = await start(APC);
    const login = ["-a", "127.0.0.1", "-u", String(started.port), "-n", "3"];
    const fence = (...argv: readonly string[]) => say("/usr/sbin/fence_apc_snmp", [...login, ...argv]);
    const v3 = ["-d", "3", "-l", "fencer", "-p", "authpassword", "-b", "SHA", "-E", "authPriv", "-B", "AES"];
    expect(await fence("-d", "1", "-c", "private", "-o", "status")).toContain("Status: ON");
    expect(await fence(...v3, "-P", "privpassword", "-o", "off")).toContain("Success: Powered OFF");
    expect(started.power(3)).toBe("off");
    expect(await fence("-d", "1", "-c", "private", "-o", "on")).toContain("Success: Powered ON");
  });

  test.concurrent("the judge: fence_eaton_snmp switches the managed ePDU, its outlet 4 is the MIB's 3", async () => {
    const started = await start(EATON_MANAGED);
    const login = ["-a", "127.0.0.1", "-u", String(started.port), "-d", "1", "-c", "private", "-n", "4"];
    const fence = (action: string) => say("/usr/sbin/fence_eaton_snmp", [...login, "-o", action]);
    expect(await fence("status")).toContain("Status: ON");
    expect(await fence("off")).toContain("Success: Powered OFF");
    expect([2, 3, 4].map((outlet) => started.power(outlet))).toEqual(["on", "off", "on"]);
    expect(await fence("on")).toContain("Success: Powered ON");
  });

  const lacks = ["/lib/nut/snmp-ups", "/lib/nut/upsd"].filter((file) => !existsSync(file));
  test.skipIf(skips(lacks.length > 0, `not installed: ${lacks.join(", ")}`)).concurrent.each([
    ["Eaton's ePDU", EATON, "eaton_epdu"],
    ["Raritan's PX2", RARITAN, "raritan-px2"],
  ])("the judge: NUT's snmp-ups switches %s, and reads it back", async (_, places, mib) => {
    const started = await start(places);
    const judge = await startPduClient(started.port, mib);
    try {
      const outlet3 = () => judge.variable("outlet.3.status");
      await expect.poll(outlet3, { timeout: 20_000 }).toBe("on");
      judge.command("outlet.3.load.off");
      await expect.poll(outlet3, { timeout: 20_000 }).toBe("off");
      expect([2, 3, 4].map((outlet) => started.power(outlet))).toEqual(["on", "off", "on"]);
      judge.command("outlet.3.load.on");
      await expect.poll(outlet3, { timeout: 20_000 }).toBe("on");
      expect(started.power(3)).toBe("on");
    } finally {
      await judge.close();
    }
  });

  test.concurrent("the judge: cluster-glue's wti_mpc switches a group of outlets; ours does by model=own", async () => {
    // The plugin knows no port but 161.
    const address = "127.0.7.9";
    const started = await pdus.keep(startSnmpPdu(WTI, address));
    const login = ["-t", "wti_mpc", "-p", `${address} 161 private 3`];
    const stonith = (...argv: readonly string[]) => say("/usr/sbin/stonith", [...login, ...argv], "", { MIBS: "" });
    expect((await stonith("-l")).split(/\s+/)).toEqual(expect.arrayContaining(["alpha", "bravo", "charlie"]));
    await stonith("-T", "off", "bravo");
    expect([1, 2, 3].map((outlet) => started.power(outlet))).toEqual(["on", "off", "on"]);
    await stonith("-T", "on", "bravo");
    expect(started.power(2)).toBe("on");

    const state = { state_oid: `.${WTI.state}`, state_on: "1", state_off: "0" };
    const command = { command_oid: `.${WTI.onCommand}`, command_on: "5", command_off: "6" };
    const own = device(started, { ...V1, model: "own", host: address, ...state, ...command });
    expect((await runner.run(own, "off", 45_000)).outcome).toEqual({ kind: "confirmed", power: "off" });
    expect([1, 2, 3].map((outlet) => started.power(outlet))).toEqual(["on", "off", "off"]);
  });

  test.concurrent.each([
    ["APC, v1", APC, { model: "apc", ...V1 }],
    ["APC, v2c", APC, { model: "apc", ...V1, version: "2c" }],
    ["APC, v3 with privacy", APC, { model: "apc", ...V3 }],
    ["APC, v3 without privacy", APC, { model: "apc", version: "3", user: "signer", secret: "auth" }],
    ["Eaton, v1", EATON, { model: "eaton", ...V1 }],
    ["Eaton's managed ePDU, v3", EATON_MANAGED, { model: "eaton-managed", ...V3 }],
    ["Raritan, v3", RARITAN, { model: "raritan", ...V3 }],
  ])("%s: both outlets go off, and no other, then on again", async (_, places, more) => {
    const started = await start(places);
    started.setVice("late");
    expect((await runner.run(device(started, more), "off", 45_000)).outcome).toEqual({
      kind: "confirmed",
      power: "off",
    });
    expect([1, 2, 3, 4].map((outlet) => started.power(outlet))).toEqual(["on", "off", "off", "on"]);
    expect((await runner.run(device(started, more), "on", 45_000)).outcome).toEqual({ kind: "confirmed", power: "on" });
    expect([1, 2, 3, 4].map((outlet) => started.power(outlet))).toEqual(["on", "on", "on", "on"]);
  });

  test.concurrent("an outlet that stays on keeps the machine on, whatever the agent says", async () => {
    const started = await start(APC);
    expect((await runner.run(device(started, { ...V1, outlets: "2" }), "off", 45_000)).outcome.kind).toBe("confirmed");
    started.setVice("stuck");
    const stuck = device(started, { ...V1, confirm_time: "2s" });
    const { outcome } = await runner.run(stuck, "off", 45_000);
    expect(outcome).toMatchObject({ kind: "unknown", reason: expect.stringContaining("outlet 2 off, outlet 3 on") });
    const status = await runner.run(device(started, V1), "status", 20_000);
    expect(status.outcome).toMatchObject({ kind: "not-done", reason: "outlet 2 off, outlet 3 on" });
  });

  test.concurrent.each([
    ["a community that may only read", { ...V1, secret: "read" }, /read only|refuses/],
    ["an unknown community", { ...V1, secret: "wrong" }, /no answer within 1000 ms.*does not know the community/],
    ["an unknown user", { ...V3, user: "nobody" }, /does not know this user/],
    ["a wrong password", { ...V3, secret: "bad" }, /password or auth=; correct the secrets file/],
    ["a wrong privacy password", { ...V3, privacy_secret: "bad" }, /privacy password/],
    ["an outlet that it does not have", { ...V1, outlets: "9" }, /is it this model, and is there this outlet/],
    ["another model", { ...V1, model: "raritan" }, /is it this model, and is there this outlet/],
    ["a port where nobody listens", { ...V1, port: "9" }, /no answer|nothing listens/],
  ])("%s: not done within its answer_time, and the remedy is said", async (_, more, reason) => {
    const started = await start(APC);
    const startedAtMs = performance.now();
    // Of the three that are answered by silence alone each would wait for all of it.
    const isSilent = /no answer/.test(reason.source);
    const wrong = device(started, { ...more, ...(isSilent ? { answer_time: "1s" } : {}) });
    const { outcome } = await runner.run(wrong, "off", 45_000);
    expect(outcome).toMatchObject({
      kind: "not-done",
      reason: expect.stringMatching(reason),
    });
    expect(performance.now() - startedAtMs).toBeLessThan(isSilent ? 15_000 : 28_000);
    expect([2, 3].map((outlet) => started.power(outlet))).toEqual(["on", "on"]);
  });
});
