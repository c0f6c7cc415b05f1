/**
 * Session and status: ours against `ipmitool -I lanplus -C 3`, on the same `ipmi_sim`, in one run; then bad wires.
 * Usage: npm run bench -- fencing [RUNS]     Prints a table; timings are medians, and stand beside the load average.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { ipmiDevice } from "../src/fencing/drivers/ipmi-lan.ts";
import { provePower } from "../src/fencing/drivers/prove-power.ts";
import { createIpmiConnection } from "../src/hw/edge/udp-ipmi.ts";
import { ACCOUNTS, freeUdpPort, startIpmiSim } from "../test/support/ipmi-sim.ts";
import { seeded, startUdpRelay } from "../test/support/udp-relay.ts";

const runs = Number(process.argv[2] ?? 30);
const execute = promisify(execFile);

async function measure(times: number, run: () => Promise<boolean>): Promise<{ all: number[]; failed: number }> {
  const all: number[] = [];
  let failed = 0;
  for (let round = 0; round < times; round++) {
    const startedAtMs = performance.now();
    if (!(await run())) failed += 1;
    all.push(performance.now() - startedAtMs);
  }
  return { all: all.toSorted((left, right) => left - right), failed };
}

/** Begins to count; the answer ends it. */
function cpuMsPerRun(times: number): () => number {
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000 / times;
  };
}

function row(name: string, { all, failed }: { all: number[]; failed: number }): void {
  const at = (share: number) => (all[Math.min(all.length - 1, Math.floor(all.length * share))] ?? 0).toFixed(2);
  const cells = [at(0.5), at(0.9), at(1), `${all.length - failed} of ${all.length}`];
  process.stdout.write(`${name.padEnd(48)}${cells.map((cell) => cell.padStart(12)).join("")}\n`);
}

function connect(port: number, budgetMs = 5_000) {
  const account = { ...ACCOUNTS.admin, suite: 3, privilege: "operator" } as const;
  return createIpmiConnection({ host: "127.0.0.1", port, account, budgetMs });
}

async function ourSession(port: number, budgetMs?: number): Promise<boolean> {
  const bmc = connect(port, budgetMs);
  const answer = await bmc.power();
  bmc.close();
  return answer.kind === "power";
}

const ipmitoolEnvironment = { ...process.env, IPMI_PASSWORD: ACCOUNTS.admin.password };

function ipmitoolArguments(port: number, word: "status" | "off"): readonly string[] {
  const login = ["-I", "lanplus", "-C", "3", "-H", "127.0.0.1", "-p", String(port), "-U", ACCOUNTS.admin.user, "-E"];
  return [...login, "chassis", "power", word];
}

/** What it says; empty where it fails. */
async function ipmitool(port: number, word: "status" | "off"): Promise<string> {
  try {
    return (await execute("ipmitool", [...ipmitoolArguments(port, word)], { env: ipmitoolEnvironment })).stdout;
  } catch {
    return "";
  }
}

const ipmitoolStatus = async (port: number) => (await ipmitool(port, "status")).includes("Chassis Power is");

/** Times that a machine of its own is switched off; each time costs fence_ipmilan some seconds. */
const OFF_RUNS = 3;
/** It takes half a second to start. */
const AGENT_RUNS = 5;

/** What a script does that wants to know: `off`, then `status` until it says so, for 20 s at most. */
async function ipmitoolOff(port: number): Promise<boolean> {
  const untilMs = performance.now() + 20_000;
  await ipmitool(port, "off");
  while (performance.now() < untilMs) {
    if ((await ipmitool(port, "status")).includes("Power is off")) return true;
  }
  return false;
}

async function measureOff(name: string, port: number, off: () => Promise<boolean>): Promise<void> {
  const bmc = connect(port);
  const results: { all: number[]; failed: number } = { all: [], failed: 0 };
  for (let round = 0; round < OFF_RUNS; round++) {
    await bmc.control("power-up");
    const { all, failed } = await measure(1, off);
    results.all.push(...all);
    results.failed += failed;
  }
  bmc.close();
  row(name, { ...results, all: results.all.toSorted((left, right) => left - right) });
}

async function ourOff(port: number, settleMs: number): Promise<boolean> {
  const bmc = connect(port);
  const times = { answerMs: 5_000, confirmMs: 20_000, pollMs: 50, settleMs };
  const clock = { nowMs: () => performance.now(), sleep: (ms: number) => sleep(Math.max(0, ms)) };
  const outcome = await provePower(ipmiDevice(bmc), clock, times, "off");
  bmc.close();
  return outcome.kind === "confirmed";
}

async function fenceIpmilan(port: number, action: "status" | "off"): Promise<boolean> {
  const login = ["--lanplus", "-C", "3", "-a", "127.0.0.1", "-u", String(port), "-l", ACCOUNTS.admin.user];
  try {
    await execute("fence_ipmilan", [...login, "-p", ACCOUNTS.admin.password, "-o", action]);
    return true;
  } catch {
    return false;
  }
}

const board = await startIpmiSim({ machine: "process" });
const relay = await startUdpRelay(board.port);
const lossy = (seed: number) => {
  const random = seeded(seed);
  relay.decide(() => (random() < 0.1 ? "drop" : "pass"));
};
try {
  process.stdout.write(`load average ${readFileSync("/proc/loadavg", "utf8").trim()}; times in ms\n`);
  const head = ["median", "90 %", "worst", "succeeded"].map((cell) => cell.padStart(12)).join("");
  process.stdout.write(`${"".padEnd(48)}${head}\n`);
  await measure(5, () => ourSession(board.port));
  const theirs = await measure(runs, () => ipmitoolStatus(board.port));
  const agent = await measure(AGENT_RUNS, () => fenceIpmilan(board.port, "status"));
  const sessionCpu = cpuMsPerRun(runs);
  const ours = await measure(runs, () => ourSession(board.port));
  const sessionCpuMs = sessionCpu();
  const open = connect(board.port);
  await open.power();
  const statusCpu = cpuMsPerRun(runs * 10);
  const kept = await measure(runs * 10, async () => (await open.power()).kind === "power");
  const statusCpuMs = statusCpu();
  open.close();
  row("ipmitool -C 3, whole process", theirs);
  row("fence_ipmilan, status", agent);
  row("ours, whole session: login, status, close", ours);
  row("ours, status on the open session", kept);
  const medianOf = ({ all }: { all: number[] }) => all[all.length >> 1] ?? 0;
  const [whole, single] = [ours, kept].map((result) => (medianOf(theirs) / medianOf(result)).toFixed(0));
  process.stdout.write(`faster than ipmitool: whole session ${whole} times, open session ${single} times\n`);
  const cpu = [sessionCpuMs, statusCpuMs].map((ms) => ms.toFixed(2));
  process.stdout.write(`of that our own processor time, which no other load lengthens: ${cpu.join(" and ")} ms\n`);
  await measureOff("ours, off until read once", board.port, () => ourOff(board.port, 0));
  await measureOff("ours, off until proven (read twice, 1 s apart)", board.port, () => ourOff(board.port, 1_000));
  await measureOff("ipmitool, off, then status until it is off", board.port, () => ipmitoolOff(board.port));
  await measureOff("fence_ipmilan, off", board.port, () => fenceIpmilan(board.port, "off"));
  lossy(1);
  row("ours, 10 % of the packets lost", await measure(50, () => ourSession(relay.port, 10_000)));
  lossy(1);
  row("ipmitool, 10 % of the packets lost", await measure(5, () => ipmitoolStatus(relay.port)));
  const dead = await freeUdpPort();
  row("ours, dead board, budget 3 s", await measure(1, () => ourSession(dead, 3_000)));
  row("ipmitool, dead board", await measure(1, () => ipmitoolStatus(dead)));
} finally {
  relay.close();
  await board.stop();
}
