/**
 * `crm LEVEL ...`: the words of the crm shell for what operators do every day. Levels here: status, resource, node,
 * configure (show, load, verify). The interactive shell with its completion is issue 6.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { formatProblem } from "../../base/problem.ts";
import { childOf, parseXml, printXml, type XmlElement } from "../../base/xml.ts";
import { loadConfiguration } from "../../cib/load.ts";
import { readCommandLine } from "../control-client.ts";
import { askAndPrint, askOrTell, EXIT, wrongCall } from "./ask.ts";
import { run as runMonitor } from "./crm-mon.ts";

const USAGE =
  "crm status | crm resource start|stop|cleanup|move|unmove|manage|unmanage RESOURCE [NODE] |\n" +
  "       crm node standby|online|maintenance|ready NODE | crm configure show [xml] | load update|replace FILE |\n" +
  "       verify FILE   (all with [--run DIR])";

const RESOURCE_ACTIONS = ["start", "stop", "cleanup", "move", "unmove", "manage", "unmanage"] as const;
const NODE_ACTIONS = ["standby", "online", "maintenance", "ready"] as const;
/** crmsh's other names for the same. */
const ALIASES: Readonly<Record<string, string>> = {
  migrate: "move",
  unmigrate: "unmove",
  refresh: "cleanup",
  clear: "unmove",
};
/** Until every member has it on disk; a member's disk may be slow. */
const APPLY_WAIT_MS = 40_000;

function wrong(reason: string): number {
  return wrongCall("crm", reason, USAGE);
}

async function runResource(socketPath: string, words: readonly string[]): Promise<number> {
  const [written = "", resource, node] = words;
  const action = RESOURCE_ACTIONS.find((one) => one === (ALIASES[written] ?? written));
  if (action === undefined || resource === undefined) return wrong("say what to do with which resource");
  const on = node === undefined ? {} : { node };
  return await askAndPrint("crm", socketPath, { kind: "resource", resource, action, ...on }, APPLY_WAIT_MS);
}

async function runNode(socketPath: string, words: readonly string[]): Promise<number> {
  const action = NODE_ACTIONS.find((one) => one === words[0]);
  if (action === undefined) return wrong("say standby, online, maintenance or ready");
  let [, node] = words;
  if (node === undefined) {
    const asked = await askOrTell("crm", socketPath, { kind: "ping" });
    if (asked.kind === "failed") return asked.exitCode;
    node = asked.value.self;
  }
  return await askAndPrint("crm", socketPath, { kind: "node", node, action }, APPLY_WAIT_MS);
}

interface Running {
  readonly kind: "running";
  readonly configuration: XmlElement;
  readonly base: string;
}

async function readRunning(
  socketPath: string,
): Promise<Running | { readonly kind: "failed"; readonly exitCode: number }> {
  const asked = await askOrTell("crm", socketPath, { kind: "cib-query" });
  if (asked.kind === "failed") return asked;
  const read = parseXml(asked.value.xml);
  const configuration = read.kind === "xml" ? childOf(read.root, "configuration") : undefined;
  if (configuration === undefined) return { kind: "failed", exitCode: EXIT.refused };
  const [adminEpoch, epoch] = asked.value.version.split(".");
  return { kind: "running", configuration, base: `${adminEpoch}.${epoch}` };
}

/** Everything is checked here, with the lines of the file; the DC checks the whole once more. */
async function load(socketPath: string, mode: "update" | "replace", file: string): Promise<number> {
  const running = await readRunning(socketPath);
  if (running.kind === "failed") return running.exitCode;
  const { configuration, base } = running;
  const read = loadConfiguration(readFileSync(file, "utf8"), { source: file, mode, base: configuration });
  for (const problem of read.kind === "valid" ? read.warnings : read.problems)
    process.stderr.write(`${formatProblem(problem)}\n`);
  if (read.kind === "invalid") {
    process.stderr.write("crm: nothing was changed\n");
    return EXIT.refused;
  }
  const xml = printXml(read.value);
  const asked = await askOrTell("crm", socketPath, { kind: "cib-apply", mode: "replace", xml, base }, APPLY_WAIT_MS);
  if (asked.kind === "failed") return asked.exitCode;
  process.stdout.write(`configuration ${asked.value.version} is in force on every member\n`);
  return EXIT.done;
}

function verify(file: string): number {
  const read = loadConfiguration(readFileSync(file, "utf8"), { source: file });
  for (const problem of read.kind === "valid" ? read.warnings : read.problems)
    process.stderr.write(`${formatProblem(problem)}\n`);
  return read.kind === "valid" ? EXIT.done : EXIT.refused;
}

async function runConfigure(socketPath: string, words: readonly string[]): Promise<number> {
  const [verb, first, second] = words;
  if (verb === "show") {
    const running = await readRunning(socketPath);
    if (running.kind === "failed") return running.exitCode;
    process.stdout.write(printXml(running.configuration));
    return EXIT.done;
  }
  if (verb === "verify" && first !== undefined) return verify(first);
  if (verb === "load" && (first === "update" || first === "replace") && second !== undefined)
    return await load(socketPath, first, second);
  return wrong("configure knows show, verify FILE, and load update|replace FILE");
}

export async function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(argv);
  if (called.kind === "wrong") return wrong(called.reason);
  const { socketPath, words } = called;
  const [level, ...rest] = words;
  try {
    if (level === "status") return await runMonitor(["-1", "--run", socketPath.replace(/\/[^/]*$/, "")]);
    if (level === "resource") return await runResource(socketPath, rest);
    if (level === "node") return await runNode(socketPath, rest);
    if (level === "configure") return await runConfigure(socketPath, rest);
  } catch (error) {
    process.stderr.write(`crm: ${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.refused;
  }
  return wrong(level === undefined ? "say a level" : `there is no level ${level}`);
}
