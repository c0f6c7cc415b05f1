/**
 * The commands that change a CIB, beside Debian's on the scheduler's reference CIBs as files: exit code, and what the
 * file holds afterwards. Also crm_verify: which CIBs are refused. `GEMEL_ALL_CASES=1` takes all 596. Moves and bans are
 * not here: ours end (docs/operations/overrides.md), so that they write a rule with a date.
 */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, describe, expect, test } from "vitest";
import { parseXml, printXml, xml } from "../../../src/base/xml.ts";
import { readReferenceCase, referenceCases } from "../../support/reference-cases.ts";
import { hasFieldTools, runHere, runTheirs } from "../../support/run-here.ts";
import { skips } from "../../support/skip.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "cmd-changes-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Every so manieth case, each call from another one on. */
const STRIDE = process.env["GEMEL_ALL_CASES"] === "1" ? 1 : Number(process.env["GEMEL_STRIDE"] ?? 120);

const DUMMY = '<primitive id="brand-new" class="ocf" provider="heartbeat" type="Dummy"/>';
/** NODE, TOP, PRIMITIVE, PAIR, OP and RULE stand for what a case has: names and ids. */
const CALLS: readonly (readonly string[])[] = [
  ["cibadmin", "-C", "-o", "resources", "-X", DUMMY],
  ["cibadmin", "-C", "-o", "resources", "-X", '<primitive id="PRIMITIVE" class="lsb" type="x"/>'],
  ["cibadmin", "-M", "-o", "resources", "-X", '<primitive id="PRIMITIVE" description="seen"/>'],
  ["cibadmin", "-M", "-c", "-o", "resources", "-X", DUMMY],
  ["cibadmin", "-M", "-o", "crm_config", "-X", '<nvpair id="PAIR" value="1"/>'],
  ["cibadmin", "-M", "-A", '//primitive[@id="PRIMITIVE"]', "-X", '<primitive id="PRIMITIVE" description="seen"/>'],
  ["cibadmin", "-R", "-o", "resources", "-X", '<primitive id="PRIMITIVE" class="lsb" type="x"/>'],
  ["cibadmin", "-R", "-o", "constraints", "-X", "<constraints/>"],
  ["cibadmin", "-D", "-X", '<nvpair id="PAIR"/>'],
  ["cibadmin", "-D", "-A", '//nvpair[@id="PAIR"]'],
  ["cibadmin", "-D", "-A", "//op"],
  ["cibadmin", "-d", "-f", "-A", "//op"],
  ["cibadmin", "-d", "-f", "-A", "//constraints/*"],
  ["cibadmin", "-D", "-o", "resources", "-X", '<primitive id="PRIMITIVE"/>'],
  ["cibadmin", "-u", "-f"],
  ["crm_attribute", "-n", "batch-limit", "-v", "7"],
  ["crm_attribute", "-N", "NODE", "-n", "color", "-v", "red"],
  ["crm_standby", "-N", "NODE", "-v", "on"],
  ["crm_failcount", "-G", "-r", "PRIMITIVE", "-N", "NODE"],
  ["crm_resource", "-r", "TOP", "-m", "-p", "target-role", "-v", "Stopped"],
  ["crm_resource", "-r", "PRIMITIVE", "-p", "color", "-v", "red"],
  ["crm_resource", "-r", "TOP", "-m", "-d", "target-role"],
  ["crm_resource", "-r", "TOP", "--clear"],
  ["crm_ticket", "-t", "site", "-g", "-f"],
  ["crm_ticket", "-t", "site", "-s"],
  ["crm_rule", "-c", "-r", "RULE", "-d", "2026-11-21 12:00:00Z"],
  ["crm_verify", "-x", "FILE"],
];

function wordsFor(argv: readonly string[], cib: string, file: string): readonly string[] | undefined {
  const values: Readonly<Record<string, string | undefined>> = {
    NODE: /<node [^>]*uname="([^"]*)"/.exec(cib)?.[1],
    TOP: /<(?:primitive|group|clone|master|bundle)\s[^>]*?\bid="([^"]*)"/.exec(cib)?.[1],
    PRIMITIVE: [...cib.matchAll(/<primitive\s[^>]*?\bid="([^"]*)"/g)].at(-1)?.[1],
    PAIR: [...cib.matchAll(/<nvpair\s[^>]*?\bid="([^"]*)"/g)].at(0)?.[1],
    RULE: [...cib.matchAll(/<rule\s[^>]*?\bid="([^"]*)"/g)].at(-1)?.[1],
    FILE: file,
  };
  const filled = argv.map((word) =>
    word.replaceAll(/\b(NODE|TOP|PRIMITIVE|PAIR|RULE|FILE)\b/g, (name) => values[name] ?? "\0"),
  );
  return filled.some((word) => word.includes("\0")) ? undefined : filled;
}

/** Without the version, who wrote it and when, and without our leases beside overrides. */
function content(text: string): string {
  const read = parseXml(text);
  if (read.kind === "not-xml") return text;
  const { "validate-with": schema = "" } = read.root.attributes;
  return printXml(xml("cib", { "validate-with": schema }, read.root.children))
    .replaceAll(/last-granted="\d{10}"/g, "last-granted")
    .replaceAll(/ *<cluster_property_set id="gemel-leases">[\s\S]*?<\/cluster_property_set>\n/g, "");
}
/** `GEMEL_DIFFERENCES=FILE` tells there what differs. */
function note(text: string): void {
  const file = process.env["GEMEL_DIFFERENCES"];
  if (file !== undefined) appendFileSync(file, text);
}
const told = ({ output, errors }: { readonly output: string; readonly errors: string }) =>
  `  ${`${output}${errors}`.slice(0, 200).replaceAll("\n", " / ")}`;
function differing(theirs: string, ours: string): string {
  const [left, right] = [theirs.split("\n"), ours.split("\n")];
  const only = (lines: readonly string[], others: readonly string[]) => lines.filter((line) => !others.includes(line));
  const marked = (mark: string, lines: readonly string[]) =>
    lines.slice(0, 4).map((line) => `    ${mark} ${line.trim()}`);
  return [...marked("-", only(left, right)), ...marked("+", only(right, left))].join("\n");
}

/**
 * What is left: crm_verify of Debian's ends with 78 for warnings of its scheduler, too; and an option of a resource
 * goes to a set of its own there, where we use the one that the resource has.
 */
const FLOOR = 0.8;

/** "Protocol not supported". */
const UNSUPPORTED = 76;

const chosen = hasFieldTools() ? referenceCases() : [];

describe.skipIf(skips(chosen.length === 0, "there are no reference cases, or Debian's tools are not installed"))(
  "what is changed, as Debian's tools change it",
  () => {
    test.each(CALLS.map((call) => [call.join(" "), call] as const))("%s", { timeout: 1_200_000 }, async (_, call) => {
      const first = CALLS.indexOf(call) % STRIDE;
      const different: string[] = [];
      let compared = 0;
      for (const name of chosen.filter((_each, index) => index % STRIDE === first)) {
        const cib = readReferenceCase(name);
        const play = async (run: typeof runHere | typeof runTheirs) => {
          const file = path.join(folder, "cib.xml");
          writeFileSync(file, cib);
          const words = wordsFor(call, cib, file);
          if (words === undefined) return undefined;
          const { code, output, errors } = await run(words, { CIB_file: file, TZ: "UTC" });
          return { code, text: content(readFileSync(file, "utf8")), output, errors };
        };
        const theirs = await play(runTheirs);
        const ours = await play(runHere);
        // Feature sets that Debian's does not know it refuses to change.
        if (theirs === undefined || ours === undefined || theirs.code === UNSUPPORTED) continue;
        // What would leave a cluster that can start nothing is refused here, on purpose.
        if (ours.errors.includes("no resource may start")) continue;
        compared += 1;
        if (theirs.code === ours.code && theirs.text === ours.text) continue;
        different.push(name);
        note(`${call.join(" ")} | ${name} | ${theirs.code} ${ours.code}\n${told(theirs)}\n${told(ours)}\n`);
        note(`${differing(theirs.text, ours.text)}\n`);
      }
      note(`== ${call.join(" ")}: ${different.length} of ${compared}\n`);
      expect(1 - different.length / compared, different.join(" ")).toBeGreaterThanOrEqual(FLOOR);
    });
  },
);
