/** Delays of operations, as crm_simulate 2.1.5 gives them in its graphs; ISO times, which it reads as 0, count. */
import { expect, test } from "vitest";
import { parseXml } from "../../../src/base/xml.ts";
import { schedule } from "../../../src/cluster/core/scheduler/schedule.ts";

const NOW_MS = Date.UTC(2024, 4, 1);
const cib = (start: string, monitor: string) => `<cib validate-with="pacemaker-3.8"><configuration>
  <crm_config><cluster_property_set id="o"><nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set>
  </crm_config><nodes><node id="1" uname="a"/></nodes><resources>
  <primitive id="d" class="ocf" provider="pacemaker" type="Dummy"><operations>
  <op id="s" name="start" interval="0" ${start}/>
  <op id="m" name="monitor" interval="10s" timeout="20s" ${monitor}/></operations></primitive></resources><constraints/>
  </configuration><status><node_state id="1" uname="a" in_ccm="true" crmd="online" join="member" expected="member"/>
  </status></cib>`;

/** What the agent is told of it, and what the node waits: of the start and of the monitor. */
function delaysOf(start: string, monitor: string) {
  const read = parseXml(cib(start, monitor));
  if (read.kind !== "xml") throw new Error(read.reason);
  const { transition } = schedule(read.root, NOW_MS, { quorate: true });
  return ["d_start_0", "d_monitor_10000"].map((key) => {
    const action = transition.actions.find((one) => one.key === key);
    return action?.kind === "resource" ? [action.meta["start_delay"], action.startDelayMs] : undefined;
  });
}

test.each([
  ["", 'start-delay="0s"', undefined, undefined, "0", undefined],
  ['start-delay="3s"', 'start-delay="1m"', "3000", 3_000, "60000", 60_000],
  ['start-delay="0"', 'start-delay="30"', "0", undefined, "30000", 30_000],
  ['start-delay="-5s"', 'start-delay="bogus"', "0", undefined, "0", undefined],
  ["", 'start-delay="PT1M"', undefined, undefined, "60000", 60_000],
  ["", 'interval-origin="2024-01-01 00:00:03Z"', undefined, undefined, "3000", 3_000],
  ["", 'interval-origin="2030-01-01 00:00:03Z"', undefined, undefined, "3000", 3_000],
  ["", 'interval-origin="2024-01-01 00:00:10Z"', undefined, undefined, "0", undefined],
  ["", 'interval-origin="bogus"', undefined, undefined, undefined, undefined],
])("%s %s", (start, monitor, told, waited, monitorTold, monitorWaited) => {
  expect(delaysOf(start, monitor)).toEqual([
    [told, waited],
    [monitorTold, monitorWaited],
  ]);
});
