/** Times without a zone: `TZ` counts for them as it does for crm_simulate, which is asked where it is installed. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseXml } from "../../src/base/xml.ts";
import { schedule } from "../../src/cluster/core/scheduler/schedule.ts";
import { runHere, runTheirs } from "../support/run-here.ts";
import { isPeerInstalled } from "../support/scheduler-peer.ts";

/** 07:13:20 of the 15th in Tokyo. */
const NOW = "2023-11-14 22:13:20Z";
const NOW_WALL_MS = 1_700_000_000_000;
const MEMBER = 'in_ccm="true" crmd="online" join="member" expected="member"';
const TOKYO_SECONDS = 9 * 3600;

const cib = (date: string) => `<cib validate-with="pacemaker-3.8" epoch="1" num_updates="0" admin_epoch="0"
  have-quorum="1"><configuration><crm_config><cluster_property_set id="o"><nvpair id="o-1" name="stonith-enabled"
  value="false"/></cluster_property_set></crm_config>
  <nodes><node id="1" uname="alpha"/><node id="2" uname="bravo"/></nodes>
  <resources><primitive id="a" class="ocf" provider="pacemaker" type="Dummy"/></resources>
  <constraints>
  <rsc_location id="l" rsc="a"><rule id="r" score="100" boolean-op="and"><expression id="e" attribute="#uname"
  operation="eq" value="bravo"/>${date}</rule></rsc_location></constraints></configuration><status>
  <node_state id="1" uname="alpha" ${MEMBER}/><node_state id="2" uname="bravo" ${MEMBER}/></status></cib>`;

const AFTER_SEVEN = '<date_expression id="d" operation="gt" start="2023-11-15 07:00:00"/>';
const AFTER_SEVEN_UTC = '<date_expression id="d" operation="gt" start="2023-11-15 07:00:00Z"/>';
const FROM_THE_DAY = '<date_expression id="d" operation="gt" start="2023-11-15"/>';
const SEVENTH_HOUR = '<date_expression id="d" operation="date_spec"><date_spec id="s" hours="7"/></date_expression>';

const work = mkdtempSync(path.join(os.tmpdir(), "gemel-zone-"));
afterAll(() => rmSync(work, { recursive: true }));

function nodeOf(report: string): string | undefined {
  return /\* Start +a +\( (\w+) \)/.exec(report)?.[1];
}

const hasPeer = isPeerInstalled();

test.each([
  ["Asia/Tokyo", AFTER_SEVEN, NOW, "bravo"],
  ["UTC", AFTER_SEVEN, NOW, "alpha"],
  ["UTC", AFTER_SEVEN, "2023-11-15 07:13:20", "bravo"],
  ["Asia/Tokyo", AFTER_SEVEN, "2023-11-15 07:13:20", "bravo"],
  ["Asia/Tokyo", AFTER_SEVEN_UTC, NOW, "alpha"],
  ["Asia/Tokyo", FROM_THE_DAY, NOW, "alpha"],
  ["Asia/Tokyo", SEVENTH_HOUR, "2023-11-15 07:13:20", "bravo"],
  ["America/New_York", SEVENTH_HOUR, "2023-11-14 17:13:20", "alpha"],
])("in %s %s at %s leads to %s", async (zone, date, now, node) => {
  const file = path.join(work, "cib.xml");
  writeFileSync(file, cib(date));
  const argv = ["-x", file, "-S", "-t", now];
  const env = { LC_ALL: "C", CIB_shadow_dir: work, TZ: zone };
  expect(nodeOf((await runHere(["simulate", ...argv], env)).output)).toBe(node);
  if (hasPeer) expect(nodeOf(runTheirs(["crm_simulate", ...argv], env).output), "crm_simulate").toBe(node);
});

test("the zone is an input of the scheduler, which knows none of its own", () => {
  const read = parseXml(cib(SEVENTH_HOUR));
  if (read.kind === "not-xml") throw new Error(read.reason);
  const nodeWith = (zoneSeconds: number | undefined) =>
    schedule(read.root, NOW_WALL_MS, zoneSeconds === undefined ? {} : { zoneSeconds }).resources.find(
      ({ id }) => id === "a",
    )?.nextNode;
  expect([undefined, 0, TOKYO_SECONDS].map(nodeWith)).toEqual(["alpha", "alpha", "bravo"]);
});
