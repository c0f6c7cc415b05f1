/** Each class of a page, by the smallest cluster that has them all: sites colour and read pages by them. */
import { expect, test } from "vitest";
import { parseXml } from "../../../src/base/xml.ts";
import { monitorHtml } from "../../../src/cluster/core/monitor/html.ts";
import { DEFAULT_SECTIONS, plainWishes } from "../../../src/cluster/core/monitor/section-choice.ts";
import type { MonitorWishes } from "../../../src/cluster/core/monitor/wishes.ts";
import { readFacts } from "../../../src/cluster/core/scheduler/facts/read-facts.ts";

const dummy = (id: string, more = "") =>
  `<primitive id="${id}" class="ocf" provider="pacemaker" type="Dummy">${more}</primitive>`;
const operation = (id: string, task: string, interval: number, call: number, rc: number) =>
  `<lrm_rsc_op id="${id}_${task}_${interval}" operation_key="${id}_${task}_${interval}" operation="${task}"
    interval="${interval}" call-id="${call}" rc-code="${rc}" op-status="0" transition-key="1:1:0:x"/>`;
const record = (id: string, operations: string) =>
  `<lrm_resource id="${id}" class="ocf" provider="pacemaker" type="Dummy">${operations}</lrm_resource>`;
const started = (id: string) => record(id, operation(id, "start", 0, 2, 0));
const lapsed = (id: string) => record(id, operation(id, "start", 0, 2, 0) + operation(id, "monitor", 10_000, 3, 7));
const nvpair = (name: string, value: string) => `<nvpair id="${name}-${value}" name="${name}" value="${value}"/>`;
const node = (name: string, attribute = "") =>
  `<node id="${name}" uname="${name}"><instance_attributes id="${name}-a">${attribute}</instance_attributes></node>`;
const state = (name: string, isUp: boolean, records: string) =>
  `<node_state id="${name}" uname="${name}" in_ccm="${isUp}" crmd="${isUp ? "online" : "offline"}" expected="member"
    join="${isUp ? "member" : "down"}"><lrm id="${name}"><lrm_resources>${records}</lrm_resources></lrm></node_state>`;

const HELD = `<meta_attributes id="m">${nvpair("is-managed", "false")}</meta_attributes>`;
const IGNORED = `<operations><op id="o" name="monitor" interval="10s" on-fail="ignore"/></operations>`;
const CIB = `<cib have-quorum="0" crm_feature_set="3.0.14"><configuration><crm_config><cluster_property_set id="s">
  ${nvpair("node-health-strategy", "only-green")}</cluster_property_set></crm_config>
  <nodes>${node("a", nvpair("#health", "red"))}
  ${node("b", nvpair("standby", "on"))}${node("c", nvpair("maintenance", "on"))}${node("d")}</nodes>
  <resources>${dummy("fine")}${dummy("worse")}
  ${dummy("twice")}${dummy("held", HELD)}${dummy("calm", IGNORED)}
  <group id="g">${dummy("idle")}</group></resources><constraints/></configuration><status>
  ${state("a", true, started("fine") + started("twice") + started("held") + lapsed("calm"))}
  ${state("b", true, started("twice") + lapsed("worse"))}${state("c", true, "")}${state("d", false, "")}
  </status></cib>`;

function page(wishes: Partial<MonitorWishes> = {}): string {
  const read = parseXml(CIB);
  if (read.kind === "not-xml") throw new Error(read.reason);
  const facts = readFacts(read.root, 1_800_000_000_000, undefined);
  const source = { facts, nowWallMs: 0, stack: "", version: "", fencing: [], unproven: [], ctime: String };
  return monitorHtml(source, { ...plainWishes(DEFAULT_SECTIONS), inactive: true, ...wishes }, { refreshSeconds: 0 });
}

const textsOf = (html: string, className: string) =>
  [...html.matchAll(new RegExp(`<span class="${className}">([^<]*)<`, "g"))].map(([, text = ""]) =>
    text.replaceAll(/\s+/g, " ").trim(),
  );

test("a resource's class is how it is: well, failed, in several places, left alone, its failure ignored", () => {
  const html = page();
  const classes = ["rsc-ok", "rsc-failed", "rsc-multiple", "rsc-managed", "rsc-failure-ignored"];
  const told = classes.map((name) => [name, ...textsOf(html, name).map((text) => text.replace(/ \(ocf.*?\):/, ""))]);
  expect(told).toEqual([
    ["rsc-ok", "fine Started a"],
    ["rsc-failed", "worse FAILED b", "idle Stopped"],
    ["rsc-multiple", "twice Started [ a b ]"],
    ["rsc-managed", "held Started a (unmanaged)"],
    ["rsc-failure-ignored", "calm Started a (failure ignored)"],
  ]);
  expect(html).toContain("<li>\n<h3>Resource Group: g</h3>\n<ul><li><span class=");
});

test("every trait of a node stands in an element of its own, also that nobody knows what it does", () => {
  const html = page();
  expect(textsOf(html, "bold").filter((text) => text.length === 2)).toEqual(["a:", "b:", "c:", "d:"]);
  expect([textsOf(html, "online").length, textsOf(html, "offline")]).toEqual([3, ["OFFLINE"]]);
  expect(textsOf(html, "health_red")).toEqual(["(health is RED)"]);
  expect(textsOf(html, "standby")).toEqual(["(in standby, with active resources)"]);
  expect(textsOf(html, "maint")).toEqual(["(in maintenance mode)"]);
  expect(textsOf(html, "warning")).toEqual(["NONE", "(UNCLEAN)"]);
});

test("below its node a resource keeps its class, though its other nodes are not named there", () => {
  const html = page({ byNode: true, sections: new Set(["nodes"]) });
  expect(textsOf(html, "rsc-multiple")).toEqual(Array(2).fill("twice (ocf:pacemaker:Dummy): Started"));
  expect(html).toContain("<li>\n<h3>d:</h3>\n<ul><li>\n<span>Status:</span>");
});
