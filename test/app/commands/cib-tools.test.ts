/**
 * cibadmin, crm_diff, crm_ticket, crm_rule, crm_error and iso8601 beside Debian's, on the same CIB files: exit code,
 * what is told, and what the file holds afterwards. What is refused has changed nothing.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { childOf, parseXml, printXml, type XmlElement, xml } from "../../../src/base/xml.ts";
import { diskDigest, versionedDigest } from "../../../src/cluster/core/cib-store/cib-digest.ts";
import { applyPatch, makePatch } from "../../../src/cluster/core/cib-store/patch-set.ts";
import { hasFieldTools, type Ran, runHere, runTheirs } from "../../support/run-here.ts";
import { skips } from "../../support/skip.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "cmd-cib-tools-"));
afterAll(() => rmSync(folder, { recursive: true }));

const BASE = `<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="5" num_updates="3" admin_epoch="1">
  <configuration>
    <crm_config><cluster_property_set id="o">
      <nvpair id="o-s" name="stonith-enabled" value="false"/><nvpair id="o-q" name="no-quorum-policy" value="ignore"/>
    </cluster_property_set></crm_config>
    <nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>
    <resources>
      <primitive id="a" class="ocf" provider="heartbeat" type="Dummy">
        <meta_attributes id="a-m"><nvpair id="a-m-t" name="target-role" value="Started"/></meta_attributes>
        <operations><op id="a-mon" name="monitor" interval="10s"/></operations>
      </primitive>
      <primitive id="b" class="ocf" provider="heartbeat" type="Dummy"/>
      <group id="g"><primitive id="c" class="ocf" provider="heartbeat" type="Dummy"/></group>
    </resources>
    <constraints>
      <rsc_location id="l1" rsc="a" node="n1" score="100"/>
      <rsc_ticket id="rt" rsc="a" ticket="T1" loss-policy="stop"/>
      <rsc_location id="l2" rsc="a"><rule id="r1" score="1">
        <date_expression id="d1" operation="gt" start="2020-01-01"/></rule></rsc_location>
      <rsc_location id="l3" rsc="a"><rule id="r2" score="1">
        <date_expression id="d2" operation="lt" end="2020-01-01"/></rule></rsc_location>
      <rsc_location id="l4" rsc="a"><rule id="r3" score="1">
        <date_expression id="d3" operation="in_range" start="2040-01-01" end="2041-01-01"/></rule></rsc_location>
      <rsc_location id="l5" rsc="a"><rule id="r4" score="1">
        <expression id="d4" attribute="x" operation="defined"/></rule></rsc_location>
      <rsc_location id="l6" rsc="a"><rule id="r5" score="1"><date_expression id="d5" operation="date_spec">
        <date_spec id="s5" hours="9-16"/></date_expression></rule></rsc_location>
      <rsc_location id="l7" rsc="a"><rule id="r6" score="1"><date_expression id="d6" operation="date_spec">
        <date_spec id="s6" years="2019"/></date_expression></rule></rsc_location>
    </constraints>
  </configuration>
  <status>
    <node_state id="1" uname="n1" crm-debug-origin="x" in_ccm="true" crmd="online" join="member"/>
    <tickets><ticket_state id="T1" granted="true" last-granted="1700000000" foo="bar"/></tickets>
  </status>
</cib>
`;
const DUMMY = (id: string, provider = "heartbeat") =>
  `<primitive id="${id}" class="ocf" provider="${provider}" type="Dummy"/>`;

function treeOf(text: string): XmlElement {
  const read = parseXml(text);
  if (read.kind === "not-xml") throw new Error(read.reason);
  return read.root;
}

/** A file with the base, and what is in it after the run. */
async function onFile(
  name: string,
  run: (env: Readonly<Record<string, string>>) => Ran | Promise<Ran>,
): Promise<Ran & { readonly cib: XmlElement; readonly isUntouched: boolean }> {
  const file = path.join(folder, `${name}.xml`);
  writeFileSync(file, BASE);
  const ran = await run({ CIB_file: file, TZ: "UTC" });
  const after = readFileSync(file, "utf8");
  return { ...ran, cib: treeOf(after), isUntouched: after === BASE };
}

const both = async (argv: readonly string[]) => ({
  theirs: await onFile("theirs", (env) => runTheirs(argv, env)),
  ours: await onFile("ours", (env) => runHere(argv, env)),
});

/** Without who wrote it, when, and how many small changes there were. */
function content(cib: XmlElement): string {
  const { admin_epoch = "" } = cib.attributes;
  return printXml(xml("cib", { admin_epoch }, cib.children)).replaceAll(/last-granted="\d{10}"/g, "last-granted");
}

const hasTools = hasFieldTools();
const beside = describe.skipIf(skips(!hasTools, "Debian's tools, the judges, are not installed"));

const CHANGES: readonly (readonly string[])[] = [
  ["cibadmin", "-B"],
  ["cibadmin", "-E", "-f"],
  ["cibadmin", "-C", "-o", "resources", "-X", DUMMY("z")],
  ["cibadmin", "-C", "-o", "resources", "-X", DUMMY("a")],
  ["cibadmin", "-C", "-X", DUMMY("z")],
  ["cibadmin", "-C", "-o", "constraints", "-X", '<rsc_location id="n" rsc="c" node="n2" score="5"/>'],
  ["cibadmin", "-M", "-X", '<primitive id="a" description="x"/>'],
  ["cibadmin", "-M", "-o", "resources", "-X", '<primitive id="a" description="x"/>'],
  ["cibadmin", "-M", "-o", "resources", "-X", DUMMY("zz")],
  ["cibadmin", "-M", "-c", "-o", "resources", "-X", DUMMY("zz")],
  ["cibadmin", "-M", "-X", '<nvpair id="o-q" value="stop"/>'],
  ["cibadmin", "-M", "-o", "crm_config", "-X", '<nvpair id="o-q" value="stop"/>'],
  ["cibadmin", "-M", "-X", '<cib admin_epoch="admin_epoch++"/>'],
  [
    ...["cibadmin", "-M", "-o", "crm_config", "-X"],
    '<cluster_property_set id="o"><nvpair id="new" name="batch-limit" value="4"/></cluster_property_set>',
  ],
  ["cibadmin", "-M", "-A", '//primitive[@id="a"]', "-X", '<primitive id="a" description="q"/>'],
  ["cibadmin", "-R", "-o", "resources", "-X", DUMMY("a", "pacemaker")],
  ["cibadmin", "-R", "-X", DUMMY("a", "pacemaker")],
  ["cibadmin", "-R", "-o", "resources", "-X", DUMMY("none")],
  ["cibadmin", "-R", "-o", "constraints", "-X", "<constraints/>"],
  ["cibadmin", "-R", "-X", "<constraints/>"],
  ["cibadmin", "-D", "-X", '<primitive id="b"/>'],
  ["cibadmin", "-D", "-X", '<primitive id="b" type="Other"/>'],
  ["cibadmin", "-D", "-X", '<op name="monitor"/>'],
  ["cibadmin", "-D", "-X", '<op id="a-mon" name="monitor"/>'],
  ["cibadmin", "-D", "-A", '//nvpair[@name="target-role"]'],
  ["cibadmin", "-D", "-A", "//nothing"],
  ["cibadmin", "-D", "-A", "//primitive"],
  ["cibadmin", "-D", "-o", "constraints", "-X", '<rsc_location id="l1"/>'],
  ["cibadmin", "-d", "-f", "-A", "//rsc_location"],
  ["cibadmin", "-d", "-A", "//nvpair"],
  ["cibadmin", "-E"],
  ["cibadmin", "-u"],
  ["crm_ticket", "-g", "-t", "T1", "-f"],
  ["crm_ticket", "-g", "-t", "T2"],
  ["crm_ticket", "-g", "-t", "T2", "-f"],
  ["crm_ticket", "-r", "-t", "T1"],
  ["crm_ticket", "-r", "-t", "T1", "-f"],
  ["crm_ticket", "-s", "-t", "T1"],
  ["crm_ticket", "-a", "-t", "T1"],
  ["crm_ticket", "-s", "-t", "T9"],
  ["crm_ticket", "-S", "standby", "-v", "true", "-t", "T1"],
  ["crm_ticket", "-S", "granted", "-v", "true", "-t", "T2"],
  ["crm_ticket", "-D", "foo", "-t", "T1"],
  ["crm_ticket", "-D", "granted", "-t", "T1"],
  ["crm_ticket", "-C", "-t", "T1"],
  ["crm_ticket", "-C", "-t", "T9"],
  ["crm_ticket", "-C", "-t", "T1", "-f"],
];

beside("a change leaves the same CIB, and the same exit code, as Debian's", () => {
  test.each(CHANGES.map((argv) => [argv.join(" "), argv] as const))("%s", async (_name, argv) => {
    const { theirs, ours } = await both(argv);
    expect([ours.code, ours.errors]).toEqual([theirs.code, expect.anything()]);
    expect(content(ours.cib)).toBe(content(theirs.cib));
    if (ours.code !== 0) expect(ours.isUntouched).toBe(true);
  });
});

const QUERIES: readonly (readonly string[])[] = [
  ["cibadmin", "-Q", "-A", "//nvpair"],
  ["cibadmin", "-Q", "-A", "//nvpair", "-e"],
  ["cibadmin", "-Q", "-A", '//nvpair[@id="a-m-t"]'],
  ["cibadmin", "-Q", "-A", "//none"],
  ["cibadmin", "-Q", "-o", "resources", "-n"],
  ["cibadmin", "-Q", "-o", "status"],
  ["cibadmin", "-Q", "-n"],
  ["cibadmin", "-Q"],
  ["cibadmin", "-a"],
  ["cibadmin", "-5", "-X", BASE],
  ["cibadmin", "-6", "-X", BASE],
  ["cibadmin", "-5", "-X", `<a b="&lt;x&quot;&amp;y'&gt;"/>`],
  ["crm_ticket", "-l"],
  ["crm_ticket", "-L"],
  ["crm_ticket", "-w"],
  ["crm_ticket", "-q"],
  ["crm_ticket", "-q", "-t", "T1"],
  ["crm_ticket", "-c", "-t", "T1"],
  ["crm_ticket", "-l", "-t", "no"],
  ["crm_ticket", "-G", "granted", "-t", "T1"],
  ["crm_ticket", "-G", "nope", "-t", "T1"],
  ["crm_ticket", "-G", "nope", "-t", "T1", "-d", "7"],
  ...["r1", "r2", "r3", "r4", "r5", "r6", "none"].map((rule) => ["crm_rule", "-c", "-r", rule]),
  ["crm_rule", "-c", "-r", "r1", "-d", "2019-05-05"],
  ["crm_rule", "-c", "-r", "r2", "-d", "2019-05-05"],
  ["crm_error", "-X", "-l"],
  ["crm_error", "-X", "-l", "-n"],
  ["crm_error", "-X", "105", "999"],
  ["crm_error", "--", "-22", "206", "22"],
  ["crm_error", "-r", "-n", "--", "-1032", "-1001"],
  ...[
    "2019-09-24",
    "2019-040",
    "2019-W05-3",
    "2019-09-24 00:30:00 +01:00",
    "20190924T102030",
    "2019-09-24T24:00:00Z",
  ].map((date) => ["iso8601", "-d", date]),
  ...["bogus", "2019-02-30", "2019-09-24T25:00:00Z", "2019"].map((date) => ["iso8601", "-d", date]),
  ...["-s", "-S", "-O", "-W", "-L"].map((flag) => ["iso8601", "-d", "2021-01-01T10:20:30Z", flag]),
  ...["P1M", "P1Y2M3DT4H5M6S", "P2W", "PT100H", "P0D", "PT1M", "P1DT1S", "bogus", "PT1.5H"].map((span) => [
    "iso8601",
    "-D",
    span,
  ]),
  ...["2005-040/2005-043", "2005-040/P1M", "P1M/2005-040", "bogus"].map((span) => ["iso8601", "-p", span]),
  ["iso8601", "-d", "2019-09-24T10:20:30Z", "-E", "2019-09-24 10:20:30Z"],
  ["iso8601", "-d", "2019-09-24T10:20:30Z", "-E", "x"],
  ["iso8601", "-d", "2019-09-24T10:20:00Z", "-D", "P1M"],
];

/** Blanks at the end of lines and twice between words, and the form of empty lines. */
const words = (text: string) =>
  text
    .replaceAll(/[ \t]+/g, " ")
    .replaceAll(/\s*\n\s*/g, "\n")
    .trim();

beside("a question is answered as by Debian's", () => {
  test.each(QUERIES.map((argv) => [argv.join(" ").slice(0, 80), argv] as const))("%s", async (_name, argv) => {
    const { theirs, ours } = await both(argv);
    expect(words(ours.output)).toBe(words(theirs.output));
    expect(ours.code).toBe(theirs.code);
    expect(ours.isUntouched).toBe(true);
  });
});

const changed = () => {
  const cib = treeOf(
    BASE.replace(DUMMY("b"), "").replace('score="100"', 'score="7" foo="1"').replace('epoch="5"', 'epoch="9"'),
  );
  const resources = childOf(childOf(cib, "configuration"), "resources") ?? xml("none");
  const moved = { ...resources, children: [treeOf(DUMMY("new")), ...resources.children.toReversed()] };
  const configuration = childOf(cib, "configuration") ?? xml("none");
  const sections = configuration.children.map((one) => (one.name === "resources" ? moved : one));
  return { ...cib, children: [{ ...configuration, children: sections }, ...cib.children.slice(1)] };
};

describe("patches", () => {
  test("what was made is applied, whatever was moved, deleted and created", () => {
    const [before, after] = [treeOf(BASE), changed()];
    const patch = makePatch(before, after);
    const applied = patch === undefined ? undefined : applyPatch(before, patch);
    expect(applied?.kind === "patched" ? printXml(applied.root) : applied).toBe(printXml(after));
    expect(makePatch(after, after)).toBeUndefined();
    const twice = patch === undefined ? undefined : applyPatch(after, patch);
    expect(twice?.kind).toBe("stale");
  });

  test.skipIf(!hasTools)("ours is applied by Debian's, and theirs by ours, to the same CIB", async () => {
    const [left, right, patch] = ["left", "right", "patch"].map((name) => path.join(folder, `${name}.xml`));
    if (left === undefined || right === undefined || patch === undefined) throw new Error("no names");
    writeFileSync(left, BASE);
    writeFileSync(right, printXml(changed()));
    const made = await runHere(["crm_diff", "-o", left, "-n", right]);
    const theirs = runTheirs(["crm_diff", "-o", left, "-n", right]);
    expect([made.code, theirs.code]).toEqual([1, 1]);
    writeFileSync(patch, made.output);
    expect(content(treeOf(runTheirs(["crm_diff", "-o", left, "-p", patch]).output))).toBe(content(changed()));
    writeFileSync(patch, theirs.output);
    expect(content(treeOf((await runHere(["crm_diff", "-o", left, "-p", patch])).output))).toBe(content(changed()));
    const digests = runTheirs(["crm_diff", "-c", "-o", left, "-n", right]).output;
    expect(digests).toContain(versionedDigest(changed()));
  });

  test.skipIf(!hasTools)("without a change of places the text is Debian's to the letter", async () => {
    const [left, right] = ["left", "right"].map((name) => path.join(folder, `${name}.xml`));
    if (left === undefined || right === undefined) throw new Error("no names");
    writeFileSync(left, BASE);
    writeFileSync(
      right,
      BASE.replace(DUMMY("b"), "")
        .replace('score="100"', 'score="7"')
        // Who wrote it is a difference: without it, the digest of a patch (-c) would not be met.
        .replace('epoch="5"', 'epoch="9"')
        .replace('admin_epoch="1">', 'admin_epoch="1" update-user="ann">'),
    );
    for (const flag of [[], ["-u"], ["-c"]]) {
      const argv = ["crm_diff", ...flag, "-o", left, "-n", right];
      expect((await runHere(argv)).output.replaceAll("'", "&apos;")).toBe(runTheirs(argv).output);
    }
  });

  test("comments that a patch of the field's carries are passed over", () => {
    const patch = treeOf(`<diff format="2">
      <change operation="delete" path="/cib/configuration/constraints/comment"/>
      <change operation="create" path="/cib/configuration/nodes" position="0"><!-- both --></change>
      <change operation="move" path="/cib/configuration/nodes/comment" position="1"/>
      <change operation="delete" path="/cib/configuration/nodes/node[@id='2']"/></diff>`);
    const patched = applyPatch(treeOf(BASE), patch);
    expect(patched.kind === "patched" ? content(patched.root) : patched).toBe(
      content(treeOf(BASE.replace('<node id="2" uname="n2"/>', ""))),
    );
  });

  test("cibadmin --patch: a patch for another version is refused with 103, one that fits nowhere with 78", async () => {
    const patch = makePatch(treeOf(BASE), changed()) ?? xml("none");
    const first = await onFile("patched", (env) => runHere(["cibadmin", "-P", "-X", printXml(patch)], env));
    expect([first.code, content(first.cib)]).toEqual([0, content(changed())]);
    const stale = printXml(patch).replace('<source admin_epoch="1" epoch="5"', '<source admin_epoch="1" epoch="4"');
    const second = await onFile("stale", (env) => runHere(["cibadmin", "-P", "-X", stale], env));
    expect([second.code, second.isUntouched]).toEqual([103, true]);
    const lost = '<diff format="2"><change operation="delete" path="/cib/configuration/nothing"/></diff>';
    const third = await onFile("lost", (env) => runHere(["cibadmin", "-P", "-X", lost], env));
    expect([third.code, third.isUntouched]).toEqual([78, true]);
  });
});

test("digests do not change with who wrote the CIB", () => {
  const cib = treeOf(BASE);
  const signed = { ...cib, attributes: { ...cib.attributes, "update-user": "root" } };
  expect(versionedDigest(signed)).toBe(versionedDigest(cib));
  expect(diskDigest(signed)).not.toBe(diskDigest(cib));
});

test.each(["1e309", "a b", "]]>", "id"])("no attribute of a ticket can be called %j", async (name) => {
  const set = ["crm-ticket", "-t", "T1", "-S", name, "-v", "1", "--force"];
  const { code, isUntouched } = await onFile("names", (env) => runHere(set, env));
  expect([code === 0, isUntouched]).toEqual([false, true]);
});
