/**
 * Every option of every tool of the field is known here: carried out, accepted without effect, or refused with a reason
 * of its own; none is an unknown word. The options are read from the tools' own help.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { printXml } from "../../../src/base/xml.ts";
import { sourceCib } from "../../cluster/monitor/source-cib.ts";
import { hasFieldTools, runHere, runTheirs } from "../../support/run-here.ts";
import { skips } from "../../support/skip.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "cmd-options-"));
afterAll(() => rmSync(folder, { recursive: true }));

const TOOLS = [
  ...["cibadmin", "crm_attribute", "crm_diff", "crm_error", "crm_failcount", "crm_node", "crm_resource"],
  ...["crm_rule", "crm_shadow", "crm_simulate", "crm_standby", "crm_ticket", "crm_verify", "crmadmin", "iso8601"],
  ...["attrd_updater", "crm_mon"],
];
/** They wait for a person, drive an editor, or run until they are ended. */
const NOT_RUN = ["--edit", "-E", "--interval", "-i"];

interface Option {
  readonly flag: string;
  readonly wantsValue: boolean;
}

/** `  -x, --xml-file=VALUE   text` and its kin, at the beginning of a line. */
function optionsOf(help: string): Option[] {
  return help.split("\n").flatMap((line): Option[] => {
    const [, short, long, value] = /^ +(?:(-\S), )?(--[\w-]+)(\[?=\S+)?(?:\s|$)/.exec(line) ?? [];
    if (long === undefined) return [];
    const wantsValue = value?.startsWith("=") === true;
    return [{ flag: long, wantsValue }, ...(short === undefined ? [] : [{ flag: short, wantsValue }])];
  });
}

const STRANGE = /unknown option|unrecognized|does not take an argument/i;

describe.skipIf(skips(!hasFieldTools(), "Debian's tools, whose options are looked for, are not installed"))(
  "no option is a stranger",
  () => {
    test.each(TOOLS)("%s", async (tool) => {
      const shown = runTheirs([tool, "--help-all"]);
      const options = optionsOf(shown.code === 0 ? shown.output : runTheirs([tool, "--help"]).output);
      expect(options.length).toBeGreaterThan(2);
      const strangers: string[] = [];
      for (const { flag, wantsValue } of options) {
        if (NOT_RUN.includes(flag) && ["crm_mon", "crm_shadow"].includes(tool)) continue;
        const file = path.join(folder, "cib.xml");
        writeFileSync(file, printXml(sourceCib({ node01: "failed" })));
        // Some options name a file that is written.
        const value = path.join(folder, "value");
        const given = wantsValue ? (flag.startsWith("--") ? [`${flag}=${value}`] : [flag, value]) : [flag];
        // Alone it would be a view that stays.
        const once = tool === "crm_mon" && !/help|version|-[?$]/.test(flag) ? ["-1"] : [];
        const env = { CIB_file: file, CIB_shadow_dir: folder };
        const { errors } = await runHere([tool, ...once, ...given], env);
        if (STRANGE.test(errors)) strangers.push(flag);
      }
      expect(strangers).toEqual([]);
    });
  },
);
