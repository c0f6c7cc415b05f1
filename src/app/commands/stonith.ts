/**
 * `stonith`, as operators of Linux-HA type it: one device by its type and parameters, without a cluster.
 * A password among the parameters is refused: it would stand in the list of processes. It comes from the secrets file.
 * Facts: stonith(8) of cluster-glue: -L, -t TYPE with -n, -S, -l, -T on|off|reset NODE; its exit codes.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { ownParameters } from "../../fencing/core/catalogue.ts";
import { CATALOGUE, standaloneDevice } from "../../fencing/drivers/index.ts";
import { createRunner } from "../../fencing/edge/runner.ts";

const USAGE = `stonith -L
       stonith -t TYPE NAME=VALUE... [-F FILE] [--secrets FILE] -S | -l | -T on|off|reset NODE
`;

const SECRETS_FILE = "/etc/gemel/secrets";
const CODES = { ok: 0, badConfiguration: 1, wrongCall: 3, unknownHost: 4, failed: 5 } as const;

const OPTIONS = {
  L: { type: "boolean", short: "L" },
  t: { type: "string", short: "t" },
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
function parametersOf(words: readonly string[], file: string | undefined): Record<string, string> {
  const lines = file === undefined ? [] : readFileSync(file, "utf8").split("\n");
  const pairs = [...lines, ...words].flatMap((word) => {
    const at = word.indexOf("=");
    return at > 0 && !word.startsWith("#") ? [[word.slice(0, at).trim(), word.slice(at + 1)] as const] : [];
  });
  return Object.fromEntries(pairs);
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
  const runner = createRunner({ secretsFile });
  try {
    for (const action of actions) {
      const { outcome } = await runner.run(device, action, boundMs);
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
    if (values.t === undefined) return tell(`say which type\nusage: ${USAGE}`, CODES.wrongCall);
    const parameters = parametersOf(positionals, values.F);
    if (values.l === true) {
      for (const host of hostsOf(parameters)) say(host);
      return CODES.ok;
    }
    if (values.S === true) return await drive(values.t, parameters, ["status"], values.secrets);
    const [node] = positionals.filter((word) => !word.includes("="));
    if (node === undefined) return tell(`say which node\nusage: ${USAGE}`, CODES.wrongCall);
    const hosts = hostsOf(parameters);
    if (hosts.length > 0 && !hosts.includes(node)) return tell(`${node} is not of this device`, CODES.unknownHost);
    const action = values.T ?? "reset";
    if (action === "off" || action === "on") return await drive(values.t, parameters, [action], values.secrets);
    // A reset that cannot be read back is no proof: off, read as off, then on.
    if (action === "reset") return await drive(values.t, parameters, ["off", "on"], values.secrets);
    return tell(`-T ${action}: say on, off or reset`, CODES.wrongCall);
  } catch (error) {
    return tell(`${error instanceof Error ? error.message : String(error)}\nusage: ${USAGE}`, CODES.wrongCall);
  }
}
