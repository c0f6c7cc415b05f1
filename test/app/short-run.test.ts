/** V8 takes most flags at its start only, and says nothing when one comes too late: what these do is looked at. */
import { execFileSync } from "node:child_process";
import path from "node:path";
import process from "node:process";
import { expect, test } from "vitest";

const SHORT_RUN = path.resolve(import.meta.dirname, "../../src/app/short-run.ts");
/** Calls that V8's own thresholds make worth its last tier, by far. */
const HOT = "let sum = 0; function hot(n) { return n % 7; } for (let n = 0; n < 3e6; n++) sum += hot(n);";

/** What V8 says of its compilations while the loop runs. */
function compilationsAfter(before: string): string {
  const script = `${before} ${HOT}`;
  return execFileSync(process.execPath, ["--trace-opt", "--input-type=module", "-e", script], { encoding: "utf8" });
}

test("a run that expects to be short is not given to V8's last compiler", () => {
  expect(compilationsAfter("")).toMatch("TURBOFAN");
  const short = compilationsAfter(`import { expectShortRun } from ${JSON.stringify(SHORT_RUN)}; expectShortRun();`);
  expect(short).not.toMatch("TURBOFAN");
});
