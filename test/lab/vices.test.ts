/** The vices of the lab's boards, each against ipmitool and against our own client: none of them passes for an off. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import {
  type BoardRelay,
  isVice,
  openBoardRelay,
  setChassisVice,
  writeChassisProgram,
} from "../../lab/machine/vices.ts";
import { createRunner } from "../../src/fencing/edge/runner.ts";
import { say } from "../fencing/real-line.ts";
import { type IpmiSim, startIpmiSim } from "../support/ipmi-sim.ts";

const directory = mkdtempSync(path.join(os.tmpdir(), "gemel-vices-"));
let board: IpmiSim;
let relay: BoardRelay;

beforeAll(async () => {
  writeFileSync(path.join(directory, "secrets"), "board=adminpw\n", { mode: 0o600 });
  const control = writeChassisProgram(directory, "sleep 3600");
  board = await startIpmiSim({ machine: "file", control });
  relay = await openBoardRelay(board.port);
});
afterAll(async () => {
  relay.close();
  await board.stop();
  if (isUp()) process.kill(Number(readFileSync(path.join(directory, "machine.pid"), "utf8")), "SIGKILL");
  rmSync(directory, { recursive: true });
});

/** What the machine really does: `sleep` is its whole service. */
function isUp(): boolean {
  try {
    const pid = readFileSync(path.join(directory, "machine.pid"), "utf8").trim();
    return /^State:\s*[A-WY]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

const login = () => [
  "-I",
  "lanplus",
  "-C",
  "3",
  "-H",
  "127.0.0.1",
  "-p",
  String(relay.port),
  "-U",
  "admin",
  "-P",
  "adminpw",
];
const ipmitool = (word: string) => say("ipmitool", [...login(), "chassis", "power", word]);

async function off(confirmTime: string) {
  const runner = createRunner({ secretsFile: path.join(directory, "secrets") });
  const common = { host: "127.0.0.1", port: String(relay.port), user: "admin", secret: "board" };
  const parameters = {
    ...common,
    confirm_time: confirmTime,
    settle_time: "200ms",
    poll_time: "100ms",
    answer_time: "3s",
  };
  const { outcome } = await runner.run({ id: "bmc", driver: "ipmi-lan", parameters }, "off", 40_000);
  runner.close();
  return outcome;
}

beforeEach(async () => {
  await ipmitool("on");
  expect(isUp()).toBe(true);
});
afterEach(() => {
  board.thaw();
  relay.setGarbage(false);
  setChassisVice(directory, "none");
});

test("none: the judge reads on, cuts, and reads off; reset starts another machine", async () => {
  expect(await ipmitool("status")).toContain("Chassis Power is on");
  const pid = readFileSync(path.join(directory, "machine.pid"), "utf8");
  await ipmitool("reset");
  expect([isUp(), readFileSync(path.join(directory, "machine.pid"), "utf8") === pid]).toEqual([true, false]);
  expect(await ipmitool("off")).toContain("Down/Off");
  expect([isUp(), await ipmitool("status")]).toEqual([false, expect.stringContaining("Chassis Power is off")]);
});

test("slow: both are told that it is done while the machine runs; ours waits for the end", async () => {
  setChassisVice(directory, "slow");
  expect(await ipmitool("off")).toContain("Down/Off");
  expect(isUp()).toBe(true);
  expect(await off("30s")).toEqual({ kind: "confirmed", power: "off" });
  expect(isUp()).toBe(false);
});

test("stuck: said to be done, and never off", async () => {
  setChassisVice(directory, "stuck");
  expect(await ipmitool("off")).toContain("Down/Off");
  expect((await off("2s")).kind).toBe("unknown");
  expect(isUp()).toBe(true);
});

test("lying: no client can tell, which is why a second device has to", async () => {
  setChassisVice(directory, "lying");
  expect(await ipmitool("status")).toContain("Chassis Power is off");
});

test("frozen: no answer, and nothing is taken for done", async () => {
  board.freeze();
  expect((await off("3s")).kind).not.toBe("confirmed");
  board.thaw();
  expect(isUp()).toBe(true);
});

test("garbage: what stands behind an answer changes nothing for either", async () => {
  relay.setGarbage(true);
  expect(await ipmitool("status")).toContain("Chassis Power is on");
  expect(await off("20s")).toEqual({ kind: "confirmed", power: "off" });
});

test("words that are no vice are known as such", () => {
  expect([isVice("stuck"), isVice("lazy")]).toEqual([true, false]);
});
