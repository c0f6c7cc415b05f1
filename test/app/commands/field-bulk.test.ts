/**
 * crm_mon, crm_resource and their kin beside Debian's on the scheduler's reference CIBs, as black boxes: text and exit
 * code of every call. The floors are what was reached on all 596 of them; what is left differs because Debian's 2.1.5
 * reads histories by older rules than the reference cases were made by (docs/operations/field-commands.md).
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, describe, expect, test } from "vitest";
import { readReferenceCase, referenceCases } from "../../support/reference-cases.ts";
import { hasFieldTools, runHere, runTheirs } from "../../support/run-here.ts";
import { skips } from "../../support/skip.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "cmd-bulk-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Every so manieth case, each call from another one on. `GEMEL_ALL_CASES=1` takes all of them. */
const STRIDE = process.env["GEMEL_ALL_CASES"] === "1" ? 1 : 60;

/** Without the time of looking and who asked. */
const bare = (text: string) =>
  text
    .replace(/Last updated: .*/, "")
    .replace(/^<\?xml.*\n/, "")
    .replace(/ request="[^"]*"/, "")
    .replace(/<last_update .*/, "")
    .replaceAll(/[ \t]+$/gm, "")
    .trim();

/** `NODE`, `TOP` and `PRIMITIVE` stand for the first node, the first resource and the last primitive of a case. */
function wordsFor(argv: readonly string[], cib: string): readonly string[] {
  const node = /<node [^>]*uname="([^"]*)"/.exec(cib)?.[1] ?? "none";
  const top = /<(?:primitive|group|clone|master|bundle)\s[^>]*?\bid="([^"]*)"/.exec(cib)?.[1] ?? "none";
  const primitive = [...cib.matchAll(/<primitive\s[^>]*?\bid="([^"]*)"/g)].at(-1)?.[1] ?? "none";
  return argv.map((word) => word.replace("NODE", node).replace("TOP", top).replace("PRIMITIVE", primitive));
}

/**
 * How outputs are compared. `sorted`: in what order Debian's has nodes and constraints nobody can know from outside;
 * `nodeless`: Debian's leaves out where a resource runs; `any-code`: Debian's says 0 of what is not there.
 */
type How = "exact" | "sorted" | "nodeless" | "any-code";
const CALLS: readonly (readonly [call: string, how: How])[] = [
  ["crm_mon -1", "exact"],
  ["crm_mon -1nR", "exact"],
  ["crm_mon -1rR", "exact"],
  ["crm_mon -1t", "exact"],
  ["crm_mon -1rnoft", "exact"],
  ["crm_mon -1DL", "exact"],
  ["crm_mon -1Afrc -m 0 -L", "exact"],
  ["crm_mon -1rb", "exact"],
  ["crm_mon -1nrb", "exact"],
  ["crm_mon -1b", "exact"],
  ["crm_mon -1R", "exact"],
  ["crm_mon -1bR", "exact"],
  ["crm_mon -1nr", "exact"],
  ["crm_mon -1L", "exact"],
  ["crm_mon -1r --include=all", "exact"],
  ["crm_mon -1r --node=NODE", "exact"],
  ["crm_mon -1rfo --resource=TOP", "exact"],
  ["crm_mon -1r --resource=PRIMITIVE", "exact"],
  ["crm_mon -1 --include=none,options,maint-mode,bans --exclude=times", "exact"],
  ["crm_mon --output-as=xml", "sorted"],
  ["crm_mon --output-as=xml -nr --node=NODE", "sorted"],
  ["crm_resource -l", "exact"],
  ["crm_resource -L", "nodeless"],
  ["crm_resource -W -r TOP", "sorted"],
  ["crm_resource -q -r TOP", "exact"],
  ["crm_resource -a -r TOP", "sorted"],
  ["crm_resource -g ip -r PRIMITIVE", "any-code"],
  ["crm_resource -m -g target-role -r TOP", "any-code"],
  ["crm_attribute -G -n stonith-enabled", "exact"],
  ["crm_attribute -G -n standby -N NODE", "exact"],
  ["cibadmin -Q -o resources", "exact"],
  ["cibadmin -Q -e -A //op", "exact"],
];
/** Of ten cases some are of those that differ; of all of them, see docs/operations/field-commands.md, a tenth. */
const FLOOR = STRIDE === 1 ? 0.9 : 0.6;

function viewed(text: string, how: How): string {
  const lines = text.split("\n").map((line) => (how === "nodeless" ? line.replace(PLACE, "$1") : line));
  return (how === "sorted" ? lines.toSorted() : lines).join("\n");
}
const PLACE = /(\):\t (?:ORPHANED )?(?:FAILED ?)?(?:Started|Stopped|Promoted|Unpromoted)?) (?:\[ .* \]|[^\s()]+)/;

const chosen = hasFieldTools() ? referenceCases() : [];

describe.skipIf(skips(chosen.length === 0, "there are no reference cases, or Debian's tools are not installed"))(
  "as Debian's on the reference cases",
  () => {
    test.each(CALLS)("%s", { timeout: 600_000 }, async (call, how) => {
      const first = CALLS.findIndex(([other]) => other === call) % STRIDE;
      const different: string[] = [];
      let compared = 0;
      for (const name of chosen.filter((_, index) => index % STRIDE === first)) {
        const cib = readReferenceCase(name);
        const file = path.join(folder, "cib.xml");
        writeFileSync(file, cib);
        const words = wordsFor(call.split(" "), cib);
        const env = { CIB_file: file, TZ: "UTC" };
        const theirs = runTheirs(words, env);
        if (theirs.output === "" && theirs.code !== 0 && words[0] === "crm_mon") continue;
        const ours = await runHere(words, env);
        compared += 1;
        const view = (text: string) => viewed(bare(text), how);
        const isSameCode = ours.code === theirs.code || how === "any-code";
        if (view(ours.output) !== view(theirs.output) || !isSameCode) different.push(name);
      }
      const reached = (compared - different.length) / compared;
      expect(reached, `${different.length} of ${compared} differ: ${different.join(" ")}`).toBeGreaterThanOrEqual(
        FLOOR,
      );
    });
  },
);
