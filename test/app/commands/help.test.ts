/** Help is had by every spelling, and behind any words: whoever has begun a call need not begin anew. */
import { expect, test } from "vitest";
import { COMMANDS } from "../../../src/app/commands/index.ts";
import { runHere } from "../../support/run-here.ts";

test.each(Object.keys(COMMANDS))("gemel %s --help tells the arguments", async (name) => {
  const { code, output } = await runHere([name, "--help"]);
  expect(code).toBe(0);
  expect(output).toMatch(/usage|gemel|crm/i);
});

test.each([
  ["fence", "lock", "list"],
  ["fence", "disk"],
  ["config", "log"],
  ["hw", "detect"],
])("gemel %s %s --help is that of the command", async (...words) => {
  const { code, output } = await runHere([...words, "--help"]);
  expect(code).toBe(0);
  expect(output).toBe((await runHere([words[0] ?? "", "--help"])).output);
});
