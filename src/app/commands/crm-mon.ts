/**
 * `gemel crm-mon`, also `crm_mon`: the cluster as crm_mon prints it, for eyes and parsers that know it: in the layouts
 * of Pacemaker 2.1 and of 1.0, as XML, JSON, HTML, one line, once or as a live view with crm_mon's keys (`?` lists
 * them). Reads a running manager, a file (`-x`), or the file that CIB_file names, as all of Pacemaker's tools do.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { parseXml, printXml, type XmlElement, xml } from "../../base/xml.ts";
import type { HistoryEntry } from "../../cluster/core/cib-store/types.ts";
import { brief } from "../../cluster/core/monitor/brief.ts";
import { monitorHtml, standingOf } from "../../cluster/core/monitor/html.ts";
import { monitorText } from "../../cluster/core/monitor/sections.ts";
import { monitorTextOne } from "../../cluster/core/monitor/version-one.ts";
import type { FencingNote, MonitorSource, MonitorWishes, UnprovenDevice } from "../../cluster/core/monitor/wishes.ts";
import { API_VERSION, monitorXml } from "../../cluster/core/monitor/xml.ts";
import { parseDurationMs } from "../../cluster/core/scheduler/facts/values.ts";
import { askCib, cibFile } from "../cib-door.ts";
import { askControl, type ControlReply, readCommandLine, watchStatus } from "../control-client.ts";
import { ctime } from "../ctime.ts";
import { isUnproven } from "../fencing-report.ts";
import { inOperatorsWords, tellProblem } from "../japanese/translate.ts";
import { isScreen, type Picture, runLiveView } from "../live-view.ts";
import { operatorsLanguage } from "../operators-language.ts";
import { waitText, withProgress } from "../progress.ts";
import { VERSION } from "../version.ts";
import { writeWhole } from "../write-whole.ts";
import { localFacts } from "../zone.ts";
import { EXIT, FIELD_EXIT, refusedFlag, tellReply, wrongCall } from "./ask.ts";
import { afterKey, HELP, KEY_HELP } from "./crm-mon-keys.ts";
import {
  FLAGS,
  type Flags,
  FORMATS,
  formatOf,
  isCgi,
  pageOf,
  REFUSED,
  splitSections,
  USAGE,
  wishesOf,
} from "./crm-mon-options.ts";
import { STATUS_WORDS } from "./status-words.ts";
import { statusXml } from "./stonith-answer.ts";

interface Live {
  readonly fencing: readonly FencingNote[];
  readonly unproven: readonly UnprovenDevice[];
}

function sourceOf(cib: XmlElement, live: Live | undefined): MonitorSource {
  const nowWallMs = Date.now();
  return {
    facts: localFacts(cib, nowWallMs),
    nowWallMs,
    stack: live === undefined ? "unknown" : "gemel",
    version: live === undefined ? undefined : VERSION,
    fencing: live?.fencing ?? [],
    unproven: live?.unproven ?? [],
    ctime,
  };
}

/** What stands in the file; or why it tells nothing, which every form of output has its place for. */
function readFile(call: Call, file: string): MonitorSource | number {
  const refuse = (code: number, reason: string) => {
    process.stderr.write(`crm_mon: ${file}: ${reason}\n`);
    return tellNothing(call, code, `${file}: ${reason}`);
  };
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    return refuse(FIELD_EXIT.notFound, error instanceof Error ? error.message : String(error));
  }
  const read = parseXml(text);
  if (read.kind === "not-xml") return refuse(FIELD_EXIT.invalid, `line ${read.line}: ${read.reason}`);
  if (read.root.name !== "cib") return refuse(FIELD_EXIT.invalid, `<${read.root.name}> is no <cib>`);
  return sourceOf(read.root, undefined);
}

/** Who changed the configuration last, by the names that Pacemaker has for it: `by root via resource on node01`. */
function signedBy(cib: XmlElement, last: HistoryEntry | undefined): XmlElement {
  if (last === undefined || cib.attributes["cib-last-written"] !== undefined) return cib;
  const { who, from, wallMs } = last.origin;
  const [, node = "", door = ""] = /^([^\s:]+): (.*)$/.exec(from) ?? [];
  const attributes = {
    ...cib.attributes,
    "cib-last-written": ctime(wallMs),
    "update-user": who,
    "update-client": door,
    "update-origin": node,
  };
  return { ...cib, attributes };
}

type NoAnswer = Exclude<ControlReply<never>, { kind: "answer" }>;

async function askLive(socketPath: string): Promise<MonitorSource | NoAnswer> {
  const cib = await askCib(socketPath, { kind: "cib-query" });
  if (cib.kind !== "answer") return cib;
  const fencing = await askCib(socketPath, { kind: "fence-history" });
  if (fencing.kind !== "answer") return fencing;
  const read = parseXml(cib.value.xml);
  if (read.kind === "not-xml") return { kind: "unreachable", reason: `line ${read.line}: ${read.reason}` };
  const { history, proofs } = fencing.value;
  // Whoever may not read the history sees everything but who changed the configuration last.
  const log = await askControl(socketPath, { kind: "config-log" });
  const signed = log.kind === "answer" ? signedBy(read.root, log.value.entries.at(-1)) : read.root;
  return sourceOf(signed, { fencing: history.toReversed(), unproven: proofs.filter(isUnproven) });
}

const reasonOf = (reply: NoAnswer) =>
  reply.kind === "refused" ? reply.problems.map(tellProblem).join("; ") : inOperatorsWords(reply.reason);

/** Of a Nagios plug-in: critical. Nagios reads standard output alone. */
const CRITICAL = 2;

/** The exit code; Nagios and programs that read XML are told where they look for it. */
function tellNothing({ flags, format, request }: Call, code: number, reason: string): number {
  if (flags["simple-status"] === true) {
    process.stdout.write(`CLUSTER CRIT: ${reason}\n`);
    return CRITICAL;
  }
  if (format === "xml") tellInXml(request, code, reason);
  return code;
}

/** Or the exit code, with the reason on standard error, and where programs look for it. */
async function readLive(call: Call): Promise<MonitorSource | number> {
  const asked = await withProgress("crm_mon", waitText({ kind: "cib-query" }), askLive(call.socketPath));
  return "kind" in asked ? tellNothing(call, tellReply("crm_mon", asked), reasonOf(asked)) : asked;
}

/** For programs that read nothing else. */
function tellInXml(request: string, code: number, reason: string): void {
  const status = statusXml({ code, errors: [`crm_mon: ${reason}`] });
  process.stdout.write(printXml(xml("pacemaker-result", { "api-version": API_VERSION, request }, [status])));
}

interface Call {
  readonly socketPath: string;
  readonly file: string | undefined;
  readonly flags: Flags;
  readonly wishes: MonitorWishes;
  readonly format: string;
  readonly request: string;
  readonly isOnce: boolean;
  readonly refreshSeconds: number;
}

interface Printed {
  readonly text: string;
  readonly exitCode: number;
}

/** A page that is written anew is asked for anew; one of a file only where that is said. */
function pageRefreshSeconds({ flags, file, isOnce, refreshSeconds }: Call): number {
  return isOnce || (file !== undefined && flags.interval === undefined) ? 0 : refreshSeconds;
}

function print(source: MonitorSource, call: Call): Printed {
  const { flags, wishes, format, request } = call;
  if (flags["simple-status"] === true) return brief(source);
  const done = (text: string) => ({ text, exitCode: 0 });
  if (format === "xml") return done(printXml(monitorXml(source, wishes, request)).trimEnd());
  if (format === "json") return done(JSON.stringify(monitorXml(source, wishes, request), jsonOf, 2));
  // Fact: RFC 3875, section 6.3.1: a CGI program tells the kind of its document first.
  const header = isCgi(flags) ? "Content-Type: text/html\n\n" : "";
  if (format === "html") {
    const page = { refreshSeconds: pageRefreshSeconds(call), ...pageOf(flags) };
    return done(`${header}${monitorHtml(source, wishes, page)}`);
  }
  return done(flags.layout === "1.0" ? monitorTextOne(source, wishes) : monitorText(source, wishes));
}

/** An element as JSON: its attributes as members, its children as a list under `children`. */
function jsonOf(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("attributes" in value) || !("name" in value)) return value;
  const { name, attributes, children } = value as XmlElement;
  return { element: name, ...attributes, ...(children.length === 0 ? {} : { children }) };
}

function writeOut(text: string, file: string | undefined): void {
  if (file === undefined || file === "-") {
    process.stdout.write(`${text}\n`);
    return;
  }
  writeWhole(file, `${text}\n`);
}

async function once(call: Call): Promise<number> {
  const source = call.file === undefined ? await readLive(call) : readFile(call, call.file);
  if (typeof source === "number") return source;
  const { text, exitCode } = print(source, call);
  const file = call.flags["output-to"] ?? call.flags["as-html"];
  writeOut(text, typeof file === "string" ? file : undefined);
  return exitCode;
}

/** On a terminal: with keys, until one of them ends it. */
async function onScreen(call: Call): Promise<number> {
  const { socketPath, refreshSeconds } = call;
  const words = STATUS_WORDS[operatorsLanguage()];
  let { wishes } = call;
  let isHelping = false;
  const picture = async (): Promise<Picture> => {
    if (isHelping) return { kind: "picture", text: KEY_HELP };
    const asked = await askLive(socketPath);
    if (!("kind" in asked)) return { kind: "picture", text: print(asked, { ...call, wishes }).text };
    return { kind: "none", reason: reasonOf(asked) };
  };
  const onKey = (key: string) => {
    isHelping = key === HELP && !isHelping;
    wishes = afterKey(wishes, key);
  };
  const everyMs = refreshSeconds * 1000;
  // What is wrong from the beginning, as nobody who serves there, is told as by every other command.
  const first = await readLive(call);
  if (typeof first === "number") return first;
  const view = { socketPath, everyMs, picture, onKey, colourOf: standingOf };
  return await runLiveView({ ...view, oldText: words.old, footText: words.foot });
}

/** Written anew at each change, and at least every `refreshSeconds`; ends when the manager is gone. */
function asStream(call: Call): Promise<number> {
  return new Promise((resolve) => {
    let drawing = Promise.resolve();
    const draw = () => {
      drawing = drawing.then(async () => {
        await once(call);
      });
    };
    const timer = setInterval(draw, call.refreshSeconds * 1000);
    watchStatus(call.socketPath, draw, (reason) => {
      clearInterval(timer);
      process.stderr.write(`crm_mon: ${reason}\n`);
      resolve(FIELD_EXIT.disconnected);
    });
  });
}

const INTERVAL_SECONDS = 5;

/**
 * Exit codes: 0; 1 with -s when something is wrong; 64 a wrong call; 78 a file that is no CIB, 105 none that can be
 * read; 102 no manager.
 */
export async function run(argv: readonly string[]): Promise<number> {
  const split = splitSections(argv);
  const called = readCommandLine(split.rest, FLAGS, 0);
  if (called.kind === "wrong") return wrongCall("crm_mon", called.reason, USAGE);
  const { socketPath, flags } = called;
  const format = formatOf(flags);
  if (!FORMATS.includes(format)) return wrongCall("crm_mon", `--output-as ${format} is not known`, USAGE);
  const wishes = wishesOf(flags, split, format);
  const request = ["crm_mon", ...argv].join(" ");
  if (typeof wishes === "string") {
    if (format === "xml") tellInXml(request, EXIT.wrongCall, wishes);
    return wrongCall("crm_mon", wishes, USAGE);
  }
  const refused = refusedFlag(flags, REFUSED);
  if (refused !== undefined) return wrongCall("crm_mon", refused, USAGE);
  if (flags.layout !== undefined && flags.layout !== "1.0" && flags.layout !== "2.1")
    return wrongCall("crm_mon", `--layout ${String(flags.layout)} is not known`, USAGE);
  const intervalMs = flags.interval === undefined ? INTERVAL_SECONDS * 1000 : parseDurationMs(String(flags.interval));
  if (intervalMs === undefined || intervalMs < 1000)
    return wrongCall("crm_mon", `-i ${String(flags.interval)} is no time of a second or more`, USAGE);
  const given = flags["xml-file"] ?? cibFile();
  const file = typeof given === "string" && given !== "" ? given : undefined;
  const isOnce =
    flags["one-shot"] === true ||
    flags["simple-status"] === true ||
    isCgi(flags) ||
    format === "xml" ||
    format === "json";
  const call = { socketPath, file, flags, wishes, format, request, isOnce, refreshSeconds: intervalMs / 1000 };
  if (isOnce || file !== undefined) return await once(call);
  const isForEyes = isScreen() && format !== "html" && flags["output-to"] === undefined;
  return isForEyes && flags["disable-ncurses"] !== true ? await onScreen(call) : await asStream(call);
}
