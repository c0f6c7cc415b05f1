/** The LSB rules against scripts that keep them and scripts that break one. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkLsbScript } from "../../../src/app/commands/lsb-check.ts";
import { isKept, rulesOf } from "../../../src/cluster/core/lsb-check.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), "gemel-lsb-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const GOOD = `F=$(dirname "$0")/running
case "$1" in
  start) touch "$F";;
  stop) rm -f "$F";;
  status) [ -e "$F" ] || exit 3;;
  *) exit 2;;
esac
`;

/** The rules that a script breaks, each with the call that showed it. */
async function broken(body: string): Promise<readonly string[]> {
  const file = path.join(directory, "thing");
  writeFileSync(file, `#!/bin/sh\n${body}`);
  chmodSync(file, 0o755);
  const findings = await checkLsbScript(file, () => {});
  return findings
    .filter((finding) => !isKept(finding))
    .map((finding) => `${rulesOf(finding).join("/")}: ${finding.step.argument} when ${finding.step.when}`);
}

test.each([
  ["a good one", GOOD, []],
  ["1: any action is done", GOOD.replace("exit 2", "exit 0"), ["1: no-such-action when stopped"]],
  [
    "1: there is no stop",
    GOOD.replace('rm -f "$F"', "exit 3"),
    ["1: stop when stopped", "1: stop when running", "7/5: status when stopped"],
  ],
  [
    "2: a start that worked",
    GOOD.replace('touch "$F"', 'touch "$F"; exit 1'),
    ["2: start when stopped", "2: start when running"],
  ],
  [
    "3: a start that did nothing",
    GOOD.replace('touch "$F"', ":"),
    ["6/3: status when running", "6: status when running"],
  ],
  [
    "4: a stop that worked",
    GOOD.replace('rm -f "$F"', '[ -e "$F" ] || exit 0; rm "$F"; exit 1'),
    ["4: stop when running"],
  ],
  ["5: a stop that did nothing", GOOD.replace('rm -f "$F"', ":"), ["7/5: status when stopped"]],
  [
    "6: status of what runs",
    GOOD.replace('[ -e "$F" ] || exit 3', "exit 3"),
    ["6/3: status when running", "6: status when running"],
  ],
  [
    "7: status of what is stopped",
    GOOD.replace('[ -e "$F" ] || exit 3', ":"),
    ["7: status when stopped", "7/5: status when stopped"],
  ],
  ["7: nobody can tell", GOOD.replace("exit 3", "exit 4"), ["7: status when stopped", "7/5: status when stopped"]],
  ["8: stop of what is stopped", GOOD.replace("rm -f", "rm"), ["8: stop when stopped"]],
  ["start of what runs", GOOD.replace('touch "$F"', '[ ! -e "$F" ] && touch "$F"'), ["2: start when running"]],
])("%s", async (_name, body, expected) => {
  expect(await broken(body)).toEqual(expected);
});
