/**
 * `gemel simulate` (also as crm_simulate): what the scheduler would do with a CIB, from a file or the running cluster,
 * as it is or with changes; and how it would go. Facts: crm_simulate(8) and its output as a black box.
 */
import { statSync, writeFileSync } from "node:fs";
import process from "node:process";
import { printXml, type XmlElement } from "../../base/xml.ts";
import { verifyCib } from "../../cib/schema/verify.ts";
import { circleProblems } from "../../cluster/core/scheduler/act/circle.ts";
import { decisionOf } from "../../cluster/core/scheduler/decision-of.ts";
import { parseDate } from "../../cluster/core/scheduler/facts/dates.ts";
import { inject } from "../../cluster/core/scheduler/print/injections.ts";
import { work } from "../../cluster/core/scheduler/schedule.ts";
import type { Worked } from "../../cluster/core/scheduler/worked.ts";
import { tellProblem } from "../japanese/translate.ts";
import { VERSION } from "../version.ts";
import { localFacts, zoneAt } from "../zone.ts";
import { FIELD_EXIT } from "./ask.ts";
import { type CibInput, cibOfFile, EXIT_INPUT, runningCib, tellAndCode } from "./cib-input.ts";
import { clockOf, runBatch, runProfile, runProfileBeside } from "./simulate-batch.ts";
import { type Arguments, helpText, isAsked, readArguments, USAGE } from "./simulate-options.ts";
import { graphText, pictureText, type ReportParts, reportOf, runOf, type Simulation } from "./simulate-report.ts";
import { xmlReport } from "./simulate-xml.ts";

const TOOL = "gemel simulate";
/** As crm_simulate answers an invalid transition. */
const EXIT_TRANSITION = 1;
const EXIT_OUTPUT = 74;

function fail(reason: string, exitCode: number): number {
  process.stderr.write(`${TOOL}: ${reason}\n${exitCode === EXIT_INPUT.usage ? USAGE : ""}`);
  return exitCode;
}

/** `-` is standard output. A CIB may hold passwords of fencing devices: nobody else is to read the file. */
function save(file: string | undefined, text: () => string): void {
  if (file === undefined) return;
  if (file === "-") process.stdout.write(text());
  else writeFileSync(file, text(), { mode: 0o600 });
}

/** The report goes where --output-to says. */
function tell({ values }: Arguments, text: string): void {
  save(values["output-to"] ?? "-", () => text);
}

function partsOf({ values }: Arguments): ReportParts {
  const is = (value: boolean | undefined) => value === true;
  const run = is(values.simulate) || is(values["in-place"]);
  const asked = run || is(values.run) || is(values["show-scores"]) || is(values["show-utilization"]);
  return {
    quiet: is(values.quiet),
    transition: asked || values["save-dotfile"] !== undefined || values["save-graph"] !== undefined,
    run,
    scores: is(values["show-scores"]),
    utilization: is(values["show-utilization"]),
    attributes: is(values["show-attrs"]),
    failCounts: is(values["show-failcounts"]),
  };
}

/** All of it, or but that there is something: an option that nobody knows must not go by unheard. */
function tellDoubts(cib: XmlElement, { values }: Arguments): void {
  const isVerbose = (values.verbose ?? []).length > 0;
  if (values.quiet === true && !isVerbose) return;
  const problems = verifyCib(cib);
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const count = (number: number, word: string) => (number === 1 ? `1 ${word}` : `${number} ${word}s`);
  if (isVerbose) for (const problem of problems) process.stderr.write(`${TOOL}: ${tellProblem(problem)}\n`);
  else if (problems.length > 0) {
    const counts = `${count(errors, "error")}, ${count(problems.length - errors, "warning")}`;
    process.stderr.write(`${TOOL}: doubtful in this CIB: ${counts}; -V tells them\n`);
  }
}

function simulateOne(cib: XmlElement, options: Arguments): number {
  const { values, injections, failures } = options;
  const time = values["set-datetime"];
  const nowWallMs = clockOf(cib, time);
  tellDoubts(cib, options);
  const injected = isAsked(injections)
    ? inject(cib, localFacts(cib, nowWallMs), injections)
    : ({ kind: "injected", cib, lines: [] } as const);
  if (injected.kind === "unknown") {
    for (const reason of injected.reasons) process.stderr.write(`${TOOL}: ${reason}\n`);
    return EXIT_INPUT.unknownName;
  }
  const parts = partsOf(options);
  const judged = injected.cib;
  const simulation: Simulation = {
    cib,
    time,
    injected: injected.lines.length === 0 ? undefined : injected,
    worked: work(judged, nowWallMs, zoneAt(nowWallMs), parts.scores),
    failures,
  };
  const done = parts.run ? runOf(simulation) : undefined;
  const { worked } = simulation;
  if (values.json === true) {
    const played = done === undefined ? {} : { executed: done.lines, failed: done.failed };
    const decision = decisionOf(worked);
    const problems = [...decision.problems, ...verifyCib(judged)];
    const told = { ...decision, problems, injected: injected.lines, ...played };
    tell(options, `${JSON.stringify(told, undefined, 2)}\n`);
  } else if (values["output-as"] === "xml") {
    const request = ["crm_simulate", ...process.argv.slice(3)].join(" ");
    tell(options, printXml(xmlReport(simulation, parts, done, request)));
  } else {
    const report = reportOf(simulation, parts, done);
    tell(options, parts.quiet ? report : report.replace(/\n+$/, "\n"));
  }
  save(values["save-input"], () => printXml(judged));
  save(values["save-graph"], () => graphText(worked));
  save(values["save-dotfile"], () => pictureText(worked, values["all-actions"] === true));
  save(values["save-output"], () => printXml(done?.cib ?? judged));
  if (values["in-place"] === true) save(values["xml-file"], () => printXml(done?.cib ?? judged));
  return tellCircle(worked, parts.run);
}

/** Orders that wait for themselves can never be carried out: an error once the transition was to be played. */
function tellCircle({ facts, graph }: Worked, isPlayed: boolean): number {
  const problems = circleProblems(facts, graph);
  for (const problem of problems) process.stderr.write(`${TOOL}: ${tellProblem(problem)}\n`);
  return isPlayed && problems.length > 0 ? EXIT_TRANSITION : 0;
}

async function inputOf({ values }: Arguments): Promise<CibInput | undefined> {
  if (values["xml-file"] !== undefined) return cibOfFile(values["xml-file"]);
  if (values["xml-pipe"] === true) return cibOfFile("-");
  return values["live-check"] === true ? runningCib(values["run-dir"]) : undefined;
}

/** Exit codes stand in the help. */
export async function run(argv: readonly string[]): Promise<number> {
  let options: Arguments;
  try {
    options = readArguments(argv);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), EXIT_INPUT.usage);
  }
  const { values } = options;
  if (values.help === true) {
    process.stdout.write(helpText());
    return 0;
  }
  if (values.version === true) {
    process.stdout.write(`gemel ${VERSION}\n`);
    return 0;
  }
  const format = values["output-as"] ?? "text";
  if (format !== "text" && format !== "xml")
    return fail(`--output-as=${format}: write text or xml, or use --json`, FIELD_EXIT.notFound);
  const time = values["set-datetime"];
  if (time !== undefined && parseDate(time) === undefined)
    return fail(`${time} is no time; write it as 2026-11-21 or 2026-11-21T08:30:00Z`, EXIT_INPUT.usage);
  const { profile, batch, out, times, repeat = "1" } = values;
  const rounds = Math.max(1, Number.parseInt(repeat, 10) || 1);
  const isDirectory = (name: string) => statSync(name, { throwIfNoEntry: false })?.isDirectory() === true;
  const missing = [profile, batch].find((directory) => directory !== undefined && !isDirectory(directory));
  if (missing !== undefined) return fail(`${missing}: error: cannot be read; name a directory`, EXIT_INPUT.noInput);
  if (profile !== undefined)
    return values.worker === true ? runProfileBeside(profile, rounds, time) : runProfile(profile, rounds, time);
  if (batch !== undefined && out !== undefined) return runBatch(batch, out, times);
  if (values["in-place"] === true && values["xml-file"] === undefined)
    return fail("--in-place writes back into a file; name it with -x", EXIT_INPUT.usage);
  const input = await inputOf(options);
  if (input === undefined) return fail("name a CIB: -x FILE, -p or -L", EXIT_INPUT.usage);
  if (input.kind === "wrong") return tellAndCode(TOOL, input);
  try {
    return simulateOne(input.root, options);
  } catch (error) {
    // A file that cannot be written; everything else is a bug and shall be seen as one.
    if (error instanceof Error && "code" in error && "path" in error) return fail(error.message, EXIT_OUTPUT);
    throw error;
  }
}
