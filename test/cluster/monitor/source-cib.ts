/** The cluster of the source documents: two nodes, one address, node02 leads. */
import { parseXml, type XmlElement } from "../../../src/base/xml.ts";

export interface Scene {
  /** `failed`: its monitor has timed out and the address is on node02; `degraded`: its agent answers 190. */
  readonly node01: "running" | "stopped" | "failed" | "degraded";
  readonly leftOver?: boolean;
  /** Value of one more attribute of node02. */
  readonly attribute?: string;
}

const AT = 1_322_758_521;
const escapeText = (text: string) => text.replaceAll("<", "&lt;");

const nvpairs = (id: string, values: Readonly<Record<string, string>>) =>
  Object.entries(values)
    .map(([name, value]) => `<nvpair id="${id}-${name}" name="${name}" value="${escapeText(value)}"/>`)
    .join("");

function operation(task: string, intervalMs: number, callId: number, rc: number, status: number, suffix: string) {
  return (
    `<lrm_rsc_op id="p_ip_${suffix}" operation_key="p_ip_${task}_${intervalMs}" operation="${task}" ` +
    `interval="${intervalMs}" call-id="${callId}" rc-code="${rc}" op-status="${status}" last-rc-change="${AT}" ` +
    `exec-time="${status === 2 ? 60_000 : 40}" queue-time="0" transition-key="1:1:0:x"/>`
  );
}

function state(id: string, name: string, isUp: boolean, attributes: Readonly<Record<string, string>>, ops: string) {
  const where = isUp
    ? 'in_ccm="true" crmd="online" join="member" expected="member"'
    : 'in_ccm="false" crmd="offline" join="down" expected="down"';
  const record = `<lrm_resource id="p_ip" class="ocf" provider="heartbeat" type="IPaddr2">${ops}</lrm_resource>`;
  const history = `<lrm id="${id}"><lrm_resources>${record}</lrm_resources></lrm>`;
  const pairs = nvpairs(`status-${id}`, attributes);
  const set = `<instance_attributes id="status-${id}">${pairs}</instance_attributes>`;
  const transient = `<transient_attributes id="${id}">${set}</transient_attributes>`;
  return `<node_state id="${id}" uname="${name}" ${where}>${history}${transient}</node_state>`;
}

const started = operation("start", 0, 5, 0, 0, "last_0") + operation("monitor", 10_000, 6, 0, 0, "monitor_10000");
const failed =
  operation("monitor", 10_000, 29, 1, 2, "last_failure_0") +
  operation("monitor", 10_000, 29, 1, 2, "monitor_10000") +
  operation("stop", 0, 30, 0, 0, "last_0");
const degraded = started + operation("monitor", 10_000, 7, 190, 0, "last_failure_0");

export function sourceCib({ node01, leftOver = false, attribute }: Scene): XmlElement {
  const [one, two] = ["11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"];
  const failures = { "fail-count-p_ip#monitor_10000": "1", "last-failure-p_ip#monitor_10000": String(AT) };
  const histories = { running: started, failed, degraded, stopped: "" };
  const notes = { "node01-eth0": "up", ...(attribute === undefined ? {} : { note: attribute }) };
  const rule = `<rsc_location id="cli-standby-p_ip" rsc="p_ip"><rule id="cli-standby-rule-p_ip" score="-INFINITY">
    <expression id="cli-standby-expr-p_ip" attribute="#uname" operation="eq" value="node02"/></rule></rsc_location>`;
  const text = `<cib have-quorum="1" dc-uuid="${two}" admin_epoch="0" epoch="7" num_updates="3"><configuration>
    <crm_config><cluster_property_set id="cib-bootstrap-options">${nvpairs("o", {
      "cluster-infrastructure": "Heartbeat",
      "dc-version": "1.0.11-1554a83db0d3c3e546cfd3aaff6af1184f79ee87",
      "stonith-enabled": "false",
      "no-quorum-policy": "ignore",
    })}</cluster_property_set></crm_config>
    <nodes><node id="${one}" uname="node01"/><node id="${two}" uname="node02"/></nodes>
    <resources>
      <primitive id="p_ip" class="ocf" provider="heartbeat" type="IPaddr2">
        <meta_attributes id="m">${nvpairs("m", { "migration-threshold": "1" })}</meta_attributes>
        <operations><op id="p_ip-monitor-10s" name="monitor" interval="10s" timeout="60s"/></operations>
      </primitive>
    </resources>
    <constraints>${leftOver ? rule : ""}</constraints></configuration>
    <status>
      ${state(one, "node01", node01 !== "stopped", node01 === "failed" ? failures : {}, histories[node01])}
      ${state(two, "node02", true, notes, ["running", "degraded"].includes(node01) ? "" : started)}
    </status></cib>`;
  const read = parseXml(text);
  if (read.kind === "not-xml") throw new Error(read.reason);
  return read.root;
}
