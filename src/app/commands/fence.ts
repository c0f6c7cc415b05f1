/**
 * `gemel fence`: fencing by hand and in advance, without a cluster: one board, one configured device, or the plan.
 * A password is never an argument, for every user of the machine can read those: it comes from a secrets file.
 * Exit codes: 0 confirmed; 1 not done; 2 unknown (assume that the machine still runs); 64 a wrong call.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { parseXml } from "../../base/xml.ts";
import { levelsFor, roundBoundMs } from "../../fencing/core/configuration.ts";
import type { DeviceReport, FencingAction } from "../../fencing/core/driver.ts";
import { type FencingRead, readFencingConfiguration } from "../../fencing/core/read-configuration.ts";
import { CATALOGUE } from "../../fencing/drivers/index.ts";
import { createRunner, type RunnableDevice } from "../../fencing/edge/runner.ts";
import { tellProblem } from "../japanese/translate.ts";
import { withProgress } from "../progress.ts";
import { CLUSTER_USAGE, isClusterWord, runCluster } from "./fence-cluster.ts";

const USAGE = `gemel fence ipmi --host HOST --user USER --secrets FILE --secret NAME [--port PORT] [--cipher-suite 3|17]
                 [--privilege operator|administrator] [--board-guid GUID] [--timeout TIME] status|off|on
       gemel fence test DEVICE status|off|on --cib FILE --secrets FILE
       gemel fence plan --cib FILE [--node SELF]
       gemel fence probe --host HOST --user USER --secrets FILE --secret NAME [--node NODE] [--save FILE]
       gemel fence disk list DISK | create DISK --yes DISK [--watchdog TIME]
       gemel fence lock list DISK | create DISK --yes DISK [--locks N]
`;

const OPTIONS = {
  host: { type: "string" },
  port: { type: "string" },
  user: { type: "string" },
  secrets: { type: "string" },
  secret: { type: "string" },
  "kg-secret": { type: "string" },
  "cipher-suite": { type: "string" },
  privilege: { type: "string" },
  "board-guid": { type: "string" },
  timeout: { type: "string" },
  cib: { type: "string" },
  node: { type: "string" },
} as const;

type Options = Readonly<Partial<Record<keyof typeof OPTIONS, string>>>;

const EXIT_CODES = { confirmed: 0, "not-done": 1, unknown: 2 } as const;
const WRONG_CALL = 64;

function isAction(word: string | undefined): word is FencingAction {
  return word === "status" || word === "off" || word === "on";
}

function wrongCall(reason: string): number {
  process.stderr.write(`gemel fence: ${reason}\nusage: ${USAGE}`);
  return WRONG_CALL;
}

function print(name: string, action: FencingAction, { outcome, evidence }: DeviceReport): number {
  for (const { lastWallMs, asked, answered } of evidence) {
    process.stdout.write(`${new Date(lastWallMs).toISOString()}  ${asked}: ${answered}\n`);
  }
  if (outcome.kind === "confirmed") process.stdout.write(`${name}: ${action} confirmed, power is ${outcome.power}\n`);
  else process.stderr.write(`gemel fence: ${name}: ${action} ${outcome.kind}: ${outcome.reason}\n`);
  return EXIT_CODES[outcome.kind];
}

async function drive(
  device: RunnableDevice,
  name: string,
  action: FencingAction,
  secretsFile: string,
  timeoutMs: number,
): Promise<number> {
  const runner = createRunner({ secretsFile });
  try {
    return print(
      name,
      action,
      await withProgress("gemel fence", `${name}: ${action} is under way`, runner.run(device, action, timeoutMs)),
    );
  } finally {
    runner.close();
  }
}

async function runIpmi({ secrets, timeout, ...rest }: Options, words: readonly string[]): Promise<number> {
  const [action] = words;
  if (!isAction(action) || words.length !== 1) return wrongCall("say one of status, off and on");
  if (secrets === undefined) return wrongCall("say which file holds the password: --secrets FILE");
  const named = Object.entries({ ...rest, confirm_time: timeout }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name.replaceAll("-", "_"), value] as const],
  );
  const choice = CATALOGUE.choose("ipmi-lan", Object.fromEntries(named));
  if (choice === undefined || choice.complaints.length > 0) {
    for (const { parameter, reason, remedy } of choice?.complaints ?? []) {
      const place = `--${(parameter === "confirm_time" ? "timeout" : parameter).replaceAll("_", "-")}`;
      process.stderr.write(`${tellProblem({ severity: "error", place, reason, remedy })}\n`);
    }
    return WRONG_CALL;
  }
  const device = { id: "command-line", driver: choice.driver, parameters: choice.parameters };
  return drive(device, rest.host ?? "", action, secrets, choice.boundMs);
}

/** The fencing configuration of a CIB file, its problems on standard error; undefined when it is no CIB. */
function readCib(file: string): FencingRead | undefined {
  try {
    const read = parseXml(readFileSync(file, "utf8"));
    if (read.kind === "xml") {
      const fencing = readFencingConfiguration(read.root, CATALOGUE);
      for (const problem of fencing.problems) process.stderr.write(`${tellProblem(problem)}\n`);
      return fencing;
    }
    process.stderr.write(`gemel fence: ${file}:${read.line}: ${read.reason}\n`);
  } catch (error) {
    process.stderr.write(`gemel fence: ${file}: ${error instanceof Error ? error.message : String(error)}\n`);
  }
  return undefined;
}

async function runTest({ cib, secrets }: Options, words: readonly string[]): Promise<number> {
  const [id, action] = words;
  if (id === undefined || !isAction(action) || words.length !== 2)
    return wrongCall("say DEVICE, then status, off or on");
  if (cib === undefined || secrets === undefined) return wrongCall("say --cib FILE and --secrets FILE");
  const read = readCib(cib);
  if (read === undefined) return WRONG_CALL;
  const { devices } = read.configuration;
  const device = devices.find((each) => each.id === id);
  if (device === undefined) {
    const known = devices.map((each) => each.id).join(", ");
    return wrongCall(`there is no usable device ${id}; usable are: ${known === "" ? "none" : known}`);
  }
  if (device.isManual) return wrongCall(`${id} is a person: there is nothing to switch`);
  return drive(device, id, action, secrets, device.timeoutMs[action === "on" ? "on" : "off"]);
}

/** Which devices would fence which node, in which order, and how long it takes at most. */
function runPlan({ cib, node }: Options, words: readonly string[]): number {
  if (cib === undefined || words.length > 0) return wrongCall("say --cib FILE");
  const read = readCib(cib);
  if (read === undefined) return WRONG_CALL;
  const { configuration } = read;
  const targets = new Set([
    ...Object.keys(configuration.topology),
    ...configuration.devices.flatMap((device) => device.targets ?? []),
  ]);
  for (const target of [...targets].toSorted()) {
    const levels = levelsFor(configuration, target, node ?? "");
    const order = levels.map((level) => level.map(({ id, driver }) => `${id} (${driver})`).join(" and "));
    const bound = `at most ${Math.ceil(roundBoundMs(levels) / 1_000)} s`;
    process.stdout.write(`${target}: ${order.length === 0 ? "nobody" : `${order.join(", then ")}; ${bound}`}\n`);
  }
  return read.problems.some(({ severity }) => severity === "error") ? 1 : 0;
}

/** Runs `gemel fence ...`. */
export async function run(argv: readonly string[]): Promise<number> {
  const [dialect, ...rest] = argv;
  if (dialect === "--help" || dialect === "-h") {
    process.stdout.write(`usage: ${USAGE}       ${CLUSTER_USAGE}\n`);
    return 0;
  }
  if (isClusterWord(dialect)) return await runCluster(argv);
  if (dialect === "probe") return await (await import("./fence-probe.ts")).runProbe(rest);
  if (dialect === "lock") return await (await import("./fence-lock.ts")).runLock(rest);
  if (dialect === "disk") return await (await import("./fence-disk.ts")).runDisk(rest);
  let values: Options;
  let words: string[];
  try {
    ({ values, positionals: words } = parseArgs({ args: rest, options: OPTIONS, allowPositionals: true }));
  } catch (error) {
    return wrongCall(error instanceof Error ? error.message : String(error));
  }
  if (dialect === "ipmi") return runIpmi(values, words);
  if (dialect === "test") return runTest(values, words);
  if (dialect === "plan") return runPlan(values, words);
  return wrongCall(dialect === undefined ? "say what to do" : `there is no ${dialect} here`);
}
