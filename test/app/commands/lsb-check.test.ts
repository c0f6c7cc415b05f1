/** The LSB rules against scripts that keep them and scripts that break one. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkLsbScript } from "../../../src/app/commands/lsb-check.ts";
import { isKept } from "../../../src/cluster/core/lsb-check.ts";

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
esac
`;

async function broken(body: string): Promise<readonly string[]> {
  const file = path.join(directory, "thing");
  writeFileSync(file, `#!/bin/sh\n${body}`);
  chmodSync(file, 0o755);
  const findings = await checkLsbScript(file, () => {});
  return findings.filter((finding) => !isKept(finding)).map(({ step }) => `${step.argument} when ${step.when}`);
}

test.each([
  ["a good one", GOOD, []],
  ["status always 0", GOOD.replace('[ -e "$F" ] || exit 3', ":"), ["status when stopped", "status when stopped"]],
  ["stop of what is stopped fails", GOOD.replace("rm -f", "rm"), ["stop when stopped"]],
  ["start of what runs fails", GOOD.replace('touch "$F"', '[ ! -e "$F" ] && touch "$F"'), ["start when running"]],
  ["stop does nothing", GOOD.replace('rm -f "$F"', ":"), ["status when stopped"]],
])("%s", async (_name, body, expected) => {
  expect(await broken(body)).toEqual(expected);
});
