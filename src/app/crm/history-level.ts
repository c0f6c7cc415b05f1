/**
 * The history level of the crm shell: what has happened, from what all nodes wrote down. What was decided, and of what,
 * stands in history-decisions.ts. Nothing is gathered beforehand. Fact: crm(8), history.
 */
import { entryOf } from "../../base/record.ts";
import { childOf, type XmlElement } from "../../base/xml.ts";
import { everyElement } from "../../cib/schema/finding.ts";
import { maskText } from "../../cluster/core/report/mask.ts";
import type { Window } from "../../cluster/core/report/timeline.ts";
import { ctime } from "../ctime.ts";
import { inOperatorsWords } from "../japanese/translate.ts";
import { readMoment } from "../moment.ts";
import { runTool } from "./borrowed.ts";
import { DECISION_WORDS, runDecisions } from "./history-decisions.ts";
import { runHistorySession } from "./history-session.ts";
import { type Past, readPast, storyOf, tellStory } from "./history-source.ts";
import { EXIT, type Session } from "./session.ts";

/** What is looked at when nobody has said of when. Fact: crm(8): the last hour of a cluster; the whole of a report. */
const USUAL_MS = 3_600_000;

/** Undefined when a time of the settings is none. */
export function windowOf({ history }: Session, nowWallMs = Date.now()): Window | undefined {
  const { from, to, source } = history;
  const usual = source === undefined ? nowWallMs - USUAL_MS : 0;
  const fromWallMs = from === undefined ? usual : readMoment(from, nowWallMs);
  const toWallMs = to === undefined ? nowWallMs : readMoment(to, nowWallMs);
  return fromWallMs === undefined || toWallMs === undefined ? undefined : { fromWallMs, toWallMs };
}

export const HISTORY_USAGES: Readonly<Record<string, string>> = {
  info: "",
  latest: "",
  limit: "[FROM [TO]]",
  timeframe: "[FROM [TO]]",
  source: "[live|REPORT|DIRECTORY]",
  events: "",
  resource: "RESOURCE|PATTERN...",
  node: "NODE|PATTERN...",
  log: "[NODE...]",
  exclude: "[PATTERN|clear]",
  detail: "0|1",
  refresh: "[force]",
  session: "[save|load|delete NAME | pack [NAME] | update | list]",
  transitions: "",
  transition: "[DECISION] [scores] [utilization] | log|showdot|tags [DECISION] | save [DECISION [NAME]]",
  peinputs: "[NUMBER|FROM:TO...] [v]",
  show: "DECISION|live [status]",
  diff: "DECISION|live DECISION|live [status] | [VERSION [VERSION]]",
  wdiff: "DECISION|live DECISION|live [status]",
  graph: "DECISION [dot [FILE [FORMAT]]]",
};

export const HISTORY_WORDS = Object.keys(HISTORY_USAGES);

/** What was said of names, or of what fits a pattern; undefined for what is no pattern. */
function aboutAny(names: readonly string[]): RegExp | undefined {
  try {
    return new RegExp(`(?<![\\w.-])(?:${names.join("|")})(?![\\w-])`);
  } catch {
    return undefined;
  }
}

/** Groups and clones are never logged: their members are. */
function membersOf(cib: XmlElement | undefined, name: string): readonly string[] {
  const resources = childOf(childOf(cib, "configuration"), "resources");
  const found = resources === undefined ? [] : everyElement(resources).map(({ element }) => element);
  const whole = found.find(({ attributes }) => attributes["id"] === name);
  const members = whole === undefined ? [] : everyElement(whole).map(({ element }) => element);
  return [name, ...members.filter((one) => one.name === "primitive").map(({ attributes }) => attributes["id"] ?? "")];
}

type Tell = (session: Session, words: readonly string[], past: Past, within: Window) => number;

const tellAbout =
  (expand: (past: Past, name: string) => readonly string[]): Tell =>
  (session, words, past, within) => {
    if (words.length === 0) return -1;
    const pattern = aboutAny(words.flatMap((word) => expand(past, word)));
    if (pattern === undefined) {
      session.terminal.err(`crm: ${words.join(" ")}: no regular expression\n`);
      return EXIT.usage;
    }
    const story = storyOf(session, past, within, ({ text }) => pattern.test(text));
    return tellStory(session, past, story);
  };

/** Lines as they were written, with the name of the node where there are several. */
const log: Tell = ({ terminal, history }, words, past, { fromWallMs, toWallMs }) => {
  const strange = words.find((word) => !past.logs.has(word));
  if (strange !== undefined) {
    terminal.err(`crm: there is no log of ${strange}; there are those of ${[...past.logs.keys()].join(", ")}\n`);
    return EXIT.failed;
  }
  const patterns = history.excluded.map((pattern) => new RegExp(pattern));
  const lines = [...past.logs]
    .filter(([node]) => words.length === 0 || words.includes(node))
    .flatMap(([node, written]) =>
      written.map((text) => ({ node, text, atWallMs: Date.parse(text.split(" ")[0] ?? "") })),
    )
    .filter(
      ({ atWallMs, text }) => atWallMs >= fromWallMs && atWallMs <= toWallMs && !patterns.some((p) => p.test(text)),
    )
    .toSorted((left, right) => left.atWallMs - right.atWallMs);
  for (const { node, text } of lines) terminal.out(`${node}: ${maskText(text, past.secrets)}\n`);
  for (const reason of past.missing) terminal.err(`crm: without ${inOperatorsWords(reason)}\n`);
  return EXIT.done;
};

const info: Tell = ({ terminal, history }, words, past, { fromWallMs, toWallMs }) => {
  if (words.length > 0) return -1;
  const inside = past.happenings.filter(({ atWallMs }) => atWallMs >= fromWallMs && atWallMs <= toWallMs);
  const bad = inside.filter(({ severity }) => severity !== "info");
  const rows = [
    `Source: ${history.source ?? "live"}`,
    `Period: ${fromWallMs === 0 ? "all" : ctime(fromWallMs)} - ${ctime(toWallMs)}`,
    `Nodes: ${[...past.logs.keys()].join(" ")}`,
    ...(past.dc === undefined ? [] : [`DC: ${past.dc}`]),
    `Events: ${inside.length}, of these warnings and errors: ${bad.length}`,
    ...(history.excluded.length === 0 ? [] : [`Excluded: ${history.excluded.join(" ")}`]),
  ];
  terminal.out(`${rows.join("\n")}\n`);
  for (const reason of past.missing) terminal.err(`crm: without ${inOperatorsWords(reason)}\n`);
  return EXIT.done;
};

/** Since the last decision that found something to do. */
const latest: Tell = (session, words, past, within) => {
  if (words.length > 0) return -1;
  const told = storyOf({ ...session, history: { ...session.history, detail: 1 } }, past, within, () => true);
  const last = told.findLast(({ text }) => /^decision \d+: (?!.*nothing)/.test(text));
  return tellStory(session, past, last === undefined ? told : told.filter((one) => one.atWallMs >= last.atWallMs));
};

const TELLERS: Readonly<Record<string, Tell>> = {
  info,
  latest,
  log,
  events: (session, words, past, within) =>
    words.length > 0
      ? -1
      : tellStory(
          session,
          past,
          storyOf(session, past, within, () => true),
        ),
  resource: tellAbout(({ cib }, name) => membersOf(cib, name)),
  node: tellAbout((_past, name) => [name]),
};

function limit(session: Session, [from, to, ...more]: readonly string[]): number {
  const { history, terminal } = session;
  const now = Date.now();
  const wrong = [from, to].find((word) => word !== undefined && readMoment(word, now) === undefined);
  if (wrong !== undefined)
    terminal.err(`crm: ${wrong} is no time; write 10min (ago), 13:05, "Jul 18 12:00" or "2026-07-18 12:00:00"\n`);
  if (wrong !== undefined || more.length > 0) return wrong === undefined ? -1 : EXIT.usage;
  history.from = from;
  history.to = to;
  return EXIT.done;
}

function exclude({ history, terminal }: Session, [pattern, ...more]: readonly string[]): number {
  if (more.length > 0) return -1;
  if (pattern === undefined) for (const one of history.excluded) terminal.out(`${one}\n`);
  else if (pattern === "clear") history.excluded = [];
  else if (aboutAny([pattern]) === undefined) {
    terminal.err(`crm: ${pattern}: no regular expression\n`);
    return EXIT.usage;
  } else history.excluded = [...history.excluded, pattern];
  return EXIT.done;
}

/** Words that only change what the others look at; undefined for another one. */
async function set(session: Session, verb: string, words: readonly string[]): Promise<number | undefined> {
  const { history, terminal } = session;
  const [word] = words;
  if (verb === "limit" || verb === "timeframe") return limit(session, words);
  if (verb === "exclude") return exclude(session, words);
  if (verb === "session") return await runHistorySession(session, words);
  if (verb === "refresh") {
    history.read = undefined;
    return words.every((each) => each === "force") ? EXIT.done : -1;
  }
  if (verb === "detail") {
    if (words.length !== 1 || (word !== "0" && word !== "1")) return -1;
    history.detail = word === "0" ? 0 : 1;
    return EXIT.done;
  }
  if (verb !== "source") return undefined;
  if (words.length > 1) return -1;
  if (word === undefined) terminal.out(`${history.source ?? "live"}\n`);
  else history.source = word === "live" ? undefined : word;
  return EXIT.done;
}

/** The exit code; -1 for a wrong call. */
export async function runHistory(session: Session, words: readonly string[]): Promise<number> {
  const [verb = "", ...rest] = words;
  const done = await set(session, verb, rest);
  if (done !== undefined) return done;
  const within = windowOf(session);
  if (within === undefined) return limit(session, [session.history.from ?? "", session.history.to ?? ""]);
  // Versions of the configuration have points in their numbers, decisions have not.
  if (verb === "diff" && rest.every((word) => /^\d+\.\d+/.test(word)))
    return await runTool(session, ["config", "diff", ...rest]);
  if ((DECISION_WORDS as readonly string[]).includes(verb)) return await runDecisions(session, words, within);
  const tell = entryOf(TELLERS, verb);
  if (tell === undefined) return -1;
  const past = await readPast(session);
  return typeof past === "number" ? past : tell(session, rest, past, within);
}
