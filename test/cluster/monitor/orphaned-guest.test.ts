/** A guest that is no longer configured but still up: the record alone tells of it, its host and its attributes. */
import { expect, test } from "vitest";
import { parseXml } from "../../../src/base/xml.ts";
import { failCountOf } from "../../../src/cluster/core/monitor/operations.ts";
import { nodeName } from "../../../src/cluster/core/monitor/summary.ts";
import { readFacts } from "../../../src/cluster/core/scheduler/facts/read-facts.ts";

const started = (id: string, type: string, more = "") =>
  `<lrm_resource id="${id}" class="ocf" provider="pacemaker" type="${type}" ${more}><lrm_rsc_op id="${id}_last_0"
    operation_key="${id}_start_0" operation="start" interval="0" call-id="3" rc-code="0" op-status="0"
    transition-key="1:1:0:x"/></lrm_resource>`;
const history = (node: string, records: string) => `<lrm id="${node}"><lrm_resources>${records}</lrm_resources></lrm>`;

test("its connection may be recorded before its container: host, attributes and fail counts are known", () => {
  const read = parseXml(`<cib have-quorum="1" crm_feature_set="3.0.14"><configuration><crm_config/><nodes>
    <node id="a" uname="a"/></nodes><resources/><constraints/></configuration><status>
    <node_state id="a" uname="a" in_ccm="true" crmd="online" join="member" expected="member">
    ${history("a", started("guest", "remote", 'container="box"') + started("box", "Dummy"))}</node_state>
    <node_state id="guest" uname="guest" remote_node="true">${history("guest", started("app", "Dummy"))}
    <transient_attributes id="guest"><instance_attributes id="t"><nvpair id="t1" name="colour" value="blue"/>
    <nvpair id="t2" name="fail-count-app#monitor_10000" value="2"/></instance_attributes></transient_attributes>
    </node_state></status></cib>`);
  if (read.kind === "not-xml") throw new Error(read.reason);
  const facts = readFacts(read.root, 1_800_000_000_000, undefined);
  const [guest, app] = [facts.nodeByName.get("guest"), facts.byId.get("app")];
  if (guest === undefined || app === undefined) throw new Error("the record was not read");
  expect(nodeName(guest, true)).toBe("guest@a");
  expect(guest.attributes["colour"]).toBe("blue");
  expect(failCountOf(app, guest)?.count).toBe(2);
});
