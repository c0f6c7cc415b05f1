/**
 * Command lines as operators and scripts type them, by ours and by Debian's on the same CIB file: what is told, the
 * exit code, and what the file holds afterwards. The lines stand in field-lines/TOOL.txt. A line that ends in
 * `## words code effect` differs in just these, and the heading `#! WHY` above it says why; one that has come to agree
 * must lose its mark. `GEMEL_ALL_CASES=1` takes every line, else every eighth; `GEMEL_DIFFERENCES=FILE` tells there
 * what differs.
 */
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, describe, expect, test } from "vitest";
import { parseXml, printXml, xml } from "../../../src/base/xml.ts";
import { PROGRAM } from "../../support/program.ts";
import { hasFieldTools, runHere, runTheirs } from "../../support/run-here.ts";
import { skips } from "../../support/skip.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "cmd-lines-"));
afterAll(() => rmSync(folder, { recursive: true }));

const LINES = path.join(import.meta.dirname, "field-lines");
const CIB = readFileSync(path.join(LINES, "cib.xml"), "utf8");
const file = path.join(folder, "cib.xml");
const shadows = path.join(folder, "shadows");
const env = { CIB_file: file, CIB_shadow_dir: shadows, TZ: "UTC", GEMEL_RUN: path.join(folder, "nobody") };

interface Line {
  readonly text: string;
  readonly argv: readonly string[];
  readonly input: string;
  /** What is known to differ. */
  readonly marks: readonly string[];
}

/** Words as a shell takes them; `FILE` is the CIB's file, what stands behind `<` comes on standard input. */
function readLine(line: string): Line {
  const [text = "", marks = ""] = line.split(/ +## /);
  const found = [...text.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)];
  const words = found.map(([, single, double, bare = ""]) => single ?? double ?? bare.replaceAll("FILE", file));
  const from = words.indexOf("<");
  const argv = from < 0 ? words : words.slice(0, from);
  return { text, argv, input: from < 0 ? "" : (words[from + 1] ?? ""), marks: marks.split(" ").filter(Boolean) };
}

/** Without blanks at the ends of lines, empty lines, and times of looking and of writing. */
const words = (text: string) =>
  text
    .replaceAll(file, "FILE")
    .replaceAll(/ request="[^"]*"| version="2[^"]*"/g, "")
    .replaceAll(/Last updated: .*|<last_update .*/g, "")
    .replaceAll(/[ \t]+/g, " ")
    .replaceAll(/ $/gm, "")
    .replaceAll(/\n+/g, "\n")
    .trim();

/** Without the version, who wrote it and when, the ends of overrides, and our leases beside them. */
function content(text: string): string {
  const read = parseXml(text);
  if (read.kind === "not-xml") return text;
  const { "validate-with": schema = "", admin_epoch = "" } = read.root.attributes;
  return printXml(xml("cib", { "validate-with": schema, admin_epoch }, read.root.children))
    .replaceAll(/last-granted="\d{10}"/g, "last-granted")
    .replaceAll(/(operation="lt" end)="[^"]*"/g, "$1")
    .replaceAll(/ *<cluster_property_set id="gemel-leases">[\s\S]*?<\/cluster_property_set>\n/g, "");
}

/** What is read from standard input only a process of its own can read. */
const runOurs = ({ argv, input }: Line) =>
  input === "" ? runHere(argv, env) : runTheirs([...PROGRAM, ...argv], env, input);
const runDebians = ({ argv, input }: Line) => runTheirs(argv, env, input);

async function play(run: typeof runOurs | typeof runDebians, line: Line) {
  writeFileSync(file, CIB);
  rmSync(shadows, { recursive: true, force: true });
  mkdirSync(shadows);
  const ran = await run(line);
  return { ...ran, cib: content(readFileSync(file, "utf8")) };
}
type Played = Awaited<ReturnType<typeof play>>;

function differences(theirs: Played, ours: Played): readonly string[] {
  return [
    ...(words(theirs.output) === words(ours.output) ? [] : ["words"]),
    ...(theirs.code === ours.code ? [] : ["code"]),
    ...(theirs.cib === ours.cib ? [] : ["effect"]),
  ];
}

/** Lines that only one side has. */
function contrast(left: string, right: string): string {
  const [a, b] = [left.split("\n"), right.split("\n")];
  const only = (lines: readonly string[], others: readonly string[], mark: string) =>
    lines
      .filter((line) => !others.includes(line))
      .slice(0, 6)
      .map((line) => `    ${mark} ${line}\n`);
  return [...only(a, b, "-"), ...only(b, a, "+")].join("");
}

function note(line: Line, theirs: Played, ours: Played): void {
  const report = process.env["GEMEL_DIFFERENCES"];
  const found = differences(theirs, ours);
  if (report === undefined || found.length === 0) return;
  const codes = `${theirs.code} ${ours.code}`;
  const brief = ({ errors }: Played) => words(errors).slice(0, 300).replaceAll("\n", " | ");
  const errors = `    < ${brief(theirs)}\n    > ${brief(ours)}\n`;
  const told = contrast(words(theirs.output), words(ours.output));
  appendFileSync(
    report,
    `${line.text} ## ${found.join(" ")} (${codes})\n${told}${contrast(theirs.cib, ours.cib)}${errors}`,
  );
}

/** Every so manieth line of each table. `GEMEL_ALL_CASES=1` takes all of them. */
const STRIDE = process.env["GEMEL_ALL_CASES"] === "1" ? 1 : 8;

const isLine = (line: string) => line !== "" && !line.startsWith("#");
const tables = hasFieldTools() ? readdirSync(LINES).filter((name) => name.endsWith(".txt")) : [];

describe.skipIf(skips(tables.length === 0, "Debian's tools, the judges, are not installed"))("as Debian's", () => {
  test.each(tables)("%s", { timeout: 600_000 }, async (table) => {
    const lines = readFileSync(path.join(LINES, table), "utf8")
      .split("\n")
      .filter(isLine)
      .filter((_, index) => index % STRIDE === 0)
      .map(readLine);
    const wrong: string[] = [];
    for (const line of lines) {
      const theirs = await play(runDebians, line);
      const ours = await play(runOurs, line);
      note(line, theirs, ours);
      const found = differences(theirs, ours).join(" ");
      if (found !== line.marks.join(" ")) wrong.push(`${line.text} ## ${found}`);
    }
    expect(wrong).toEqual([]);
  });
});
