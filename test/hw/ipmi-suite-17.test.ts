/** Cipher suite 17 and boards with vices, on our own board; which first has to satisfy ipmitool. */
import { execFile } from "node:child_process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { IpmiAccount } from "../../src/hw/core/ipmi/account.ts";
import { createIpmiConnection, type IpmiConnection } from "../../src/hw/edge/udp-ipmi.ts";
import { type RmcpBoard, type RmcpBoardOptions, startRmcpBoard } from "../support/rmcp-board.ts";

const ACCOUNT = { user: "admin", password: "secret word 17" } as const;
let board: RmcpBoard;
let connection: IpmiConnection | undefined;

async function start(options: Partial<RmcpBoardOptions> = {}): Promise<void> {
  board.close();
  board = await startRmcpBoard({ suites: [3, 17], ...ACCOUNT, ...options });
}
function connect(account: Partial<IpmiAccount> = {}): IpmiConnection {
  connection = createIpmiConnection({
    host: "127.0.0.1",
    port: board.port,
    budgetMs: 2_000,
    account: { ...ACCOUNT, suite: 17, privilege: "operator", ...account },
  });
  return connection;
}
beforeEach(async () => {
  board = await startRmcpBoard({ suites: [3, 17], ...ACCOUNT });
});
afterEach(() => {
  connection?.close();
  connection = undefined;
  board.close();
});

function ipmitool(suite: 3 | 17, ...words: string[]): Promise<string> {
  const login = [
    "-I",
    "lanplus",
    "-C",
    String(suite),
    "-H",
    "127.0.0.1",
    "-p",
    String(board.port),
    "-U",
    "admin",
    "-E",
  ];
  const env = { ...process.env, IPMI_PASSWORD: ACCOUNT.password };
  return new Promise((resolve) => {
    execFile("ipmitool", [...login, ...words], { env, timeout: 30_000 }, (_, stdout, stderr) => {
      resolve(`${stdout}${stderr}`.trim());
    });
  });
}

describe("the judge: ipmitool drives our board", () => {
  for (const suite of [3, 17] as const) {
    test(`by suite ${suite}`, async () => {
      expect(await ipmitool(suite, "chassis", "power", "status")).toBe("Chassis Power is on");
      expect(await ipmitool(suite, "chassis", "power", "off")).toBe("Chassis Power Control: Down/Off");
      expect(board.power).toBe("off");
      expect(await ipmitool(suite, "chassis", "power", "status")).toBe("Chassis Power is off");
    });
  }
});

describe("our client on the judged board", () => {
  for (const suite of [3, 17] as const) {
    test(`switches by suite ${suite}`, async () => {
      const bmc = connect({ suite });
      expect(await bmc.power()).toEqual({ kind: "power", power: "on" });
      expect(await bmc.control("power-down")).toEqual({ kind: "accepted" });
      expect(board.power).toBe("off");
      expect(await bmc.power()).toEqual({ kind: "power", power: "off" });
      expect(await bmc.identity()).toMatchObject({ manufacturerId: 674, productId: 256, firmware: "2.15" });
      // Four requests on one session; where this machine stands still, a lost patience may have opened one more.
      expect(board.sessionsOpened()).toBeLessThan(4);
    });
  }

  test("with the board's own key KG", async () => {
    await start({ kg: "the other key" });
    expect(await connect({ kg: "the other key" }).power()).toEqual({ kind: "power", power: "on" });
    connection?.close();
    expect(await connect().power()).toMatchObject({ kind: "refused", fault: { code: "wrong-kg" } });
  });

  test("tolerates bytes behind each datagram", async () => {
    await start({ trailingGarbage: true });
    expect(await connect().power()).toEqual({ kind: "power", power: "on" });
  });

  test("does not follow a board that answers another suite than asked", async () => {
    await start({ answersSuite3: true });
    expect(await connect().power()).toMatchObject({ kind: "refused", fault: { code: "cipher-suite" } });
  });

  test("a board without suite 17 says so", async () => {
    await start({ suites: [3] });
    const answer = await connect().power();
    expect(answer).toMatchObject({ kind: "refused", fault: { remedy: expect.stringContaining("cipher_suite to 3") } });
  });

  test("a wrong password and an unknown user", async () => {
    expect(await connect({ password: "x" }).power()).toMatchObject({ fault: { code: "wrong-password" } });
    expect(await connect({ user: "x" }).power()).toMatchObject({ fault: { code: "unknown-user" } });
  });
});
