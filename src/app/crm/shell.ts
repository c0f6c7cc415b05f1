/**
 * The crm shell: one line after another, from a terminal, a file or a pipe. Levels are entered by their name and left
 * by `up`; a line may name levels before the command. Leaving `configure` with changes commits them in a batch, and
 * asks in a terminal. A batch ends at the first command that fails.
 */
import process from "node:process";
import { nearestName } from "../../base/nearest.ts";
import { entryOf, isKeyOf } from "../../base/record.ts";
import { emptyConfiguration } from "../../cib/crm-syntax/apply.ts";
import { readStatements } from "../../cib/crm-syntax/tokens.ts";
import { runBorrowed, runTool } from "./borrowed.ts";
import { runCib } from "./cib-level.ts";
import { runCluster, runCorosync } from "./cluster-level.ts";
import { runConfigure, takeText } from "./configure-level.ts";
import { helpText, usageOf } from "./help.ts";
import { runHistory } from "./history-level.ts";
import { BELOW_CONFIGURE, EVERYWHERE, LEVELS, type LevelName, runNode, runResource } from "./levels.ts";
import { runOptions } from "./options-level.ts";
import { runRa } from "./ra-level.ts";
import { runCibStatus } from "./rehearsal.ts";
import { runScript } from "./script-level.ts";
import { commit, EXIT, fetchRunning, hasChanges, type Session } from "./session.ts";
import { spelledOut } from "./shorthand.ts";
import { STATUS_FLAGS } from "./status-words.ts";
import { runTemplate } from "./template-level.ts";

export interface Shell {
  readonly session: Session;
  level: LevelName;
  /** Lines that ended with a backslash so far. */
  begun: string;
  /** Asks a person; absent in a batch, where the answer is yes. */
  readonly confirm?: (question: string) => Promise<boolean>;
}

export type LineResult = { readonly kind: "done"; readonly code: number } | { readonly kind: "quit" };

const done = (code: number): LineResult => ({ kind: "done", code });
const isLevel = (word: string): word is LevelName => word !== "" && isKeyOf(LEVELS, word);

export const promptOf = ({ level, begun, session }: Shell): string =>
  begun !== ""
    ? "   > "
    : `crm(${process.env["CIB_shadow"] ?? "live"})${level}${level === "configure" && hasChanges(session) ? "*" : ""}# `;

/** Leaves `configure`: what was changed is committed, or dropped by a person's own word. */
async function leaveConfigure(shell: Shell): Promise<number> {
  const { session, confirm } = shell;
  const isInside = shell.level === "configure" || BELOW_CONFIGURE.includes(shell.level);
  if (!isInside || !hasChanges(session)) return EXIT.done;
  const wanted = confirm === undefined || (await confirm("There are uncommitted changes. Commit them (y/n)? "));
  if (wanted) return commit(session);
  session.working = undefined;
  return EXIT.done;
}

function help({ level, session: { terminal } }: Shell, words: readonly string[]): number {
  const text = helpText(level, words);
  if (text === undefined) terminal.err(`crm: there is no help for "${words.join(" ")}"; help lists the commands\n`);
  else terminal.out(text);
  return text === undefined ? EXIT.usage : EXIT.done;
}

async function runAt(shell: Shell, level: LevelName, words: readonly string[], text: string): Promise<number> {
  const { session } = shell;
  const borrowed = await runBorrowed(session, level, words);
  if (borrowed !== undefined) return borrowed;
  switch (level) {
    case "configure":
      return runConfigure(session, words, text);
    case "resource":
      return runResource(session, words);
    case "node":
      return runNode(session, words);
    case "ra":
      return runRa(session, words);
    case "cib":
      return await runCib(session, words);
    case "template": {
      const working = words[0] === "apply" ? await fetchRunning(session) : emptyConfiguration();
      if (typeof working === "number") return working;
      return runTemplate(session, words, (made, mode) => takeText(session, made, "template", mode, working));
    }
    case "cibstatus":
      return await runCibStatus(session, words);
    case "options":
      return runOptions(session, words);
    case "history":
      return await runHistory(session, words);
    case "cluster":
      return await runCluster(session, words, (statement) => enforce(session, statement));
    case "corosync":
      return await runCorosync(session, words);
    case "script":
      return await runScript(session, words, (statements) => enforce(session, statements));
    case "site":
      return -1;
    case "": {
      const [first] = words;
      if (first === "verify") return await verify(session, words, text);
      if (first === "maintenance") return await maintain(session, words);
      return first === "status" ? await tellStatus(session, words.slice(1)) : -1;
    }
    default:
      return -1;
  }
}

/** Puts statements in force that no person has typed. */
async function enforce(session: Session, statements: string): Promise<number> {
  const working = await fetchRunning(session);
  if (typeof working === "number") return working;
  const code = takeText(session, statements, "statements", "update", working);
  return code === EXIT.done ? await commit(session) : code;
}

async function verify(session: Session, words: readonly string[], text: string): Promise<number> {
  if (words[1] !== "scores" || words.length > 2) return await runConfigure(session, words, text);
  const code = await runConfigure(session, ["verify"], "verify");
  const told = await runTool(session, ["crm_simulate", "-L", "-s", "-Q"]);
  return code === EXIT.done ? told : code;
}

async function tellStatus(session: Session, words: readonly string[]): Promise<number> {
  const flags = words.map((word) => entryOf(STATUS_FLAGS, word));
  if (flags.includes(undefined)) return -1;
  return await runTool(session, ["crm_mon", "-1", ...flags.flatMap((flag) => flag ?? [])]);
}

const BY_HAND: Readonly<Record<string, string>> = {
  start: "start",
  stop: "stop",
  monitor: "check",
  promote: "promote",
  demote: "demote",
};

/** `maintenance on|off`: of the whole cluster; `maintenance action RESOURCE ACTION`: an agent run by hand here. */
async function maintain(session: Session, [, word = "", ...more]: readonly string[]): Promise<number> {
  const [resource = "", action = ""] = more;
  const verb = entryOf(BY_HAND, action);
  if (word === "action" && verb !== undefined && more.length === 2)
    return await runTool(session, ["crm_resource", `--force-${verb}`, "-r", resource]);
  if (!["on", "off"].includes(word) || more.length > 0) return -1;
  const statement = `property maintenance-mode=${word === "on" ? "true" : "false"}`;
  const code = await runConfigure(session, statement.split(" "), statement);
  return code === EXIT.done ? await commit(session) : code;
}

/** `cd [..|LEVEL|../LEVEL]`; without a word a level up. What was changed in configure is committed on leaving it. */
async function changeLevel(shell: Shell, [where = "..", ...more]: readonly string[]): Promise<LineResult | undefined> {
  const target = where.replace(/^(?:\.\.)?\/?/, "");
  if (more.length > 0 || (target !== "" && !isLevel(target))) return undefined;
  const code = await leaveConfigure(shell);
  if (code === EXIT.done) shell.level = isLevel(target) ? target : "";
  return done(code);
}

/** Words of the shell itself; undefined when it is none of them. */
async function runEverywhere(shell: Shell, [word = "", ...more]: readonly string[]): Promise<LineResult | undefined> {
  if (word === "help" || word === "?") return done(help(shell, more));
  if (word === "cd") return await changeLevel(shell, more);
  if (more.length > 0) return undefined;
  if (["quit", "exit", "bye"].includes(word)) {
    const code = await leaveConfigure(shell);
    return code === EXIT.done ? { kind: "quit" } : done(code);
  }
  if (["up", "end", "back", ".."].includes(word)) return await changeLevel(shell, []);
  return word === "ls" ? done(help(shell, [])) : undefined;
}

/** Of a word that the level has, how it is typed; of another one, the nearest that it has. */
function wrongCall(level: LevelName, words: readonly string[]): string {
  const [first = ""] = words;
  const usage = LEVELS[level].includes(first) ? usageOf(level, first) : undefined;
  if (usage !== undefined) return `usage: ${`${level} ${usage}`.trim()}`;
  const near = nearestName(first, [...LEVELS[level], ...EVERYWHERE]);
  const guess = near === undefined ? "; help lists the commands" : `; did you mean ${near}?`;
  return level === "" ? `crm: there is no command ${first}${guess}` : `crm: ${level} has no command ${first}${guess}`;
}

/** Carries out one line as it was typed. */
export async function runLine(shell: Shell, line: string): Promise<LineResult> {
  if (/\\\s*$/.test(line)) {
    shell.begun += `${line}\n`;
    return done(EXIT.done);
  }
  let text = shell.begun + line;
  shell.begun = "";
  const { terminal } = shell.session;
  const [statement] = readStatements(text, "line", []);
  let words = statement?.tokens.map((token) => token.text) ?? [];
  const [typed] = words;
  if (typed === undefined) return done(EXIT.done);
  let level = shell.level;
  let first: string | undefined = spelledOut(level, typed);
  words = [first, ...words.slice(1)];
  const own = await runEverywhere(shell, words);
  if (own !== undefined) return own;
  let begun = typed;
  while (
    first !== undefined &&
    isLevel(first) &&
    (level === "" ||
      (level === "configure" && BELOW_CONFIGURE.includes(first)) ||
      (level === "cib" && first === "cibstatus"))
  ) {
    level = first;
    text = text.trimStart().slice(begun.length);
    [, begun = ""] = words;
    words = words.slice(1);
    first = words[0] === undefined ? undefined : spelledOut(level, words[0]);
    if (first !== undefined) words = [first, ...words.slice(1)];
  }
  if (first === undefined) {
    shell.level = level;
    return done(EXIT.done);
  }
  if (first === "help" || first === "?") return done(help({ ...shell, level }, words.slice(1)));
  const code = await runAt(shell, level, words, text);
  if (code === -1) {
    terminal.err(`${wrongCall(level, words)}\n`);
    return done(EXIT.usage);
  }
  // A line that went into configure and out again is finished: so are its changes.
  const isInside = level === "configure" || level === "template";
  if (code === EXIT.done && isInside && shell.level === "" && hasChanges(shell.session))
    return done(await commit(shell.session));
  return done(code);
}

/** All lines of a file or pipe; the code of the first that failed. */
export async function runBatch(shell: Shell, text: string): Promise<number> {
  for (const [index, line] of text.split("\n").entries()) {
    if (/^\s*#/.test(line)) continue;
    const result = await runLine(shell, line);
    if (result.kind === "quit") return EXIT.done;
    if (result.code === EXIT.done) continue;
    shell.session.terminal.err(`crm: stopped at line ${index + 1}\n`);
    return result.code;
  }
  if (shell.begun !== "") {
    shell.session.terminal.err("crm: the last line ends with a backslash, and nothing follows it\n");
    return EXIT.usage;
  }
  return leaveConfigure(shell);
}
