/** Our RMCP+ client against a real `ipmi_sim`: refusals, power, and bad wires. The board is the judge, not we. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { IpmiAccount } from "../../src/hw/core/ipmi/account.ts";
import { createIpmiConnection, type IpmiConnection, type IpmiTarget } from "../../src/hw/edge/udp-ipmi.ts";
import { ACCOUNTS, freeUdpPort, type IpmiSim, startIpmiSim } from "../support/ipmi-sim.ts";
import { seeded, startUdpRelay, type UdpRelay } from "../support/udp-relay.ts";

let board: IpmiSim;
let relay: UdpRelay;
const connections: IpmiConnection[] = [];

beforeAll(async () => {
  board = await startIpmiSim({ machine: "process" });
  relay = await startUdpRelay(board.port);
});
afterAll(async () => {
  relay.close();
  await board.stop();
});
afterEach(() => {
  for (const connection of connections.splice(0)) connection.close();
  relay.decide(() => "pass");
});

function connect(account: Partial<IpmiAccount> = {}, target: Partial<IpmiTarget> = {}): IpmiConnection {
  const connection = createIpmiConnection({
    host: "127.0.0.1",
    port: board.port,
    budgetMs: 30_000,
    ...target,
    account: { ...ACCOUNTS.admin, suite: 3, privilege: "operator", ...account },
  });
  connections.push(connection);
  return connection;
}

describe("a healthy board", () => {
  test("tells its identity and its power", async () => {
    const bmc = connect();
    expect(await bmc.identity()).toEqual({
      kind: "identity",
      guid: "a123456789abcdefa123456789000001",
      manufacturerId: 0x1291,
      productId: 0x0f02,
      firmware: "9.08",
    });
    expect(await bmc.power()).toEqual({ kind: "power", power: "on" });
  });

  test("really stops and starts its machine", async () => {
    const bmc = connect(ACCOUNTS.operator);
    expect(await bmc.control("power-down")).toEqual({ kind: "accepted" });
    await expect.poll(() => board.power()).toBe("off");
    await expect.poll(() => bmc.power()).toEqual({ kind: "power", power: "off" });
    expect(await bmc.control("power-up")).toEqual({ kind: "accepted" });
    await expect.poll(() => board.power()).toBe("on");
    await expect.poll(() => bmc.power()).toEqual({ kind: "power", power: "on" });
  });

  test("answers many calls that are asked at once, in their order", async () => {
    const bmc = connect();
    const answers = await Promise.all(Array.from({ length: 16 }, () => bmc.power()));
    expect(answers).toEqual(Array.from({ length: 16 }, () => ({ kind: "power", power: "on" })));
  });

  test("serves two hundred calls over one session, far beyond the request numbers", async () => {
    let opened = 0;
    relay.decide((direction, _, bytes) => {
      if (direction === "request" && bytes[5] === 0x10) opened += 1;
      return "pass";
    });
    const bmc = connect({}, { port: relay.port });
    for (let round = 0; round < 200; round++) expect((await bmc.power()).kind).toBe("power");
    expect(opened).toBe(1);
  });

  test("that restarted has forgotten the session: a new one is opened", async () => {
    const bmc = connect();
    expect((await bmc.power()).kind).toBe("power");
    await board.restart();
    expect(await bmc.power()).toEqual({ kind: "power", power: "on" });
  });
});

describe("each refusal is its own, with its remedy, at once", () => {
  const cases = [
    ["a wrong password", { password: "not-this-one" }, "wrong-password"],
    ["an unknown user", { user: "nobody" }, "unknown-user"],
    ["a disabled user", ACCOUNTS.disabled, "unknown-user"],
    ["an empty password", { password: "" }, "bad-account"],
    ["a password that IPMI cannot carry", { password: "123456789012345678901" }, "bad-account"],
    ["a cipher suite that the board has not", { suite: 17 }, "cipher-suite"],
    ["a wrong KG", { kg: "not the key" }, "wrong-kg"],
  ] as const;
  for (const [name, account, code] of cases) {
    test(name, async () => {
      // At once: by the end of its time this test has failed long ago.
      const answer = await connect(account, { budgetMs: 3_600_000 }).power();
      expect(answer).toMatchObject({ kind: "refused", fault: { code } });
      if (answer.kind === "refused") {
        expect(answer.fault.remedy).not.toBe("");
        if ("password" in account && account.password !== "") {
          expect(JSON.stringify(answer)).not.toContain(account.password);
        }
      }
    });
  }

  test("a privilege too low for the command is a completion code", async () => {
    const bmc = connect({ ...ACCOUNTS.monitor, privilege: "user" });
    expect((await bmc.power()).kind).toBe("power");
    expect(await bmc.control("power-down")).toEqual({ kind: "rejected", completionCode: 0xd4 });
    expect(board.power()).toBe("on");
  });
});

describe("a dead board is given up within the budget", () => {
  test("nothing listens", async () => {
    const answer = await connect({}, { port: await freeUdpPort(), budgetMs: 1_000 }).power();
    expect(answer).toMatchObject({ kind: "silent", maybeReceived: false });
    if (answer.kind === "silent") expect(answer.reason).toMatch(/no session within \d+ ms \(nothing listens on UDP/);
  });

  test("the wire is cut before the login", async () => {
    relay.decide(() => "drop");
    const answer = await connect({}, { port: relay.port, budgetMs: 1_000 }).power();
    expect(answer).toMatchObject({ kind: "silent", maybeReceived: false });
  });

  test("the wire is cut after the login: the request may have arrived", async () => {
    const bmc = connect({}, { port: relay.port, budgetMs: 1_000 });
    await expect.poll(() => bmc.power()).toMatchObject({ kind: "power" });
    relay.decide((direction) => (direction === "answer" ? "drop" : "pass"));
    expect(await bmc.control("power-up")).toMatchObject({ kind: "silent", maybeReceived: true });
  });

  test("a frozen board is silent, and serves again when it goes on", async () => {
    const bmc = connect({}, { budgetMs: 1_000 });
    board.freeze();
    try {
      expect((await bmc.power()).kind).toBe("silent");
    } finally {
      board.thaw();
    }
    await expect.poll(() => bmc.power()).toMatchObject({ kind: "power" });
  });

  test("a name that does not resolve", async () => {
    const answer = await connect({}, { host: "bmc.invalid", budgetMs: 1_000 }).power();
    expect(answer.kind).toBe("silent");
  });
});

describe("a bad wire", () => {
  // By payload type and, inside of the session, by sequence number: 1 is Set Session Privilege, 2 Chassis Status.
  const steps = [
    ["Open Session", 0x10, 0],
    ["Open Session Response", 0x11, 0],
    ["RAKP 1", 0x12, 0],
    ["RAKP 2", 0x13, 0],
    ["RAKP 3", 0x14, 0],
    ["RAKP 4", 0x15, 0],
    ["Set Session Privilege", 0xc0, 1],
    ["Get Chassis Status", 0xc0, 2],
  ] as const;
  for (const [name, payloadType, sequence] of steps) {
    for (const direction of payloadType === 0xc0 ? (["request", "answer"] as const) : ([undefined] as const)) {
      test(`that loses the ${direction === "answer" ? "answer to " : ""}${name}`, async () => {
        let lost = 0;
        relay.decide((way, _, bytes) => {
          const hit = bytes[5] === payloadType && bytes[10] === sequence && (direction ?? way) === way;
          if (hit) lost += 1;
          return hit && lost === 1 ? "drop" : "pass";
        });
        expect((await connect({}, { port: relay.port }).power()).kind).toBe("power");
        expect(lost).toBeGreaterThan(0);
      });
    }
  }

  test("that doubles every packet", async () => {
    relay.decide(() => "double");
    const bmc = connect({}, { port: relay.port });
    for (let round = 0; round < 20; round++) expect((await bmc.power()).kind).toBe("power");
  });

  test("that reorders", async () => {
    const random = seeded(7);
    relay.decide(() => (random() < 0.3 ? "late" : "pass"));
    const bmc = connect({}, { port: relay.port });
    for (let round = 0; round < 20; round++) expect((await bmc.power()).kind).toBe("power");
  });

  test("that loses one packet in ten: 50 of 50 sessions succeed", async () => {
    const random = seeded(20261121);
    relay.decide(() => (random() < 0.1 ? "drop" : "pass"));
    for (let round = 0; round < 50; round++) {
      const bmc = connect({}, { port: relay.port });
      expect((await bmc.power()).kind).toBe("power");
      bmc.close();
    }
  });
});
