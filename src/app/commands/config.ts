/**
 * `gemel config`: the history of the configuration, and ways back. `log` tells who changed what, when and from where;
 * `diff` compares versions; `rollback` puts an earlier one in force again, as a change of its own; `try` puts a file in
 * force that goes back by itself unless `confirm` is said in time, for changes that may cut the operator off.
 */
import process from "node:process";
import { printXml, type XmlElement } from "../../base/xml.ts";
import { isXmlText, loadConfiguration } from "../../cib/load.ts";
import { diffTrees } from "../../cluster/core/cib-store/diff.ts";
import type { HistoryEntry } from "../../cluster/core/cib-store/types.ts";
import { parseDurationMs } from "../../cluster/core/scheduler/facts/values.ts";
import { readCommandLine } from "../control-client.ts";
import { configurationOf, configurationVersion } from "../crm/session.ts";
import { terminal } from "../crm/terminal.ts";
import { ctime } from "../ctime.ts";
import { tellProblem } from "../japanese/translate.ts";
import { askAndPrint, askOrTell, EXIT, wrongCall } from "./ask.ts";

const USAGE = `gemel config log [-n COUNT] [--json]
       gemel config diff [VERSION [VERSION]]     (one: against what is in force; none: the last change)
       gemel config show VERSION
       gemel config rollback [VERSION]           (none: the one before)
       gemel config try SECONDS FILE | confirm`;
const NO_INPUT = 66;
const versionText = ({ version }: Pick<HistoryEntry, "version">) => `${version.adminEpoch}.${version.epoch}`;

async function entriesOf(socketPath: string): Promise<readonly HistoryEntry[] | number> {
  const asked = await askOrTell("gemel config", socketPath, { kind: "config-log" });
  return asked.kind === "failed" ? asked.exitCode : asked.value.entries;
}

async function fetchVersion(socketPath: string, version: string): Promise<XmlElement | number> {
  const asked = await askOrTell("gemel config", socketPath, { kind: "config-version", version });
  if (asked.kind === "failed") return asked.exitCode;
  return configurationOf(asked.value.xml) ?? EXIT.refused;
}

async function log(socketPath: string, count: number, isJson: boolean): Promise<number> {
  const entries = await entriesOf(socketPath);
  if (typeof entries === "number") return entries;
  const shown = entries.slice(-count);
  if (isJson) {
    process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
    return EXIT.done;
  }
  for (const entry of shown) {
    const { who, from, wallMs } = entry.origin;
    process.stdout.write(`${versionText(entry).padEnd(8)} ${ctime(wallMs)}  ${who} from ${from}\n`);
    for (const line of entry.diff) process.stdout.write(`  ${line}\n`);
  }
  return EXIT.done;
}

interface Place {
  readonly now: string;
  /** The version before the one in force, which several changes may have made together; undefined: there is none. */
  readonly before: string | undefined;
}

async function placeOf(socketPath: string): Promise<Place | number> {
  const asked = await askOrTell("gemel config", socketPath, { kind: "config-log" });
  if (asked.kind === "failed") return asked.exitCode;
  const { version: now, entries } = asked.value;
  return { now, before: entries.map(versionText).findLast((version) => version !== now) };
}

async function diff(socketPath: string, words: readonly string[]): Promise<number> {
  const place = await placeOf(socketPath);
  if (typeof place === "number") return place;
  const [first = place.before, second = place.now] = words;
  if (first === undefined) return complain("there is no earlier version");
  const [before, after] = [await fetchVersion(socketPath, first), await fetchVersion(socketPath, second)];
  if (typeof before === "number") return before;
  if (typeof after === "number") return after;
  for (const line of diffTrees(before, after)) process.stdout.write(`${line}\n`);
  return EXIT.done;
}

function complain(reason: string): number {
  process.stderr.write(`gemel config: ${reason}\n`);
  return EXIT.refused;
}

interface Change {
  readonly configuration: XmlElement;
  readonly door: string;
  readonly base?: string;
  readonly trialMs?: number;
}

async function apply(socketPath: string, { configuration, ...rest }: Change): Promise<number> {
  const request = { kind: "cib-apply", mode: "replace", xml: printXml(configuration), ...rest } as const;
  const asked = await askOrTell("gemel config", socketPath, request);
  if (asked.kind === "failed") return asked.exitCode;
  for (const problem of asked.value.warnings) process.stderr.write(`${tellProblem(problem)}\n`);
  const told = "text" in asked.value && typeof asked.value.text === "string" ? asked.value.text : "";
  process.stdout.write(`${told === "" ? "" : `${told}\n`}in force: ${asked.value.version}\n`);
  return EXIT.done;
}

async function rollback(socketPath: string, given: string | undefined): Promise<number> {
  const place = await placeOf(socketPath);
  if (typeof place === "number") return place;
  const version = given ?? place.before;
  if (version === undefined) return complain("there is no earlier version");
  const configuration = await fetchVersion(socketPath, version);
  if (typeof configuration === "number") return configuration;
  return await apply(socketPath, { configuration, door: `gemel config rollback ${version}`, base: place.now });
}

async function attempt(socketPath: string, length: string, file: string): Promise<number> {
  const trialMs = parseDurationMs(length);
  if (trialMs === undefined) return wrongCall("gemel config", `${length} is no time`, USAGE);
  const text = terminal.readText(file);
  if (text === undefined) return NO_INPUT;
  const cib = await askOrTell("gemel config", socketPath, { kind: "cib-query" });
  if (cib.kind === "failed") return cib.exitCode;
  const base = configurationOf(cib.value.xml);
  if (base === undefined) return complain("the manager sent a CIB without a configuration");
  // As XML it is mostly a whole CIB, from which things may have been taken out.
  const mode = isXmlText(text) ? "replace" : "update";
  const loaded = loadConfiguration(text, { source: file, mode, base });
  if (loaded.kind === "invalid") {
    for (const problem of loaded.problems) process.stderr.write(`${tellProblem(problem)}\n`);
    return EXIT.refused;
  }
  const version = configurationVersion(cib.value.version);
  return await apply(socketPath, {
    configuration: loaded.value,
    door: `gemel config try ${length} ${file}`,
    base: version,
    trialMs,
  });
}

const LOG_COUNT = 10;

/** Exit codes: 0; 1 refused; 64 wrong call; 66 file not readable; 69 no manager. */
export async function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(argv, { count: { type: "string", short: "n" }, json: { type: "boolean" } });
  if (called.kind === "wrong") return wrongCall("gemel config", called.reason, USAGE);
  const { socketPath, flags, words } = called;
  const [verb, ...rest] = words;
  const count = Number(flags["count"] ?? LOG_COUNT);
  if (!Number.isInteger(count) || count < 1) return wrongCall("gemel config", "-n wants a number of changes", USAGE);
  switch (verb) {
    case "log":
      return await log(socketPath, count, flags["json"] === true);
    case "diff":
      return await diff(socketPath, rest);
    case "show": {
      if (rest[0] === undefined) return wrongCall("gemel config", "which version?", USAGE);
      const found = await fetchVersion(socketPath, rest[0]);
      if (typeof found === "number") return found;
      process.stdout.write(`${printXml(found)}\n`);
      return EXIT.done;
    }
    case "rollback":
      return await rollback(socketPath, rest[0]);
    case "try":
      if (rest[0] === undefined || rest[1] === undefined)
        return wrongCall("gemel config", "how long, and which file?", USAGE);
      return await attempt(socketPath, rest[0], rest[1]);
    case "confirm":
      return await askAndPrint("gemel config", socketPath, { kind: "config-confirm" });
    case undefined:
      return wrongCall("gemel config", "what shall be done?", USAGE);
    default:
      return wrongCall("gemel config", `${verb} is not known`, USAGE);
  }
}
