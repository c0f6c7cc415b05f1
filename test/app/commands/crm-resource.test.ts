/**
 * crm_resource past the cluster and on why, beside Debian's on the same CIB: agents run by hand and asked to judge
 * parameters, constraints with all that hangs on them, digests. And what ours refuses that Debian's does: a second
 * holder started by hand.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createProgress } from "../../../src/app/progress.ts";
import { hasFieldTools, runHere, runTheirs } from "../../support/run-here.ts";
import { skips } from "../../support/skip.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "cmd-resource-"));
afterAll(() => rmSync(folder, { recursive: true }));

const dummy = (id: string, inner = "") =>
  `<primitive id="${id}" class="ocf" provider="pacemaker" type="Dummy">${inner}</primitive>`;
const state = `<instance_attributes id="a-i">
  <nvpair id="a-i-s" name="state" value="${folder}/a.state"/></instance_attributes>`;
const started = (node: string) => `<lrm id="${node}"><lrm_resources>
  <lrm_resource id="r" class="ocf" provider="pacemaker" type="Dummy"><lrm_rsc_op id="r_last_0" operation_key="r_start_0"
   operation="start" crm_feature_set="3.16.1" transition-key="1:1:0:x" transition-magic="0:0;1:1:0:x" call-id="5"
   rc-code="0" op-status="0" interval="0" last-rc-change="1700000000" exec-time="5" op-digest="a" on_node="n${node}"/>
  </lrm_resource></lrm_resources></lrm>`;
const member = 'in_ccm="true" crmd="online" join="member" expected="member"';
const nodeState = (id: string, inner = "") => `<node_state id="${id}" uname="n${id}" ${member}>${inner}</node_state>`;
const CIB = `<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="5" num_updates="3" admin_epoch="1">
<configuration><crm_config><cluster_property_set id="o"><nvpair id="o-s" name="stonith-enabled" value="false"/>
</cluster_property_set></crm_config><nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes><resources>
${dummy("a", state)}${dummy("r")}<group id="g">${dummy("b")}${dummy("c")}</group>
<clone id="cl"><meta_attributes id="clm"><nvpair id="clmp" name="promotable" value="true"/></meta_attributes>
<primitive id="d" class="ocf" provider="pacemaker" type="Stateful"/></clone></resources><constraints>
<rsc_location id="l1" rsc="a" node="n1" score="100"/><rsc_location id="l2" rsc="g" node="n2" score="-INFINITY"/>
<rsc_colocation id="c1" rsc="a" with-rsc="g" score="INFINITY"/>
<rsc_colocation id="c2" rsc="g" with-rsc="cl" with-rsc-role="Master" score="50"/></constraints></configuration>
<status>${nodeState("1", started("1"))}${nodeState("2")}</status></cib>
`;
const file = path.join(folder, "cib.xml");
writeFileSync(file, CIB);
const env = { CIB_file: file, TZ: "UTC" };

const IPADDR2 = ["--validate", "--class", "ocf", "--provider", "heartbeat", "--agent", "IPaddr2"];
const CALLS: readonly (readonly string[])[] = [
  ...["a", "g", "b"].flatMap((id) => [
    ["-a", "-r", id],
    ["-A", "-r", id],
  ]),
  ["-A", "-r", "d"],
  ["--digests", "-r", "a", "-N", "n1"],
  ["--digests", "-r", "a", "-N", "n1", "state=/elsewhere"],
  ["--force-check", "-r", "a"],
  ["--force-start", "-r", "a"],
  ["--force-stop", "-r", "a"],
  ["--force-check=10", "-r", "a"],
  ["--force-stop", "-r", "g"],
  ["--validate", "-r", "a"],
  ["--validate", "--class", "ocf", "--provider", "heartbeat", "--agent", "Dummy", "--option", "fake=1"],
  [...IPADDR2, "--option", "ip=300.1.1.1"],
  ["--list-agents", "ocf:pacemaker"],
  ["--list-agents", "lsb"],
  ["--list-ocf-providers"],
  ["--list-ocf-alternatives", "Dummy"],
  ["--show-metadata", "ocf:heartbeat:None"],
];

describe.skipIf(skips(!hasFieldTools(), "Debian's tools, the judges, are not installed"))("as Debian's", () => {
  test.each(CALLS.map((argv) => [argv.join(" "), argv] as const))("crm_resource %s", async (_name, argv) => {
    const theirs = runTheirs(["crm_resource", ...argv], env);
    const ours = await runHere(["crm_resource", ...argv], env);
    const lines = (text: string) => text.split("\n").filter((line) => !/^(?:\w{3} +\d+ |ocf-exit-reason|$)/.test(line));
    expect(lines(ours.output)).toEqual(lines(theirs.output));
    expect(ours.code).toBe(theirs.code);
  });

  test("--why says whether in Debian's words, and below them why", async () => {
    const theirs = runTheirs(["crm_resource", "-Y"], env).output.trim().split("\n");
    const ours = (await runHere(["crm_resource", "-Y"], env)).output.trim().split("\n");
    expect(ours.filter((line) => !line.startsWith("  "))).toEqual(theirs);
    expect(ours).toContain("  * l2 keeps it from n2");
  });
});

test("what runs elsewhere is not started by hand, unless it is forced", async () => {
  const refused = await runHere(["crm_resource", "--force-start", "-r", "r"], env);
  expect([refused.code, refused.errors]).toEqual([107, expect.stringContaining("it runs on n1: two would hold it")]);
});

test("what runs in a file is not stopped there for a start that nobody would give it", async () => {
  const refused = await runHere(["crm_resource", "--restart", "-r", "r"], env);
  expect([refused.code, refused.errors]).toEqual([1, expect.stringContaining("unset CIB_file")]);
  expect(readFileSync(file, "utf8")).toBe(CIB);
});

test("what takes longer than two seconds is told, once for each word and again after a while", () => {
  let nowMs = 0;
  const told: string[] = [];
  const progress = createProgress(
    "crm",
    () => nowMs,
    (line) => told.push(line),
  );
  for (const [atMs, text] of [
    [500, "a"],
    [1_900, "a"],
    [2_500, "a"],
    [3_000, "a"],
    [3_500, "b"],
    [14_000, "b"],
  ] as const) {
    nowMs = atMs;
    progress(text);
  }
  expect(told).toEqual(["crm: 3 s: a\n", "crm: 4 s: b\n", "crm: 14 s: b\n"]);
});
