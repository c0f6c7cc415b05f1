/**
 * ocf:gemel:Dummy and ocf:gemel:Stateful: resources that are a file, for tests and for trying a configuration out.
 * Parameters make them slow or make them fail, so that recovery can be seen without breaking anything real.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { entryOf } from "../../../base/record.ts";
import { type AgentAnswer, type AgentCall, type BuiltInAgent, failed, OCF, succeeded } from "./contract.ts";

type Role = "stopped" | "started" | "promoted";

function stateFile({ parameters, runDirectory, instance }: AgentCall): string {
  return parameters["state"] ?? path.join(runDirectory, "resource-agents", `${instance}.state`);
}

function roleOf(call: AgentCall): Role {
  const file = stateFile(call);
  if (!existsSync(file)) return "stopped";
  return readFileSync(file, "utf8").startsWith("promoted") ? "promoted" : "started";
}

function setRole(call: AgentCall, role: Role): void {
  const file = stateFile(call);
  mkdirSync(path.dirname(file), { recursive: true });
  if (role === "stopped") rmSync(file, { force: true });
  else writeFileSync(file, `${role}\n`);
}

const CODES: Readonly<Record<Role, number>> = {
  stopped: OCF.notRunning,
  started: OCF.success,
  promoted: OCF.runningPromoted,
};

/** The role that each operation leads to. */
const RESULTS: Readonly<Record<string, Role>> = {
  start: "started",
  stop: "stopped",
  promote: "promoted",
  demote: "started",
  migrate_to: "stopped",
  migrate_from: "started",
};

/** Parameters `fail_OPERATION` (an exit code) and `op_sleep` (seconds) stand for a resource that misbehaves. */
async function operate(call: AgentCall, promotable: boolean): Promise<AgentAnswer> {
  const { operation, parameters, signal, instance } = call;
  const delaySeconds = Number(parameters["op_sleep"] ?? 0);
  if (delaySeconds > 0) await sleep(delaySeconds * 1000, undefined, { signal });
  const wrong = Number(entryOf(parameters, `fail_${operation}`) ?? 0);
  if (wrong > 0) return failed(`told to fail by fail_${operation}`, wrong);
  const score = (value: string) => (promotable ? { attributes: [{ name: `master-${instance}`, value }] } : {});
  if (operation === "monitor" || operation === "status") {
    const role = roleOf(call);
    return { code: CODES[role], reason: "", ...(role === "stopped" ? {} : score(role === "promoted" ? "10" : "5")) };
  }
  if (operation === "validate-all" || operation === "notify") return succeeded;
  const role = entryOf(RESULTS, operation);
  if (role === undefined || (!promotable && role === "promoted"))
    return failed(`operation ${operation} is not known`, OCF.unimplemented);
  if (operation === "promote" && roleOf(call) === "stopped") return failed("it is not started", OCF.notRunning);
  setRole(call, role);
  if (operation === "stop" && promotable) {
    return { ...succeeded, attributes: [{ name: `master-${instance}` }] };
  }
  return { ...succeeded, ...score(role === "promoted" ? "10" : "5") };
}

const parameters = [
  { name: "state", unique: true, content: "string", shortdesc: "The file that is the resource" },
  { name: "op_sleep", content: "time", fallback: "0", shortdesc: "Seconds that each operation takes" },
  { name: "fail_start", content: "integer", fallback: "0", shortdesc: "Exit code with which start fails" },
  { name: "fail_stop", content: "integer", fallback: "0", shortdesc: "Exit code with which stop fails" },
  { name: "fail_monitor", content: "integer", fallback: "0", shortdesc: "Exit code with which monitor fails" },
] as const;
const actions = [
  { name: "start", timeout: "20s" },
  { name: "stop", timeout: "20s" },
  { name: "meta-data", timeout: "5s" },
  { name: "validate-all", timeout: "20s" },
] as const;

export const dummy: BuiltInAgent = {
  type: "Dummy",
  shortdesc: "A resource that is a file",
  parameters,
  actions: [...actions, { name: "monitor", timeout: "20s", interval: "10s" }],
  operate: (call) => operate(call, false),
};

export const stateful: BuiltInAgent = {
  type: "Stateful",
  shortdesc: "A promotable resource that is a file",
  parameters: [
    ...parameters,
    { name: "fail_promote", content: "integer", fallback: "0", shortdesc: "Exit code with which promote fails" },
    { name: "fail_demote", content: "integer", fallback: "0", shortdesc: "Exit code with which demote fails" },
  ],
  actions: [
    ...actions,
    { name: "promote", timeout: "20s" },
    { name: "demote", timeout: "20s" },
    { name: "monitor", timeout: "20s", interval: "10s", role: "Unpromoted" },
    { name: "monitor", timeout: "20s", interval: "9s", role: "Promoted" },
  ],
  operate: (call) => operate(call, true),
};
