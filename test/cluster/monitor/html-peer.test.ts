/** The page beside Debian's crm_mon 2.1.5, as a black box, element by element, over some of the reference CIBs. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, expect, test } from "vitest";
import { readReferenceCase, referenceCases } from "../../support/reference-cases.ts";
import { runHere, runTheirs } from "../../support/run-here.ts";
import { isPeerInstalled } from "../../support/scheduler-peer.ts";
import { skips } from "../../support/skip.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-page-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Every so many of the cases; a smaller number for a longer look. */
const STRIDE = Number(process.env["GEMEL_PAGE_STRIDE"] ?? 75);
const cases = referenceCases().filter((_, at) => at % STRIDE === 2);

/** One element a line, without the time, and with what browsers make of their lists within lists. */
function elements(page: string): readonly string[] {
  return page
    .replaceAll(/>\n+</g, "><")
    .replace(/(Last updated: <\/span><span>)[^<]*/, "$1")
    .replaceAll("</span><li><h3>Resources", "</span></li><li><h3>Resources")
    .replaceAll("</li></li></ul>", "</li></ul>")
    .trim()
    .split(/(?<=>)(?=<)/);
}

/** What only ours tells: what is unclean or pending, and without the options that nothing is managed. */
function withoutOurs(page: string, areOptionsTold: boolean): string {
  const known = page.replaceAll(/<span class="warning"> \((?:UNCLEAN|pending)\)<\/span>/g, "");
  return areOptionsTold ? known : known.replace(/<h2>Config Options<\/h2>\n<ul>.*?<\/ul>\n/s, "");
}

test
  .skipIf(skips(!isPeerInstalled() || cases.length === 0, "crm_mon or its reference CIBs are not there"))
  .each([
    [["-r"]],
    [["-n", "-r", "-R", "--include=all"]],
    [["-1", "-b", "-A", "-f", "-c", "-t", "--html-title=a<b", "--html-stylesheet=/x.css?a&b", "--html-cgi"]],
  ])("crm_mon --output-as=html %j has Debian's elements and classes", async (flags) => {
  const argv = ["crm_mon", "--output-as=html", ...flags];
  for (const name of cases) {
    const env = { CIB_file: path.join(folder, name), TZ: "UTC" };
    writeFileSync(env.CIB_file, readReferenceCase(name));
    const ours = withoutOurs((await runHere(argv, env)).output, flags.includes("--include=all"));
    expect([name, ...elements(ours)]).toEqual([name, ...elements(runTheirs(argv, env).output)]);
  }
});
