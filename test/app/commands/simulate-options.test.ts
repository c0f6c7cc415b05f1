/** `gemel simulate` has every option of the installed crm_simulate, long and short. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { helpText, readArguments } from "../../../src/app/commands/simulate-options.ts";
import { isPeerInstalled } from "../../support/scheduler-peer.ts";
import { skips } from "../../support/skip.ts";

const OPTION = /^ +(?:(-\S), |)(--[a-z-]+)(=\S+|)/gm;

/** `-x --xml-file=`: short form where there is one, and whether it takes a value. */
function optionsIn(text: string): string[] {
  return [...text.matchAll(OPTION)].map(([, short = "", long = "", value = ""]) => {
    const flag = short === "" ? long : `${short} ${long}`;
    return value === "" ? flag : `${flag}=`;
  });
}

test.skipIf(skips(!isPeerInstalled(), "Debian's pacemaker-cli-utils is not installed"))(
  "every option of crm_simulate is one of ours",
  () => {
    const { stdout } = spawnSync("crm_simulate", ["--help-all"], { encoding: "utf8" });
    // Its help comes in parts; ours is one page, for any of them.
    const theirs = optionsIn(stdout).filter((option) => !option.startsWith("--help-"));
    expect(theirs.length).toBeGreaterThan(30);
    expect(optionsIn(helpText())).toEqual(expect.arrayContaining(theirs));
  },
);

test("quorum and watchdog are there or not: any other word is refused", () => {
  for (const value of ["1", "0", "true", "off"]) expect(readArguments(["-q", value]).values.quorum).toBe(value);
  expect(() => readArguments(["--quorum", "maybe"])).toThrow("write 1 or 0");
  expect(() => readArguments(["-w", "3"])).toThrow("write 1 or 0");
});
