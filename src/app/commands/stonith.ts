/**
 * `stonith`, as operators of Linux-HA type it: one device by its type and parameters, without a cluster.
 * A password among the parameters is refused: it would stand in the list of processes. It comes from the secrets file.
 * Facts: stonith(8) of cluster-glue: -L, -t TYPE with -n, -m, -h, -S, -l, -c, -E, -F, -T on|off|reset NODE; its codes.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { entryOf } from "../../base/record.ts";
import { childOf, childrenOf, printXml, xml } from "../../base/xml.ts";
import { printAgentMetadata } from "../../cib/agent-metadata.ts";
import type { FencingDevice } from "../../fencing/core/configuration.ts";
import { readFencingConfiguration } from "../../fencing/core/read-configuration.ts";
import { CATALOGUE, parametersOf } from "../../fencing/drivers/index.ts";
import { createRunner } from "../../fencing/edge/runner.ts";
import { SECRETS_FILE } from "../../fencing/edge/secrets.ts";
import { readMachine } from "../../hw/edge/profile-files.ts";
import { parseArgs } from "../arguments.ts";
import { fencingAgents, fencingMetadata } from "../fencing-agents.ts";
import { withProgress } from "../progress.ts";
import { VERSION } from "../version.ts";

const USAGE = `stonith -L | -V
       stonith -t TYPE -n | -m | -h
       stonith -t TYPE NAME=VALUE... [-F FILE] [-E] [-c TIMES] [--secrets FILE] -S | -l | -T on|off|reset NODE
`;

/** More would be an endurance run; a board has better things to do. */
const TIMES_MAX = 1_000;
/** Those of stonith(8); an unknown type ends with 8 there, too. */
const CODES = { ok: 0, badConfiguration: 1, wrongCall: 3, unknownHost: 4, failed: 5, unknownType: 8 } as const;

/** Where a device says which nodes it fences: a configuration's words, and those of the old plugins. */
const NODE_LISTS = ["pcmk_host_list", "pcmk_host_map", "hostname", "nodename", "hostlist"];
/** The node of a status that is asked without one. */
const UNNAMED = "unnamed";
/** Of the one device that there is. */
const ID = "stonith";

const OPTIONS = {
  L: { type: "boolean", short: "L" },
  V: { type: "boolean", short: "V" },
  t: { type: "string", short: "t" },
  n: { type: "boolean", short: "n" },
  m: { type: "boolean", short: "m" },
  h: { type: "boolean", short: "h" },
  c: { type: "string", short: "c" },
  E: { type: "boolean", short: "E" },
  p: { type: "string", short: "p" },
  S: { type: "boolean", short: "S" },
  l: { type: "boolean", short: "l" },
  T: { type: "string", short: "T" },
  F: { type: "string", short: "F" },
  s: { type: "boolean", short: "s" },
  d: { type: "boolean", short: "d" },
  v: { type: "boolean", short: "v" },
  secrets: { type: "string", default: SECRETS_FILE },
} as const;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function tell(reason: string, code: number): number {
  process.stderr.write(`stonith: ${reason}\n`);
  return code;
}

/** `name=value` words, on the command line or line by line in a file. */
function pairsOf(words: readonly string[], file: string | undefined): Record<string, string> {
  const lines = file === undefined ? [] : readFileSync(file, "utf8").split("\n");
  const written = lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
  if (written.some((line) => line.indexOf("=") < 1))
    throw new Error(`-F ${file}: write lines of NAME=VALUE; stonith -t TYPE -n tells the names`);
  const pairs = [...written, ...words.filter((word) => word.indexOf("=") > 0)].map((word) => {
    const at = word.indexOf("=");
    return [word.slice(0, at).trim(), word.slice(at + 1)] as const;
  });
  return Object.fromEntries(pairs);
}

/** `-E`: what the environment holds under the names that the type takes. */
function environmentOf(type: string): Record<string, string> {
  const names = parametersOf(type)?.flatMap(({ name, oldName }) => [name, oldName]) ?? [];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = entryOf(process.env, name);
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

/** `-n`: the names, those that must be given first; `-m`: all of it as XML; `-h`: in words. */
function describe(type: string, how: "names" | "xml" | "help"): number {
  const metadata = fencingMetadata(type) ?? "there is no such type";
  if (typeof metadata === "string") return tell(`${type} does not describe itself: ${metadata}`, CODES.failed);
  if (how === "xml") say(printXml(metadata));
  if (how === "help") say(printAgentMetadata(metadata, `STONITH Device: ${type}`));
  if (how !== "names") return CODES.ok;
  const parameters = childrenOf(childOf(metadata, "parameters"), "parameter").map(({ attributes }) => attributes);
  const sorted = ["1", "0"].flatMap((is) => parameters.filter(({ required = "0" }) => required === is));
  say(sorted.map(({ name = "" }) => name).join(" "));
  return CODES.ok;
}

/** What the fencer would make of a primitive with these parameters; all complaints are told. */
function readDevice(type: string, given: Readonly<Record<string, string>>, node?: string): FencingDevice | undefined {
  // The field may name the node on the command line alone.
  const isNamed = NODE_LISTS.some((list) => Object.hasOwn(given, list));
  const parameters = isNamed ? given : { ...given, pcmk_host_list: node ?? UNNAMED };
  const pairs = Object.entries(parameters).map(([name, value]) => xml("nvpair", { name, value }));
  const primitive = xml("primitive", { id: ID, class: "stonith", type }, [xml("instance_attributes", {}, pairs)]);
  const configuration = xml("configuration", {}, [xml("resources", {}, [primitive])]);
  const read = readFencingConfiguration(configuration, CATALOGUE);
  const [device] = read.configuration.devices;
  if (device === undefined)
    for (const { reason, remedy } of read.problems) tell(`${reason}; ${remedy}`, CODES.badConfiguration);
  return device;
}

async function drive(
  device: FencingDevice,
  node: string,
  actions: readonly ("off" | "on" | "status")[],
  secretsFile: string,
): Promise<number> {
  if (device.isManual) return tell("a person is no device; see meatclient", CODES.wrongCall);
  const { agent, parameters, perTarget, timeoutMs } = device;
  const runnable = { ...device, parameters: { ...parameters, ...entryOf(perTarget, node) } };
  const runner = createRunner({ secretsFile, ownUuid: readMachine("/").uuid });
  try {
    for (const action of actions) {
      const ending = runner.run(runnable, action, timeoutMs[action === "on" ? "on" : "off"]);
      const { outcome } = await withProgress("stonith", `${action} is under way`, ending);
      if (outcome.kind !== "confirmed") return tell(`${action} ${outcome.kind}: ${outcome.reason}`, CODES.failed);
      const power = outcome.power === "not-told" ? "it shows no power" : `power is ${outcome.power}`;
      say(`${agent} device OK: ${power}`);
    }
    return CODES.ok;
  } finally {
    runner.close();
  }
}

/** Runs `stonith ...`. */
export async function run(argv: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
    if (values.L === true) {
      for (const agent of fencingAgents()) say(agent);
      return CODES.ok;
    }
    if (values.V === true) {
      say(`stonith of gemel ${VERSION}`);
      return CODES.ok;
    }
    if (values.t === undefined && values.h === true) {
      say(`usage: ${USAGE}`);
      say("STONITH -t device types and associated configuration details:\n");
      for (const agent of fencingAgents()) describe(agent, "help");
      return CODES.ok;
    }
    if (values.t === undefined) return tell(`say which type\nusage: ${USAGE}`, CODES.wrongCall);
    if (!fencingAgents().includes(values.t))
      return tell(`there is no type ${values.t}; stonith -L lists them`, CODES.unknownType);
    if (values.n === true) return describe(values.t, "names");
    if (values.m === true || values.h === true) return describe(values.t, values.m === true ? "xml" : "help");
    if (values.p !== undefined) {
      return tell("-p shows its values to every user of this machine: write NAME=VALUE words", CODES.wrongCall);
    }
    const times = Number(values.c ?? "1");
    if (!Number.isInteger(times) || times < 1 || times > TIMES_MAX)
      return tell(`-c ${values.c}: write a number from 1 to ${TIMES_MAX}`, CODES.wrongCall);
    const given = pairsOf(positionals, values.F);
    const parameters = values.E === true ? { ...environmentOf(values.t), ...given } : given;
    const [node] = positionals.filter((word) => !word.includes("="));
    const device = readDevice(values.t, parameters, node);
    if (device === undefined) return CODES.badConfiguration;
    const targets = (device.targets ?? []).filter((name) => name !== UNNAMED);
    if (values.l === true) {
      for (const host of targets) say(host);
      return targets.length > 0 ? CODES.ok : tell("no host is named; add pcmk_host_list=NODE", CODES.badConfiguration);
    }
    const repeated = <Action>(actions: readonly Action[]) => Array.from({ length: times }, () => actions).flat();
    const [first = UNNAMED] = targets;
    if (values.S === true) return await drive(device, node ?? first, repeated(["status"]), values.secrets);
    if (node === undefined) return tell(`say which node\nusage: ${USAGE}`, CODES.wrongCall);
    if (!targets.includes(node)) return tell(`${node} is not of this device`, CODES.unknownHost);
    const action = values.T ?? "reset";
    if (action === "off" || action === "on") return await drive(device, node, repeated([action]), values.secrets);
    // A reset that cannot be read back is no proof: off, read as off, then on.
    if (action === "reset") return await drive(device, node, repeated(["off", "on"]), values.secrets);
    return tell(`-T ${action}: say on, off or reset`, CODES.wrongCall);
  } catch (error) {
    return tell(`${error instanceof Error ? error.message : String(error)}\nusage: ${USAGE}`, CODES.wrongCall);
  }
}
