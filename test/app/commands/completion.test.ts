/** Help and completion of every command, in both languages, and the bash script as bash itself runs it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { candidates, completionScript, usageWords } from "../../../src/app/commands/completion.ts";
import { COMMANDS } from "../../../src/app/commands/index.ts";
import { SUMMARIES_JA } from "../../../src/app/commands/summaries-ja.ts";
import { runHere } from "../../support/run-here.ts";

test("every command says in Japanese, too, what it is for", async () => {
  expect(Object.keys(SUMMARIES_JA).toSorted()).toEqual(Object.keys(COMMANDS).toSorted());
  const japanese = await runHere(["help"], { LC_ALL: "ja_JP.UTF-8" });
  for (const summary of Object.values(SUMMARIES_JA)) expect(japanese.output).toContain(summary);
  expect((await runHere(["help", "status"], { LC_ALL: "ja_JP.UTF-8" })).output).toMatch(/^使い方: gemel status/);
  expect((await runHere(["help"], { LC_ALL: "C" })).output).toContain(COMMANDS["status"]?.summary);
});

test("what may come next: commands, words of the crm shell, flags and words of a usage", async () => {
  expect(await candidates(COMMANDS, ["gemel", "crm-t"])).toEqual(["crm-ticket"]);
  expect(await candidates(COMMANDS, ["/usr/sbin/crm", "configure", "modg"])).toEqual(["modgroup"]);
  expect(await candidates(COMMANDS, ["gemel", "crm", "resource", "mig"])).toEqual(["migrate"]);
  expect(await candidates(COMMANDS, ["crm_ticket", "-"])).toContain("-g");
  expect(await candidates(COMMANDS, ["crm_mon", "--inc"])).toEqual(["--include"]);
  expect(await candidates(COMMANDS, ["stonith_admin", "--list-i"])).toEqual(["--list-installed"]);
  expect(await candidates(COMMANDS, ["crm_simulate", "--op-"])).toEqual(["--op-fail", "--op-inject"]);
  expect(await candidates(COMMANDS, ["gemel", "config", "ro"])).toEqual(["rollback"]);
  expect(await candidates(COMMANDS, ["gemel", "nothing", "x"])).toEqual([]);
  expect(usageWords("-L [PREFIX] | --layout 1.0 | try SECONDS FILE")).toEqual(["-L", "--layout", "try"]);
});

test("bash takes the script and asks the program for each name of the field", () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "cmd-completion-"));
  try {
    // Stands in for the program: says what it was asked.
    writeFileSync(path.join(folder, "gemel"), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
    const script = `PATH=${folder}:$PATH\n${completionScript(COMMANDS)}\ncomplete -p crm_mon hb_standby gemel >/dev/null
COMP_WORDS=(crm resource ""); COMP_CWORD=2; _gemel; echo "\${COMPREPLY[@]}"`;
    expect(execFileSync("bash", ["-c", script]).toString()).toMatch(/^completion -- crm resource\s*$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
