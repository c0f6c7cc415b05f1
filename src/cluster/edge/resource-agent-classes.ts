/**
 * The table of agent classes that run as child processes: which program, which words, what its exit code means.
 * Facts: OCF resource agent API 1.1; LSB 5.0, "Init Script Actions" (status: 0 running, 1-3 not, 4 unknown);
 * systemctl(1), `show -p ActiveState`; Heartbeat's resource.d scripts (`status` prints `running` or `OK`).
 */
import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";
import { entryOf } from "../../base/record.ts";
import type { OperationRun } from "../core/executor/types.ts";
import { OCF } from "./agents/contract.ts";

export interface AgentPaths {
  /** /usr/lib/ocf: agents stand in resource.d/PROVIDER/TYPE below it. */
  readonly ocfRoot: string;
  /** /etc/init.d */
  readonly initDirectory: string;
  /** /etc/ha.d/resource.d */
  readonly heartbeatDirectory: string;
  readonly systemctl: string;
}

export const USUAL_PATHS: AgentPaths = {
  ocfRoot: "/usr/lib/ocf",
  initDirectory: "/etc/init.d",
  heartbeatDirectory: "/etc/ha.d/resource.d",
  systemctl: "/usr/bin/systemctl",
};

export interface AgentProgram {
  readonly file: string;
  readonly argv: readonly string[];
  /** The OCF code for what the program answered. */
  readonly codeOf: (exitCode: number, output: string) => number;
}

export type AgentFound =
  | { readonly kind: "program"; readonly program: AgentProgram }
  | { readonly kind: "not-installed"; readonly reason: string };

type FindProgram = (run: OperationRun, paths: AgentPaths) => AgentProgram;

const asIs = (code: number) => code;

const ocf: FindProgram = ({ resource, operation }, { ocfRoot }) => ({
  file: path.join(ocfRoot, "resource.d", resource.provider ?? "heartbeat", resource.type),
  argv: [operation],
  codeOf: asIs,
});

function lsbStatusCode(code: number): number {
  if (code === 0) return OCF.success;
  return code <= 3 ? OCF.notRunning : OCF.error;
}

const lsb: FindProgram = ({ resource, operation }, { initDirectory }) => ({
  file: path.join(initDirectory, resource.type),
  argv: [operation === "monitor" ? "status" : operation],
  // From 8 on the codes are the distribution's own.
  codeOf: operation === "monitor" ? lsbStatusCode : (code) => (code <= OCF.notRunning ? code : OCF.error),
});

/** A unit on its way up or down is what it is going to be: the operation that moves it is still under way. */
const ACTIVE_STATES = new Set(["active", "activating", "reloading"]);

const unitName = (type: string) => (/\.[a-z]+$/.test(type) ? type : `${type}.service`);

/** For when systemd cannot be asked over the bus: systemctl has a socket of its own to it. */
const systemd: FindProgram = ({ resource, operation }, { systemctl }) => {
  const unit = unitName(resource.type);
  if (operation !== "monitor") {
    return { file: systemctl, argv: ["--no-ask-password", operation, unit], codeOf: (code) => (code === 0 ? 0 : 1) };
  }
  const isActive = (_code: number, output: string) => (ACTIVE_STATES.has(output.trim()) ? OCF.success : OCF.notRunning);
  return { file: systemctl, argv: ["show", "--property=ActiveState", "--value", unit], codeOf: isActive };
};

function heartbeatStatusCode(code: number, output: string): number {
  if (/\b(stopped|not running)\b/i.test(output)) return OCF.notRunning;
  return /\b(running|OK)\b/i.test(output) && code === 0 ? OCF.success : OCF.notRunning;
}

/** Its arguments are the parameters named 1, 2, 3, ... . */
const heartbeat: FindProgram = ({ resource, operation, parameters }, { heartbeatDirectory }) => {
  const names = Object.keys(parameters).filter((name) => /^\d+$/.test(name));
  const given = names
    .sort((left, right) => Number(left) - Number(right))
    .map((name) => entryOf(parameters, name) ?? "");
  return {
    file: path.join(heartbeatDirectory, resource.type),
    argv: [...given, operation === "monitor" ? "status" : operation],
    codeOf: operation === "monitor" ? heartbeatStatusCode : asIs,
  };
};

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Whatever stands there: an init script before a unit. */
const service: FindProgram = (run, paths) => {
  const script = lsb(run, paths);
  return isExecutable(script.file) ? script : systemd(run, paths);
};

const CLASSES: Readonly<Record<string, FindProgram>> = { ocf, lsb, systemd, service, heartbeat };

/** A part of a path, and nothing else. The configuration is not trusted to leave the directory of the agents. */
const NAME = /^[A-Za-z0-9_][-A-Za-z0-9_.@:\\]*$/;

/** The unit of systemd that the resource is; undefined when it is something else. */
export function unitOf({ resource }: OperationRun, { initDirectory }: AgentPaths): string | undefined {
  const { class: agentClass, type } = resource;
  if (!NAME.test(type)) return undefined;
  const isUnit =
    agentClass === "systemd" || (agentClass === "service" && !isExecutable(path.join(initDirectory, type)));
  return isUnit ? unitName(type) : undefined;
}

/** The program for an operation, looked for anew each time: agents may be installed while we run. */
export function findProgram(run: OperationRun, paths: AgentPaths): AgentFound {
  const { class: agentClass, provider, type } = run.resource;
  const name = [agentClass, provider, type].filter((part) => part !== undefined).join(":");
  const find = entryOf(CLASSES, agentClass);
  if (find === undefined) return { kind: "not-installed", reason: `agent class ${agentClass} is not known` };
  if (!NAME.test(type) || (provider !== undefined && !NAME.test(provider)))
    return { kind: "not-installed", reason: `${name} is no name of an agent` };
  const program = find(run, paths);
  if (!isExecutable(program.file)) return { kind: "not-installed", reason: `${name}: there is no ${program.file}` };
  return { kind: "program", program };
}
