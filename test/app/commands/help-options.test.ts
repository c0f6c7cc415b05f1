/** The help of the field's commands: in 80 columns, and every option that it names is one. */
import { describe, expect, test } from "vitest";
import { candidates } from "../../../src/app/commands/completion.ts";
import { flagsOf, OPTIONS } from "../../../src/app/commands/help-options.ts";
import { COMMANDS } from "../../../src/app/commands/index.ts";
import { OPTION_MEANINGS_JA } from "../../../src/app/japanese/help-options.ts";
import { columnsOf } from "../../../src/base/fold.ts";
import { runHere } from "../../support/run-here.ts";

describe.each(Object.keys(OPTIONS))("%s", (name) => {
  test("its help stands in 80 columns, with an example", async () => {
    const { code, output } = await runHere([name, "--help"]);
    expect(code).toBe(0);
    expect(output.split("\n").filter((line) => line.length > 80)).toEqual([]);
    expect(output).toContain("options:\n");
    expect(output).toContain("examples:\n");
  });

  test("in Japanese, too, in 80 columns, and nothing of it is English", async () => {
    const { output } = await runHere([name, "--help"], { LANG: "ja_JP.UTF-8", LC_ALL: "" });
    expect(output.split("\n").filter((line) => columnsOf(line) > 80)).toEqual([]);
    const meanings = new Set(OPTIONS[name]?.map(([, meaning]) => meaning));
    expect([...meanings].filter((meaning) => OPTION_MEANINGS_JA[meaning] === undefined)).toEqual([]);
    expect(output).toContain("オプション:\n");
  });

  test("each option is taken, and completed", async () => {
    expect(await candidates(COMMANDS, ["gemel", name, "--"])).toEqual(
      expect.arrayContaining(flagsOf(name).filter((flag) => flag.startsWith("--"))),
    );
    for (const flag of flagsOf(name)) {
      // One that there is not is told first, so that nothing is done.
      const { errors } = await runHere([name, flag, "1", "--no-such-option"], { GEMEL_RUN: "/nowhere" });
      expect(errors, flag).not.toContain(`there is no option ${flag}`);
    }
  });
});

test("the field's name of a command has its whole help", async () => {
  const { output } = await runHere(["crm_resource", "--help"]);
  expect(output).toContain("-L, --list");
});

test("no Japanese stands there for words that are not said any more", () => {
  const said = new Set(Object.values(OPTIONS).flatMap((options) => options.map(([, meaning]) => meaning)));
  expect(Object.keys(OPTION_MEANINGS_JA).filter((meaning) => !said.has(meaning))).toEqual([]);
});
