/**
 * `gemel simulate` (also as crm_simulate): what the scheduler would do with a CIB.
 * `--batch DIR --out DIR` runs every CASE.xml of a directory in one process and writes CASE.exp, CASE.dot,
 * CASE.summary and CASE.scores; `--profile DIR` measures the scheduler alone.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { parseXml, type XmlElement } from "../../base/xml.ts";
import { parseDate } from "../../cluster/core/scheduler/facts/dates.ts";
import { schedule, work } from "../../cluster/core/scheduler/schedule.ts";
import { graphText, pictureText, reportOf, simulateCase } from "./simulate-report.ts";

const EXIT_USAGE = 64;
const EXIT_DATA = 65;
const USAGE = `usage: gemel simulate -x FILE [-S] [-s] [-Q] [-t TIME] [-D PICTURE] [-G GRAPH] [--json]
       gemel simulate --batch DIR --out DIR [--times FILE]
       gemel simulate --profile DIR [--repeat N]
`;

function readTimes(file: string | undefined): Map<string, string> {
  if (file === undefined) return new Map();
  const rows = readFileSync(file, "utf8").split("\n").filter(Boolean);
  return new Map(rows.map((row) => [row.split("\t")[0] ?? "", row.split("\t")[1] ?? ""]));
}

/** The clock that the caller or the input names, else the wall clock. */
function clockOf(cib: XmlElement, given: string | undefined): number {
  if (given !== undefined) return (parseDate(given) ?? 0) * 1000;
  const executed = cib.attributes["execution-date"];
  return executed === undefined ? Date.now() : Number(executed) * 1000;
}

/** The CIB of a file; says what is wrong with it and answers `undefined`. */
function readCib(file: string): XmlElement | undefined {
  let source: string;
  try {
    source = readFileSync(file, "utf8");
  } catch (error) {
    process.stderr.write(`${file}: ${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  }
  const read = parseXml(source);
  if (read.kind === "not-xml") {
    process.stderr.write(`${file}:${read.line}: ${read.reason}\n`);
    return undefined;
  }
  if (read.root.name === "cib") return read.root;
  process.stderr.write(`${file}: /${read.root.name}: this is no CIB; give one whose outermost element is <cib>\n`);
  return undefined;
}

const casesOf = (directory: string) => readdirSync(directory).filter((name) => name.endsWith(".xml"));

function runBatch(directory: string, out: string, times: ReadonlyMap<string, string>): number {
  mkdirSync(out, { recursive: true });
  let failed = 0;
  for (const file of casesOf(directory)) {
    const name = file.slice(0, -".xml".length);
    const cib = readCib(path.join(directory, file));
    if (cib === undefined) {
      failed += 1;
      continue;
    }
    const time = times.get(name);
    const result = simulateCase(cib, clockOf(cib, time), time);
    for (const [suffix, text] of Object.entries(result)) writeFileSync(path.join(out, `${name}.${suffix}`), text);
  }
  return failed === 0 ? 0 : EXIT_DATA;
}

/** CPU seconds a file, the scheduler alone: reading the file does not count. */
function runProfile(directory: string, repeat: number): number {
  for (const file of casesOf(directory).sort().reverse()) {
    const cib = readCib(path.join(directory, file));
    if (cib === undefined) continue;
    const nowWallMs = clockOf(cib, undefined);
    const before = process.cpuUsage();
    for (let round = 0; round < repeat; round++) work(cib, nowWallMs);
    const used = process.cpuUsage(before);
    process.stdout.write(`* Testing ${file} ... ${((used.user + used.system) / 1_000_000).toFixed(4)} secs\n`);
  }
  return 0;
}

interface Wishes {
  readonly time: string | undefined;
  readonly simulate: boolean;
  readonly scores: boolean;
  readonly quiet: boolean;
  readonly json: boolean;
  readonly picture: string | undefined;
  readonly graph: string | undefined;
}

function runOne(file: string, wishes: Wishes): number {
  const cib = readCib(file);
  if (cib === undefined) return EXIT_DATA;
  const nowWallMs = clockOf(cib, wishes.time);
  if (wishes.json) {
    process.stdout.write(`${JSON.stringify(schedule(cib, nowWallMs), undefined, 2)}\n`);
    return 0;
  }
  const worked = work(cib, nowWallMs, {}, wishes.scores);
  if (wishes.picture !== undefined) writeFileSync(wishes.picture, pictureText(worked));
  if (wishes.graph !== undefined) writeFileSync(wishes.graph, graphText(worked));
  const parts = { status: !wishes.quiet, run: wishes.simulate && !wishes.quiet, scores: wishes.scores };
  process.stdout.write(`${reportOf(cib, worked, wishes.time, parts).trimEnd()}\n`);
  return 0;
}

function readArguments(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    options: {
      "xml-file": { type: "string", short: "x" },
      simulate: { type: "boolean", short: "S" },
      run: { type: "boolean", short: "R" },
      "show-scores": { type: "boolean", short: "s" },
      quiet: { type: "boolean", short: "Q" },
      "set-datetime": { type: "string", short: "t" },
      "save-dotfile": { type: "string", short: "D" },
      "save-graph": { type: "string", short: "G" },
      json: { type: "boolean" },
      batch: { type: "string" },
      out: { type: "string" },
      times: { type: "string" },
      profile: { type: "string" },
      repeat: { type: "string", short: "N" },
    },
  }).values;
}

/** Exit codes: 0; 64 for a wrong call; 65 when an input cannot be read. */
export function run(argv: readonly string[]): Promise<number> {
  let values: ReturnType<typeof readArguments>;
  try {
    values = readArguments(argv);
  } catch (error) {
    process.stderr.write(`gemel simulate: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return Promise.resolve(EXIT_USAGE);
  }
  if (values.profile !== undefined) {
    return Promise.resolve(runProfile(values.profile, Math.max(1, Number.parseInt(values.repeat ?? "1", 10) || 1)));
  }
  if (values.batch !== undefined && values.out !== undefined)
    return Promise.resolve(runBatch(values.batch, values.out, readTimes(values.times)));
  const file = values["xml-file"];
  if (file !== undefined)
    return Promise.resolve(
      runOne(file, {
        time: values["set-datetime"],
        simulate: values.simulate === true || values.run === true,
        scores: values["show-scores"] === true,
        quiet: values.quiet === true,
        json: values.json === true,
        picture: values["save-dotfile"],
        graph: values["save-graph"],
      }),
    );
  process.stderr.write(USAGE);
  return Promise.resolve(EXIT_USAGE);
}
