/**
 * crm_mon, crm_resource and their kin beside Debian's on the scheduler's reference CIBs, as black boxes: text and exit
 * code of every call. The floors are what was reached on all 596 of them; what is left differs because Debian's 2.1.5
 * reads histories by older rules than the reference cases were made by (docs/operations/field-commands.md).
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, describe, expect, test } from "vitest";
import { hasFieldTools, runHere, runTheirs } from "../../support/run-here.ts";
import { skips } from "../../support/skip.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "cmd-bulk-"));
afterAll(() => rmSync(folder, { recursive: true }));

const CASES = path.resolve(
  process.env["GEMEL_SHARED"] ?? path.join(import.meta.dirname, "../../../../shared"),
  "scheduler-cases/xml",
);
/** Every so manieth case, each call from another one on. `GEMEL_ALL_CASES=1` takes all of them. */
const STRIDE = process.env["GEMEL_ALL_CASES"] === "1" ? 1 : 40;

function cases(): readonly string[] {
  try {
    return readdirSync(CASES).toSorted();
  } catch {
    return [];
  }
}

/** The cases speak newer names of options than Pacemaker 2.1.5 knows. */
function translate(text: string): string {
  return text
    .replaceAll(/name="fencing-(enabled|action|timeout)"/g, 'name="stonith-$1"')
    .replaceAll('name="stop-removed-resources"', 'name="stop-orphan-resources"');
}

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

/** `CALLS`: the call, and of which part of the cases its output and exit code are Debian's. */
const CALLS: readonly (readonly [call: string, floor: number])[] = [
  ["crm_mon -1", 0.9],
  ["crm_mon -1nR", 0.8],
];

const chosen = hasFieldTools() ? cases() : [];

describe.skipIf(skips(chosen.length === 0, "there are no reference cases, or Debian's tools are not installed"))(
  "as Debian's on the reference cases",
  () => {
    test.each(CALLS)("%s", { timeout: 600_000 }, async (call, floor) => {
      const first = CALLS.findIndex(([other]) => other === call) % STRIDE;
      const different: string[] = [];
      let compared = 0;
      for (const name of chosen.filter((_, index) => index % STRIDE === first)) {
        const cib = translate(readFileSync(path.join(CASES, name), "utf8"));
        const file = path.join(folder, "cib.xml");
        writeFileSync(file, cib);
        const words = wordsFor(call.split(" "), cib);
        const env = { CIB_file: file, TZ: "UTC" };
        const theirs = runTheirs(words, env);
        if (theirs.output === "" && theirs.code !== 0) continue;
        const ours = await runHere(words, env);
        compared += 1;
        if (bare(ours.output) !== bare(theirs.output) || ours.code !== theirs.code) different.push(name);
      }
      const reached = (compared - different.length) / compared;
      expect(reached, `${different.length} of ${compared} differ: ${different.join(" ")}`).toBeGreaterThanOrEqual(
        floor,
      );
    });
  },
);
