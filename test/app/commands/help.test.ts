/** Help is had by every spelling, and behind any words: whoever has begun a call need not begin anew. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { COMMANDS } from "../../../src/app/commands/index.ts";
import { PROGRAM } from "../../support/program.ts";
import { runHere } from "../../support/run-here.ts";

test.each(Object.keys(COMMANDS))("gemel %s --help tells the arguments", async (name) => {
  const { code, output } = await runHere([name, "--help"]);
  expect(code).toBe(0);
  expect(output).toMatch(/usage|gemel|crm/i);
  // These are called by other programs only.
  if (!["manager", "drbd-handler"].includes(name)) expect(output).toMatch(new RegExp(`^ {2,}gemel ${name}`, "m"));
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

test.each([
  [["status", "--wacth"], "there is no option --wacth; did you mean --watch?"],
  [["verify", "--bogus"], "there is no option --bogus\n"],
  [["crm", "--wiat"], "there is no option --wiat; did you mean --wait?"],
  [["inventory", "now"], '"now" is not expected here: it takes no words'],
  [["status", "alpha"], '"alpha" is not expected here'],
  [["log", "bravo"], '"bravo" is not expected here'],
  [["timeline", "10min"], '"10min" is not expected here'],
  [["report", "here", "there"], '"there" is not expected here'],
])("gemel %j is a wrong call, and says what was meant", async (words, reason) => {
  const { code, errors } = await runHere(words);
  expect([code, errors]).toEqual([64, expect.stringContaining(reason)]);
});

/** In a shell, for its redirections. */
function inShell(line: string) {
  const { status, stderr } = spawnSync("sh", ["-c", line.replace("gemel", PROGRAM.join(" "))], { encoding: "utf8" });
  return { status, stderr };
}

test("output that cannot be written is told in a line; errors that cannot be told end nothing", () => {
  expect(inShell("gemel help >/dev/full")).toEqual({
    status: 74,
    stderr: expect.stringMatching(/^gemel: the output cannot be written: ENOSPC[^\n]*\n$/),
  });
  expect(inShell("gemel help | true")).toEqual({ status: 0, stderr: "" });
  expect(inShell("gemel no-such-command 2>/dev/full").status).toBe(64);
});

test("a file that cannot be written is told in a line", async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-help-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const cib = path.join(folder, "cib.xml");
  const sections = "<configuration><crm_config/><nodes/><resources/><constraints/></configuration><status/>";
  writeFileSync(cib, `<cib validate-with="pacemaker-3.8" epoch="1" num_updates="0" admin_epoch="0">${sections}</cib>`);
  const { code, errors } = await runHere(["crm-mon", "-1", "-x", cib, "--output-to", "/proc/here/now.txt"]);
  expect([code, errors]).toEqual([
    73,
    expect.stringMatching(/^gemel crm-mon: \/proc\/here\/[^ ]*now.txt[^ ]*: [^\n]*\n$/m),
  ]);
});
