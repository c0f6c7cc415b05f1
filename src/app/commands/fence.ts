/**
 * `gemel fence`: fencing by hand and in advance: one board, one configured device, or the plan. Nothing here is asked
 * of the cluster but its configuration, and that only where no file is named.
 * A password is never an argument, for every user of the machine can read those: it comes from a secrets file.
 * Exit codes: 0 confirmed; 1 not done; 2 unknown (assume that the machine still runs); 64 a wrong call; 66, 69 and 78
 * no configuration: unreadable, no manager, not valid.
 */
import process from "node:process";
import { entryOf } from "../../base/record.ts";
import { type FencingDevice, levelsFor, roundBoundMs } from "../../fencing/core/configuration.ts";
import type { DeviceReport, FencingAction } from "../../fencing/core/driver.ts";
import { type FencingRead, readFencingConfiguration } from "../../fencing/core/read-configuration.ts";
import { CATALOGUE } from "../../fencing/drivers/index.ts";
import { createRunner, type RunnableDevice } from "../../fencing/edge/runner.ts";
import { SECRETS_FILE } from "../../fencing/edge/secrets.ts";
import { readMachine } from "../../hw/edge/profile-files.ts";
import { parseArgs } from "../arguments.ts";
import { tellProblem } from "../japanese/translate.ts";
import { withProgress } from "../progress.ts";
import { runningCib, tellAndCode, writtenConfiguration } from "./cib-input.ts";
import { evidenceLine, isClusterWord, runCluster } from "./fence-cluster.ts";

const USAGE = `gemel fence WHAT ...

by the running cluster (--run DIR):
  history [--json]                  every round: who asked, which device, what it was asked, what was read back, when
  proofs                            each device of each node: seen well when, counts until when
  prove [DEVICE]                    look now: log in, read identity and power
  drill NODE [--level N] [--yes NODE]     switch a node that runs nothing off and on again, by the N-th level
  off|on|reboot NODE [--no-delay]   by the levels, each power read back
  confirm NODE [--yes NODE]         you have looked, and say that it has no power

by hand, past the cluster:
  test DEVICE status|off|on [--node NODE]
                                    one device, as configured in the running cluster, or in --cib FILE (crm or XML)
  plan [--node SELF]                who fences whom, in which order, how long at most; of the same configuration
  probe --host HOST --user USER --secret NAME [--node NODE] [--port PORT] [--https-port PORT] [--ssh-port PORT]
        [--save FILE]               what a board can do; ends with the device to configure
  ipmi --host HOST --user USER --secret NAME [--port PORT] [--cipher-suite 3|17] [--privilege operator|administrator]
       [--kg-secret NAME] [--board-guid GUID] [--timeout TIME] status|off|on
  disk list DISK | create DISK --yes DISK [--watchdog TIME]       a disk that carries the order to die
  lock list DISK | create DISK --yes DISK [--locks N]             a disk that holds locks

Passwords stand in --secrets FILE (${SECRETS_FILE}, owner root, mode 600): lines NAME=PASSWORD.
Exit codes: 0 confirmed, 1 not done, 2 unknown (assume that it runs), 64 a wrong call.

examples:
  gemel fence test fence-alpha status
  gemel fence probe --host 192.0.2.11 --user gemel --secret bmc-alpha --node alpha
`;

const OPTIONS = {
  host: { type: "string" },
  port: { type: "string" },
  user: { type: "string" },
  secrets: { type: "string", default: SECRETS_FILE },
  secret: { type: "string" },
  "kg-secret": { type: "string" },
  "cipher-suite": { type: "string" },
  privilege: { type: "string" },
  "board-guid": { type: "string" },
  timeout: { type: "string" },
  cib: { type: "string" },
  node: { type: "string" },
  run: { type: "string" },
} as const;

type Options = Readonly<Partial<Record<keyof typeof OPTIONS, string>>> & { readonly secrets: string };

const EXIT_CODES = { confirmed: 0, "not-done": 1, unknown: 2 } as const;
const WRONG_CALL = 64;

function isAction(word: string | undefined): word is FencingAction {
  return word === "status" || word === "off" || word === "on";
}

function refuse(reason: string): number {
  process.stderr.write(`gemel fence: ${reason}\n`);
  return WRONG_CALL;
}

const wrongCall = (reason: string) => refuse(`${reason}; \`gemel fence --help\` tells the arguments`);

function print(name: string, action: FencingAction, { outcome, evidence }: DeviceReport): number {
  for (const each of evidence) process.stdout.write(`${evidenceLine(each)}\n`);
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
  const runner = createRunner({ secretsFile, ownUuid: readMachine("/").uuid });
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

/**
 * The fencing configuration in the file that is named, or in the running cluster, with its problems on standard error;
 * or the exit code.
 */
async function readFencing({ cib, run: directory }: Options): Promise<FencingRead | number> {
  const input = cib === undefined ? await runningCib(directory, "--cib FILE") : writtenConfiguration(cib);
  if (input.kind === "wrong") return tellAndCode("gemel fence", input);
  const fencing = readFencingConfiguration(input.root, CATALOGUE);
  for (const problem of fencing.problems) process.stderr.write(`${tellProblem(problem)}\n`);
  return fencing;
}

/** The device as it reaches the one node that is meant; or why that is not clear. */
function wayOf(device: FencingDevice, node: string | undefined): RunnableDevice | string {
  const { id, perTarget, targets } = device;
  const ways = Object.keys(perTarget);
  const target = node ?? (ways.length === 1 ? ways[0] : undefined);
  if (target === undefined && ways.length > 0)
    return `${id} reaches each node by another outlet or plug: say --node, one of ${ways.join(", ")}`;
  if (target !== undefined && targets !== undefined && !targets.includes(target))
    return `${id} does not fence ${target}, but ${targets.join(", ")}`;
  return { ...device, parameters: { ...device.parameters, ...entryOf(perTarget, target ?? "") } };
}

async function runTest(options: Options, words: readonly string[]): Promise<number> {
  const [id, action] = words;
  if (id === undefined || !isAction(action) || words.length !== 2)
    return wrongCall("say DEVICE, then status, off or on");
  const read = await readFencing(options);
  if (typeof read === "number") return read;
  const { devices } = read.configuration;
  const device = devices.find((each) => each.id === id);
  if (device === undefined) {
    const known = devices.map((each) => each.id).join(", ");
    return refuse(`there is no usable device ${id}; usable are: ${known === "" ? "none" : known}`);
  }
  if (device.isManual)
    return refuse(`${id} is a person, who is asked when nothing else is left: gemel fence confirm NODE`);
  const way = wayOf(device, options.node);
  if (typeof way === "string") return refuse(way);
  return drive(way, id, action, options.secrets, device.timeoutMs[action === "on" ? "on" : "off"]);
}

/** Which devices would fence which node, in which order, and how long it takes at most. */
async function runPlan(options: Options, words: readonly string[]): Promise<number> {
  const { node } = options;
  if (words.length > 0) return wrongCall(`plan takes no ${words.join(" ")}`);
  const read = await readFencing(options);
  if (typeof read === "number") return read;
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
    process.stdout.write(`usage: ${USAGE}`);
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
