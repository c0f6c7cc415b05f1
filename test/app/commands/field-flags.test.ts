/**
 * Every option that the help of one of the field's commands names is one of ours, by its short and its long name, and
 * takes a value where theirs does. The options are read from Debian's programs themselves (crm_master's help names
 * none). Fact: `TOOL --help-all`, of those without it `--help`.
 */
import { describe, expect, test } from "vitest";
import { hasFieldTools, runHere, runTheirs } from "../../support/run-here.ts";
import { skips } from "../../support/skip.ts";

const TOOLS = [
  ...["attrd_updater", "cibadmin", "crm_attribute", "crm_diff", "crm_error", "crm_failcount", "crm_mon"],
  ...["crm_node", "crm_report", "crm_resource", "crm_rule", "crm_shadow", "crm_simulate", "crm_standby", "crm_ticket"],
  ...["crm_verify", "crmadmin", "iso8601", "stonith_admin"],
];

interface Flag {
  readonly spelled: string;
  readonly takesValue: boolean;
}

/** `  -x, --long=VALUE  ...`, `  -f, --from TIME  ...`, ` -S, --show-access[=value]`, `  --master  ...` */
function flagsIn(help: string): readonly Flag[] {
  const options = help.matchAll(
    /^\s{1,4}(?:(-[^-\s,]),? ?)?(--[\w-]+)?(?:(\[?)=([\w()-]+)\]?| ([A-Z]+)\b)?(?= {2}|\t|\s*$)/gm,
  );
  return [...options].flatMap(([, short, long, optional, joined, apart]) => {
    const takesValue = optional !== "[" && (joined ?? apart) !== undefined;
    return [short, long].flatMap((spelled) => (spelled === undefined ? [] : [{ spelled, takesValue }]));
  });
}

function fieldsHelp(tool: string): string {
  const brief = runTheirs([tool, "--help"]).output;
  return brief.includes("--help-all") ? runTheirs([tool, "--help-all"]).output : brief;
}

/** Help and version are told before anything else is read. */
const OF_EVERY_COMMAND = /^(?:-h|-\?|-\$|--help.*|--version)$/;

/** One that there is not ends the reading, so that nothing is done; whatever is wrong before it is told instead. */
const NONSENSE = "--no-such-option";

describe.skipIf(skips(!hasFieldTools(), "pacemaker-cli-utils 2.1.5 is not here"))("options of the field", () => {
  test.each(TOOLS)("each option of %s is taken", async (tool) => {
    const flags = flagsIn(fieldsHelp(tool)).filter(({ spelled }) => !OF_EVERY_COMMAND.test(spelled));
    expect(flags.length).toBeGreaterThan(3);
    const strange: string[] = [];
    for (const { spelled, takesValue } of flags) {
      // Where the help does not show a value one may be wanted all the same.
      const calls = takesValue ? [[spelled, "1"]] : [[spelled], [spelled, "1"]];
      const told: string[] = [];
      for (const words of calls) told.push(await complaint(tool, words));
      if (!told.some((errors) => errors.includes(NONSENSE))) strange.push(`${spelled}: ${told.join("")}`);
    }
    expect(strange).toEqual([]);
  });
});

async function complaint(tool: string, words: readonly string[]): Promise<string> {
  return (await runHere([tool, ...words, NONSENSE], { GEMEL_RUN: "/nowhere" })).errors;
}

test("crm_report tells its version and what it gathers, and makes nothing", async () => {
  expect(await runHere(["crm_report", "-v"])).toMatchObject({
    code: 0,
    output: expect.stringMatching(/^gemel report \d/),
  });
  expect((await runHere(["crm_report", "--features"])).output).toContain("masking");
});
