/**
 * Start, monitor and stop of our built-in agents against the shell agents of Debian's packages, through the same
 * runner, in a network namespace of its own. Bar: a tenth of the shell agent's time; where the protocol itself waits
 * (sfex: one collision timeout of 1 s before a lock is taken) that is said beside it.
 * drbd is not in it: both agents spend their time in drbdadm, and need the module; the lab measures that takeover.
 * Usage: npm run bench -- agents [ROUNDS]   (root)
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import type { OperationRun } from "../src/cluster/core/executor/types.ts";
import { AGENT_PATH, type AgentRunner, createAgentRunner, type Finished } from "../src/cluster/edge/resource-agent.ts";
import { CLONE_NEWNET, unshare } from "../src/hw/edge/native.ts";
import { attachLoopDisk } from "../test/support/loop-disk.ts";

const ROUNDS = Number(process.argv[2] ?? 10);
const base = mkdtempSync(path.join(os.tmpdir(), "gemel-bench-"));

function network(): void {
  unshare(CLONE_NEWNET);
  for (const words of [
    "link set lo up",
    "link add a0 type veth peer name b0",
    "link set a0 up",
    "link set b0 up",
    "addr add 198.18.7.1/24 dev a0",
  ])
    execFileSync("ip", words.split(" "));
}

interface Pair {
  /** The shell agent that does the same. */
  readonly provider: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** What both must wait for at a start, by the protocol. */
  readonly startWaitMs?: number;
  /** The shell agent does not run without it. */
  readonly needs?: string;
}

const disk = attachLoopDisk();

const PAIRS: Readonly<Record<string, Pair>> = {
  IPaddr2: { provider: "heartbeat", parameters: { ip: "198.18.7.50", nic: "a0", cidr_netmask: "24" } },
  Filesystem: {
    provider: "heartbeat",
    parameters: { device: "tmpfs", directory: path.join(base, "mnt"), fstype: "tmpfs", options: "size=1m" },
  },
  Route: { provider: "heartbeat", parameters: { destination: "198.18.8.0/24", device: "a0" } },
  ping: { provider: "pacemaker", parameters: { host_list: "198.18.7.1", dampen: "0", attempts: "1", timeout: "1" } },
  sfex: {
    provider: "heartbeat",
    parameters: { device: disk.path, index: "1", collision_timeout: "1", lock_timeout: "100", monitor_interval: "10" },
    startWaitMs: 1_000,
    needs: "/proc/sysrq-trigger",
  },
};

/** Agents call it where Pacemaker's own would tell the cluster; here there is none, and its time is not the agent's. */
function tools(): string {
  const folder = path.join(base, "tools");
  mkdirSync(folder);
  for (const name of ["attrd_updater", "crm_attribute"])
    writeFileSync(path.join(folder, name), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
  return folder;
}

/** One run at a time, so that each is measured alone. */
function createAsker(): { readonly ask: (run: OperationRun) => Promise<Finished>; readonly runner: AgentRunner } {
  let answer: (event: Finished) => void = () => {};
  const environment = { PATH: `${tools()}:${AGENT_PATH}`, HA_SBIN_DIR: path.join(base, "tools") };
  const runDirectory = path.join(base, "run");
  const runner = createAgentRunner({ runDirectory, environment, node: os.hostname() }, (event) => answer(event));
  const ask = (run: OperationRun) =>
    new Promise<Finished>((resolve) => {
      answer = resolve;
      runner.run(run);
    });
  return { ask, runner };
}

function runOf(provider: string, type: string, operation: string): OperationRun {
  const parameters = PAIRS[type]?.parameters ?? {};
  const variables = Object.entries(parameters).map(([name, value]) => [`OCF_RESKEY_${name}`, value]);
  const identity = { OCF_RESOURCE_INSTANCE: type, OCF_RESOURCE_TYPE: type, OCF_RESOURCE_PROVIDER: provider };
  const environment = { ...identity, OCF_RESKEY_CRM_meta_timeout: "20000", ...Object.fromEntries(variables) };
  const resource = { id: type, class: "ocf", provider, type };
  return { callId: 1, resource, instance: type, operation, intervalMs: 0, timeoutMs: 20_000, parameters, environment };
}

const median = (values: readonly number[]) =>
  [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;

async function measure(
  ask: (run: OperationRun) => Promise<Finished>,
  provider: string,
  type: string,
): Promise<{ start: number; stop: number; monitor: number }> {
  const times: Record<string, number[]> = { start: [], monitor: [], stop: [] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const operation of ["start", "monitor", "stop"]) {
      const { outcome, execMs, exitReason, output } = await ask(runOf(provider, type, operation));
      if (outcome.kind !== "exit" || outcome.code !== 0)
        throw new Error(`${provider}:${type} ${operation}: ${JSON.stringify(outcome)} ${exitReason} ${output}`);
      // The first round warms caches, and no takeover is the machine's first command.
      if (round > 0) times[operation]?.push(execMs);
    }
  }
  return {
    start: median(times["start"] ?? []),
    monitor: median(times["monitor"] ?? []),
    stop: median(times["stop"] ?? []),
  };
}

if (process.getuid?.() !== 0 || !existsSync("/usr/lib/ocf/resource.d/heartbeat/IPaddr2")) {
  process.stderr.write("bench/agents: be root, and install resource-agents and iproute2\n");
  process.exit(1);
}
network();
execFileSync("sfex_init", ["-n", "1", disk.path]);
const { ask, runner } = createAsker();
process.stdout.write(`median of ${ROUNDS}, ms${" ".repeat(14)}gemel     shell    part\n`);
for (const [type, { provider, startWaitMs = 0, needs }] of Object.entries(PAIRS)) {
  const ours = await measure(ask, "gemel", type);
  const isThere = needs === undefined || existsSync(needs);
  const theirs = isThere ? await measure(ask, provider, type) : undefined;
  for (const operation of ["start", "monitor", "stop"] as const) {
    const [left, right] = [ours[operation], theirs?.[operation]];
    const beside = right === undefined ? "-" : right.toFixed(1);
    const part = right === undefined ? "-" : (left / right).toFixed(3);
    const wait = operation === "start" && startWaitMs > 0 ? `  (${startWaitMs} ms of it by the protocol)` : "";
    const lacking = isThere ? "" : `  (the shell agent does not run here: there is no ${needs})`;
    const words = [left.toFixed(2).padStart(8), beside.padStart(8), part.padStart(8)].join("  ");
    process.stdout.write(`${`${type} ${operation}`.padEnd(24)}${words}${wait}${lacking}\n`);
  }
}
await runner.close();
disk.detach();
rmSync(base, { recursive: true, force: true });
const load = os.loadavg().map((value) => value.toFixed(1));
process.stdout.write(`load ${load.join(" ")} on ${os.availableParallelism()} processors\n`);
