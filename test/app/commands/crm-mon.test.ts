/** What crm_mon says where it can show nothing: to people, to Nagios, to programs that read XML; and of its page. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseXml, printXml } from "../../../src/base/xml.ts";
import { sourceCib } from "../../cluster/monitor/source-cib.ts";
import { runHere } from "../../support/run-here.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-mon-"));
afterAll(() => rmSync(folder, { recursive: true }));
const NOBODY = { GEMEL_RUN: path.join(folder, "nowhere") };

test("where nobody serves: 102 for scripts, CRITICAL on standard output for Nagios", async () => {
  const shown = await runHere(["crm_mon", "-1"], NOBODY);
  expect([shown.code, shown.output]).toEqual([102, ""]);
  expect(shown.errors).toContain("no manager answers");
  const nagios = await runHere(["crm_mon", "-s"], NOBODY);
  expect(nagios.code).toBe(2);
  expect(nagios.output).toMatch(/^CLUSTER CRIT: no manager answers/);
});

test.each([
  ["is not there", "none.xml", undefined, 105, "ENOENT"],
  ["is no XML", "text", "root:x:0:0", 78, "line 1"],
  ["is no CIB", "page", "<html/>", 78, "<html> is no <cib>"],
])(
  "a file that %s: the code of the other tools, and the reason in every form",
  async (_name, name, text, code, why) => {
    const file = path.join(folder, name);
    if (text !== undefined) writeFileSync(file, text);
    const shown = await runHere(["crm_mon", "-1"], { CIB_file: file });
    expect([shown.code, shown.output]).toEqual([code, ""]);
    expect(shown.errors).toContain(why);
    const nagios = await runHere(["crm_mon", "-s"], { CIB_file: file });
    expect([nagios.code, nagios.output.slice(0, 14)]).toEqual([2, "CLUSTER CRIT: "]);
    const { output } = await runHere(["crm_mon", "--output-as=xml"], { CIB_file: file });
    expect(output).toContain(`<status code="${code}"`);
  },
);

test.each([
  ["where nobody serves", [], "102", "Not connected", "no manager answers"],
  [
    "after a wrong call",
    ["--include=nonsense"],
    "64",
    "Incorrect usage",
    "--include nonsense: there is no such section",
  ],
])("XML %s has the code and the reason", async (_name, more, code, message, reason) => {
  const told = await runHere(["crm_mon", "--output-as=xml", ...more], NOBODY);
  expect(told.code).toBe(Number(code));
  const read = parseXml(told.output);
  if (read.kind === "not-xml") throw new Error(read.reason);
  const [status] = read.root.children;
  expect(status?.attributes).toEqual({ code, message });
  expect(JSON.stringify(status)).toContain(reason);
});

test("a level of the fencing history that there is not, and sections without a name, are wrong calls", async () => {
  const level = await runHere(["crm_mon", "-1", "-m", "9"], NOBODY);
  expect([level.code, level.errors.split("\n")[0]]).toEqual([
    64,
    "crm_mon: -m 9: the history of fencing has the levels 0 to 3",
  ]);
  expect((await runHere(["crm_mon", "-1", "--include"], NOBODY)).errors).toContain("--include wants sections");
});

test("the page takes a title and a stylesheet, and nothing gets out of them", async () => {
  const file = path.join(folder, "cib.xml");
  writeFileSync(file, printXml(sourceCib({ node01: "stopped" })));
  const argv = ["crm_mon", "-1", "--output-as=html", "--html-title=A<b>", '--html-stylesheet=/x.css"><script>'];
  const { output } = await runHere(argv, { CIB_file: file });
  expect(output).toContain("<title>A&lt;b&gt;</title>");
  expect(output).toContain('<link rel="stylesheet" href="/x.css&quot;&gt;&lt;script&gt;">');
});

test("a word that is no option is refused, not passed over: the live view would begin without it", async () => {
  for (const line of [["xml"], ["-1", "xml"], ["-1", "-n", "node01"]]) {
    const told = await runHere(["crm_mon", ...line], NOBODY);
    expect([told.code, told.errors.split("\n")[0]]).toEqual([64, `crm_mon: "${line.at(-1)}" is not expected here`]);
  }
});
