/** What the forms of crm_mon show, each by the smallest CIB that tells them apart: as Debian's 2.1.5 does. */
import { expect, test } from "vitest";
import { parseXml } from "../../../src/base/xml.ts";
import {
  ALL_SECTIONS,
  ALL_TEXT_SECTIONS,
  chooseSections,
  plainWishes,
} from "../../../src/cluster/core/monitor/section-choice.ts";
import { monitorText } from "../../../src/cluster/core/monitor/sections.ts";
import type { MonitorWishes, SectionName } from "../../../src/cluster/core/monitor/wishes.ts";
import { readFacts } from "../../../src/cluster/core/scheduler/facts/read-facts.ts";

const dummy = (id: string) => `<primitive id="${id}" class="ocf" provider="pacemaker" type="Dummy"/>`;

interface Ran {
  readonly resource: string;
  readonly task: string;
  readonly status?: number;
  readonly more?: string;
}

const record = ({ resource, task, status = 0, more = "" }: Ran) =>
  `<lrm_resource id="${resource}" class="ocf" provider="pacemaker" type="Dummy"><lrm_rsc_op id="${resource}_last_0"
    operation_key="${resource}_${task}_0" operation="${task}" interval="0" call-id="${status < 0 ? -1 : 3}"
    rc-code="${status < 0 ? 193 : 0}" op-status="${status}" transition-key="1:1:0:x" ${more}/></lrm_resource>`;

/** Nodes `a` and `b`, of which `a` may be down and not known to be off. */
function told(
  { resources, constraints = "", a = [], b = [], isUnclean = false, idOfB = "b" }: Cluster,
  shown: SectionName,
  wishes: Partial<MonitorWishes> = {},
): readonly string[] {
  const state = (name: string, ran: readonly Ran[], isUp: boolean, id = name) =>
    `<node_state id="${id}" uname="${name}" in_ccm="${isUp}" crmd="${isUp ? "online" : "offline"}" expected="member"
      join="${isUp ? "member" : "down"}"><lrm id="${name}"><lrm_resources>${ran.map(record).join("")}</lrm_resources>
      </lrm></node_state>`;
  const read = parseXml(`<cib have-quorum="1" dc-uuid="${idOfB}"><configuration><crm_config/><nodes>
    <node id="a" uname="a"/><node id="${idOfB}" uname="b"/></nodes><resources>${resources}</resources>
    <constraints>${constraints}</constraints></configuration><status>${state("a", a, !isUnclean)}
    ${state("b", b, true, idOfB)}</status></cib>`);
  if (read.kind === "not-xml") throw new Error(read.reason);
  const facts = readFacts(read.root, 1_800_000_000_000, undefined);
  const source = { facts, nowWallMs: 0, stack: "", version: "", fencing: [], unproven: [], ctime: String };
  const text = monitorText(source, { ...plainWishes(new Set([shown])), ...wishes });
  return text.split("\n").map((line) => line.replaceAll("\t", " ").replaceAll(/ +/g, " ").trimEnd());
}

interface Cluster {
  readonly resources: string;
  readonly constraints?: string;
  readonly a?: readonly Ran[];
  readonly b?: readonly Ran[];
  readonly isUnclean?: boolean;
  readonly idOfB?: string;
}

const HALF = { resources: `<clone id="c">${dummy("d")}</clone>`, b: [{ resource: "d", task: "start" }] };

test("-R names every instance, also those that run nowhere", () => {
  const stopped = " * d (ocf:pacemaker:Dummy): Stopped";
  // And each node with its id, where that is another word.
  for (const shown of ["nodes", "operations"] as const)
    expect(told({ ...HALF, idOfB: "2" }, shown, { detail: true }).join("\n")).toMatch(/ \* Node:? b \(2\):/);
  expect(told(HALF, "resources")).not.toContain(stopped);
  expect(told(HALF, "resources", { detail: true })).toContain(stopped);
});

test("-R leaves out the members of an instance of which none runs; -b has its heading, without a word of them", () => {
  const group = `<clone id="c"><group id="g">${dummy("d")}${dummy("e")}</group></clone>`;
  const cluster = { resources: group, b: ["d", "e"].map((resource) => ({ resource, task: "start" })) };
  expect(told(cluster, "resources", { detail: true })).not.toContain(" * Resource Group: g:1 (2 members inactive):");
  expect(told(cluster, "resources", { detail: true, brief: true })).toEqual(
    expect.arrayContaining([" * Resource Group: g:1:", " * 0/2 (ocf:pacemaker:Dummy): Active"]),
  );
});

test("-b counts what of a group does not run", () => {
  const group = {
    resources: `<group id="g">${dummy("d")}${dummy("e")}</group>`,
    b: [{ resource: "d", task: "start" }],
  };
  expect(told(group, "resources", { brief: true })).toContain(" * 1/2 (ocf:pacemaker:Dummy): Active b");
});

test("-nr lists a clone of which more is left than its number allows", () => {
  const ran = (node: string) => [`d:${node === "a" ? 0 : 1}`].map((resource) => ({ resource, task: "start" }));
  const meta = '<meta_attributes id="m"><nvpair id="n" name="clone-max" value="1"/></meta_attributes>';
  const cluster = { resources: `<clone id="c">${meta}${dummy("d")}</clone>`, a: ran("a"), b: ran("b") };
  expect(told(cluster, "resources", { byNode: true, inactive: true })[0]).toBe("Inactive Resources:");
  expect(told(HALF, "resources", { byNode: true, inactive: true })).toContain(" * Clone Set: c [d]:");
  // It does so for either node alone, for on the other one it is not, or not whole.
  for (const node of ["a", "b"])
    expect(told(HALF, "resources", { byNode: true, inactive: true, node })).toContain(" * Clone Set: c [d]:");
});

test("what is being handed over is told at its source, in lists, counts and below its node", () => {
  const under = { task: "migrate_to", status: -1, more: 'migrate_source="a" migrate_target="b"' };
  const cluster = {
    resources: dummy("d"),
    a: [{ resource: "d", ...under }],
    isUnclean: true,
  };
  expect(told(cluster, "resources")).toContain(" * d (ocf:pacemaker:Dummy): Migrating a (UNCLEAN)");
  expect(told(cluster, "resources", { brief: true })).toEqual([
    "Active Resources:",
    " * 1 (ocf:pacemaker:Dummy): Active a",
  ]);
  const below = told(cluster, "nodes", { byNode: true });
  expect(below.filter((line) => line.includes("Migrating"))).toHaveLength(1);
});

test("-L has the nodes of an `or` in their order, of any other rule the other way round", () => {
  const ban = (operation: string) =>
    `<rsc_location id="l" rsc="d"><rule id="r" score="-INFINITY" boolean-op="${operation}"><expression id="e"
      attribute="#uname" operation="defined"/></rule></rsc_location>`;
  const banned = (operation: string) =>
    told({ resources: dummy("d"), constraints: ban(operation) }, "bans")
      .slice(1)
      .map((line) => line.at(-1));
  expect([banned("or"), banned("and")]).toEqual([
    ["a", "b"],
    ["b", "a"],
  ]);
  const cluster = { resources: dummy("d"), constraints: ban("and"), idOfB: "2" };
  expect(told(cluster, "bans", { detail: true })[1]).toContain("from running on b (2)");
});

test("--include=all leaves the options out of a text, but where they are named behind it", () => {
  const chosen = (...names: readonly string[]) => {
    const steps = names.map((name) => ({ kind: "include", name }) as const);
    const choice = chooseSections(new Set(), steps, ALL_TEXT_SECTIONS);
    return choice.kind === "chosen" && choice.sections.has("options");
  };
  expect([chosen("all"), chosen("options", "all"), chosen("all", "options")]).toEqual([false, false, true]);
  expect(ALL_SECTIONS.has("options")).toBe(true);
});
