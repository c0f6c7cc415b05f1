/**
 * Start, monitor and stop of our built-in agents against the shell agents of Debian's packages, through the same
 * runner, in a network namespace of its own. Bar: a tenth of the shell agent's time; where the protocol itself waits
 * (sfex: one collision timeout of 1 s before a lock is taken) that is said beside it.
 * drbd runs against stand-ins of drbdadm and drbdsetup that answer at once: measured are the agents and how often they
 * ask, not the kernel (the lab measures that takeover). Its shell agent is that of drbd-utils, installed, or unpacked
 * into the folder that GEMEL_DRBD_UTILS names (dpkg -x).
 * Usage: npm run bench -- agents [ROUNDS]   (root)
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { FEATURE_SET } from "../src/cluster/core/cib-store/state.ts";
import type { OperationRun } from "../src/cluster/core/executor/types.ts";
import { AGENT_PATH, type AgentRunner, createAgentRunner, type Finished } from "../src/cluster/edge/resource-agent.ts";
import { USUAL_PATHS } from "../src/cluster/edge/resource-agent-classes.ts";
import { CLONE_NEWNET, unshare } from "../src/hw/edge/native.ts";
import { enterDrbdWorld } from "../test/support/drbd-stand-in.ts";
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
  /** Parameters of the shell agent alone. */
  readonly shellParameters?: Readonly<Record<string, string>>;
  readonly operations?: readonly string[];
  readonly metas?: Readonly<Record<string, string>>;
}

const OPERATIONS = ["start", "monitor", "stop"];
/** What a monitor of something promoted answers. */
const RUNNING_PROMOTED = 8;
const UTILS = process.env["GEMEL_DRBD_UTILS"] ?? "";
const LINBIT = path.join("/", UTILS, "usr/lib/ocf/resource.d/linbit");

const CLONE = { clone_max: "2", clone_node_max: "1", master_max: "1", master_node_max: "1", notify: "true" };

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
  drbd: {
    provider: "linbit",
    parameters: { drbd_resource: "r0" },
    shellParameters: { drbdconf: path.join(base, "drbd/dump") },
    needs: path.join(LINBIT, "drbd"),
    operations: ["start", "promote", "monitor", "demote", "stop"],
    metas: CLONE,
  },
};

/** Debian's agents, and drbd's from wherever it is. */
function ocfRoot(): string {
  const root = path.join(base, "ocf");
  mkdirSync(path.join(root, "resource.d"), { recursive: true });
  symlinkSync("/usr/lib/ocf/lib", path.join(root, "lib"));
  for (const provider of ["heartbeat", "pacemaker"])
    symlinkSync(`/usr/lib/ocf/resource.d/${provider}`, path.join(root, "resource.d", provider));
  if (existsSync(LINBIT)) symlinkSync(LINBIT, path.join(root, "resource.d/linbit"));
  return root;
}

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
  const paths = { ...USUAL_PATHS, ocfRoot: ocfRoot() };
  const options = { runDirectory, environment, paths, node: os.hostname() };
  const runner = createAgentRunner(options, (event) => answer(event));
  const ask = (run: OperationRun) =>
    new Promise<Finished>((resolve) => {
      answer = resolve;
      runner.run(run);
    });
  return { ask, runner };
}

function runOf(provider: string, type: string, operation: string): OperationRun {
  const pair = PAIRS[type];
  const parameters = { ...pair?.parameters, ...(provider === "gemel" ? {} : pair?.shellParameters) };
  const metas = Object.entries({ timeout: "20000", interval: "0", ...pair?.metas });
  const variables = Object.entries(parameters).map(([name, value]) => [`OCF_RESKEY_${name}`, value]);
  const identity = { OCF_RESOURCE_INSTANCE: type, OCF_RESOURCE_TYPE: type, OCF_RESOURCE_PROVIDER: provider };
  const given = [...metas.map(([name, value]) => [`OCF_RESKEY_CRM_meta_${name}`, value]), ...variables];
  const environment = { ...identity, OCF_RESKEY_crm_feature_set: FEATURE_SET, ...Object.fromEntries(given) };
  const resource = { id: type, class: "ocf", provider, type };
  return { callId: 1, resource, instance: type, operation, intervalMs: 0, timeoutMs: 20_000, parameters, environment };
}

const median = (values: readonly number[]) =>
  [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;

async function measure(
  ask: (run: OperationRun) => Promise<Finished>,
  provider: string,
  type: string,
): Promise<Readonly<Record<string, number>>> {
  const operations = PAIRS[type]?.operations ?? OPERATIONS;
  const times: Record<string, number[]> = Object.fromEntries(operations.map((operation) => [operation, []]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const operation of operations) {
      const { outcome, execMs, exitReason, output } = await ask(runOf(provider, type, operation));
      const isWell = outcome.kind === "exit" && [0, RUNNING_PROMOTED].includes(outcome.code);
      if (!isWell)
        throw new Error(`${provider}:${type} ${operation}: ${JSON.stringify(outcome)} ${exitReason} ${output}`);
      // The first round warms caches, and no takeover is the machine's first command.
      if (round > 0) times[operation]?.push(execMs);
    }
  }
  return Object.fromEntries(Object.entries(times).map(([operation, values]) => [operation, median(values)]));
}

if (process.getuid?.() !== 0 || !existsSync("/usr/lib/ocf/resource.d/heartbeat/IPaddr2")) {
  process.stderr.write("bench/agents: be root, and install resource-agents and iproute2\n");
  process.exit(1);
}
network();
execFileSync("sfex_init", ["-n", "1", disk.path]);
const { ask, runner } = createAsker();
process.stdout.write(`median of ${ROUNDS}, ms${" ".repeat(14)}gemel     shell    part\n`);
for (const [type, { provider, startWaitMs = 0, needs, operations = OPERATIONS }] of Object.entries(PAIRS)) {
  if (type === "drbd") enterDrbdWorld(path.join(base, "drbd"), disk.path);
  const ours = await measure(ask, "gemel", type);
  const isThere = needs === undefined || existsSync(needs);
  const theirs = isThere ? await measure(ask, provider, type) : undefined;
  for (const operation of operations) {
    const [left = Number.NaN, right] = [ours[operation], theirs?.[operation]];
    const beside = right === undefined ? "-" : right.toFixed(1);
    const part = right === undefined ? "-" : (left / right).toFixed(3);
    const wait = operation === "start" && startWaitMs > 0 ? `  (${startWaitMs} ms of it by the protocol)` : "";
    const lacking = isThere ? "" : `  (the shell agent does not run here: there is no ${needs})`;
    const words = [left.toFixed(2).padStart(8), beside.padStart(8), part.padStart(8)].join("  ");
    process.stdout.write(`${`${type} ${operation}`.padEnd(24)}${words}${wait}${lacking}\n`);
  }
}
await runner.close();
// The world of drbd lies over this /proc.
spawnSync("umount", ["--lazy", "/proc"]);
spawnSync("umount", ["--lazy", path.join(base, "drbd/proc")]);
spawnSync("umount", ["--lazy", "/usr/local/sbin"]);
disk.detach();
rmSync(base, { recursive: true, force: true });
const load = os.loadavg().map((value) => value.toFixed(1));
process.stdout.write(`load ${load.join(" ")} on ${os.availableParallelism()} processors\n`);
