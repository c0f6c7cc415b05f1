/**
 * `gemel verify FILE`, also `crm_verify`: everything that is wrong or dangerous in a configuration, in crm syntax or
 * XML, without any cluster; with `-L` in the running one. Of a whole CIB also what its status would have done to nodes.
 * Facts: crm_verify(8): exit 0 when valid, 78 when not.
 */
import { accessSync, constants, statSync } from "node:fs";
import process from "node:process";
import type { Problem } from "../../base/problem.ts";
import { childOf, childrenOf, parseXml, printXml, type XmlElement } from "../../base/xml.ts";
import { loadConfiguration } from "../../cib/load.ts";
import { parseArgs } from "../arguments.ts";
import { askCib } from "../cib-door.ts";
import { controlSocketPath } from "../control-client.ts";
import { asCib, EXIT } from "../crm/session.ts";
import { terminal } from "../crm/terminal.ts";
import { fencingProblems } from "../fencing-problems.ts";
import { tellProblem } from "../japanese/translate.ts";
import { statusProblems } from "./verify-status.ts";
import { tellXml } from "./xml-answer.ts";

const USAGE =
  "usage: gemel verify FILE... | -x FILE | -L | -X XML | -p  [-S FILE] [--output-as xml]\n" +
  "(FILE: crm syntax or XML, - standard input)\n";

/** crm_verify's answer to well-formed XML that is something else. */
const EXIT_FOREIGN = 76;

function isForeign(text: string): boolean {
  const read = /^\s*</.test(text) ? parseXml(text) : undefined;
  return read?.kind === "xml" && !["cib", "configuration"].includes(read.root.name);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Nobody would be told of anything by a program that is not there. Of this machine: each node needs it. */
function missingAlertPrograms(configuration: XmlElement, source: string): readonly Problem[] {
  return childrenOf(childOf(configuration, "alerts"), "alert").flatMap(({ attributes }): Problem[] => {
    const { id = "", path = "" } = attributes;
    if (isProgram(path)) return [];
    const reason = `there is no program ${path} on this machine that could be run`;
    return [{ severity: "warning", place: `${source}: alert ${id}`, reason, remedy: "install it on every node" }];
  });
}

/** What only this program can see: its fencing drivers know their parameters, this machine its programs. */
function furtherProblems(configuration: XmlElement, source: string): readonly Problem[] {
  const fencing = fencingProblems(configuration).map((found) => ({ ...found, place: `${source}: ${found.place}` }));
  return [...fencing, ...missingAlertPrograms(configuration, source)];
}

/** Of a whole CIB: what its status tells. A configuration alone has none. */
function problemsOfStatus(text: string, source: string): readonly Problem[] {
  const read = /^\s*</.test(text) ? parseXml(text) : undefined;
  if (read?.kind !== "xml" || read.root.name !== "cib") return [];
  return statusProblems(read.root, Date.now()).map((found) => ({ ...found, place: `${source}: ${found.place}` }));
}

interface Text {
  readonly source: string;
  readonly text: string;
}

type Values = {
  form: "text" | "xml";
  live?: boolean;
  file?: string;
  text?: string;
  pipe?: boolean;
  quiet?: boolean;
  run?: string;
};

async function readTexts(values: Values, files: readonly string[]): Promise<readonly Text[] | number> {
  const texts: Text[] = values.text === undefined ? [] : [{ source: "XML", text: values.text }];
  if (values.live === true) {
    const reply = await askCib(controlSocketPath(values.run), { kind: "cib-query" });
    if (reply.kind !== "answer") {
      const problems = reply.kind === "refused" ? reply.problems.map(tellProblem).join("\n") : reply.reason;
      process.stderr.write(`gemel verify: ${problems}\n`);
      return EXIT.unavailable;
    }
    texts.push({ source: "running CIB", text: reply.value.xml });
  }
  for (const source of [
    ...files,
    ...(values.file === undefined ? [] : [values.file]),
    ...(values.pipe === true ? ["-"] : []),
  ]) {
    const text = terminal.readText(source);
    if (text === undefined) return EXIT.noInput;
    texts.push({ source, text });
  }
  return texts;
}

interface Verdict {
  readonly isValid: boolean;
  readonly lines: readonly string[];
  /** Why there was nothing to judge. */
  readonly fault?: string;
  readonly configuration?: XmlElement;
}

function judge({ source, text }: Text): Verdict {
  if (text.trim() === "") {
    const fault = `${source}: error: there is nothing in it; name a file with a configuration`;
    return { isValid: false, lines: [], fault };
  }
  const loaded = loadConfiguration(text, { source });
  const fromStatus = loaded.kind === "valid" ? problemsOfStatus(text, source) : [];
  const problems: readonly Problem[] =
    loaded.kind === "valid"
      ? [...loaded.warnings, ...furtherProblems(loaded.value, source), ...fromStatus]
      : loaded.problems;
  const count = (severity: Problem["severity"]) => problems.filter((problem) => problem.severity === severity).length;
  const lines = [...problems.map(tellProblem), `${source}: ${count("error")} errors, ${count("warning")} warnings`];
  const isValid = loaded.kind === "valid" && fromStatus.length === 0;
  return { isValid, lines, ...(loaded.kind === "valid" ? { configuration: loaded.value } : {}) };
}

function codeOf(verdicts: readonly Verdict[], texts: readonly Text[]): number {
  if (verdicts.every(({ isValid }) => isValid)) return EXIT.done;
  return texts.every(({ text }) => isForeign(text)) ? EXIT_FOREIGN : EXIT.config;
}

const allOf = (verdicts: readonly Verdict[]) =>
  verdicts.flatMap(({ lines, fault }) => (fault === undefined ? lines : [fault]));

/**
 * Exit codes: 0 valid (warnings may be told); 78 not valid, or its status wants somebody to look; 76 no CIB; 64 wrong
 * call; 66 unreadable; 69 no manager.
 */
export async function run(argv: readonly string[]): Promise<number> {
  let values: Values;
  let files: readonly string[];
  let saveTo: string | undefined;
  try {
    const parsed = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        live: { type: "boolean", short: "L" },
        "live-check": { type: "boolean" },
        file: { type: "string", short: "x" },
        "xml-file": { type: "string" },
        text: { type: "string", short: "X" },
        "xml-text": { type: "string" },
        pipe: { type: "boolean", short: "p" },
        "xml-pipe": { type: "boolean" },
        "save-xml": { type: "string", short: "S" },
        "output-as": { type: "string" },
        "output-to": { type: "string" },
        "text-fancy": { type: "boolean" },
        quiet: { type: "boolean", short: "q" },
        verbose: { type: "boolean", short: "V", multiple: true },
        run: { type: "string" },
      },
    });
    const { live, file, text, pipe, quiet, run: directory } = parsed.values;
    const named = { file: file ?? parsed.values["xml-file"], text: text ?? parsed.values["xml-text"], run: directory };
    const form = parsed.values["output-as"] ?? "text";
    if (form !== "text" && form !== "xml") throw new Error(`--output-as=${form}: text and xml are written here`);
    values = {
      form,
      live: live ?? parsed.values["live-check"] ?? false,
      pipe: pipe ?? parsed.values["xml-pipe"] ?? false,
      quiet: quiet ?? false,
      ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)),
    };
    files = parsed.positionals;
    if ((parsed.values["output-to"] ?? "-") !== "-") throw new Error("--output-to: let the shell do it: ... > FILE");
    saveTo = parsed.values["save-xml"];
  } catch (error) {
    process.stderr.write(`gemel verify: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return EXIT.usage;
  }
  const texts = await readTexts(values, files);
  if (typeof texts === "number") return texts;
  if (texts.length === 0) {
    process.stderr.write(USAGE);
    return EXIT.usage;
  }
  const verdicts = texts.map(judge);
  for (const { fault } of verdicts) if (fault !== undefined) process.stderr.write(`gemel verify: ${fault}\n`);
  const isQuiet = values.quiet === true || values.form === "xml";
  if (!isQuiet) for (const { lines } of verdicts) process.stdout.write(lines.map((line) => `${line}\n`).join(""));
  const valid = verdicts.flatMap(({ configuration }) => configuration ?? []);
  if (saveTo !== undefined)
    for (const each of valid) if (!terminal.writeText(saveTo, printXml(asCib(each)))) return EXIT.cannotCreate;
  const code = codeOf(verdicts, texts);
  // Of the field's form, whose errors are those that make it invalid; every other word is in the text.
  if (values.form === "xml") tellXml("crm_verify", argv, [], code, code === EXIT.done ? [] : allOf(verdicts));
  return code;
}
