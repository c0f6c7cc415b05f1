/**
 * `stonith`, as operators of Linux-HA type it: one device by its type and parameters, without a cluster.
 * A password among the parameters is refused: it would stand in the list of processes. It comes from the secrets file.
 * Facts: stonith(8) of cluster-glue: -L, -t TYPE with -n, -m, -h, -S, -l, -c, -E, -F, -T on|off|reset NODE; its codes.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { printXml } from "../../base/xml.ts";
import { ownParameters } from "../../fencing/core/catalogue.ts";
import { CATALOGUE, parametersOf, standaloneDevice } from "../../fencing/drivers/index.ts";
import { createRunner } from "../../fencing/edge/runner.ts";
import { SECRETS_FILE } from "../../fencing/edge/secrets.ts";
import { readMachine } from "../../hw/edge/profile-files.ts";
import { withProgress } from "../progress.ts";
import { VERSION } from "../version.ts";
import { metadataOf } from "./stonith-agent.ts";

const USAGE = `stonith -L | -V
       stonith -t TYPE -n | -m | -h
       stonith -t TYPE NAME=VALUE... [-F FILE] [-E] [-c TIMES] [--secrets FILE] -S | -l | -T on|off|reset NODE
`;

/** More would be an endurance run; a board has better things to do. */
const TIMES_MAX = 1_000;
/** Those of stonith(8); an unknown type ends with 8 there, too. */
const CODES = { ok: 0, badConfiguration: 1, wrongCall: 3, unknownHost: 4, failed: 5, unknownType: 8 } as const;

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
  const pairs = [...lines, ...words].flatMap((word) => {
    const at = word.indexOf("=");
    return at > 0 && !word.startsWith("#") ? [[word.slice(0, at).trim(), word.slice(at + 1)] as const] : [];
  });
  return Object.fromEntries(pairs);
}

/** `-E`: what the environment holds under the names that the type takes. */
function environmentOf(type: string): Record<string, string> {
  const names = parametersOf(type)?.flatMap(({ name, oldName }) => [name, oldName]) ?? [];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

/** `-n`: the names, those that must be given first; `-m`: all of it as XML; `-h`: one a line, with what it is. */
function describe(type: string, how: "names" | "xml" | "help"): number {
  const parameters = parametersOf(type);
  const metadata = metadataOf(type);
  if (parameters === undefined || metadata === undefined)
    return tell(`there is no type ${type}; stonith -L lists them`, CODES.unknownType);
  if (how === "xml") {
    say(printXml(metadata));
    return CODES.ok;
  }
  const sorted = [...parameters.filter((each) => each.isRequired), ...parameters.filter((each) => !each.isRequired)];
  if (how === "names") {
    say(sorted.map(({ oldName }) => oldName).join(" "));
    return CODES.ok;
  }
  for (const { name, oldName, isRequired } of sorted) {
    const ours = name === oldName ? "" : ` (here ${name})`;
    say(`${oldName}${ours}: ${isRequired ? "required" : "optional"}`);
  }
  say("A password is never a parameter: secret names its entry in the secrets file.");
  return CODES.ok;
}

/** The nodes that the parameters name, as the old plugins list them. */
function hostsOf(parameters: Readonly<Record<string, string>>): readonly string[] {
  const lists = ["hostname", "hostlist", "nodename", "pcmk_host_list"].map((name) => parameters[name] ?? "");
  return lists.flatMap((list) => list.split(/[\s,]+/)).filter((word) => word !== "");
}

async function drive(
  type: string,
  parameters: Readonly<Record<string, string>>,
  actions: readonly ("off" | "on" | "status")[],
  secretsFile: string,
): Promise<number> {
  const device = standaloneDevice("stonith", type, parameters);
  if (device.kind === "unusable") return tell(device.reason, CODES.badConfiguration);
  if (device.kind === "manual") return tell("a person is no device; see meatclient", CODES.wrongCall);
  const boundMs = CATALOGUE.choose(type, ownParameters(parameters))?.boundMs ?? 0;
  const runner = createRunner({ secretsFile, ownUuid: readMachine("/").uuid });
  try {
    for (const action of actions) {
      const { outcome } = await withProgress("stonith", `${action} is under way`, runner.run(device, action, boundMs));
      if (outcome.kind !== "confirmed") return tell(`${action} ${outcome.kind}: ${outcome.reason}`, CODES.failed);
      say(`${type} device OK: power is ${outcome.power}`);
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
      for (const agent of CATALOGUE.agents) say(agent);
      return CODES.ok;
    }
    if (values.V === true) {
      say(`stonith of gemel ${VERSION}`);
      return CODES.ok;
    }
    if (values.t === undefined && values.h === true) {
      say(`usage: ${USAGE}`);
      for (const agent of CATALOGUE.agents.filter((each) => !each.includes("*"))) {
        say(`\nSTONITH Device: ${agent}`);
        describe(agent, "help");
      }
      return CODES.ok;
    }
    if (values.t === undefined) return tell(`say which type\nusage: ${USAGE}`, CODES.wrongCall);
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
    const repeated = <Action>(actions: readonly Action[]) => Array.from({ length: times }, () => actions).flat();
    if (values.l === true) {
      for (const host of hostsOf(parameters)) say(host);
      return CODES.ok;
    }
    if (values.S === true) return await drive(values.t, parameters, repeated(["status"]), values.secrets);
    const [node] = positionals.filter((word) => !word.includes("="));
    if (node === undefined) return tell(`say which node\nusage: ${USAGE}`, CODES.wrongCall);
    const hosts = hostsOf(parameters);
    if (hosts.length > 0 && !hosts.includes(node)) return tell(`${node} is not of this device`, CODES.unknownHost);
    const action = values.T ?? "reset";
    if (action === "off" || action === "on")
      return await drive(values.t, parameters, repeated([action]), values.secrets);
    // A reset that cannot be read back is no proof: off, read as off, then on.
    if (action === "reset") return await drive(values.t, parameters, repeated(["off", "on"]), values.secrets);
    return tell(`-T ${action}: say on, off or reset`, CODES.wrongCall);
  } catch (error) {
    return tell(`${error instanceof Error ? error.message : String(error)}\nusage: ${USAGE}`, CODES.wrongCall);
  }
}
