/**
 * Every command by all its names, and every level of the crm shell, on lines that somebody might type and some that
 * nobody would. Each has its exit code: no exception, no end by the way, no answer that does not come. What the tests
 * try some thousand lines of (test/app/fuzz.test.ts), with the same draws at every run, is tried here at length.
 * Usage: npm run bench -- fuzz-commands [--from SEED] [--count LINES-OF-EACH] [--only NAME-OR-LEVEL]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { argumentsOf, callsOf, FUZZED, levels, shellLine } from "../test/support/random-lines.ts";
import { fc } from "../test/support/repeatable.ts";
import { CONFIGURATIONS, SITE_FILES, spoiled } from "../test/support/spoiled-files.ts";
import { type LineWorld, openLineWorld, stackOf } from "../test/support/try-line.ts";

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "1" },
    count: { type: "string", default: "5000" },
    only: { type: "string" },
  },
});
const [seed, count] = [Number(values.from), Number(values.count)];

/** Of a line that is tried at length. */
const SHOWN_MAX = 300;
const LINES_MAX = 4;
let faults = 0;

/** Behind what was under way when it came, too: work that nobody waits for. */
let trying = "nothing";
const say = (text: string) => process.stdout.write(`${text}\n`);
const tell = (fault: string) => {
  faults += 1;
  say(`${trying.slice(0, SHOWN_MAX)}\n    ${fault}`);
};
process.on("uncaughtException", (error) => tell(`behind it: ${stackOf(error)}`));
process.on("unhandledRejection", (error) => tell(`behind it: ${stackOf(error)}`));

async function tryOne(world: LineWorld, program: string, argv: readonly string[], shown: unknown): Promise<void> {
  trying = `${program} ${JSON.stringify(shown)}`;
  const fault = await world.tryLine(program, argv);
  if (fault !== undefined) tell(fault);
}

async function tryCommand(world: LineWorld, command: string): Promise<void> {
  const calls = callsOf(command);
  for (const [index, argv] of fc.sample(argumentsOf(command), { seed, numRuns: count }).entries()) {
    const [program, ...first] = calls[index % calls.length] ?? ["gemel", command];
    await tryOne(world, program, [...first, ...argv], [...first, ...argv]);
  }
}

async function tryLevel(world: LineWorld, level: (typeof levels)[number]): Promise<void> {
  const batch = fc.array(shellLine(level), { minLength: 1, maxLength: LINES_MAX });
  const file = path.join(world.folder, "lines.crm");
  for (const lines of fc.sample(batch, { seed, numRuns: count })) {
    writeFileSync(file, [level, ...lines].join("\n"));
    await tryOne(world, "crm", ["-f", file], lines);
  }
}

/** Files that a command is given: a configuration to load or to judge, a site of Heartbeat. */
async function tryFiles(world: LineWorld): Promise<void> {
  const site = path.join(world.folder, "ha.d");
  mkdirSync(site);
  const file = path.join(world.folder, "spoiled");
  const calls = [
    ["crm", "configure", "load", "update", file],
    ["crm", "configure", "load", "replace", file],
    ["crm", "-f", file],
    ["gemel", "verify", file],
    ["crm_simulate", "-x", file, "-S"],
  ];
  const draws = { seed, numRuns: Math.ceil(count / 2) };
  const texts = fc.constantFrom(...CONFIGURATIONS).chain(spoiled);
  for (const [index, bytes] of fc.sample(texts, draws).entries()) {
    writeFileSync(file, bytes);
    const [program = "gemel", ...argv] = calls[index % calls.length] ?? [];
    await tryOne(world, program, argv, { argv, spoiled: index });
  }
  const sites = fc.constantFrom(...SITE_FILES).chain(([name, text]) => spoiled(text).map((bytes) => ({ name, bytes })));
  for (const [index, { name, bytes }] of fc.sample(sites, draws).entries()) {
    for (const [whole, text] of SITE_FILES) writeFileSync(path.join(site, whole), text);
    writeFileSync(path.join(site, name), bytes);
    await tryOne(world, "gemel", ["import", "ha.d", site], { spoiled: name, index });
  }
}

async function tryAll(name: string, run: (world: LineWorld) => Promise<void>): Promise<void> {
  if (values.only !== undefined && values.only !== name) return;
  const startedAtMs = performance.now();
  const world = openLineWorld();
  await run(world);
  world.close();
  const codes = [...world.codes].sort(([one], [other]) => one - other).map(([code, times]) => `${code}: ${times}`);
  say(`${name}: ${count} lines, ${((performance.now() - startedAtMs) / 1000).toFixed(0)} s; codes ${codes.join(", ")}`);
}

for (const command of FUZZED) await tryAll(command, async (world) => await tryCommand(world, command));
await tryAll("files", tryFiles);
for (const level of levels) await tryAll(`crm ${level}`.trimEnd(), async (world) => await tryLevel(world, level));
say(`seed ${seed}, ${count} lines of each: ${faults} faults`);
process.exitCode = faults === 0 ? 0 : 1;
