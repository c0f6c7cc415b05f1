/** The help of the field's commands: in 80 columns, and every option that it names is one. */
import { describe, expect, test } from "vitest";
import { candidates } from "../../../src/app/commands/completion.ts";
import { flagsOf, OPTIONS } from "../../../src/app/commands/help-options.ts";
import { COMMANDS } from "../../../src/app/commands/index.ts";
import { runHere } from "../../support/run-here.ts";

describe.each(Object.keys(OPTIONS))("%s", (name) => {
  test("its help stands in 80 columns, with an example", async () => {
    const { code, output } = await runHere([name, "--help"]);
    expect(code).toBe(0);
    expect(output.split("\n").filter((line) => line.length > 80)).toEqual([]);
    expect(output).toContain("options:\n");
    expect(output).toContain("examples:\n");
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
