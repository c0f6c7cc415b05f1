/**
 * The configure level of the crm shell. Its commands change the working copy; `commit` sends it. Any statement of the
 * language is a command, too.
 */

import { nearestName } from "../../base/nearest.ts";
import { printXml, type XmlElement } from "../../base/xml.ts";
import { emptyConfiguration } from "../../cib/crm-syntax/apply.ts";
import { deleteObject, renameObject } from "../../cib/crm-syntax/edit.ts";
import { STATEMENT_NAMES } from "../../cib/crm-syntax/parse.ts";
import { listStatements, type Printed, printCrm } from "../../cib/crm-syntax/print.ts";
import { type LoadMode, loadConfiguration } from "../../cib/load.ts";
import { verifyCib } from "../../cib/schema/verify.ts";
import { diffTrees } from "../../cluster/core/cib-store/diff.ts";
import { asCib, commit, EXIT, fetchRunning, hasChanges, type Session, tellProblems } from "./session.ts";

interface Call {
  readonly session: Session;
  readonly words: readonly string[];
  readonly working: XmlElement;
}

interface ConfigureCommand {
  readonly usage: string;
  readonly help: string;
  readonly run: (call: Call) => number | Promise<number>;
}

/** `passw*` as a pattern of whole option names. */
const globOf = (glob: string) => glob.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^=\\s]*");

function hide(text: string, globs: readonly string[]): string {
  return globs.reduce(
    (shown, glob) => shown.replaceAll(new RegExp(`(^|\\s)(${globOf(glob)})=("[^"]*"|\\S+)`, "gm"), '$1$2="******"'),
    text,
  );
}

function show({ session, words, working }: Call): number {
  const isXml = words.includes("xml");
  const globs = words.flatMap((word) => (word.startsWith("obscure:") ? [word.slice("obscure:".length)] : []));
  const wanted = words.filter((word) => word !== "xml" && !word.startsWith("obscure:"));
  if (isXml && wanted.length === 0) {
    session.terminal.out(printXml(working));
    return EXIT.done;
  }
  const all = listStatements(working);
  const before = new Set(
    listStatements(session.running?.configuration ?? working).map(({ lines }) => lines.join("\n")),
  );
  const keyword = ({ lines: [first = ""] }: Printed) => first.split(" ", 1)[0];
  const fits = (printed: Printed, word: string) => {
    if (word === "changed") return !before.has(printed.lines.join("\n"));
    if (word.startsWith("type:")) return keyword(printed) === word.slice("type:".length);
    if (word.startsWith("related:"))
      return printed.lines
        .join(" ")
        .split(/[\s:]+/)
        .includes(word.slice("related:".length));
    return printed.id === word || (word === "fencing_topology" && printed.section === "fencing-topology");
  };
  const chosen = wanted.length === 0 ? all : all.filter((printed) => wanted.some((word) => fits(printed, word)));
  const missing = wanted.filter(
    (word) => !word.includes(":") && word !== "changed" && !all.some((one) => fits(one, word)),
  );
  for (const word of missing) session.terminal.err(`crm: there is no object ${word}\n`);
  session.terminal.out(hide(chosen.map(({ lines }) => `${lines.join("\n")}\n`).join(""), globs));
  return missing.length === 0 ? EXIT.done : EXIT.failed;
}

function takeText(session: Session, text: string, source: string, mode: LoadMode, base: XmlElement): number {
  const loaded = loadConfiguration(text, { source, mode, base });
  // What the text brings; warnings of what was there before are told by verify.
  const before = new Set(verifyCib(asCib(base)).map(({ reason }) => reason));
  const problems = loaded.kind === "invalid" ? loaded.problems : loaded.warnings;
  const fresh = problems.filter(({ severity, reason }) => severity === "error" || !before.has(reason));
  tellProblems(session, fresh);
  if (loaded.kind === "invalid") {
    session.terminal.err("crm: nothing was changed\n");
    return EXIT.failed;
  }
  session.working = loaded.value;
  return EXIT.done;
}

/** `load [xml] update|replace|push FILE`; whether the text is XML is seen from its first sign. */
function load({ session, words, working }: Call): number {
  const [method = "", file, ...rest] = words.filter((word) => word !== "xml");
  if (!["update", "replace", "push"].includes(method) || file === undefined || rest.length > 0) return -1;
  const text = session.terminal.readText(file);
  if (text === undefined) return EXIT.noInput;
  return takeText(session, text, file, method === "update" ? "update" : "replace", working);
}

function save({ session, words, working }: Call): number {
  const isXml = words[0] === "xml";
  const [file, ...rest] = isXml ? words.slice(1) : words;
  if (file === undefined || rest.length > 0) return -1;
  return session.terminal.writeText(file, isXml ? printXml(working) : printCrm(working)) ? EXIT.done : EXIT.failed;
}

/** Without a file the working copy. Exit code 0 also with warnings, as crm_verify. */
function verify({ session, words: [file], working }: Call): number {
  if (file === undefined) {
    const problems = verifyCib(asCib(working));
    tellProblems(session, problems);
    return problems.some(({ severity }) => severity === "error") ? EXIT.failed : EXIT.done;
  }
  const text = session.terminal.readText(file);
  if (text === undefined) return EXIT.noInput;
  const loaded = loadConfiguration(text, { source: file, mode: "update", base: working });
  tellProblems(session, loaded.kind === "valid" ? loaded.warnings : loaded.problems);
  return loaded.kind === "valid" ? EXIT.done : EXIT.failed;
}

function remove({ session, words }: Call): number {
  if (words.length === 0) return -1;
  for (const id of words) {
    const deleted = deleteObject(session.working ?? emptyConfiguration(), id);
    if (deleted === undefined) {
      session.terminal.err(`crm: there is no object ${id}; nothing was deleted\n`);
      return EXIT.failed;
    }
    session.working = deleted.configuration;
    const along = deleted.ids.slice(1);
    if (along.length > 0) session.terminal.out(`deleted along with ${id}: ${along.join(", ")}\n`);
  }
  return EXIT.done;
}

function rename({ session, words: [from, to], working }: Call): number {
  if (from === undefined || to === undefined) return -1;
  const renamed = renameObject(working, from, to);
  if (renamed === undefined) {
    session.terminal.err(`crm: there is no object ${from}\n`);
    return EXIT.failed;
  }
  session.working = renamed;
  return EXIT.done;
}

function erase({ session, words: [what], working }: Call): number {
  const nodes = working.children.filter(({ name }) => name === "nodes" && what !== "nodes");
  const empty = emptyConfiguration();
  const children = empty.children.map((section) => nodes.find(({ name }) => name === section.name) ?? section);
  session.working = { ...empty, children };
  return EXIT.done;
}

function edit({ session, working }: Call): number {
  const text = session.terminal.edit(printCrm(working));
  return text === undefined ? EXIT.failed : takeText(session, text, "edited text", "replace", working);
}

function diff({ session, working }: Call): number {
  const lines = diffTrees(session.running?.configuration ?? working, working);
  session.terminal.out(lines.map((line) => `${line}\n`).join(""));
  return EXIT.done;
}

async function refresh({ session }: Call): Promise<number> {
  session.working = undefined;
  const fetched = await fetchRunning(session);
  return typeof fetched === "number" ? fetched : EXIT.done;
}

export const CONFIGURE_COMMANDS: Readonly<Record<string, ConfigureCommand>> = {
  show: { usage: "[xml] [changed] [ID|type:WORD|related:ID|obscure:NAME*]...", help: "print objects", run: show },
  load: { usage: "[xml] update|replace|push FILE", help: "merge a file, or replace all by it", run: load },
  save: { usage: "[xml] FILE", help: "write the configuration to a file", run: save },
  verify: { usage: "[FILE]", help: "all that is wrong or dangerous", run: verify },
  delete: { usage: "ID...", help: "delete objects and what refers to them", run: remove },
  rename: { usage: "OLD NEW", help: "give an object another id", run: rename },
  erase: { usage: "[nodes]", help: "delete everything, but nodes only when named", run: erase },
  edit: { usage: "", help: "edit the whole in $EDITOR", run: edit },
  diff: { usage: "", help: "what a commit would change", run: diff },
  refresh: { usage: "", help: "forget uncommitted changes, fetch anew", run: refresh },
  commit: { usage: "", help: "put the changes in force", run: ({ session }) => commit(session) },
};

/** A word with what would break it up quoted again, as it was before the user's own shell took the quotes. */
export function quoteArgument(word: string): string {
  if (!/[\s"'\\]/.test(word)) return word;
  const [, name = "", value = word] = /^([\w.$#-]+=)([\s\S]*)$/.exec(word) ?? [];
  return `${name}"${value.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** One command or statement on the working copy. `text` is the statement whole, with its quotes. */
export async function runConfigure(session: Session, words: readonly string[], text: string): Promise<number> {
  const [name = "", ...rest] = words;
  // Files may be judged where no cluster runs.
  const isOffline = name === "verify" && rest.length > 0;
  const fetched = isOffline ? emptyConfiguration() : await fetchRunning(session);
  if (typeof fetched === "number") return fetched;
  const command = Object.hasOwn(CONFIGURE_COMMANDS, name) ? CONFIGURE_COMMANDS[name] : undefined;
  if (command !== undefined) {
    const code = await command.run({ session, words: rest, working: fetched });
    if (code !== -1) return code;
    session.terminal.err(`usage: configure ${name} ${command.usage}\n`);
    return EXIT.usage;
  }
  if (STATEMENT_NAMES.includes(name)) return takeText(session, text, "command", "update", fetched);
  const near = nearestName(name, [...Object.keys(CONFIGURE_COMMANDS), ...STATEMENT_NAMES]);
  session.terminal.err(`crm: configure has no command ${name}${near === undefined ? "" : `; did you mean ${near}?`}\n`);
  return EXIT.usage;
}

/** `crm configure WORDS` from a terminal: what it changes is committed at once. */
export async function configureOnce(session: Session, words: readonly string[]): Promise<number> {
  const code = await runConfigure(session, words, words.map(quoteArgument).join(" "));
  if (code !== EXIT.done || words[0] === "commit" || !hasChanges(session)) return code;
  return commit(session);
}
