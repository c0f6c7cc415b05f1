/**
 * The contract of the fencing drivers, printed: every driver by every behaviour of a device, and every mistake of an
 * administrator with the time until it was told. It runs the tests that hold the contract, so what it prints has just
 * been tried. Usage: npm run bench -- contract     Bar: nothing failed; a mistake is told within the time that
 * bad-input.test.ts and unreachable.test.ts of test/fencing state. A row that a device cannot show is empty; its test
 * says why.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";

interface Assertion {
  readonly ancestorTitles: readonly string[];
  readonly title: string;
  readonly status: string;
  readonly duration?: number;
}

const root = path.resolve(import.meta.dirname, "..");
const CONTRACT = "the contract of ";

function runTests(...argv: readonly string[]): readonly Assertion[] {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-contract-"));
  const file = path.join(folder, "report.json");
  const vitest = path.join(root, "node_modules/vitest/vitest.mjs");
  const own = ["run", "--project", "quick", ...argv, "--reporter=json", `--outputFile=${file}`];
  try {
    execFileSync(process.execPath, [vitest, ...own], { cwd: root, stdio: "ignore" });
  } catch {
    // A failed test is a row of the table.
  }
  const report = JSON.parse(readFileSync(file, "utf8")) as {
    readonly testResults: readonly { readonly assertionResults: readonly Assertion[] }[];
  };
  rmSync(folder, { recursive: true });
  return report.testResults.flatMap(({ assertionResults }) => assertionResults);
}

const letterOf = (index: number) => String.fromCharCode("a".charCodeAt(0) + index);

function printContract(tests: readonly Assertion[]): number {
  const rows = new Map<string, Map<string, string>>();
  for (const { ancestorTitles, title, status } of tests) {
    const driver = ancestorTitles.find((each) => each.startsWith(CONTRACT))?.slice(CONTRACT.length);
    if (driver === undefined || status === "skipped" || status === "pending" || title.startsWith("skips only"))
      continue;
    const row = rows.get(title) ?? new Map<string, string>();
    row.set(driver, status === "passed" ? "+" : "FAILED");
    rows.set(title, row);
  }
  const drivers = [...new Set([...rows.values()].flatMap((row) => [...row.keys()]))].toSorted();
  for (const [index, driver] of drivers.entries()) process.stdout.write(`${letterOf(index)}  ${driver}\n`);
  const width = Math.max(...[...rows.keys()].map((title) => title.length));
  process.stdout.write(`\n${"".padEnd(width)}  ${drivers.map((_, index) => letterOf(index)).join(" ")}\n`);
  for (const [title, row] of rows) {
    const cells = drivers.map((driver) => row.get(driver) ?? " ");
    process.stdout.write(`${title.padEnd(width)}  ${cells.join(" ").trimEnd()}\n`);
  }
  return [...rows.values()].flatMap((row) => [...row.values()]).filter((cell) => cell !== "+").length;
}

function printMistakes(tests: readonly Assertion[]): number {
  for (const { title, status, duration = 0 } of tests)
    process.stdout.write(`${title.padEnd(50)}  ${String(Math.round(duration)).padStart(5)} ms  ${status}\n`);
  return tests.filter(({ status }) => status !== "passed").length;
}

const contract = printContract(runTests("test/fencing", "-t", CONTRACT));
process.stdout.write("\nWhat an administrator may have got wrong, and the time until it was told:\n");
const mistakes = printMistakes(runTests("test/fencing/bad-input.test.ts", "test/fencing/unreachable.test.ts"));
process.stdout.write(`\n${contract + mistakes} failed; load ${os.loadavg()[0]?.toFixed(1)}\n`);
process.exitCode = contract + mistakes === 0 ? 0 : 1;
