/**
 * Debian's OCF agents through our own runner: which describe themselves (meta-data), and which judge parameters
 * (validate-all), with the words of those that will not. An agent whose program is missing may say so: 5, not installed,
 * is an answer; a timeout, a crash or a silence is none. Usage: npm run bench -- ocf-agents
 * Bar: at least 60 describe themselves and answer validate-all with a code of the OCF API.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { childOf, childrenOf, parseXml } from "../src/base/xml.ts";
import type { OperationRun } from "../src/cluster/core/executor/types.ts";
import { createAgentRunner, type Finished } from "../src/cluster/edge/resource-agent.ts";

const OCF = "/usr/lib/ocf/resource.d";
const AGENTS_MIN = 60;
const TIMEOUT_MS = 30_000;
/** Answers of the OCF API to validate-all: fine, or why not. */
const VERDICTS = [0, 2, 4, 5, 6];
/** They speak to the network or to hardware when asked for anything. */
const LEFT_OUT = new Set(["aws-vpc-route53", "lxd-info", "machine-info", "openstack-info"]);

const base = mkdtempSync(path.join(os.tmpdir(), "cmd-ocf-"));

function agents(): readonly (readonly [provider: string, type: string])[] {
  return readdirSync(OCF).flatMap((provider) =>
    readdirSync(path.join(OCF, provider))
      .filter((type) => !LEFT_OUT.has(type) && !type.includes("."))
      .filter((type) => (statSync(path.join(OCF, provider, type)).mode & 0o111) !== 0)
      .map((type) => [provider, type] as const),
  );
}

let answer: (event: Finished) => void = () => {};
const runner = createAgentRunner({ runDirectory: base }, (event) => answer(event));

function ask(
  provider: string,
  type: string,
  operation: string,
  parameters: Readonly<Record<string, string>>,
): Promise<Finished> {
  const identity = { OCF_RESOURCE_INSTANCE: type, OCF_RESOURCE_TYPE: type, OCF_RESOURCE_PROVIDER: provider };
  const given = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [`OCF_RESKEY_${name}`, value]));
  const environment = { ...identity, OCF_RESKEY_CRM_meta_timeout: String(TIMEOUT_MS), ...given };
  const resource = { id: type, class: "ocf", provider, type };
  const run: OperationRun = {
    ...{ callId: 1, resource, instance: type, operation, intervalMs: 0, timeoutMs: TIMEOUT_MS, parameters },
    environment,
  };
  return new Promise((resolve) => {
    answer = resolve;
    runner.run(run);
  });
}

const exitOf = ({ outcome }: Finished) => (outcome.kind === "exit" ? outcome.code : undefined);

/** What it takes by its own word, where it has a default to offer. */
function defaultsOf(output: string): Readonly<Record<string, string>> | undefined {
  const [whole = ""] = /<resource-agent[\s\S]*<\/resource-agent>/.exec(output) ?? [];
  const read = parseXml(whole);
  if (read.kind !== "xml" || read.root.name !== "resource-agent") return undefined;
  const parameters = childrenOf(childOf(read.root, "parameters"), "parameter");
  return Object.fromEntries(
    parameters.flatMap(({ attributes: { name = "" }, children }) => {
      const value = children.find((child) => child.name === "content")?.attributes["default"];
      return value === undefined || value === "" ? [] : [[name, value]];
    }),
  );
}

let described = 0;
let judged = 0;
for (const [provider, type] of agents()) {
  const metadata = await ask(provider, type, "meta-data", {});
  const defaults = exitOf(metadata) === 0 ? defaultsOf(metadata.output) : undefined;
  if (defaults === undefined) {
    process.stdout.write(`${provider}:${type}: does not describe itself: ${JSON.stringify(metadata.outcome)}\n`);
    continue;
  }
  described += 1;
  const verdict = await ask(provider, type, "validate-all", defaults);
  const code = exitOf(verdict);
  if (code !== undefined && VERDICTS.includes(code)) judged += 1;
  else
    process.stdout.write(
      `${provider}:${type}: validate-all: ${JSON.stringify(verdict.outcome)} ${verdict.exitReason}\n`,
    );
}
await runner.close();
rmSync(base, { recursive: true, force: true });
const isEnough = Math.min(described, judged) >= AGENTS_MIN;
process.stdout.write(
  `${described} describe themselves, ${judged} judge parameters; load ${os.loadavg()[0]?.toFixed(1)}\n`,
);
process.exitCode = isEnough ? 0 : 1;
