/**
 * crm_resource past the cluster: an agent run by hand on this node, asked to judge parameters, or to describe itself.
 * What the cluster believes is not changed by it; so nothing is started by hand that runs elsewhere.
 * Facts: crm_resource(8); outputs and exit codes of crm_resource 2.1.5: the exit code is the agent's own.
 */
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { printXml } from "../../base/xml.ts";
import { agentEnvironment } from "../../cluster/core/executor/environment.ts";
import { OCF_CODE_TEXT } from "../../cluster/core/monitor/operations.ts";
import { currentDigest, parametersDigest } from "../../cluster/core/scheduler/facts/digests.ts";
import { type Facts, primitivesOf, type Resource } from "../../cluster/core/scheduler/facts/model.ts";
import { parametersOf } from "../../cluster/core/scheduler/facts/read-resources.ts";
import { parseDurationMs } from "../../cluster/core/scheduler/facts/values.ts";
import { createAgentRunner, type Finished } from "../../cluster/edge/resource-agent.ts";
import { agentMetadata } from "../crm/ra-level.ts";
import { fencingMetadata } from "../fencing-agents.ts";
import { askOrTell, EXIT, FIELD_EXIT, wrongCall } from "./ask.ts";
import type { ResourceAction, ResourceCall } from "./crm-resource.ts";
import { complain, find, tell } from "./crm-resource-find.ts";

/** As long as an operation may take for which nothing is configured. */
const TIMEOUT_MS = 20_000;
const UNIMPLEMENTED = 3;

interface Agent {
  readonly class: string;
  readonly provider?: string;
  readonly type: string;
}

const agentText = ({ class: agentClass, provider, type }: Agent) =>
  [agentClass, ...(provider === undefined ? [] : [provider]), type].join(":");

interface Order {
  readonly id: string;
  readonly agent: Agent;
  readonly operation: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly checkLevel?: string;
  readonly timeoutMs: number;
}

/** The agent as it stands on this machine: never ours in its place, for it is this one that is asked about. */
async function runAgent({ id, agent, operation, parameters, checkLevel, timeoutMs }: Order): Promise<Finished> {
  const directory = mkdtempSync(path.join(os.tmpdir(), "gemel-agent-"));
  try {
    return await new Promise<Finished>((resolve) => {
      const runner = createAgentRunner({ runDirectory: directory }, (event) => {
        void runner.close().then(() => resolve(event));
      });
      const resource = { id, ...agent };
      const meta = checkLevel === undefined ? {} : { OCF_CHECK_LEVEL: checkLevel };
      const run = { resource, operation, intervalMs: 0, timeoutMs, parameters };
      const environment = agentEnvironment({ ...run, meta }, os.hostname());
      runner.run({ ...run, callId: 1, instance: id, environment });
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Tells how it went; the exit code is the agent's. */
async function runAndTell(title: string, order: Order): Promise<number> {
  const { outcome, exitReason, output } = await runAgent(order);
  const code = outcome.kind === "exit" ? outcome.code : 1;
  const reason = exitReason === "" ? "" : `: ${exitReason}`;
  const word = outcome.kind === "exit" ? (OCF_CODE_TEXT[code] ?? "unknown") : outcome.kind;
  tell(`Operation ${title} (${agentText(order.agent)}) returned ${code} (${word}${reason})`);
  if (code !== 0 && output.trim() !== "") process.stderr.write(`${output.trim()}\n`);
  return code;
}

function timeoutOf({ flags }: ResourceCall): number {
  const given = typeof flags["timeout"] === "string" ? parseDurationMs(flags["timeout"]) : undefined;
  return given ?? TIMEOUT_MS;
}

/** `-OPERATION=LEVEL`, as the words behind the flag were split off. */
function levelOf({ flags }: ResourceCall): string | undefined {
  return typeof flags["level"] === "string" ? flags["level"] : undefined;
}

const agentOf = ({ element: { attributes } }: Resource): Agent => ({
  class: attributes["class"] ?? "ocf",
  ...(attributes["provider"] === undefined ? {} : { provider: attributes["provider"] }),
  type: attributes["type"] ?? "",
});

/** The resource may already be held by somebody: a second holder is what a cluster is there to prevent. */
async function refuseForce(
  call: ResourceCall,
  facts: Facts,
  resource: Resource,
  verb: string,
): Promise<string | undefined> {
  if (verb === "stop" || verb === "check" || call.flags["force"] === true) return undefined;
  const holders = facts.resources
    .filter(({ kind, baseId }) => kind === "primitive" && baseId === resource.baseId)
    .flatMap(({ runningOn }) => runningOn.map(({ name }) => name));
  if (holders.length === 0) return undefined;
  const asked = await askOrTell("crm_resource", call.socketPath, { kind: "ping" });
  const self = asked.kind === "answer" ? asked.value.self : "";
  const isClone = resource.parent?.kind === "clone";
  const other = holders.find((name) => name !== self);
  if (isClone && holders.includes(self)) return `an instance of it is active on ${self} already`;
  if (isClone || other === undefined) return undefined;
  return `it runs on ${other}: two would hold it`;
}

function forced(verb: "start" | "stop" | "check" | "promote" | "demote"): ResourceAction {
  return async (call) => {
    const found = await find(call);
    if (typeof found === "number") return found;
    const { facts, resource } = found;
    if (resource.kind === "group")
      return complain(`Sorry, the force-${verb} option doesn't support group resources`, UNIMPLEMENTED);
    const [primitive] = primitivesOf(resource);
    if (primitive === undefined) return complain(`${resource.id} has no primitive`, FIELD_EXIT.notFound);
    const refusal = await refuseForce(call, facts, primitive, verb);
    if (refusal !== undefined)
      return complain(
        `It is not safe to ${verb} ${resource.id} this way: ${refusal}; --force does it all the same`,
        FIELD_EXIT.unsafe,
      );
    const level = levelOf(call);
    return await runAndTell(`force-${verb} for ${call.resource ?? ""}`, {
      id: primitive.baseId,
      agent: agentOf(primitive),
      operation: verb === "check" ? "monitor" : verb,
      parameters: parametersOf(facts, primitive, undefined),
      timeoutMs: timeoutOf(call),
      ...(level === undefined ? {} : { checkLevel: level }),
    });
  };
}

/** `NAME=VALUE` words; the first that is none. */
function readPairs(words: readonly string[]): Readonly<Record<string, string>> | string {
  const wrong = words.find((word) => !/^[^=]+=/.test(word));
  if (wrong !== undefined) return wrong;
  return Object.fromEntries(words.map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]));
}

const validate: ResourceAction = async (call) => {
  const { flags, options } = call;
  const level = levelOf(call);
  const common = {
    operation: "validate-all",
    timeoutMs: timeoutOf(call),
    ...(level === undefined ? {} : { checkLevel: level }),
  };
  const [agentClass, provider, type] = [flags["class"], flags["provider"], flags["agent"]];
  if (typeof type === "string" && typeof agentClass === "string") {
    const parameters = readPairs(options);
    if (typeof parameters === "string")
      return wrongCall("crm_resource", `--option=${parameters} is no NAME=VALUE`, "crm_resource --validate ...");
    const agent = { class: agentClass, type, ...(typeof provider === "string" ? { provider } : {}) };
    return await runAndTell("validate", { ...common, id: "validate", agent, parameters });
  }
  if (call.resource === undefined)
    return wrongCall(
      "crm_resource",
      "of what? -r RESOURCE, or --class, --provider and --agent",
      "crm_resource --validate",
    );
  const found = await find(call);
  if (typeof found === "number") return found;
  const [primitive] = primitivesOf(found.resource);
  if (primitive === undefined || found.resource.kind === "group")
    return complain(`Sorry, the validate option doesn't support group resources`, UNIMPLEMENTED);
  return await runAndTell(`validate for ${call.resource}`, {
    ...common,
    id: primitive.baseId,
    agent: agentOf(primitive),
    parameters: parametersOf(found.facts, primitive, undefined),
  });
};

const digests: ResourceAction = async (call) => {
  if (call.node === undefined)
    return wrongCall("crm_resource", "on which node? -N NODE", "crm_resource --digests -r -N");
  const found = await find(call);
  if (typeof found === "number") return found;
  const { facts, resource } = found;
  const node = facts.nodes.find(({ name }) => name === call.node);
  if (node === undefined) return complain(`Node '${call.node}' not found`, FIELD_EXIT.notFound);
  if (resource.kind !== "primitive") return complain("Digests are those of a primitive", UNIMPLEMENTED);
  const given = readPairs(call.words);
  if (typeof given === "string") return wrongCall("crm_resource", `${given} is no NAME=VALUE`, "--digests NAME=VALUE");
  const parameters = { ...parametersOf(facts, resource, node.attributes), ...given };
  const start = { task: "start", intervalMs: 0 };
  const all =
    Object.keys(given).length === 0 ? currentDigest(facts, resource, node, start) : parametersDigest(parameters);
  const secret = new Set(resource.element.attributes["class"] === "ocf" ? secretNames(agentOf(resource)) : []);
  const open = Object.fromEntries(Object.entries(parameters).filter(([name]) => !secret.has(name)));
  tell(`${all} (all parameters)`);
  tell(`${secret.size === 0 ? all : parametersDigest(open)} (non-private parameters)`);
  return EXIT.done;
};

/** What an agent calls private, and what everybody would. Fact: OCF API 1.1, `unique-group` has no part in it. */
function secretNames({ provider = "heartbeat", type }: Agent): readonly string[] {
  const parameters = agentMetadata(provider, type)?.children.find(({ name }) => name === "parameters")?.children ?? [];
  const named = parameters.filter(({ attributes }) => attributes["private"] === "1");
  return [...named.map(({ attributes }) => attributes["name"] ?? ""), "password", "passwd", "user"];
}

const showMetadata: ResourceAction = ({ argument }) => {
  const [agentClass = "", provider = "", type = ""] = argument.split(":");
  const told = agentClass === "stonith" ? fencingMetadata(provider) : agentMetadata(provider, type);
  const metadata = agentClass === "ocf" || agentClass === "stonith" ? told : "only ocf and stonith agents have any";
  if (metadata === undefined || typeof metadata === "string") {
    const reason = metadata ?? "No such device or address";
    return Promise.resolve(complain(`Metadata query for ${argument} failed: ${reason}`, FIELD_EXIT.notFound));
  }
  process.stdout.write(`<?xml version="1.0"?>\n${printXml(metadata)}`);
  return Promise.resolve(EXIT.done);
};

export const BY_HAND: Readonly<Record<string, ResourceAction>> = {
  "force-start": forced("start"),
  "force-stop": forced("stop"),
  "force-check": forced("check"),
  "force-promote": forced("promote"),
  "force-demote": forced("demote"),
  validate,
  digests,
  "show-metadata": showMetadata,
};
