/**
 * Runs the checks and the parts of the suite one after another and ends with one line a part: what ran, how long,
 * how it ended. The parts that need emulated machines come last, alone on the machine.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";

const argv = process.argv.slice(2);
const quick = argv.includes("quick");
const more = argv.filter((word) => word !== "quick");
const bin = "node_modules/.bin";

type Part = readonly [name: string, command: string, ...argv: string[]];
const vitest = (project: string): string[] => ["node_modules/vitest/vitest.mjs", "run", "--project", project, ...more];
const parts: Part[] = [
  ["types", `${bin}/tsc`, "--noEmit"],
  ["format and lint", `${bin}/biome`, "check", "--error-on-warnings", "."],
  ["promises", `${bin}/oxlint`, "--type-aware", "--quiet", "src", "test", "lab", "tools", "bench", "images"],
  ["words from outside", `${bin}/node`, "tools/outside-words.ts"],
  ["quick tests", `${bin}/node`, ...vitest("quick")],
];
// Who runs chosen tests starts our program from the source: building it would take longer than what it saves.
if (more.length === 0) {
  parts.splice(-1, 0, ["program", `${bin}/node`, "tools/build.ts"]);
  process.env["GEMEL_BINARY"] ??= "dist/gemel";
}
if (!quick) parts.push(["emulated machines", `${bin}/node`, ...vitest("emulated")]);

const results: { name: string; seconds: number; ended: boolean }[] = [];
for (const [name, command, ...rest] of parts) {
  process.stdout.write(`\n== ${name}\n`);
  const startedAtMs = performance.now();
  const { status } = spawnSync(command, rest, { stdio: "inherit" });
  results.push({ name, seconds: (performance.now() - startedAtMs) / 1000, ended: status === 0 });
  if (status !== 0) break;
}
process.stdout.write("\n");
for (const { name, seconds, ended } of results) {
  process.stdout.write(`${ended ? "passed" : "FAILED"}  ${seconds.toFixed(1).padStart(6)} s  ${name}\n`);
}
for (const [name] of parts.slice(results.length)) process.stdout.write(`not run          ${name}\n`);
if (quick) process.stdout.write("left out: emulated machines (run `npm test` for them)\n");
process.exit(results.every(({ ended }) => ended) ? 0 : 1);
