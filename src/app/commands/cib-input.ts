/**
 * The CIB that a command judges: from a file, from standard input, or from the running cluster; checked before any
 * rule sees it. What is wrong is told with its place; the exit codes are those of crm_verify and crm_simulate.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import type { Problem } from "../../base/problem.ts";
import { parseXml, type XmlElement, xml } from "../../base/xml.ts";
import { loadConfiguration } from "../../cib/load.ts";
import { findStructuralErrors } from "../../cib/schema/verify.ts";
import { upgradeCib } from "../../cib/upgrade/to-three.ts";
import { askControl, controlSocketPath } from "../control-client.ts";
import { tellProblem } from "../japanese/translate.ts";

/** sysexits.h, as Pacemaker uses them. */
export const EXIT_INPUT = { usage: 64, noInput: 66, unknownName: 68, unavailable: 69, invalid: 78 } as const;

export type CibInput =
  | { readonly kind: "cib"; readonly root: XmlElement }
  | { readonly kind: "wrong"; readonly problems: readonly Problem[]; readonly exitCode: number };

function wrong(place: string, reason: string, remedy: string, exitCode: number): CibInput {
  return { kind: "wrong", problems: [{ severity: "error", place, reason, remedy }], exitCode };
}

/** Reads the text of a CIB. `source` names it in messages. */
export function cibOfText(text: string, source: string): CibInput {
  const read = parseXml(text);
  if (read.kind === "not-xml")
    return wrong(`${source}:${read.line}`, `not XML: ${read.reason}`, "mend that line", EXIT_INPUT.invalid);
  if (read.root.name !== "cib")
    return wrong(
      `${source}: /${read.root.name}`,
      "this is no CIB",
      "give one whose outermost element is <cib>",
      EXIT_INPUT.noInput,
    );
  const problems = findStructuralErrors(read.root);
  if (problems.length === 0) return { kind: "cib", root: upgradeCib(read.root) };
  const placed = problems.map((problem) => ({ ...problem, place: `${source}: ${problem.place}` }));
  return { kind: "wrong", problems: placed, exitCode: EXIT_INPUT.invalid };
}

/** `-` is standard input. */
function ofFile(file: string, read: (text: string, source: string) => CibInput): CibInput {
  let text: string;
  try {
    text = readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    const reason = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    return wrong(file, reason, "name a file that can be read", EXIT_INPUT.noInput);
  }
  return read(text, file);
}

export const cibOfFile = (file: string): CibInput => ofFile(file, cibOfText);

/** A configuration that an operator has written: a CIB, or crm syntax. */
export const writtenConfiguration = (file: string): CibInput =>
  ofFile(file, (text, source) => {
    if (/^\s*</.test(text)) return cibOfText(text, source);
    const read = loadConfiguration(text, { source });
    if (read.kind === "valid") return { kind: "cib", root: xml("cib", {}, [read.value, xml("status")]) };
    return { kind: "wrong", problems: read.problems, exitCode: EXIT_INPUT.invalid };
  });

/** `fileOption`: how the calling command is given a file instead. */
export async function runningCib(runDirectory: string | undefined, fileOption = "-x FILE"): Promise<CibInput> {
  const reply = await askControl(controlSocketPath(runDirectory), { kind: "cib-query" });
  if (reply.kind === "answer") return cibOfText(reply.value.xml, "running CIB");
  if (reply.kind === "refused") return { kind: "wrong", problems: reply.problems, exitCode: EXIT_INPUT.unavailable };
  return wrong("running CIB", reply.reason, `start gemel here, or give a file: ${fileOption}`, EXIT_INPUT.unavailable);
}

/** Says what is wrong on standard error; answers the exit code. */
export function tellAndCode(tool: string, input: CibInput & { readonly kind: "wrong" }): number {
  for (const problem of input.problems) process.stderr.write(`${tool}: ${tellProblem(problem)}\n`);
  return input.exitCode;
}
