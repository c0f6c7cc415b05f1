/**
 * Start and stop of our IPaddr2 and Filesystem against the shell agents of Debian's resource-agents, through the same
 * runner, in a network namespace of its own. Usage: npm run bench -- agents [ROUNDS]   (root)
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import type { OperationRun } from "../src/cluster/core/executor/types.ts";
import { type AgentRunner, createAgentRunner, type Finished } from "../src/cluster/edge/resource-agent.ts";
import { CLONE_NEWNET, unshare } from "../src/hw/edge/native.ts";

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

const PARAMETERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  IPaddr2: { ip: "198.18.7.50", nic: "a0", cidr_netmask: "24" },
  Filesystem: { device: "tmpfs", directory: path.join(base, "mnt"), fstype: "tmpfs", options: "size=1m" },
};

/** One run at a time, so that each is measured alone. */
function createAsker(): { readonly ask: (run: OperationRun) => Promise<Finished>; readonly runner: AgentRunner } {
  let answer: (event: Finished) => void = () => {};
  const runner = createAgentRunner({ runDirectory: path.join(base, "run") }, (event) => answer(event));
  const ask = (run: OperationRun) =>
    new Promise<Finished>((resolve) => {
      answer = resolve;
      runner.run(run);
    });
  return { ask, runner };
}

function runOf(provider: string, type: string, operation: string): OperationRun {
  const parameters = PARAMETERS[type] ?? {};
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
const { ask, runner } = createAsker();
process.stdout.write(`median of ${ROUNDS}, ms${" ".repeat(14)}gemel   heartbeat  part\n`);
for (const type of Object.keys(PARAMETERS)) {
  const ours = await measure(ask, "gemel", type);
  const theirs = await measure(ask, "heartbeat", type);
  for (const operation of ["start", "monitor", "stop"] as const) {
    const [left, right] = [ours[operation], theirs[operation]];
    const words = [left.toFixed(2).padStart(8), right.toFixed(1).padStart(10), (left / right).toFixed(3).padStart(8)];
    process.stdout.write(`${`${type} ${operation}`.padEnd(24)}${words.join("  ")}\n`);
  }
}
await runner.close();
rmSync(base, { recursive: true, force: true });
