/** Writes the CIB of the pair: DRBD promotable, a group on the promoted side, a fencing device each. */
import { parseXml, type XmlElement } from "../../../src/base/xml.ts";
import { parametersDigest } from "../../../src/cluster/core/scheduler/facts/digests.ts";

export interface Record {
  /** `start`, `promote`, `monitor`, ... */
  readonly task: string;
  readonly rc: number;
  readonly intervalMs?: number;
  readonly target?: number;
}

export interface NodeState {
  readonly online: boolean;
  readonly attributes?: { readonly [name: string]: string };
  readonly history?: { readonly [resource: string]: readonly Record[] };
}

const pair = (id: string, values: { readonly [name: string]: string }) =>
  Object.entries(values)
    .map(([name, value]) => `<nvpair id="${id}-${name}" name="${name}" value="${value}"/>`)
    .join("");

const primitive = (id: string, agent: string, extra = "") => {
  const [standard, provider, type] = agent.split(":");
  const identity = type === undefined ? `type="${provider}"` : `provider="${provider}" type="${type}"`;
  return `<primitive id="${id}" class="${standard}" ${identity}>${extra}</primitive>`;
};

const monitor = (id: string, seconds: number, role = "Started") =>
  `<op id="${id}-monitor-${seconds}" name="monitor" interval="${seconds}s" role="${role}"/>`;

const AGENTS: { readonly [resource: string]: string } = {
  drbd0: 'type="drbd" class="ocf" provider="gemel"',
  fs: 'type="Filesystem" class="ocf" provider="gemel"',
  ip: 'type="IPaddr2" class="ocf" provider="gemel"',
  http: 'type="http" class="ocf" provider="gemel"',
  "fence-alpha": 'type="ipmi-lan" class="stonith"',
  "fence-bravo": 'type="ipmi-lan" class="stonith"',
};

const configuration = `<configuration>
  <crm_config><cluster_property_set id="cib-bootstrap-options">${pair("options", {
    "stonith-enabled": "true",
    "stonith-action": "off",
    "no-quorum-policy": "ignore",
  })}</cluster_property_set></crm_config>
  <nodes><node id="1" uname="alpha"/><node id="2" uname="bravo"/></nodes>
  <resources>
    ${primitive("fence-alpha", "stonith:ipmi-lan")}
    ${primitive("fence-bravo", "stonith:ipmi-lan")}
    <clone id="drbd"><meta_attributes id="drbd-meta">${pair("drbd-meta", {
      promotable: "true",
      notify: "true",
      interleave: "true",
    })}</meta_attributes>${primitive(
      "drbd0",
      "ocf:gemel:drbd",
      `<operations>${monitor("drbd0", 10, "Promoted")}${monitor("drbd0", 20, "Unpromoted")}</operations>`,
    )}</clone>
    <group id="service">${primitive("fs", "ocf:gemel:Filesystem")}${primitive("ip", "ocf:gemel:IPaddr2")}${primitive(
      "http",
      "ocf:gemel:http",
      `<operations>${monitor("http", 5)}</operations>`,
    )}</group>
  </resources>
  <constraints>
    <rsc_location id="fence-alpha-elsewhere" rsc="fence-alpha" node="alpha" score="-INFINITY"/>
    <rsc_location id="fence-bravo-elsewhere" rsc="fence-bravo" node="bravo" score="-INFINITY"/>
    <rsc_colocation id="service-on-drbd" rsc="service" with-rsc="drbd" with-rsc-role="Promoted" score="INFINITY"/>
    <rsc_order id="drbd-before-service" first="drbd" first-action="promote" then="service" then-action="start"/>
  </constraints>
  <rsc_defaults><meta_attributes id="defaults">${pair("defaults", {
    "resource-stickiness": "100",
    "migration-threshold": "3",
  })}</meta_attributes></rsc_defaults>
</configuration>`;

function record(resource: string, { task, rc, intervalMs = 0, target = 0 }: Record, callId: number): string {
  const digest = parametersDigest(intervalMs > 0 ? { CRM_meta_timeout: "20000" } : {});
  const key = `${callId}:0:${target}:c0ffee00-0000-0000-0000-000000000000`;
  return `<lrm_rsc_op id="${resource}_${task}_${intervalMs}_${callId}" operation_key="${resource}_${task}_${intervalMs}"
    operation="${task}" interval="${intervalMs}" call-id="${callId}" rc-code="${rc}" op-status="0"
    transition-key="${key}" op-digest="${digest}"/>`;
}

function state(name: string, id: string, { online, attributes = {}, history = {} }: NodeState): string {
  const resources = Object.entries(history).map(
    ([resource, records]) =>
      `<lrm_resource id="${resource}" ${AGENTS[resource] ?? ""}>${records
        .map((each, index) => record(resource, each, index + 1))
        .join("")}</lrm_resource>`,
  );
  const up = online ? 'in_ccm="true" crmd="online" join="member"' : 'in_ccm="false" crmd="offline" join="down"';
  return `<node_state id="${id}" uname="${name}" ${up} expected="member">
    <transient_attributes id="${id}"><instance_attributes id="status-${id}">${pair(`status-${id}`, attributes)}
    </instance_attributes></transient_attributes>
    <lrm id="${id}"><lrm_resources>${resources.join("")}</lrm_resources></lrm></node_state>`;
}

export function pairCib(alpha: NodeState, bravo: NodeState, edit = (text: string) => text): XmlElement {
  const read = parseXml(
    edit(`<cib have-quorum="1" dc-uuid="2" validate-with="pacemaker-3.9">${configuration}
    <status>${state("alpha", "1", alpha)}${state("bravo", "2", bravo)}</status></cib>`),
  );
  if (read.kind === "not-xml") throw new Error(`line ${read.line}: ${read.reason}`);
  return read.root;
}

const stopped = { task: "monitor", rc: 7, target: 7 };
const started = { task: "start", rc: 0 };

/** Everything looked for, nothing running. */
export const PROBED: NodeState = {
  online: true,
  attributes: { "master-drbd0": "10000" },
  history: Object.fromEntries(Object.keys(AGENTS).map((resource) => [resource, [stopped]])),
};

const drbdMonitor = (intervalMs: number, rc: number) => ({ task: "monitor", rc, target: rc, intervalMs });

/** The side that serves. */
export const ACTIVE: NodeState = {
  online: true,
  attributes: { "master-drbd0": "10000" },
  history: {
    "fence-alpha": [stopped],
    "fence-bravo": [stopped, started],
    drbd0: [stopped, started, { task: "promote", rc: 0 }, drbdMonitor(10_000, 8)],
    fs: [stopped, started],
    ip: [stopped, started],
    http: [stopped, started, { task: "monitor", rc: 0, intervalMs: 5000 }],
  },
};

/** The side that mirrors. */
export const STANDBY: NodeState = {
  online: true,
  attributes: { "master-drbd0": "10000" },
  history: {
    "fence-alpha": [stopped, started],
    "fence-bravo": [stopped],
    drbd0: [stopped, started, drbdMonitor(20_000, 0)],
    fs: [stopped],
    ip: [stopped],
    http: [stopped],
  },
};
