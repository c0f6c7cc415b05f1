/** What a configuration of schema 1.3 to 2.10 means today; each change as cibadmin --upgrade 2.1.5 makes it. */
import { expect, test } from "vitest";
import { parseXml, printXml } from "../../../src/base/xml.ts";
import { upgradeCib } from "../../../src/cib/upgrade/to-three.ts";
import { schedule } from "../../../src/cluster/core/scheduler/schedule.ts";

function read(schema: string, { options = "", resources = "", defaults = "" }) {
  const pairs = options.split(" ").filter(Boolean);
  const nvpairs = pairs.map((pair, index) => {
    const [name = "", value = ""] = pair.split("=");
    return `<nvpair id="o${index}" name="${name}" value="${value}"/>`;
  });
  const text =
    `<cib validate-with="${schema}"><configuration><crm_config><cluster_property_set id="o">${nvpairs.join("")}` +
    `</cluster_property_set></crm_config><nodes><node id="1" uname="alpha" type="normal"/></nodes>` +
    `<resources>${resources}</resources><constraints/>${defaults}</configuration><status/></cib>`;
  const parsed = parseXml(text);
  if (parsed.kind !== "xml") throw new Error(parsed.reason);
  return parsed.root;
}
const upgraded = (schema: string, parts: Parameters<typeof read>[1]) => printXml(upgradeCib(read(schema, parts)));

test.each(["pacemaker-1.3", "pacemaker-2.3", "pacemaker-2.10"])("%s: options spelt with underscores", (schema) => {
  const text = upgraded(schema, {
    options: "stonith_enabled=false no_quorum_policy=ignore transition_idle_timeout=44s",
  });
  expect(text).toContain('name="stonith-enabled" value="false"');
  expect(text).toContain('name="no-quorum-policy" value="ignore"');
  expect(text).toContain('name="cluster-delay" value="44s"');
  expect(text).toContain('type="member"');
  expect(text).toContain('validate-with="pacemaker-3.0"');
});

test("names of JavaScript's own are names like others", () => {
  expect(upgraded("pacemaker-1.3", { options: "constructor=1 __proto__=2" })).toContain('name="constructor" value="1"');
});

test("defaults among the cluster's options move, behind what is there", () => {
  const unmanaged = '<nvpair id="d1" name="is-managed" value="false"/>';
  const defaults = `<rsc_defaults><meta_attributes id="d">${unmanaged}</meta_attributes></rsc_defaults>`;
  const options = "default-resource-stickiness=77 is_managed_default=true default-action-timeout=33s";
  const text = upgraded("pacemaker-1.3", { options, defaults });
  expect(text.replaceAll(/\s*\n\s*/g, "")).toContain(
    '<meta_attributes id="d"><nvpair id="d1" name="is-managed" value="false"/></meta_attributes>' +
      '<meta_attributes id="rsc_defaults-upgraded"><nvpair id="o0" name="resource-stickiness" value="77"/>' +
      '<nvpair id="o1" name="is-managed" value="true"/></meta_attributes></rsc_defaults><op_defaults>' +
      '<meta_attributes id="op_defaults-upgraded"><nvpair id="o2" name="timeout" value="33s"/>',
  );
  expect(text).not.toContain('name="default-resource-stickiness"');
});

test("requires of a start becomes the resource's, of other operations it is dropped", () => {
  const op = '<op id="s" name="start" interval="0" requires="nothing"/><op id="m" name="monitor" requires="quorum"/>';
  const resources = `<primitive id="a" class="ocf" type="x"><operations>${op}</operations></primitive>`;
  const text = upgraded("pacemaker-2.10", { resources });
  expect(text).toContain('<nvpair id="a-upgraded-requires" name="requires" value="nothing"/>');
  expect(text).toContain('<op id="s" name="start" interval="0"/>');
  expect(text).toContain('<op id="m" name="monitor"/>');
});

test("what was isolated by a wrapper that is no more stays stopped", () => {
  const meta = '<meta_attributes id="m"><nvpair id="n" name="isolation" value="docker"/></meta_attributes>';
  const resources = `<primitive id="a" class="ocf" type="x">${meta}</primitive>`;
  expect(upgraded("pacemaker-2.10", { resources })).toContain('<nvpair id="n" name="target-role" value="Stopped"/>');
});

test("parameters of fencing devices", () => {
  const pair = (name: string, value: string) => `<nvpair id="${name}" name="${name}" value="${value}"/>`;
  const set = pair("pcmk_arg_map", "port:uname") + pair("pcmk_reboot_cmd", "zap") + pair("ip", "port:1");
  const parameters = `<instance_attributes id="i">${set}</instance_attributes>`;
  const resources = `<primitive id="f" class="stonith" type="x">${parameters}</primitive>`;
  const text = upgraded("pacemaker-1.3", { resources });
  expect(text).toContain('name="pcmk_host_argument" value="uname"');
  expect(text).toContain('name="pcmk_reboot_action" value="zap"');
  expect(text).toContain('name="ip" value="port:1"');
});

test.each(["pacemaker-3.0", "pacemaker-3.10", "none"])("%s is left alone", (schema) => {
  const root = read(schema, { options: "default-action-timeout=33s" });
  expect(upgradeCib(root)).toBe(root);
});

test("the scheduler reads of old and new the same", () => {
  const resources = '<primitive id="a" class="ocf" provider="x" type="x"/>';
  const old = upgradeCib(
    read("pacemaker-1.3", { options: "stonith_enabled=false default-action-timeout=33s", resources }),
  );
  const timeout = '<nvpair id="d1" name="timeout" value="33s"/>';
  const now = read("pacemaker-3.9", {
    options: "fencing-enabled=false",
    resources,
    defaults: `<op_defaults><meta_attributes id="d">${timeout}</meta_attributes></op_defaults>`,
  });
  expect(schedule(old, 1_800_000_000_000)).toEqual(schedule(now, 1_800_000_000_000));
});
