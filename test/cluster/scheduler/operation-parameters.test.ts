/** Parameters of one operation (crm: `op monitor ... op_params depth=1`) go to its agent, and nothing is done twice. */
import { expect, test } from "vitest";
import { parseXml } from "../../../src/base/xml.ts";
import { digestText } from "../../../src/cluster/core/executor/digest.ts";
import { md5 } from "../../../src/cluster/core/scheduler/facts/md5.ts";
import { schedule } from "../../../src/cluster/core/scheduler/schedule.ts";

const operation = (key: string, task: string, interval: string, call: string, digest: string) =>
  `<lrm_rsc_op id="${key}" operation_key="${key}" operation="${task}" crm_feature_set="3.16.1" transition-key="1:1:0:x"
    transition-magic="0:0;1:1:0:x" on_node="n1" call-id="${call}" rc-code="0" op-status="0" interval="${interval}"
    op-digest="${digest}"/>`;

function cibWith(history: string) {
  const read = parseXml(`<cib validate-with="pacemaker-3.9" have-quorum="1" dc-uuid="1"><configuration><crm_config>
    <cluster_property_set id="o"><nvpair id="o-s" name="stonith-enabled" value="false"/></cluster_property_set>
    </crm_config><nodes><node id="1" uname="n1"/></nodes><resources>
    <primitive id="a" class="ocf" provider="pacemaker" type="Dummy"><operations>
      <op id="a-m" name="monitor" interval="10s" timeout="20s"><instance_attributes id="a-m-i">
        <nvpair id="a-m-i-t" name="trace_ra" value="1"/><nvpair id="a-m-i-l" name="OCF_CHECK_LEVEL" value="10"/>
      </instance_attributes></op></operations></primitive></resources><constraints/></configuration>
    <status><node_state id="1" uname="n1" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="1">
    <lrm_resources>${history}</lrm_resources></lrm></node_state></status></cib>`);
  if (read.kind === "not-xml") throw new Error(read.reason);
  return read.root;
}

const actionsOf = (cib: ReturnType<typeof cibWith>) =>
  schedule(cib, 0).transition.actions.flatMap((action) => (action.kind === "resource" ? [action] : []));

test("they go to the agent of that operation, and what was run with them is not run again", () => {
  const stopped = `<lrm_resource id="a" class="ocf" provider="pacemaker" type="Dummy">
    ${operation("a_last_0", "monitor", "0", "1", md5(digestText({}, 0, 0))).replaceAll('rc-code="0"', 'rc-code="7"')}
    </lrm_resource>`;
  const [start, monitor] = ["start", "monitor"].map((name) =>
    actionsOf(cibWith(stopped)).find((each) => each.operation === name),
  );
  expect(start?.parameters).toEqual({});
  expect(monitor?.parameters).toEqual({ trace_ra: "1", OCF_CHECK_LEVEL: "10" });
  const running = `<lrm_resource id="a" class="ocf" provider="pacemaker" type="Dummy">
    ${operation("a_last_0", "start", "0", "2", md5(digestText(start?.parameters ?? {}, 0, 0)))}
    ${operation("a_monitor_10000", "monitor", "10000", "3", md5(digestText(monitor?.parameters ?? {}, 10_000, 20_000)))}
    </lrm_resource>`;
  expect(actionsOf(cibWith(running))).toEqual([]);
});
