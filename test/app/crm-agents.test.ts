/** Words of the crm shell that ask agents or draw: advised times, traces, a trial by hand, the graph, copies. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { testResources } from "../../src/app/crm/configure-agents.ts";
import { openSession } from "../../src/app/crm/session.ts";
import { childOf, parseXml, xml } from "../../src/base/xml.ts";
import { printCrm } from "../../src/cib/crm-syntax/print.ts";
import { runHere } from "../support/run-here.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "crm-agents-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = path.join(folder, "cib.xml");
const env = { CIB_file: file, CIB_shadow_dir: folder };

const CIB = `<cib validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0"><configuration><crm_config>
  <cluster_property_set id="o"><nvpair id="o-s" name="stonith-enabled" value="false"/></cluster_property_set>
  </crm_config><nodes><node id="1" uname="n1"/></nodes><resources>
  <primitive id="ip" class="ocf" provider="gemel" type="IPaddr2"><instance_attributes id="ip-i">
    <nvpair id="ip-i-ip" name="ip" value="192.0.2.1"/></instance_attributes>
    <operations><op id="ip-monitor-10s" name="monitor" interval="10s" timeout="90s"/></operations></primitive>
  <group id="g"><primitive id="x" class="ocf" provider="gemel" type="route"/><primitive id="y" class="lsb" type="sshd"/>
  </group></resources><constraints><rsc_order id="o1" first="ip" then="g" kind="Optional"/>
  <rsc_location id="l" rsc="g" node="n1" score="5"/><rsc_colocation id="c" rsc="g" with-rsc="ip" score="INFINITY"/>
  </constraints></configuration><status/></cib>`;
beforeEach(() => writeFileSync(file, CIB));

const crm = (...words: string[]) => runHere(["crm", ...words], env);

function primitive(id: string): string {
  const read = parseXml(readFileSync(file, "utf8"));
  const text = printCrm((read.kind === "xml" ? childOf(read.root, "configuration") : undefined) ?? xml("none"));
  return new RegExp(`^primitive ${id} (?:.*\\\\\n)*.*$`, "m").exec(text)?.[0].replaceAll(/\s*\\\n\s*/g, " | ") ?? "";
}

test("the times that an agent advises are set and told; a mistyped name leaves all as it was", async () => {
  const wrong = await crm("configure", "default-timeouts", "ip", "nothing", "y");
  expect([wrong.code, wrong.errors]).toEqual([1, expect.stringContaining("there is no primitive nothing")]);
  expect(wrong.errors).toContain("y: its agent is not on this node, or advises no times");
  expect(primitive("ip")).toContain("timeout=90s");
  const made = await crm("configure", "default_timeouts", "ip");
  expect([made.code, made.output]).toEqual([0, expect.stringMatching(/^ip: monitor 10s: timeout 90s -> \d+s$/m)]);
  expect(primitive("ip")).toMatch(
    /op monitor interval=10s timeout=\d+s \| op start timeout=\d+s interval=0 \| op stop/,
  );
});

test("a trace is set on operations and taken off again, with what it put there", async () => {
  const before = primitive("ip");
  const traced = await crm("resource", "trace", "ip", "monitor", "10s", "/tmp/t");
  expect([traced.code, traced.output]).toEqual([0, expect.stringContaining("is written to /tmp/t/IPaddr2")]);
  expect(primitive("ip")).toContain("op_params trace_ra=1 trace_dir=/tmp/t");
  await crm("resource", "trace", "ip", "start");
  expect(primitive("ip")).toContain("op start interval=0 | op_params trace_ra=1");
  expect((await crm("resource", "untrace", "ip", "start")).code).toBe(0);
  expect(primitive("ip")).toContain("op_params trace_ra=1 trace_dir");
  expect((await crm("resource", "untrace", "ip")).output).toContain("ip is traced no longer");
  expect(primitive("ip")).toBe(before);
  expect((await crm("resource", "untrace", "ip")).output).toContain("nothing to change");
  expect((await crm("resource", "trace", "y")).code).toBe(1);
  expect((await crm("resource", "trace", "ip", "start", "nowhere")).code).toBe(64);
});

test("the graph has groups around their members, orders as arrows, and places", async () => {
  const { output } = await crm("configure", "graph");
  expect(output).toContain('subgraph "cluster_g" {\n\t\tlabel="group g";');
  expect(output).toContain('"x" -> "y";');
  expect(output).toContain('"ip" -> "x" [label="Optional"];');
  expect(output).toContain('"n1" -> "x" [style="dashed",dir="none",label="5"];');
  expect(output).toContain('"x" -> "ip" [style="dotted",label="with INFINITY",constraint="false"];');
  expect((await crm("configure", "graph", "dot", path.join(folder, "g.dot"))).code).toBe(0);
  expect(readFileSync(path.join(folder, "g.dot"), "utf8")).toBe(output);
  const svg = await crm("configure", "graph", "dot", "g.svg", "svg");
  expect([svg.code, svg.errors]).toEqual([64, expect.stringContaining("dot -Tsvg -o g.svg")]);
});

test("resources are tried by hand only where the cluster holds none of them, and will start none", async () => {
  const said: string[] = [];
  const keep = (text: string) => void said.push(text);
  const none = () => undefined;
  const terminal = { out: keep, err: keep, readText: none, writeText: () => false, edit: none };
  const resource = (id: string, more: object) => ({ id, isWanted: true, isManaged: true, active: [], ...more });
  const status = {
    self: "n1",
    nodes: [{ name: "n1" }, { name: "n2" }],
    resources: [
      resource("wanted", {}),
      resource("runs", { isWanted: false, active: [{ node: "n2", role: "Started" }] }),
    ],
  };
  const transport = () => Promise.resolve({ kind: "answer", value: status }) as never;
  const session = openSession("/nowhere/control", terminal, {}, transport);
  expect(await testResources(session, ["wanted", "runs", "none"])).toBe(1);
  expect(said.join("")).toContain("the cluster may start wanted at any moment: crm resource stop wanted");
  expect(said.join("")).toContain("runs runs on n2");
  expect(said.join("")).toContain("there is no resource none");
  expect(await testResources(session, ["runs", "n2"])).toBe(64);
});

test("a file becomes a copy to try things on; the text goes through a program, part of it into a file", async () => {
  expect((await crm("cib", "import", file, "copy")).code).toBe(0);
  expect(readFileSync(path.join(folder, "shadow.copy"), "utf8")).toContain('id="ip"');
  expect((await crm("cib", "import", file, "copy")).errors).toContain("exists already");
  expect((await crm("cib", "import", path.join(folder, "none.xml"))).code).toBe(66);
  expect((await crm("configure", "filter", "sed s/90s/80s/", "type:primitive")).code).toBe(0);
  expect(primitive("ip")).toContain("timeout=80s");
  expect((await crm("configure", "filter", "sed s/80s/70s/", "xml")).code).toBe(0);
  expect(primitive("ip")).toContain("timeout=70s");
  expect((await crm("configure", "save", "type:group", "-")).output).toBe("group g x y\n");
  expect((await crm("configure", "get-property", "-t", "stonith-enabled")).output).toBe("false\n");
  expect((await crm("configure", "get_property")).output).toContain("\nno-quorum-policy\n");
  expect((await crm("configure", "schema", "pacemaker-1.0")).code).toBe(1);
});
