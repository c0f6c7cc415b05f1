/** The driver `ipmi-lan` against the contract table, on a board of plain functions. */
import { describe, expect, test } from "vitest";
import { CATALOGUE } from "../../src/fencing/drivers/index.ts";
import { ipmiDevice } from "../../src/fencing/drivers/ipmi-lan.ts";
import { boundMs, provePower } from "../../src/fencing/drivers/prove-power.ts";
import type { Bmc, BmcFailure } from "../../src/hw/core/ipmi/bmc.ts";
import type { VirtualClock } from "../support/virtual-clock.ts";
import { type Behaviour, ContractDevice, describeContract } from "./driver-contract.ts";

const times = { answerMs: 5_000, confirmMs: 20_000, pollMs: 250, settleMs: 1_000 };

function createBoard(
  behaviour: Behaviour,
  clock: VirtualClock,
): { readonly bmc: Bmc; readonly device: ContractDevice } {
  const device = new ContractDevice(behaviour, clock);
  const silent = (): BmcFailure => {
    clock.advance(times.answerMs);
    return { kind: "silent", maybeReceived: behaviour.unreachable !== true, reason: "no answer" };
  };
  const bmc: Bmc = {
    power: async () => {
      if (behaviour.unreachable === true || device.isSilent("other")) return silent();
      return { kind: "power", power: device.status() };
    },
    control: async (command) => {
      if (behaviour.unreachable === true || device.isSilent("command")) return silent();
      const answer = device.command(command === "power-down" ? "off" : "on");
      if (answer === "lost") return silent();
      if (answer === "denied") return { kind: "rejected", completionCode: 0xd4 };
      return answer === "busy" ? { kind: "rejected", completionCode: 0xc0 } : { kind: "accepted" };
    },
    identity: async () => silent(),
  };
  return { bmc, device };
}

describeContract("ipmi-lan", {
  boundMs: boundMs(times),
  async run(behaviour, clock, action) {
    const { bmc, device } = createBoard(behaviour, clock);
    const outcome = await provePower(ipmiDevice(bmc), clock, times, action);
    return { outcome, power: device.power() };
  },
});

describe("parameters of devices", () => {
  test("all complaints come at once, each with its remedy", () => {
    const choice = CATALOGUE.choose("ipmi-lan", { host: "", port: "99999", cipher_suite: "0", speed: "9600" });
    expect(choice?.complaints.map(({ parameter }) => parameter).sort()).toEqual([
      "cipher_suite",
      "host",
      "port",
      "secret",
      "speed",
      "user",
    ]);
    expect(choice?.complaints.filter(({ remedy }) => remedy === "")).toEqual([]);
  });

  test("a device of external/ipmi becomes ipmi-lan, but its password does not come along", () => {
    const choice = CATALOGUE.choose("external/ipmi", {
      hostname: "alpha",
      ipaddr: "192.0.2.1",
      userid: "admin",
      passwd: "hunter2",
      interface: "lanplus",
      priv: "OPERATOR",
    });
    expect(choice).toMatchObject({
      driver: "ipmi-lan",
      parameters: { host: "192.0.2.1", user: "admin", privilege: "operator" },
    });
    expect(choice?.complaints.map(({ parameter }) => parameter)).toEqual(["passwd", "secret"]);
    expect(JSON.stringify(choice)).not.toContain("hunter2");
  });

  test.each([
    "fence_ipmilan",
    "fence_ipmilanplus",
    "fence_ilo3",
    "fence_ilo4",
    "fence_ilo5",
    "fence_idrac",
    "fence_imm",
  ])("%s is not run, for it tells its password to ipmitool by argument: it is ipmi-lan, too", (agent) => {
    const choice = CATALOGUE.choose(agent, { ip: "192.0.2.1", username: "admin", secret: "board", lanplus: "1" });
    expect(choice).toMatchObject({ driver: "ipmi-lan", complaints: [], parameters: { host: "192.0.2.1" } });
  });

  test("IPMI 1.5 is refused by both old names", () => {
    const common = { secret: "board" };
    const glue = CATALOGUE.choose("external/ipmi", { ...common, ipaddr: "h", userid: "u", interface: "lan" });
    const agent = CATALOGUE.choose("fence_ipmilan", { ...common, ip: "h", username: "u", lanplus: "0" });
    expect(glue?.complaints.map(({ parameter }) => parameter)).toEqual(["interface"]);
    expect(agent?.complaints.map(({ parameter }) => parameter)).toEqual(["lanplus"]);
  });

  test("a complete device of fence_ipmilan has nothing to complain about, and a known bound", () => {
    const choice = CATALOGUE.choose("fence_ipmilan", {
      ip: "192.0.2.1",
      username: "admin",
      secret: "board",
      lanplus: "1",
      cipher: "17",
      power_timeout: "30",
    });
    expect(choice).toMatchObject({ complaints: [], boundMs: 41_000 });
  });

  test("nobody speaks for an unknown agent", () => {
    expect(CATALOGUE.choose("teapot", {})).toBeUndefined();
  });
});
