/**
 * `gemel sim`: random worlds by seed, with the real cores in them; or one scenario. Seeds are shared out among as many
 * processes as the machine has processors, each of them this very program with `--part`.
 */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { createInterface } from "node:readline";
import { isSea } from "node:sea";
import { randomPlan } from "../../sim/random-plan.ts";
import { addTallies, type Failure, NO_TALLY, runSeed, shrink, type Tally, tryLines } from "../../sim/run-seeds.ts";
import { judgeStory, play, readScenario } from "../../sim/scenario.ts";
import { parseArgs } from "../arguments.ts";
import { selfCommand } from "../self-command.ts";
import { VERSION } from "../version.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 64;
const USAGE = `usage: gemel sim [--seeds N] [--seed FIRST] [--jobs N] [--trace]
       gemel sim --scenario FILE [--seed N] [--trace]
`;
const SEEDS = 100;
/** Megabytes. Every step leaves its last state behind: with room for it a tenth less time goes into clearing up. */
const MUCH_GARBAGE = ["--min-semi-space-size=64", "--max-semi-space-size=64"];
/** A process tells what it has found after so many. */
const BATCH = 20;
/** Each is shrunk by playing it many times; more of them would say the same. */
const SHOWN_MAX = 3;

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/**
 * A seed alone names a run only together with the program that it was found with. The packaged one is named by its own
 * bytes: the commit of the folder that it happens to lie in would be another one.
 */
function programName(): string {
  if (isSea()) {
    const bytes = readFileSync(process.execPath);
    return `program ${VERSION} (sha256 ${createHash("sha256").update(bytes).digest("hex").slice(0, 16)})`;
  }
  try {
    const folder = path.dirname(process.argv[1] ?? ".");
    const argv = ["-C", folder, "describe", "--always", "--dirty"];
    return `commit ${execFileSync("git", argv, { stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" }).trim()}`;
  } catch {
    return `program ${VERSION}`;
  }
}

/** Which seeds one process plays: every so many from the first one on, so that all processes end together. */
interface Share {
  readonly first: number;
  readonly end: number;
  readonly every: number;
}

/** What a process says of its share: what it has played since it last spoke, and what that took of a processor. */
interface PartReport {
  readonly tally: Tally;
  readonly cpuMs: number;
}

/** Plays a share in a process of its own, which stays: half of a short life would go into compiling. */
async function playElsewhere({ first, end, every }: Share, onReport: (report: PartReport) => void): Promise<void> {
  const { file, argv } = selfCommand();
  const share = ["--seed", String(first), "--seeds", String(end - first), "--every", String(every)];
  // The binary takes no options of Node: there it is a little slower.
  const options = argv.length === 0 ? [] : MUCH_GARBAGE;
  const child = spawn(file, [...options, ...argv, "sim", "--part", ...share], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  // Our own words, of this very program.
  for await (const line of createInterface({ input: child.stdout })) onReport(JSON.parse(line) as PartReport);
  const [code] = await closed;
  if (code !== 0) throw new Error(`the part from seed ${first} ended with code ${code}`);
}

async function playAll(first: number, count: number, jobs: number): Promise<PartReport> {
  let sum: PartReport = { tally: NO_TALLY, cpuMs: 0 };
  const onReport = ({ tally, cpuMs }: PartReport) => {
    sum = { tally: addTallies(sum.tally, tally), cpuMs: sum.cpuMs + cpuMs };
    for (const { seed, invariant } of tally.failures) say(`seed ${seed} breaks ${invariant}`);
  };
  const shares = Array.from({ length: Math.min(jobs, count) }, (_, job) => job);
  await Promise.all(
    shares.map((job) => playElsewhere({ first: first + job, end: first + count, every: jobs }, onReport)),
  );
  return sum;
}

/** Of this process so far, the start of the program included. */
function usedCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function playShare({ first, end, every }: Share): void {
  let tally = NO_TALLY;
  let toldCpuMs = 0;
  for (let seed = first; seed < end; seed += every) {
    tally = addTallies(tally, runSeed(seed));
    if (tally.runs < BATCH && seed + every < end) continue;
    const cpuMs = usedCpuMs();
    say(JSON.stringify({ tally, cpuMs: cpuMs - toldCpuMs } satisfies PartReport));
    tally = NO_TALLY;
    toldCpuMs = cpuMs;
  }
}

function tellFailure({ seed, invariant }: Failure, program: string): void {
  const lines = shrink(seed, invariant, randomPlan(seed));
  say(`\nseed ${seed}, ${program}: the shortest plan that still breaks it, as a scenario, and what happens:`);
  for (const line of [lines[0], `seed ${seed}`, ...lines.slice(1)]) say(`  ${line}`);
  const story: string[] = [];
  const { failure } = tryLines(seed, lines, { onTrace: (line) => story.push(line) });
  say("");
  for (const line of story.filter((one) => !/^ *\d+ {3}/.test(one))) say(line);
  say(`${String(Math.round(failure?.atMs ?? 0)).padStart(8)} BROKEN ${failure?.text ?? ""}`);
}

const count = (value: number) => Math.round(value).toLocaleString("en");

/** The rate by the clock on the wall, and by the processor's: other work on the machine hardly slows the second. */
function tellTally({ tally, cpuMs }: PartReport, tookMs: number): void {
  const hours = tally.simulatedMs / 3_600_000;
  say(
    `${count(tally.runs)} seeds: ${count(hours)} cluster-hours in ${(tookMs / 1000).toFixed(1)} s ` +
      `(${count(hours / (tookMs / 60_000))} a minute, ${count(hours / (cpuMs / 60_000))} a minute of CPU), ` +
      `${count(tally.steps)} steps, ` +
      `${count(tally.decisions)} decisions, ${count(tally.faults)} faults, ${count(tally.fencings)} fencings, ` +
      `${count(tally.checks)} checks of invariants, ${tally.failures.length} broken`,
  );
}

function runScenario(file: string, seed: number | undefined, isTraced: boolean): number {
  const scenario = readScenario(readFileSync(file, "utf8"));
  const lines: string[] = [];
  const { failure } = tryLines(seed ?? scenario.seed, scenario.lines, { onTrace: (line) => lines.push(line) });
  for (const line of lines) if (isTraced || !/^ *\d+ {3}/.test(line)) say(line);
  if (failure !== undefined) {
    say(`BROKEN ${failure.text}`);
    return EXIT_FAILED;
  }
  const missing = judgeStory(play(seed ?? scenario.seed, scenario.lines), scenario.expected);
  for (const line of missing) say(`EXPECTED ${line}`);
  return missing.length === 0 ? 0 : EXIT_FAILED;
}

function traceSeed(seed: number): number {
  const { failure } = tryLines(seed, randomPlan(seed), { onTrace: say });
  if (failure === undefined) return 0;
  say(`BROKEN ${failure.text}`);
  return EXIT_FAILED;
}

interface Wanted {
  readonly seed: number | undefined;
  readonly seeds: number;
  readonly jobs: number;
  readonly scenario: string | undefined;
  readonly isTraced: boolean;
  /** This process is one of so many that share the seeds; undefined: it is the one that was called. */
  readonly every: number | undefined;
}

function readWanted(argv: readonly string[]): Wanted | undefined {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        seeds: { type: "string" },
        seed: { type: "string" },
        jobs: { type: "string" },
        scenario: { type: "string" },
        trace: { type: "boolean" },
        part: { type: "boolean" },
        every: { type: "string" },
      },
    });
    const seed = values.seed === undefined ? undefined : Number(values.seed);
    const seeds = Number(values.seeds ?? (seed === undefined ? SEEDS : 1));
    const jobs = Number(values.jobs ?? os.availableParallelism());
    const isTraced = values.trace === true;
    if (![seed ?? 0, seeds, jobs].every(Number.isSafeInteger) || seeds < 1 || jobs < 1) return undefined;
    const every = values.part === true ? Number(values.every ?? 1) : undefined;
    return { seed, seeds, jobs, scenario: values.scenario, isTraced, every };
  } catch {
    return undefined;
  }
}

export async function run(argv: readonly string[]): Promise<number> {
  const wanted = readWanted(argv);
  if (wanted === undefined) {
    process.stderr.write(USAGE);
    return EXIT_USAGE;
  }
  const { seed, seeds, jobs, scenario, isTraced, every } = wanted;
  const first = seed ?? 0;
  if (scenario !== undefined) return runScenario(scenario, seed, isTraced);
  if (isTraced) return traceSeed(first);
  if (every !== undefined) {
    playShare({ first, end: first + seeds, every });
    return 0;
  }
  const startedAtMs = performance.now();
  const report = await playAll(first, seeds, jobs);
  const { tally } = report;
  tellTally(report, performance.now() - startedAtMs);
  const failures = tally.failures.toSorted((left, right) => left.seed - right.seed);
  const program = programName();
  for (const failure of failures.slice(0, SHOWN_MAX)) tellFailure(failure, program);
  const others = failures.slice(SHOWN_MAX);
  if (others.length > 0)
    say(`\nand broken as well: ${others.map((one) => `${one.seed} (${one.invariant})`).join(", ")}`);
  return failures.length === 0 ? 0 : EXIT_FAILED;
}
