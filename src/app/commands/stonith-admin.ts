/**
 * `stonith_admin`, as operators of Pacemaker type it; what it does is what `gemel fence` does.
 * Facts: stonith_admin(8) of Pacemaker 2.1 and its --help-all. Exit codes are ours.
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { childrenOf, parseXml, printXml } from "../../base/xml.ts";
import { CATALOGUE } from "../../fencing/drivers/index.ts";
import { controlSocketPath, refuseOutput } from "../control-client.ts";
import type { StatusReport } from "../control-protocol.ts";
import { withProgress } from "../progress.ts";
import { VERSION } from "../version.ts";
import { askOrTell, EXIT, wrongCall } from "./ask.ts";
import { runCluster } from "./fence-cluster.ts";
import { complaintsOf, metadataOf } from "./stonith-agent.ts";
import { epochOf, historyLines, isRecent, lastDeath, lastFencedLine } from "./stonith-history.ts";

const USAGE = `stonith_admin -F|-U|-B NODE [--tolerance SECONDS] [-y SECONDS|-1] | -C NODE
              -H NODE|"*" [-V | -q] | -h NODE | -h ID -n | -L | -l NODE | -s DEVICE | -Q DEVICE | -I
              -M -a AGENT | -K -a AGENT [-o NAME=VALUE]... [-e NAME]... [-q]
              all with [--run DIR]; -t, -T, -b and -V are taken where they change nothing`;

const OPTIONS = {
  fence: { type: "string", short: "F" },
  unfence: { type: "string", short: "U" },
  reboot: { type: "string", short: "B" },
  confirm: { type: "string", short: "C" },
  history: { type: "string", short: "H" },
  last: { type: "string", short: "h" },
  "list-registered": { type: "boolean", short: "L" },
  list: { type: "string", short: "l" },
  query: { type: "string", short: "Q" },
  "list-installed": { type: "boolean", short: "I" },
  "list-targets": { type: "string", short: "s" },
  metadata: { type: "boolean", short: "M" },
  validate: { type: "boolean", short: "K" },
  agent: { type: "string", short: "a" },
  option: { type: "string", short: "o", multiple: true },
  "env-option": { type: "string", short: "e", multiple: true },
  register: { type: "string", short: "R" },
  deregister: { type: "string", short: "D" },
  "register-level": { type: "string", short: "r" },
  "deregister-level": { type: "string", short: "d" },
  device: { type: "string", short: "v", multiple: true },
  index: { type: "string", short: "i" },
  cleanup: { type: "boolean", short: "c" },
  broadcast: { type: "boolean", short: "b" },
  tag: { type: "string", short: "T" },
  delay: { type: "string", short: "y" },
  "as-node-id": { type: "boolean", short: "n" },
  "output-as": { type: "string" },
  "output-to": { type: "string" },
  "text-fancy": { type: "boolean" },
  "html-cgi": { type: "boolean" },
  "html-stylesheet": { type: "string" },
  "html-title": { type: "string" },
  tolerance: { type: "string" },
  /** The fencer bounds itself by its devices; taken so that old scripts run. */
  timeout: { type: "string", short: "t" },
  verbose: { type: "boolean", short: "V", multiple: true },
  quiet: { type: "boolean", short: "q" },
  version: { type: "boolean" },
  help: { type: "boolean" },
  run: { type: "string" },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];
type Device = StatusReport["fencing"]["devices"][number];

const say = (line: string) => void process.stdout.write(`${line}\n`);

function printDevices(devices: readonly Device[]): number {
  for (const { id } of devices) say(` ${id}`);
  say(`${devices.length} fence device${devices.length === 1 ? "" : "s"} found`);
  return devices.length === 0 ? EXIT.refused : EXIT.done;
}

async function withStatus(run: string | undefined, use: (status: StatusReport) => number): Promise<number> {
  const asked = await askOrTell("stonith_admin", controlSocketPath(run), { kind: "status" });
  return asked.kind === "answer" ? use(asked.value) : asked.exitCode;
}

const refuse = (reason: string) => wrongCall("stonith_admin", reason, USAGE);

/** What Pacemaker keeps in its fencer's memory is configuration here, and outlives a restart. */
const BY_CONFIGURATION = {
  register: "a device is a primitive: crm configure primitive NAME stonith:AGENT params ...",
  deregister: "a device is a primitive: crm configure delete NAME",
  "register-level": "levels are configuration: crm configure fencing_topology NODE: DEVICE DEVICE,DEVICE",
  "deregister-level": "levels are configuration: crm configure edit fencing_topology",
  cleanup: "certificates are evidence and are not thrown away; the newest 200 are kept",
} as const;

function secondsOf(written: string | undefined): number | undefined {
  if (written === undefined) return 0;
  return /^\d{1,6}$/.test(written) ? Number(written) * 1_000 : undefined;
}

async function fence(action: "off" | "on" | "reboot", target: string, values: Values): Promise<number> {
  const isUndelayed = values.delay === "-1";
  const delayMs = isUndelayed ? 0 : secondsOf(values.delay);
  const toleranceMs = secondsOf(values.tolerance);
  if (delayMs === undefined) return refuse(`-y ${values.delay}: write a number of seconds, or -1 for no delay at all`);
  if (toleranceMs === undefined) return refuse(`--tolerance ${values.tolerance}: write a number of seconds`);
  const own = values.run === undefined ? [] : ["--run", values.run];
  if (toleranceMs > 0 && action !== "on") {
    const asked = await askOrTell("stonith_admin", controlSocketPath(values.run), { kind: "status" });
    if (asked.kind === "failed") return asked.exitCode;
    const { history } = asked.value.fencing;
    if (isRecent(lastDeath(history, target), toleranceMs, Date.now())) {
      say(`${lastFencedLine(history, target)}; nothing is done`);
      return EXIT.done;
    }
  }
  await withProgress("stonith_admin", `waiting ${delayMs / 1000} s before ${action} of ${target}`, sleep(delayMs));
  return await runCluster([action, target, ...(isUndelayed ? ["--no-delay"] : []), ...own]);
}

/** The node by that number, as the CIB has it. */
async function nameOfNode(id: string, run: string | undefined): Promise<string | undefined> {
  const asked = await askOrTell("stonith_admin", controlSocketPath(run), { kind: "cib-query", section: "nodes" });
  const read = asked.kind === "answer" ? parseXml(asked.value.xml) : undefined;
  if (read?.kind !== "xml") return undefined;
  const found = childrenOf(read.root, "node").find(({ attributes }) => attributes["id"] === id);
  if (found === undefined) process.stderr.write(`stonith_admin: there is no node with the id ${id}\n`);
  return found?.attributes["uname"];
}

function aboutAgent({ agent, metadata, option = [], "env-option": names = [], quiet }: Values): number {
  if (agent === undefined) return refuse("say which agent: -a AGENT");
  const unknown = () => {
    process.stderr.write(`stonith_admin: there is no agent ${agent}; stonith_admin -I lists them\n`);
    return EXIT.refused;
  };
  if (metadata === true) {
    const told = metadataOf(agent);
    if (told === undefined) return unknown();
    say(printXml(told));
    return EXIT.done;
  }
  const bad = option.find((pair) => !pair.includes("="));
  if (bad !== undefined) return refuse(`-o ${bad}: write NAME=VALUE`);
  const given = option.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)] as const);
  const found = names.map((name) => [name, process.env[`OCF_RESKEY_${name}`] ?? ""] as const);
  const complaints = complaintsOf(agent, Object.fromEntries([...given, ...found]));
  if (complaints === undefined) return unknown();
  const isValid = complaints.length === 0;
  if (quiet !== true) {
    say(`Validation of ${agent} ${isValid ? "succeeded" : "failed"}`);
    for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
  }
  return isValid ? EXIT.done : EXIT.refused;
}

function query(values: Values, { fencing }: StatusReport): number | undefined {
  const { devices, history } = fencing;
  const { history: node, last, list, query: device, "list-targets": targetsOf } = values;
  if (node !== undefined && values.quiet === true) say(epochOf(history, node));
  else if (node !== undefined) for (const line of historyLines(history, node, values.verbose !== undefined)) say(line);
  else if (last !== undefined) say(lastFencedLine(history, last));
  else if (values["list-registered"] === true) return printDevices(devices);
  else if (list !== undefined) {
    // A device without targets is a person, who can see to any node.
    return printDevices(devices.filter(({ targets }) => targets.length === 0 || targets.includes(list)));
  } else if (device !== undefined) return printDevices(devices.filter(({ id }) => id === device));
  else if (targetsOf !== undefined) {
    const known = devices.find(({ id }) => id === targetsOf);
    for (const target of known?.targets ?? []) say(target);
    return known === undefined ? EXIT.refused : EXIT.done;
  } else return undefined;
  return EXIT.done;
}

/** Runs `stonith_admin ...`. */
export async function run(argv: readonly string[]): Promise<number> {
  let values: Values;
  try {
    // The two short options of its help that are no letters.
    const known: Readonly<Record<string, string>> = { "-$": "--version", "-?": "--help" };
    const words = argv.map((word) => (/^--help-[a-z]+$/.test(word) ? "--help" : (known[word] ?? word)));
    // A value that begins with a dash has to stand with its option.
    const args = words
      .join("\0")
      .replace(/(^|\0)(?:-y|--delay)\0-1(?=\0|$)/, "$1--delay=-1")
      .split("\0");
    ({ values } = parseArgs({ args: words.length === 0 ? [] : args, options: OPTIONS }));
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
  if (values.version === true || values.help === true) {
    say(values.help === true ? `usage: ${USAGE}` : `stonith_admin of gemel ${VERSION}`);
    return EXIT.done;
  }
  const badOutput = refuseOutput(values);
  if (badOutput !== undefined) return refuse(badOutput);
  if (Object.keys(values).some((name) => name.startsWith("html-")))
    return refuse("only text is written here: the web page of the cluster is crm_mon --output-as=html");
  const [elsewhere] = Object.entries(BY_CONFIGURATION).filter(([name]) => Object.hasOwn(values, name));
  if (elsewhere !== undefined) return refuse(elsewhere[1]);
  if (values.metadata === true || values.validate === true) return aboutAgent(values);
  if (values["list-installed"] === true) {
    for (const agent of CATALOGUE.agents) say(` ${agent}`);
    say(`${CATALOGUE.agents.length} fence agents found`);
    return EXIT.done;
  }
  if (values.fence !== undefined) return await fence("off", values.fence, values);
  if (values.unfence !== undefined) return await fence("on", values.unfence, values);
  if (values.reboot !== undefined) return await fence("reboot", values.reboot, values);
  const { confirm } = values;
  const own = values.run === undefined ? [] : ["--run", values.run];
  // The exact name was typed as the option's value; the fencer refuses while the node still answers.
  if (confirm !== undefined) return await runCluster(["confirm", confirm, "--yes", confirm, ...own]);
  if (values["as-node-id"] === true) {
    if (values.last === undefined) return refuse("-n says that the node of -h is a number");
    const last = await nameOfNode(values.last, values.run);
    if (last === undefined) return EXIT.refused;
    return await withStatus(values.run, (status) => query({ ...values, last }, status) ?? EXIT.refused);
  }
  const asksStatus = ["history", "last", "list-registered", "list", "query", "list-targets"];
  if (!asksStatus.some((name) => Object.hasOwn(values, name))) return refuse("say what to do");
  return await withStatus(values.run, (status) => query(values, status) ?? refuse("say what to do"));
}
