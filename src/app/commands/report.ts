/**
 * `gemel report [-f TIME] [-t TIME] [--state DIR] [DEST]`: everything that somebody far away needs to understand an
 * incident, in one archive, made from this node alone, whether or not its peer or its own manager lives. Secrets are
 * masked everywhere, unasked.
 * Facts: hb_report(8), crm_report(8): names of the files; reference crm-tools.md, section 5.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { formatProblem } from "../../base/problem.ts";
import { entryOf } from "../../base/record.ts";
import { childOf, printXml } from "../../base/xml.ts";
import { printCrm } from "../../cib/crm-syntax/print.ts";
import { verifyCib } from "../../cib/schema/verify.ts";
import { ALL_SECTIONS, plainWishes } from "../../cluster/core/monitor/section-choice.ts";
import { monitorText } from "../../cluster/core/monitor/sections.ts";
import { MASK, maskText, maskTree, secretsOf } from "../../cluster/core/report/mask.ts";
import { tellTimeline } from "../../cluster/core/report/timeline.ts";
import { readCommandLine } from "../control-client.ts";
import { ctime } from "../ctime.ts";
import { isUnproven } from "../fencing-report.ts";
import { readMoment } from "../moment.ts";
import { VERSION } from "../version.ts";
import { writeWhole } from "../write-whole.ts";
import { localFacts } from "../zone.ts";
import { EXIT, wrongCall } from "./ask.ts";
import { readWritten, type Written } from "./happenings.ts";
import { type AtRest, readAtRest } from "./report-at-rest.ts";
import { installationFiles } from "./report-node.ts";
import { printStatus } from "./status.ts";
import { storyLines } from "./timeline.ts";

const USAGE = `gemel report [-f TIME] [-t TIME] [-l FILE]... [-L PATTERN]... [-p PATTERN]... [-d] [--state DIR] [DEST]
  TIME: 10min (ago), 13:05 or 2026-11-21 08:00:00;  DIR: where a node keeps its things that does not run any more
  -l, -E: another file; -L: words that the analysis looks for;  -p: names whose values are masked;  -d: a directory`;
const FLAGS = {
  from: { type: "string", short: "f" },
  to: { type: "string", short: "t" },
  state: { type: "string" },
  dest: { type: "string" },
  logfile: { type: "string", short: "l", multiple: true },
  extra: { type: "string", short: "E", multiple: true },
  analyse: { type: "string", short: "L", multiple: true },
  mask: { type: "string", short: "p", multiple: true },
  "as-directory": { type: "boolean", short: "d" },
  // crm_report's and hb_report's own, for what is so here in any case: this node alone makes it, from its own logs.
  "single-node": { type: "boolean", short: "S" },
  "no-logs": { type: "boolean", short: "M" },
  corosync: { type: "boolean", short: "C" },
  "sos-mode": { type: "boolean" },
  verbose: { type: "boolean", short: "V", multiple: true },
  "print-version": { type: "boolean", short: "v" },
  features: { type: "boolean" },
  openais: { type: "boolean", short: "A" },
  overwrite: { type: "boolean", short: "Z" },
  quick: { type: "boolean", short: "Q" },
  sanitise: { type: "boolean", short: "s" },
  "no-editor": { type: "boolean", short: "D" },
  // Those that were relied on to fetch from others are told to be without effect.
  nodes: { type: "string", short: "n", multiple: true },
  user: { type: "string", short: "u" },
  rsh: { type: "string", short: "e" },
  "ssh-options": { type: "string", short: "X", multiple: true },
  cluster: { type: "string", short: "c" },
  "max-depth": { type: "string" },
  cts: { type: "string", short: "T" },
  "cts-log": { type: "string" },
} as const;
const WITHOUT_EFFECT = ["nodes", "user", "rsh", "ssh-options", "cluster", "max-depth", "cts", "cts-log"];
const FEATURES = "black-box timeline drbd fencing hardware masking\n";
const TOOL_WAIT_MS = 10_000;
const TOOL_BYTES_MAX = 8 * 1024 * 1024;

/** What the system says; a tool that is not there says so in its file. */
const SYSTEM: Readonly<Record<string, readonly (readonly string[])[]>> = {
  "sysinfo.txt": [["uname", "-a"], ["uptime"], ["cat", "/etc/os-release"], ["ip", "-s", "address"], ["ip", "route"]],
  "sysstats.txt": [
    ["cat", "/proc/meminfo"],
    ["cat", "/proc/loadavg"],
    ["ps", "-eo", "pid,ppid,stat,etime,rss,comm"],
    ["df", "-h"],
  ],
  "drbd.txt": [["drbdsetup", "status", "--verbose"]],
  "messages.txt": [["dmesg", "--ctime"]],
};

function tool(argv: readonly string[]): string {
  const [command = "", ...rest] = argv;
  const { stdout, stderr, error, status } = spawnSync(command, rest, {
    encoding: "utf8",
    timeout: TOOL_WAIT_MS,
    maxBuffer: TOOL_BYTES_MAX,
  });
  const end = error === undefined ? (status === 0 ? "" : `(exit code ${status}) ${stderr}`) : `(${error.message})`;
  return `# ${argv.join(" ")}\n${stdout ?? ""}${end}\n`;
}

const ALARM = String.raw`\b(?:CRIT|ERROR|WARNING)\b`;
/** No log that somebody adds makes the archive unwieldy: its end is what counts. */
const LOG_BYTES_MAX = 32 * 1024 * 1024;

const DESCRIPTION = `Please describe the incident here, for whoever reads this report:
- what was seen, when, by whom
- what was done before and since
- what was expected instead
`;

interface Place {
  /** What the analysis looks for. */
  readonly alarm: RegExp;
  readonly runDirectory: string;
  readonly fromWallMs: number;
  readonly toWallMs: number;
}

/** What this node's disk and system say, whether or not its manager lives; paths below the archive's root, unmasked. */
function filesOfMachine(
  { cib, self, logs, missing, happenings }: AtRest,
  { alarm, runDirectory, fromWallMs, toWallMs }: Place,
  problems: readonly string[],
): Map<string, string> {
  const files = new Map<string, string>();
  const own = (name: string, text: string) => files.set(path.join(self, name), text);
  if (cib !== undefined) {
    const configuration = childOf(cib, "configuration");
    own("cib.xml", printXml(maskTree(cib)));
    if (configuration !== undefined) own("cib.txt", printCrm(maskTree(configuration)));
    const verdicts = verifyCib(cib).map((problem) => `${formatProblem(problem)}\n`);
    own("crm_verify.txt", verdicts.join(""));
  }
  for (const [name, text] of installationFiles(runDirectory)) own(name, text);
  for (const [name, tools] of Object.entries(SYSTEM)) own(name, tools.map(tool).join("\n"));
  for (const [node, lines] of logs) files.set(path.join(node, "log.txt"), `${lines.join("\n")}\n`);
  const story = tellTimeline(happenings, { fromWallMs, toWallMs });
  files.set("events.txt", `${storyLines(story).join("\n")}\n`);
  const alarms = [...logs].flatMap(([node, lines]) =>
    lines.filter((line) => alarm.test(line)).map((line) => `${node}: ${line}`),
  );
  const away = missing.map((reason) => `missing: ${reason}`);
  const analysis = ["Problems now:", ...problems, "", "Alarms in the logs:", ...alarms, "", ...away];
  files.set("analysis.txt", `${analysis.join("\n")}\n`);
  files.set("description.txt", DESCRIPTION);
  return files;
}

/** Every file of the archive of a node whose manager answers. */
function filesOf(written: Written, place: Place): ReadonlyMap<string, string> {
  const { status, cib } = written;
  const { self } = status;
  const facts = localFacts(cib, status.atWallMs);
  const wishes = { ...plainWishes(ALL_SECTIONS), inactive: true, timing: true, detail: true };
  const unproven = status.fencing.proofs.filter(isUnproven);
  const source = { facts, nowWallMs: status.atWallMs, stack: "gemel", version: VERSION, fencing: [], unproven, ctime };
  const told = status.problems.map(({ severity, what, doNow }) => `${severity}: ${what}\n  -> ${doNow}`);
  const files = filesOfMachine({ ...written, self }, place, told);
  const own = (name: string, text: string) => files.set(path.join(self, name), text);
  const members = status.nodes.map(({ name, state, membership }) => `${name} ${state} ${membership}\n`);
  own("crm_mon.txt", `${monitorText(source, wishes)}\n`);
  own("status.txt", printStatus(status, "en"));
  own("status.json", JSON.stringify(status, null, 2));
  own("members.txt", members.join(""));
  // Whoever has answered runs.
  own("RUNNING", "");
  return files;
}

/** The archive of a node whose manager does not answer; the reason is told already. */
function filesAtRest(atRest: AtRest, place: Place): ReadonlyMap<string, string> {
  const files = filesOfMachine(atRest, place, ["the manager of this node does not answer"]);
  files.set(path.join(atRest.self, "STOPPED"), "");
  return files;
}

/** Files of the operator's choice, by their paths; why one cannot be read stands in its place. */
function filesGiven(named: readonly string[]): ReadonlyMap<string, string> {
  const read = (file: string) => {
    try {
      return readFileSync(file).subarray(-LOG_BYTES_MAX).toString("utf8");
    } catch (error) {
      return `(${error instanceof Error ? error.message : String(error)})\n`;
    }
  };
  return new Map(named.map((file) => [path.join("files", path.resolve(file)), read(file)]));
}

/** Patterns of the operator's; undefined when one of them is none. */
function patternOf(patterns: readonly string[], flags: string): RegExp | undefined {
  try {
    return new RegExp(patterns.join("|"), flags);
  } catch {
    return undefined;
  }
}

/** `NAME=VALUE` and `name="NAME" value="VALUE"` of names like that, as crm_report masks them. */
const masked = (text: string, names: RegExp): string =>
  text.replaceAll(names, (_whole, name: string, between: string) => `${name}${between}${MASK}`);

function writeAll(files: ReadonlyMap<string, string>, folder: string): void {
  for (const [name, text] of files) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, text, { mode: 0o600 });
  }
}

/** The archive, or the reason why there is none. */
function pack(files: ReadonlyMap<string, string>, destination: string): string | undefined {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-report-"));
  const root = path.basename(destination).replace(/\.tar\.gz$/, "");
  try {
    writeAll(files, path.join(folder, root));
    const archive = path.join(folder, "report.tar.gz");
    const { status, stderr, error } = spawnSync("tar", ["-C", folder, "-czf", archive, root], { encoding: "utf8" });
    if (status !== 0) return error?.message ?? stderr;
    writeWhole(destination, readFileSync(archive), 0o600);
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `-D` was "no editor" for hb_report and is a depth of search for crm_report, which takes a number behind it. */
function withoutDepth(argv: readonly string[]): readonly string[] {
  const at = argv.findIndex((word, index) => word === "-D" && /^\d+$/.test(argv[index + 1] ?? ""));
  return at < 0 ? argv : [...argv.slice(0, at), "--max-depth", ...argv.slice(at + 1)];
}

function defaultName(nowWallMs: number): string {
  return `gemel-report-${new Date(nowWallMs).toISOString().replaceAll(/[-:]/g, "").slice(0, 15)}`;
}

/** Exit codes: 0; 1 the archive could not be written; 64 wrong call; 69 no manager, and nothing of it is known here. */
export async function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(withoutDepth(argv), FLAGS, 1);
  if (called.kind === "wrong") return wrongCall("gemel report", called.reason, USAGE);
  const { socketPath, flags, words } = called;
  if (flags["print-version"] === true || flags["features"] === true) {
    process.stdout.write(`gemel report ${VERSION}\n${flags["features"] === true ? FEATURES : ""}`);
    return EXIT.done;
  }
  const nowWallMs = Date.now();
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const fromWallMs = readMoment(text(flags["from"]) ?? "24h", nowWallMs);
  const toWallMs = flags["to"] === undefined ? nowWallMs : readMoment(text(flags["to"]), nowWallMs);
  if (fromWallMs === undefined || toWallMs === undefined)
    return wrongCall("gemel report", "-f and -t want a time", USAGE);
  const list = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);
  const alarm = patternOf([ALARM, ...list(flags["analyse"])], "");
  const hidden = list(flags["mask"]).map((pattern) => `(?:${pattern})`);
  const names = patternOf([`(\\b(?:${hidden.join("|")}))(\\s*[=:]\\s*"?|" value=")[^\\s"]+`], "g");
  if (alarm === undefined || names === undefined)
    return wrongCall("gemel report", "-L and -p want a regular expression", USAGE);
  for (const name of WITHOUT_EFFECT)
    if (entryOf(flags, name) !== undefined)
      process.stderr.write(`gemel report: --${name} has no effect: the report is made here; make one on each node\n`);
  const place = { alarm, runDirectory: path.dirname(socketPath), fromWallMs, toWallMs };
  const written = await readWritten("gemel report", socketPath);
  const source =
    written === EXIT.unreachable ? (readAtRest(place.runDirectory, text(flags["state"])) ?? written) : written;
  if (typeof source === "number") {
    if (source === EXIT.unreachable)
      process.stderr.write("gemel report: where does this node keep its things? --state DIR\n");
    return source;
  }
  const named = words[0] ?? text(flags["dest"]) ?? defaultName(nowWallMs);
  const secrets = source.cib === undefined ? [] : secretsOf(source.cib);
  const files = "status" in source ? filesOf(source, place) : filesAtRest(source, place);
  const hide = (content: string) => {
    const safe = maskText(content, secrets);
    return hidden.length === 0 ? safe : masked(safe, names);
  };
  const all = [...files, ...filesGiven([...list(flags["logfile"]), ...list(flags["extra"])])];
  const safe = new Map(all.map(([name, content]) => [name, hide(content)]));
  return deliver(safe, named, flags["as-directory"] === true, source.missing);
}

function deliver(
  files: ReadonlyMap<string, string>,
  named: string,
  asDirectory: boolean,
  missing: readonly string[],
): number {
  const destination = path.resolve(asDirectory || named.endsWith(".tar.gz") ? named : `${named}.tar.gz`);
  let reason: string | undefined;
  try {
    if (asDirectory) writeAll(files, destination);
    else reason = pack(files, destination);
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  if (reason !== undefined) {
    process.stderr.write(`gemel report: ${destination}: ${reason}\n`);
    return EXIT.refused;
  }
  for (const away of missing) process.stderr.write(`gemel report: without ${away}\n`);
  process.stdout.write(`${destination}\n`);
  return EXIT.done;
}
