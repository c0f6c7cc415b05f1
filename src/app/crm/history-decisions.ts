/**
 * Words of the history level about what was decided, and of what: where Pacemaker keeps a file for each transition, the
 * black box holds every input, and each decision is made again from it. Fact: crm(8), history: peinputs, transition,
 * transitions, show, diff, wdiff, graph.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { entryOf } from "../../base/record.ts";
import { childOf, parseXml, printXml, type XmlElement, xml } from "../../base/xml.ts";
import { printCrm } from "../../cib/crm-syntax/print.ts";
import { diffTrees } from "../../cluster/core/cib-store/diff.ts";
import type { Window } from "../../cluster/core/report/timeline.ts";
import { shadowFile, writeCibFile } from "../cib-door.ts";
import { ctime } from "../ctime.ts";
import { inOperatorsWords } from "../japanese/translate.ts";
import { runTool } from "./borrowed.ts";
import { readPast, storyOf, tellStory } from "./history-source.ts";
import {
  decisionNamed,
  journalDirectory,
  type PastDecision,
  type PastDecisions,
  readDecisions,
} from "./past-decisions.ts";
import { askManager, EXIT, type Session, tellReply } from "./session.ts";
import { wordDiff } from "./word-diff.ts";

export const DECISION_WORDS = ["transitions", "transition", "peinputs", "show", "diff", "wdiff", "graph"] as const;

function complain({ terminal }: Session, text: string): number {
  terminal.err(`crm: ${text}\n`);
  return EXIT.failed;
}

/** A black box of days takes seconds, and whoever looks at decisions types one word after the other. */
const FRESH_MS = 30_000;

/** Those of the period; the exit code when nobody knows where a black box lies. */
function decisionsOf(session: Session, { fromWallMs, toWallMs }: Window): PastDecisions | number {
  const directory = journalDirectory(path.dirname(session.socketPath), session.history.source);
  if (directory === undefined)
    return complain(session, "where is the black box? history source DIRECTORY, as in /data/gemel/state/journal");
  const { read } = session.history;
  const meant = [directory, session.history.from, session.history.to].join("\n");
  if (read?.meant === meant && performance.now() - read.atMs < FRESH_MS) return read.past;
  const past = readDecisions(directory, fromWallMs, toWallMs);
  session.history.read = { meant, atMs: performance.now(), past };
  return past;
}

function tellMissing({ terminal }: Session, { missing }: PastDecisions): void {
  for (const reason of missing) terminal.err(`crm: without ${inOperatorsWords(reason)}\n`);
}

const nothing = (session: Session, past: PastDecisions): number => {
  tellMissing(session, past);
  return complain(
    session,
    `no decision of that time is in ${past.directory}: only the DC decides, so ask there (history info names it), ` +
      "or look further back: history limit 24h",
  );
};

const nameOf = ({ number }: PastDecision) => `decision-${number}`;

function tellTransitions(session: Session, past: PastDecisions): number {
  if (past.decisions.length === 0) return nothing(session, past);
  for (const one of past.decisions) {
    const what = one.summary.length === 0 ? "nothing to do" : `${one.summary.length} to do`;
    session.terminal.out(`${nameOf(one)}\t${ctime(one.wallMs)}\t${what}${one.quorate ? "" : ", without quorum"}\n`);
    for (const line of one.summary) session.terminal.out(`    ${line.trim()}\n`);
  }
  tellMissing(session, past);
  return EXIT.done;
}

/** `peinputs [NUMBER|FROM:TO...] [v]` */
function tellInputs(session: Session, past: PastDecisions, words: readonly string[]): number {
  const isTimed = words.includes("v");
  const ranges = words.filter((word) => word !== "v").map((word) => /^(\d+)(?::(\d+))?$/.exec(word));
  if (ranges.includes(null)) return -1;
  const isWanted = ({ number }: PastDecision) =>
    ranges.length === 0 ||
    ranges.some((range) => number >= Number(range?.[1]) && number <= Number(range?.[2] ?? range?.[1]));
  const wanted = past.decisions.filter(isWanted);
  if (wanted.length === 0) return nothing(session, past);
  for (const one of wanted) session.terminal.out(`${nameOf(one)}${isTimed ? `\t${ctime(one.wallMs)}` : ""}\n`);
  return EXIT.done;
}

/** A CIB that a word means: a decision's, the running one's, a file's. The exit code when there is none. */
async function cibNamed(session: Session, past: PastDecisions, word: string): Promise<XmlElement | number> {
  let text: string | undefined;
  if (word === "live") {
    const reply = await askManager(session, { kind: "cib-query" });
    if (reply.kind !== "answer") return tellReply(session, reply);
    text = reply.value.xml;
  } else {
    const found = decisionNamed(past.decisions, word);
    if (found !== undefined) return found.cib;
    if (existsSync(word)) text = session.terminal.readText(word);
    else if (past.decisions.length === 0) return nothing(session, past);
    else return complain(session, `there is no decision ${word} in that time; history transitions lists them`);
  }
  const read = parseXml(text ?? "");
  return read.kind === "xml" ? read.root : complain(session, `${word}: line ${read.line}: not XML: ${read.reason}`);
}

/** As a file for one of our commands; it may hold passwords, and is gone afterwards. */
async function withFile(cib: XmlElement, use: (file: string, folder: string) => Promise<number>): Promise<number> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-history-"));
  try {
    const file = path.join(folder, "cib.xml");
    writeFileSync(file, printXml(cib), { mode: 0o600 });
    return await use(file, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const configurationOf = (cib: XmlElement): XmlElement => childOf(cib, "configuration") ?? xml("configuration");

async function show(session: Session, past: PastDecisions, [word, form, ...more]: readonly string[]): Promise<number> {
  if (word === undefined || more.length > 0 || (form !== undefined && form !== "status")) return -1;
  const cib = await cibNamed(session, past, word);
  if (typeof cib === "number") return cib;
  if (form === "status") return await withFile(cib, (file) => runTool(session, ["crm_mon", "-1", "-x", file]));
  session.terminal.out(printCrm(configurationOf(cib)));
  return EXIT.done;
}

/** `diff A B [status]`, `wdiff A B [status]`: what the second has that the first has not. */
async function compare(session: Session, past: PastDecisions, words: readonly string[]): Promise<number> {
  const [verb, first, second, form, ...more] = words;
  if (first === undefined || second === undefined || more.length > 0) return -1;
  if (form !== undefined && form !== "status") return -1;
  const before = await cibNamed(session, past, first);
  if (typeof before === "number") return before;
  const after = await cibNamed(session, past, second);
  if (typeof after === "number") return after;
  const part = (cib: XmlElement) =>
    form === "status" ? (childOf(cib, "status") ?? xml("status")) : configurationOf(cib);
  if (verb === "wdiff") {
    const told = form === "status" ? printXml : printCrm;
    session.terminal.out(wordDiff(told(part(before)), told(part(after))));
  } else for (const line of diffTrees(part(before), part(after))) session.terminal.out(`${line}\n`);
  return EXIT.done;
}

/** `graph DECISION [dot [FILE [FORMAT]]]`; a picture needs Graphviz, its text does not. */
async function draw(session: Session, past: PastDecisions, words: readonly string[]): Promise<number> {
  const [word, kind = "dot", target = "-", format, ...more] = words;
  if (word === undefined || kind !== "dot" || more.length > 0) return -1;
  const cib = await cibNamed(session, past, word);
  if (typeof cib === "number") return cib;
  return await withFile(cib, async (file, folder) => {
    const dot = path.join(folder, "transition.dot");
    const code = await runTool(session, ["crm_simulate", "-x", file, "-R", "-Q", "-D", dot]);
    if (code !== EXIT.done) return code;
    if (format === undefined)
      return session.terminal.writeText(target, readFileSync(dot, "utf8")) ? EXIT.done : EXIT.failed;
    const { status, error, stderr } = spawnSync("dot", [`-T${format}`, "-o", target, dot], { encoding: "utf8" });
    if (status === 0) return EXIT.done;
    return complain(
      session,
      `dot -T${format}: ${error?.message ?? stderr.trim()}; without a format its text is written`,
    );
  });
}

/** What happened from a decision until the next one. */
async function tellAfter(session: Session, { decisions }: PastDecisions, of: PastDecision): Promise<number> {
  const past = await readPast(session);
  if (typeof past === "number") return past;
  const next = decisions[decisions.indexOf(of) + 1];
  const until = { fromWallMs: of.wallMs, toWallMs: next?.wallMs ?? Date.now() };
  return tellStory(
    session,
    past,
    storyOf(session, past, until, () => true),
  );
}

function save(session: Session, of: PastDecision, name = nameOf(of)): number {
  const file = shadowFile(name);
  if (!/^[\w.-]+$/.test(name) || existsSync(file))
    return complain(session, `${name}: there is one, or no name for one`);
  writeCibFile(file, of.cib);
  session.terminal.out(`${name}: look at it with crm cib use ${name}\n`);
  return EXIT.done;
}

const IDLE = /^(?:nograph|v+|actions)$/;
const FLAGS: Readonly<Record<string, string>> = { scores: "-s", utilization: "-U" };

/** `transition [DECISION] [scores] [utilization]`, and `log`, `save`, `showdot`, `tags` before it. */
async function transition(session: Session, past: PastDecisions, words: readonly string[]): Promise<number> {
  const verb = ["log", "save", "showdot", "tags"].find((each) => each === words[0]);
  const rest = words.slice(verb === undefined ? 0 : 1).filter((word) => !IDLE.test(word));
  const [named = "0"] = rest.filter((word) => !Object.hasOwn(FLAGS, word));
  const of = decisionNamed(past.decisions, named);
  if (past.decisions.length === 0) return nothing(session, past);
  if (of === undefined)
    return complain(session, `there is no decision ${named} in that time; history transitions lists them`);
  const others = rest.filter((word) => word !== named);
  if (verb === "save") return others.length > 1 ? -1 : save(session, of, others[0]);
  const flags = others.flatMap((word) => entryOf(FLAGS, word) ?? []);
  if (flags.length < others.length) return -1;
  if (verb === "log") return await tellAfter(session, past, of);
  if (verb === "showdot") return await draw(session, past, [named]);
  if (verb === "tags") {
    const touched = of.summary.flatMap((line) => /^\W*(\S+)\s+(\S+)/.exec(line)?.slice(1, 3).join(" ") ?? []);
    session.terminal.out(`${[...new Set(touched)].join("\n")}\n`);
    return EXIT.done;
  }
  session.terminal.out(`${nameOf(of)}, ${ctime(of.wallMs)}\n`);
  const when = ["-t", new Date(of.wallMs).toISOString(), "-q", of.quorate ? "1" : "0"];
  return await withFile(of.cib, (file) => runTool(session, ["crm_simulate", "-x", file, "-R", ...when, ...flags]));
}

/** The exit code; -1 for a wrong call. */
export async function runDecisions(session: Session, words: readonly string[], within: Window): Promise<number> {
  const [verb = "", ...rest] = words;
  // What is looked for outside a period is a CIB that somebody has named.
  const past = decisionsOf(session, within);
  if (typeof past === "number") return past;
  switch (verb) {
    case "transitions":
      return rest.length > 0 ? -1 : tellTransitions(session, past);
    case "peinputs":
      return tellInputs(session, past, rest);
    case "show":
      return await show(session, past, rest);
    case "graph":
      return await draw(session, past, rest);
    case "transition":
      return await transition(session, past, rest);
    default:
      return await compare(session, past, words);
  }
}
