/** The pictures of crm_mon: the layout of the source documents, and Debian's own crm_mon as the judge of the rest. */
import { expect, test } from "vitest";
import { parseXml, printXml, type XmlElement } from "../../../src/base/xml.ts";
import { connectivity } from "../../../src/cluster/core/monitor/attributes.ts";
import { brief } from "../../../src/cluster/core/monitor/brief.ts";
import { monitorHtml } from "../../../src/cluster/core/monitor/html.ts";
import { readableMs } from "../../../src/cluster/core/monitor/operations.ts";
import { DEFAULT_SECTIONS, plainWishes } from "../../../src/cluster/core/monitor/section-choice.ts";
import { monitorText } from "../../../src/cluster/core/monitor/sections.ts";
import { monitorTextOne } from "../../../src/cluster/core/monitor/version-one.ts";
import type { MonitorSource, SectionName } from "../../../src/cluster/core/monitor/wishes.ts";
import { monitorXml } from "../../../src/cluster/core/monitor/xml.ts";
import { readFacts } from "../../../src/cluster/core/scheduler/facts/read-facts.ts";
import { sourceCib } from "./source-cib.ts";

const PLAIN = plainWishes(DEFAULT_SECTIONS);
const withSections = (...names: readonly SectionName[]) => ({
  ...PLAIN,
  sections: new Set([...DEFAULT_SECTIONS, ...names]),
});
const FA = withSections("failcounts", "attributes");

function sourceOf(cib: XmlElement, more: Partial<MonitorSource> = {}): MonitorSource {
  // A fixed clock in UTC: the zone of the machine must not matter here.
  const ctime = (wallMs: number) =>
    `${new Date(wallMs).toUTCString().replace(/^(...), (..) (...) (\d+) (.*) GMT$/, "$1 $3 $2 $5 $4")}`.replace(
      / 0(\d) /,
      "  $1 ",
    );
  const facts = readFacts(cib, 1_800_000_000_000, undefined);
  return {
    facts,
    nowWallMs: 1_322_758_576_000,
    stack: "unknown",
    version: undefined,
    fencing: [],
    unproven: [],
    ctime,
    ...more,
  };
}

test("crm_mon -fA -1 of the source documents, with node01 stopped", () => {
  expect(monitorTextOne(sourceOf(sourceCib({ node01: "stopped" })), FA).split("\n")).toEqual([
    "============",
    "Last updated: Thu Dec  1 16:56:16 2011",
    "Stack: Heartbeat",
    "Current DC: node02 (22222222-2222-2222-2222-222222222222) - partition with quorum",
    "Version: 1.0.11-1554a83db0d3c3e546cfd3aaff6af1184f79ee87",
    "2 Nodes configured, unknown expected votes",
    "1 Resources configured.",
    "============",
    "",
    "Online: [ node02 ]",
    "OFFLINE: [ node01 ]",
    "",
    " p_ip\t(ocf::heartbeat:IPaddr2):\tStarted node02",
    "",
    "Node Attributes:",
    "* Node node02:",
    "    + node01-eth0                       : up",
    "",
    "Migration summary:",
    "* Node node02: ",
  ]);
});

test("crm_mon -1 of the source documents: a mirror, and a group where it leads", () => {
  const agents = { res_ip: "IPaddr2", res_fs_drbd0: "Filesystem", res_httpd: "apache" };
  const primitive = (id: string, provider: string, type: string) =>
    `<primitive id="${id}" class="ocf" provider="${provider}" type="${type}"/>`;
  const ran = (id: string, operation: string, code = 0) =>
    `<lrm_resource id="${id}" class="ocf" provider="heartbeat" type="x"><lrm_rsc_op id="${id}_last_0" call-id="3"
      operation="${operation}" interval="0" rc-code="${code}" op-status="0" transition-key="1:1:0:x"/></lrm_resource>`;
  const node = (name: string, id: string, records: string) =>
    `<node_state id="${id}" uname="${name}" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="${id}">
      <lrm_resources>${records}</lrm_resources></lrm></node_state>`;
  const members = ["res_ip", "res_fs_drbd0", "res_httpd"] as const;
  const [first, second] = ["c0ffee", "fd18b1e7-7892-408a-977e-ff5f60eb382f"];
  const read = parseXml(`<cib have-quorum="1" dc-uuid="${second}"><configuration>
    <crm_config><cluster_property_set id="o"><nvpair id="v" name="dc-version" value="1.0.10-da7075"/>
    <nvpair id="s" name="cluster-infrastructure" value="Heartbeat"/></cluster_property_set></crm_config>
    <nodes><node id="${first}" uname="srv1"/><node id="${second}" uname="srv2"/></nodes><resources>
    <master id="ms_drbd0">${primitive("res_drbd0", "linbit", "drbd")}</master>
    <group id="rg_httpd">${members.map((id) => primitive(id, "heartbeat", agents[id])).join("")}</group>
    </resources><constraints/></configuration><status>${node("srv1", first, ran("res_drbd0:0", "start"))}
    ${node("srv2", second, [ran("res_drbd0:1", "promote"), ...members.map((id) => ran(id, "start"))].join(""))}
    </status></cib>`);
  if (read.kind === "not-xml") throw new Error(read.reason);
  const source = sourceOf(read.root);
  // That no fencing device is configured holds everything back; left alone by an operator it is not.
  expect(printXml(monitorXml(source, PLAIN, ""))).not.toContain('managed="false"');
  expect(monitorTextOne(source, PLAIN).split("\n").slice(2)).toEqual([
    "Stack: Heartbeat",
    `Current DC: srv2 (${second}) - partition with quorum`,
    "Version: 1.0.10-da7075",
    "2 Nodes configured, unknown expected votes",
    "2 Resources configured.",
    ...["============", "", "Online: [ srv1 srv2 ]", ""],
    " Master/Slave Set: ms_drbd0",
    "     Masters: [ srv2 ]",
    "     Slaves: [ srv1 ]",
    " Resource Group: rg_httpd",
    "     res_ip\t(ocf::heartbeat:IPaddr2):\tStarted srv2",
    "     res_fs_drbd0\t(ocf::heartbeat:Filesystem):\tStarted srv2",
    "     res_httpd\t(ocf::heartbeat:apache):\tStarted srv2",
  ]);
});

test("without a node that is up there is no history, not even an empty one", () => {
  const cib = (state: string) => {
    const nodes = '<configuration><nodes><node id="1" uname="a"/></nodes><resources/></configuration>';
    const read = parseXml(`<cib>${nodes}<status><node_state id="1" uname="a" ${state}/></status></cib>`);
    if (read.kind === "not-xml") throw new Error(read.reason);
    return sourceOf(read.root);
  };
  const all = withSections("failcounts", "operations");
  const up = cib('in_ccm="true" crmd="online" join="member" expected="member"');
  const down = cib('in_ccm="false" crmd="offline" join="down" expected="down"');
  expect(monitorText(up, all)).toContain("Operations:");
  expect(monitorText(down, all)).not.toContain("Operations:");
  expect(monitorXml(up, all, "").children.map(({ name }) => name)).toContain("node_history");
  expect(monitorXml(down, all, "").children.map(({ name }) => name)).not.toContain("node_history");
});

test("a failure in both layouts", () => {
  const source = sourceOf(sourceCib({ node01: "failed" }));
  expect(monitorTextOne(source, FA)).toContain(
    "Migration summary:\n* Node node01: \n" +
      "   p_ip: migration-threshold=1 fail-count=1 last-failure='Thu Dec  1 16:55:21 2011'\n" +
      "* Node node02: \n\nFailed actions:\n" +
      "    p_ip_monitor_10000 (node=node01, call=29, rc=-2, status=Timed Out): unknown exec error",
  );
  expect(monitorText(source, FA)).toContain(
    "Migration Summary:\n  * Node: node01:\n" +
      "    * p_ip: migration-threshold=1 fail-count=1 last-failure='Thu Dec  1 16:55:21 2011'\n\n" +
      "Failed Resource Actions:\n" +
      "  * p_ip 10s-interval monitor on node01 could not be executed (Timed Out) at Thu Dec  1 16:55:21 2011 after 60s",
  );
});

test("a service that its agent calls degraded runs, and says so in every layout", () => {
  const source = sourceOf(sourceCib({ node01: "degraded" }));
  expect(monitorText(source, PLAIN)).toContain("  * p_ip\t(ocf:heartbeat:IPaddr2):\t Started node01");
  expect(monitorText(source, PLAIN)).toContain(
    "Failed Resource Actions:\n  * p_ip 10s-interval monitor on node01 returned 'degraded' at Thu Dec  1 16:55:21 2011",
  );
  expect(monitorTextOne(source, PLAIN)).toContain(
    "Failed actions:\n    p_ip_monitor_10000 (node=node01, call=7, rc=190",
  );
});

test("-s says in one line and by its exit code what is missing", () => {
  expect(brief(sourceOf(sourceCib({ node01: "running" })))).toEqual({
    text: "CLUSTER OK: 2 nodes online, 1 resource instance configured",
    exitCode: 0,
  });
  expect(brief(sourceOf(sourceCib({ node01: "stopped" })))).toEqual({
    text: "CLUSTER WARN: offline node: node01",
    exitCode: 1,
  });
});

test("leftovers of a move are shown by -L, also by their prefix only", () => {
  const source = sourceOf(sourceCib({ node01: "running", leftOver: true }));
  const line = "  * cli-standby-rule-p_ip\tprevents p_ip from running on node02";
  expect(monitorText(source, { ...withSections("bans"), bans: "cli-" })).toContain(
    `Negative Location Constraints:\n${line}`,
  );
  expect(monitorText(source, { ...withSections("bans"), bans: "other" })).not.toContain("Negative");
});

test("a fencing device that could not fence now stands in every picture, with its last good date", () => {
  const unproven = [
    { node: "node01", device: "fence-node02", provenWallMs: 1_322_750_000_000, reason: "wrong password" },
    { node: "node02", device: "fence-node01" },
  ];
  const text = monitorText(sourceOf(sourceCib({ node01: "running" }), { unproven }), plainWishes(DEFAULT_SECTIONS));
  expect(text).toContain("Unproven Fencing Devices:\n  * fence-node02 on node01: last seen to work '");
  expect(text).toContain("': wrong password\n  * fence-node01 on node02: never seen to work: its proof is too old");
});

test("fencing that failed stands in every picture, what succeeded only when asked for", () => {
  const note = { target: "node01", action: "reboot", by: "node02", atWallMs: 1_322_758_521_000 } as const;
  const fencing = [
    { ...note, outcome: "confirmed" },
    { ...note, outcome: "not-done" },
  ] as const;
  const source = sourceOf(sourceCib({ node01: "stopped" }), { fencing });
  const failed = "Failed Fencing Actions:\n  * reboot of node01 failed: delegate=node02, client=node02, origin=node02";
  expect(monitorText(source, PLAIN)).toContain(failed);
  expect(monitorText(source, withSections("fencing-succeeded"))).toContain("* reboot of node01 successful:");
  expect(monitorText(source, { ...PLAIN, sections: new Set(["nodes"] as const) })).not.toContain("Fencing");
});

test("a page closes what it opens and escapes what comes from outside", () => {
  const html = monitorHtml(sourceOf(sourceCib({ node01: "stopped", attribute: "<script>" })), FA, {
    refreshSeconds: 5,
  });
  for (const tag of ["ul", "li", "body", "html"])
    expect(html.match(new RegExp(`<${tag}[ >]`, "g"))?.length).toBe(html.match(new RegExp(`</${tag}>`, "g"))?.length);
  expect(html).not.toContain("<script>");
  expect(html).toContain('<li>\n<span class="bold">node01:</span><span class="offline"> OFFLINE</span>\n</li>');
  expect(html).toContain("&lt;script&gt;");
});

test.each([
  ["0", "Connectivity is lost"],
  ["100", "Connectivity is degraded (Expected=200)"],
  ["200", ""],
])("a ping attribute of %s where two hosts count 100 each: %j", (value, word) => {
  expect(connectivity({ name: "default_ping_set", value, expected: 200 })).toBe(word);
});

test.each([
  [0, "0ms"],
  [60, "60ms"],
  [1000, "1000ms"],
  [10_000, "10s"],
  [15_001, "15.001s"],
  [60_000, "60s"],
  [60_002, "1m2ms"],
  [179_014, "2m59.014s"],
])("%i ms is written %s", (ms, text) => {
  expect(readableMs(ms)).toBe(text);
});
