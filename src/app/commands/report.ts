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
import { childOf, printXml } from "../../base/xml.ts";
import { printCrm } from "../../cib/crm-syntax/print.ts";
import { verifyCib } from "../../cib/schema/verify.ts";
import { ALL_SECTIONS, plainWishes } from "../../cluster/core/monitor/section-choice.ts";
import { monitorText } from "../../cluster/core/monitor/sections.ts";
import { maskText, maskTree, secretsOf } from "../../cluster/core/report/mask.ts";
import { tellTimeline } from "../../cluster/core/report/timeline.ts";
import { readCommandLine } from "../control-client.ts";
import { ctime } from "../ctime.ts";
import { isUnproven } from "../fencing-report.ts";
import { VERSION } from "../version.ts";
import { writeWhole } from "../write-whole.ts";
import { localFacts } from "../zone.ts";
import { EXIT, wrongCall } from "./ask.ts";
import { readWritten, type Written } from "./happenings.ts";
import { type AtRest, readAtRest } from "./report-at-rest.ts";
import { installationFiles } from "./report-node.ts";
import { printStatus } from "./status.ts";
import { readMoment, storyLines } from "./timeline.ts";

const USAGE = `gemel report [-f TIME] [-t TIME] [--state DIR] [DEST]
  TIME: 10min (ago) or 2026-11-21 08:00:00Z;  DIR: where a node keeps its things that does not run any more`;
const FLAGS = {
  from: { type: "string", short: "f" },
  to: { type: "string", short: "t" },
  state: { type: "string" },
} as const;
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

const ALARM = /\b(?:CRIT|ERROR|WARNING)\b/;

const DESCRIPTION = `Please describe the incident here, for whoever reads this report:
- what was seen, when, by whom
- what was done before and since
- what was expected instead
`;

interface Place {
  readonly runDirectory: string;
  readonly fromWallMs: number;
  readonly toWallMs: number;
}

/** What this node's disk and system say, whether or not its manager lives; paths below the archive's root, unmasked. */
function filesOfMachine(
  { cib, self, logs, missing, happenings }: AtRest,
  { runDirectory, fromWallMs, toWallMs }: Place,
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
    lines.filter((line) => ALARM.test(line)).map((line) => `${node}: ${line}`),
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

/** The archive, or the reason why there is none. */
function pack(files: ReadonlyMap<string, string>, destination: string): string | undefined {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-report-"));
  const root = path.basename(destination).replace(/\.tar\.gz$/, "");
  try {
    for (const [name, text] of files) {
      const file = path.join(folder, root, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text, { mode: 0o600 });
    }
    const archive = path.join(folder, "report.tar.gz");
    const { status, stderr, error } = spawnSync("tar", ["-C", folder, "-czf", archive, root], { encoding: "utf8" });
    if (status !== 0) return error?.message ?? stderr;
    writeWhole(destination, readFileSync(archive), 0o600);
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function defaultName(nowWallMs: number): string {
  return `gemel-report-${new Date(nowWallMs).toISOString().replaceAll(/[-:]/g, "").slice(0, 15)}`;
}

/** Exit codes: 0; 1 the archive could not be written; 64 wrong call; 69 no manager, and nothing of it is known here. */
export async function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(argv, FLAGS, 1);
  if (called.kind === "wrong") return wrongCall("gemel report", called.reason, USAGE);
  const { socketPath, flags, words } = called;
  const nowWallMs = Date.now();
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const fromWallMs = readMoment(text(flags["from"]) ?? "24h", nowWallMs);
  const toWallMs = flags["to"] === undefined ? nowWallMs : readMoment(text(flags["to"]), nowWallMs);
  if (fromWallMs === undefined || toWallMs === undefined)
    return wrongCall("gemel report", "-f and -t want a time", USAGE);
  const place = { runDirectory: path.dirname(socketPath), fromWallMs, toWallMs };
  const written = await readWritten("gemel report", socketPath);
  const source =
    written === EXIT.unreachable ? (readAtRest(place.runDirectory, text(flags["state"])) ?? written) : written;
  if (typeof source === "number") {
    if (source === EXIT.unreachable)
      process.stderr.write("gemel report: where does this node keep its things? --state DIR\n");
    return source;
  }
  const named = words[0] ?? defaultName(nowWallMs);
  const destination = path.resolve(named.endsWith(".tar.gz") ? named : `${named}.tar.gz`);
  const secrets = source.cib === undefined ? [] : secretsOf(source.cib);
  const files = "status" in source ? filesOf(source, place) : filesAtRest(source, place);
  const masked = new Map([...files].map(([name, content]) => [name, maskText(content, secrets)]));
  const reason = pack(masked, destination);
  if (reason !== undefined) {
    process.stderr.write(`gemel report: ${destination}: ${reason}\n`);
    return EXIT.refused;
  }
  for (const away of source.missing) process.stderr.write(`gemel report: without ${away}\n`);
  process.stdout.write(`${destination}\n`);
  return EXIT.done;
}
