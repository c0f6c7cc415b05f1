/**
 * The configure level of the crm shell. Its commands change the working copy; `commit` sends it. Any statement of the
 * language is a command, too.
 */
import { spawnSync } from "node:child_process";
import { nearestName } from "../../base/nearest.ts";
import type { Problem, Read } from "../../base/problem.ts";
import { entryOf } from "../../base/record.ts";
import { printXml, type XmlElement } from "../../base/xml.ts";
import { emptyConfiguration } from "../../cib/crm-syntax/apply.ts";
import { changeGroup, type GroupChange, renameObject, setValue } from "../../cib/crm-syntax/edit.ts";
import { STATEMENT_NAMES } from "../../cib/crm-syntax/parse.ts";
import { listStatements, printCrm } from "../../cib/crm-syntax/print.ts";
import { isXmlText, type LoadMode, loadConfiguration } from "../../cib/load.ts";
import { CLUSTER_OPTIONS, optionNames } from "../../cib/schema/options.ts";
import { readBoolean } from "../../cib/schema/values.ts";
import { verifyCib } from "../../cib/schema/verify.ts";
import { diffTrees } from "../../cluster/core/cib-store/diff.ts";
import { fencingProblems } from "../fencing-problems.ts";
import { missingAgents } from "./agents-here.ts";
import { runBorrowed, runTool } from "./borrowed.ts";
import { defaultTimeouts, testResources } from "./configure-agents.ts";
import { erase, remove } from "./deletion.ts";
import { drawConfiguration } from "./graph.ts";
import { simulate } from "./rehearsal.ts";
import { asCib, commit, EXIT, fetchRunning, hasChanges, type Session, tellProblems } from "./session.ts";
import { show } from "./show.ts";

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

export function takeText(session: Session, text: string, source: string, mode: LoadMode, base: XmlElement): number {
  return take(session, loadConfiguration(text, { source, mode, base }), base);
}

/** Two devices may have the same fault, so it is known by its place, too. */
function newFencingProblems(base: XmlElement, taken: XmlElement): readonly Problem[] {
  const before = new Set(fencingProblems(base).map(({ place, reason }) => `${place} ${reason}`));
  return fencingProblems(taken).filter(({ place, reason }) => !before.has(`${place} ${reason}`));
}

function take(session: Session, loaded: Read<XmlElement>, base: XmlElement): number {
  // What the text brings; warnings of what was there before are told by verify.
  const before = new Set(verifyCib(asCib(base)).map(({ reason }) => reason));
  const problems = loaded.kind === "invalid" ? loaded.problems : loaded.warnings;
  const fresh = problems.filter(({ severity, reason }) => severity === "error" || !before.has(reason));
  tellProblems(session, fresh);
  if (loaded.kind === "invalid") {
    session.terminal.err("crm: nothing was changed\n");
    return EXIT.failed;
  }
  tellProblems(session, newFencingProblems(base, loaded.value));
  for (const line of missingAgents(base, loaded.value)) session.terminal.err(`${line}\n`);
  session.working = loaded.value;
  return EXIT.done;
}

/** `load [xml] update|replace|push FILE`; whether the text is XML is seen from its first sign. */
function load({ session, words, working }: Call): number {
  const [method = "", file, ...rest] = words.filter((word) => word !== "xml");
  if (!["update", "replace", "push"].includes(method) || file === undefined || rest.length > 0) return -1;
  if (/^[a-z]+:\/\//i.test(file)) {
    session.terminal.err(
      `crm: ${file}: no address of the network is loaded; fetch the file, read it, then load that\n`,
    );
    return EXIT.noInput;
  }
  const text = session.terminal.readText(file);
  if (text === undefined) return EXIT.noInput;
  return takeText(session, text, file, method === "update" ? "update" : "replace", working);
}

/** `save [xml] [WORD...] FILE`: what `show` prints of the same words; `-` is standard output. */
function save({ session, words, working }: Call): number {
  const file = words.at(-1);
  const chosen = words.slice(0, -1);
  if (file === undefined || file === "xml") return -1;
  const said: string[] = [];
  const isWhole = chosen.every((word) => word === "xml");
  const terminal = { ...session.terminal, out: (text: string) => void said.push(text) };
  const code = isWhole ? EXIT.done : show({ ...session, terminal }, chosen, working);
  if (code !== EXIT.done) return code;
  const whole = chosen.length > 0 ? printXml(working) : printCrm(working);
  const text = isWhole ? whole : said.join("");
  if (file !== "-") return session.terminal.writeText(file, text) ? EXIT.done : EXIT.failed;
  session.terminal.out(text);
  return EXIT.done;
}

/** Without a file the working copy. Exit code 0 also with warnings, as crm_verify. */
function verify({ session, words: [file], working }: Call): number {
  if (file === undefined) {
    const problems = [...verifyCib(asCib(working)), ...fencingProblems(working)];
    tellProblems(session, problems);
    return problems.some(({ severity }) => severity === "error") ? EXIT.failed : EXIT.done;
  }
  const text = session.terminal.readText(file);
  if (text === undefined) return EXIT.noInput;
  // As XML it is mostly a whole CIB, from which things may have been taken out.
  const mode = isXmlText(text) ? "replace" : "update";
  const loaded = loadConfiguration(text, { source: file, mode, base: working });
  const all = loaded.kind === "valid" ? [...loaded.warnings, ...fencingProblems(loaded.value)] : loaded.problems;
  tellProblems(session, all);
  return loaded.kind === "valid" ? EXIT.done : EXIT.failed;
}

function rename({ session, words: [from, to, ...more], working }: Call): number {
  if (from === undefined || to === undefined || more.length > 0) return -1;
  const renamed = renameObject(working, from, to);
  if (renamed === undefined) {
    session.terminal.err(`crm: there is no object ${from}\n`);
    return EXIT.failed;
  }
  session.working = renamed;
  return EXIT.done;
}

/** The whole, or some objects; what is taken out of those stays as it was. */
function edit({ session, words: ids, working }: Call): number {
  const chosen = listStatements(working).filter(({ id }) => ids.includes(id));
  const missing = ids.filter((id) => !chosen.some((each) => each.id === id));
  if (missing.length > 0) {
    session.terminal.err(`crm: there is no object ${missing.join(", ")}\n`);
    return EXIT.failed;
  }
  const before = ids.length === 0 ? printCrm(working) : textOf(chosen);
  const text = session.terminal.edit(before);
  if (text === undefined) return EXIT.failed;
  return takeText(session, text, "edited text", ids.length === 0 ? "replace" : "update", working);
}

function diff({ session, working }: Call): number {
  const lines = diffTrees(session.running?.configuration ?? working, working);
  session.terminal.out(lines.map((line) => `${line}\n`).join(""));
  return EXIT.done;
}

const SCHEMA = "pacemaker-3.9";

/** There is one, whichever the file named that was loaded. */
function tellSchema({ session: { terminal }, words: [wanted = SCHEMA] }: Call): number {
  if (wanted === SCHEMA) terminal.out(`${SCHEMA}\n`);
  else
    terminal.err(
      `crm: the configuration has one form here, ${SCHEMA}; what is older is brought up when it is loaded\n`,
    );
  return wanted === SCHEMA ? EXIT.done : EXIT.failed;
}

/** `graph [dot [FILE]]`: as text; pictures are drawn by the programs of graphviz. */
function graph({ session: { terminal }, words: [kind = "dot", file, format], working }: Call): number {
  if (kind !== "dot") return -1;
  const text = drawConfiguration(working);
  if (format !== undefined) {
    terminal.err(`crm: no pictures are drawn here: crm configure graph dot | dot -T${format} -o ${file ?? "FILE"}\n`);
    return EXIT.usage;
  }
  if (file !== undefined) return terminal.writeText(file, text) ? EXIT.done : EXIT.cannotCreate;
  terminal.out(text);
  return EXIT.done;
}

async function refresh({ session }: Call): Promise<number> {
  session.working = undefined;
  const fetched = await fetchRunning(session);
  return typeof fetched === "number" ? fetched : EXIT.done;
}

function groupChange(verb: string | undefined, side: string | undefined, next = ""): GroupChange {
  if (verb === "remove") return { kind: "remove" };
  if (side === "before") return { kind: "add", before: next };
  return side === "after" ? { kind: "add", after: next } : { kind: "add" };
}

function modgroup({ session, words, working }: Call): number {
  const [group = "", verb, member = "", side, next, ...more] = words;
  const isPlaced = side === "before" || side === "after";
  if (!["add", "remove"].includes(verb ?? "") || member === "" || more.length > 0) return -1;
  if (side !== undefined && (!isPlaced || next === undefined || verb === "remove")) return -1;
  const changed = changeGroup(working, group, member, groupChange(verb, side, next));
  if (typeof changed !== "string") {
    session.working = changed;
    return EXIT.done;
  }
  session.terminal.err(`crm: ${changed}\n`);
  return EXIT.failed;
}

/** `set ID.NAME VALUE` */
function set({ session, words: [path = "", value, ...more], working }: Call): number {
  const [, id = "", name = ""] = /^(.+)\.([^.]+)$/.exec(path) ?? [];
  if (id === "" || value === undefined || more.length > 0) return -1;
  const changed = setValue(working, id, name, value);
  if (changed === undefined) {
    session.terminal.err(`crm: ${id} sets no ${name}; write the statement with it\n`);
    return EXIT.failed;
  }
  session.working = changed;
  return EXIT.done;
}

/** What the cluster goes by: what is set, else the default. Without a name all names; `-t`: true or false. */
function getProperty({ session, words, working }: Call): number {
  const asTruth = words.some((word) => word === "-t" || word === "--true");
  const [name, ...more] = words.filter((word) => word !== "-t" && word !== "--true");
  if (more.length > 0) return -1;
  if (name === undefined) {
    session.terminal.out(`${optionNames(CLUSTER_OPTIONS).toSorted().join("\n")}\n`);
    return EXIT.done;
  }
  const sets = working.children.filter((section) => section.name === "crm_config").flatMap(({ children }) => children);
  const pairs = sets.flatMap(({ children }) => children);
  const written = pairs.find(({ attributes }) => attributes["name"] === name)?.attributes["value"];
  const schema = CLUSTER_OPTIONS.find((option) => option.name === name || option.aliases?.includes(name) === true);
  const value = written ?? schema?.default;
  if (asTruth) session.terminal.out(`${readBoolean(value ?? "") === true}\n`);
  else if (value === undefined) session.terminal.err(`crm: ${name} is not set, and has no default\n`);
  else session.terminal.out(`${value}\n`);
  return value === undefined && !asTruth ? EXIT.failed : EXIT.done;
}

const textOf = (statements: readonly { readonly lines: readonly string[] }[]): string =>
  statements.map(({ lines }) => `${lines.join("\n")}\n`).join("");

/** `filter COMMAND [xml] [changed|ID...]`: the text through a program of the operator's, and back. */
function filter({ session, words: [command, ...chosen], working }: Call): number {
  if (command === undefined) return -1;
  const printed: string[] = [];
  const terminal = { ...session.terminal, out: (text: string) => void printed.push(text) };
  const code = show({ ...session, terminal }, chosen, working);
  if (code !== EXIT.done) return code;
  const { status, stdout, error } = spawnSync("/bin/sh", ["-c", command], {
    input: printed.join(""),
    encoding: "utf8",
  });
  if (error !== undefined || status !== 0) {
    session.terminal.err(`crm: the filter failed (${error?.message ?? `exit code ${status ?? "unknown"}`})\n`);
    return EXIT.failed;
  }
  const isWhole = chosen.every((word) => word === "xml");
  return takeText(session, stdout, "filtered text", isWhole ? "replace" : "update", working);
}

export const CONFIGURE_COMMANDS: Readonly<Record<string, ConfigureCommand>> = {
  show: {
    usage: "[xml] [changed] [ID|type:WORD|tag:ID|related:ID|obscure:NAME*]...",
    help: "print objects",
    run: ({ session, words, working }) => show(session, words, working),
  },
  load: { usage: "[xml] update|replace|push FILE", help: "merge a file, or replace all by it", run: load },
  save: { usage: "[xml] [ID|type:WORD|changed...] FILE", help: "write it, or what show prints, to a file", run: save },
  verify: { usage: "[FILE]", help: "all that is wrong or dangerous", run: verify },
  delete: {
    usage: "[--force] ID...",
    help: "delete objects and what refers to them; what runs only with --force",
    run: ({ session, words }) => remove(session, words),
  },
  rename: { usage: "OLD NEW", help: "give an object another id", run: rename },
  erase: {
    usage: "[--force] [nodes]",
    help: "delete everything, but nodes only when named; what runs only with --force",
    run: ({ session, words, working }) => erase(session, words, working),
  },
  edit: { usage: "[ID...]", help: "edit the whole, or some objects, in $EDITOR", run: edit },
  diff: { usage: "", help: "what a commit would change", run: diff },
  modgroup: { usage: "GROUP add ID [before|after ID] | GROUP remove ID", help: "members of a group", run: modgroup },
  set: { usage: "ID.NAME VALUE", help: "change one value", run: set },
  get_property: { usage: "[-t] [NAME]", help: "an option of the cluster, or its default", run: getProperty },
  filter: { usage: "COMMAND [xml] [changed|ID...]", help: "edit the text by a program", run: filter },
  simulate: {
    usage: "[scores] [utilization]",
    help: "what the cluster would do with the changes",
    run: ({ session, words }) => simulate(session, words),
  },
  ptest: { usage: "[scores]", help: "as simulate", run: ({ session, words }) => simulate(session, words) },
  validate_all: {
    usage: "RESOURCE",
    help: "ask the agent to judge its parameters",
    run: ({ session, words: [id] }) =>
      id === undefined ? -1 : runTool(session, ["crm_resource", "--validate", "-r", id]),
  },
  upgrade: {
    usage: "force",
    help: "the configuration in the newest form",
    run: ({ session, words: [word] }) => (word === "force" ? runTool(session, ["cibadmin", "-u", "-f"]) : -1),
  },
  schema: { usage: "[SCHEMA]", help: "the form of the configuration", run: tellSchema },
  graph: { usage: "[dot [FILE]]", help: "the resources and their constraints as a graph for graphviz", run: graph },
  "default-timeouts": {
    usage: "PRIMITIVE...",
    help: "the times that the agents advise; longer, measured ones are better",
    run: ({ session, words, working }) => defaultTimeouts(session, words, working),
  },
  rsctest: {
    usage: "RESOURCE... [NODE]",
    help: "start, monitor and stop on this node what the cluster holds nowhere",
    run: ({ session, words }) => testResources(session, words),
  },
  refresh: { usage: "", help: "forget uncommitted changes, fetch anew", run: refresh },
  commit: {
    usage: "[force|replace]",
    help: "put the changes in force; force: in spite of another's change meanwhile",
    run: ({ session, words: [word, ...more] }) => {
      if (more.length > 0 || (word !== undefined && !["force", "--force", "replace"].includes(word))) return -1;
      return commit(session, word === "force" || word === "--force");
    },
  },
};

/** A word with what would break it up quoted again, as it was before the user's own shell took the quotes. */
export function quoteArgument(word: string): string {
  if (!/[\s"'\\]/.test(word)) return word;
  const [, name = "", value = word] = /^([\w.$#-]+=)([\s\S]*)$/.exec(word) ?? [];
  return `${name}"${value.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** The field's shells of all ages write some of them with a hyphen, others with an underscore. */
function inOurSpelling(word: string): string {
  const plain = (text: string) => text.replaceAll("_", "-");
  return Object.keys(CONFIGURE_COMMANDS).find((name) => plain(name) === plain(word)) ?? word;
}

/** One command or statement on the working copy. `text` is the statement whole, with its quotes. */
export async function runConfigure(session: Session, words: readonly string[], text: string): Promise<number> {
  const [typed = "", ...rest] = words;
  const name = inOurSpelling(typed);
  const borrowed = await runBorrowed(session, "configure", words);
  if (borrowed !== undefined) return borrowed;
  // Files may be judged where no cluster runs.
  const isOffline = name === "verify" && rest.length > 0;
  const fetched = isOffline ? emptyConfiguration() : await fetchRunning(session);
  if (typeof fetched === "number") return fetched;
  const command = entryOf(CONFIGURE_COMMANDS, name);
  if (command !== undefined) {
    const isTooMuch = command.usage === "" && rest.length > 0;
    const code = isTooMuch ? -1 : await command.run({ session, words: rest, working: fetched });
    if (code !== -1) return code;
    session.terminal.err(`usage: configure ${name} ${command.usage}\n`);
    return EXIT.usage;
  }
  if (STATEMENT_NAMES.includes(name)) {
    const wanted = { source: "command", mode: "update", base: fetched, isUnfinished: true } as const;
    return take(session, loadConfiguration(text, wanted), fetched);
  }
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
