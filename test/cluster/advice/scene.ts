/** Writes the trouble of a pair (srv01, srv02) down in a few words: a CIB, and what only a running node knows. */
import { parseXml } from "../../../src/base/xml.ts";
import type { Situation } from "../../../src/cluster/core/advice/situation.ts";
import { readFacts } from "../../../src/cluster/core/scheduler/facts/read-facts.ts";

export const NOW_MS = 1_800_000_000_000;
const NOW_S = NOW_MS / 1000;

export interface Done {
  readonly node: Name;
  readonly resource: string;
  readonly task: string;
  readonly rc?: number;
  readonly intervalMs?: number;
  readonly timedOut?: boolean;
  readonly reason?: string;
  readonly agoSeconds?: number;
}

export type Name = "srv01" | "srv02";

export interface Scene {
  /** Attributes of a node; `offline` and `unclean` say that it is away. */
  readonly srv01?: Readonly<Record<string, string>>;
  readonly srv02?: Readonly<Record<string, string>>;
  readonly offline?: Name;
  readonly unclean?: Name;
  readonly done?: readonly Done[];
  readonly constraints?: string;
  /** By an operator. */
  readonly stopped?: "clnPing";
  /** What the configuration says of a failure of the database, by operation. */
  readonly onFail?: Readonly<Record<string, string>>;
  /** Given, the policy without quorum is to stop. */
  readonly hasQuorum?: boolean;
  /** Of the address. */
  readonly nic?: string;
  readonly isFencing?: boolean;
  readonly live?: Partial<Situation>;
}

const nvpairs = (id: string, values: Readonly<Record<string, string>>) =>
  Object.entries(values)
    .map(([name, value]) => `<nvpair id="${id}-${name}" name="${name}" value="${value}"/>`)
    .join("");
const meta = (id: string, values: Readonly<Record<string, string>>) =>
  `<meta_attributes id="${id}-meta">${nvpairs(id, values)}</meta_attributes>`;
const parameters = (id: string, values: Readonly<Record<string, string>>) =>
  `<instance_attributes id="${id}-params">${nvpairs(id, values)}</instance_attributes>`;

const operationsOf = (onFail: Readonly<Record<string, string>>) =>
  Object.entries(onFail)
    .map(([name, value]) => {
      const interval = name === "monitor" ? "10s" : "0";
      return `<op id="prmDB-${name}" name="${name}" interval="${interval}" on-fail="${value}"/>`;
    })
    .join("");

const resources = ({ stopped, nic, onFail = {} }: Scene) => `
  <primitive id="shoot" class="stonith" type="meatware"/>
  <group id="grpDB">
    <primitive id="prmIp" class="ocf" provider="heartbeat" type="IPaddr2">${parameters("prmIp", {
      ip: "192.0.2.200",
      ...(nic === undefined ? {} : { nic }),
    })}</primitive>
    <primitive id="prmDB" class="ocf" provider="heartbeat" type="pgsql">
      <operations>${operationsOf(onFail)}</operations>
    </primitive>
  </group>
  <clone id="clnPing">${stopped === "clnPing" ? meta("clnPing", { "target-role": "Stopped" }) : ""}
  <primitive id="prmPing" class="ocf" provider="pacemaker" type="ping">${parameters("prmPing", {
    name: "default_ping_set",
    host_list: "192.0.2.1",
    multiplier: "100",
  })}</primitive></clone>`;
const TYPES: Readonly<Record<string, string>> = { prmIp: "IPaddr2", prmDB: "pgsql", prmPing: "ping" };
const STATUS = { done: 0, timedOut: 2 } as const;

function operations(done: readonly Done[], resource: string): string {
  return done
    .map(({ task, rc = 0, intervalMs = 0, timedOut = false, reason = "", agoSeconds = 3600 }, index) => {
      const key = `${resource}_${task}_${intervalMs}`;
      return (
        `<lrm_rsc_op id="${key}_${index}" operation_key="${key}" operation="${task}" interval="${intervalMs}" ` +
        `call-id="${index + 1}" rc-code="${rc}" op-status="${timedOut ? STATUS.timedOut : STATUS.done}" ` +
        `last-rc-change="${NOW_S - agoSeconds}" exit-reason="${reason}" transition-key="1:1:0:x"/>`
      );
    })
    .join("");
}

function state(name: Name, scene: Scene): string {
  const isAway = scene.offline === name || scene.unclean === name;
  const where = isAway
    ? `in_ccm="false" crmd="offline" join="down" expected="${scene.unclean === name ? "member" : "down"}"`
    : 'in_ccm="true" crmd="online" join="member" expected="member"';
  // Ping runs wherever a node is up.
  const ping: readonly Done[] = isAway ? [] : [{ node: name, resource: "prmPing", task: "start" }];
  const mine = [...(scene.done ?? []), ...ping].filter(({ node }) => node === name);
  const ids = [...new Set(mine.map(({ resource }) => resource))];
  const records = ids.map(
    (id) =>
      `<lrm_resource id="${id}" class="ocf" provider="heartbeat" type="${TYPES[id]}">${operations(
        mine.filter(({ resource }) => resource === id),
        id,
      )}</lrm_resource>`,
  );
  const id = name === "srv01" ? "1" : "2";
  return (
    `<node_state id="${id}" uname="${name}" ${where}><lrm id="${id}"><lrm_resources>${records.join("")}` +
    `</lrm_resources></lrm><transient_attributes id="${id}"><instance_attributes id="status-${id}">` +
    `${nvpairs(`status-${id}`, scene[name] ?? {})}</instance_attributes></transient_attributes></node_state>`
  );
}

/** srv02 judges, and is DC; fencing is configured for both unless said otherwise. */
export function situationOf(scene: Scene): Situation {
  const text = `<cib have-quorum="${scene.hasQuorum === false ? 0 : 1}" dc-uuid="2"><configuration>
    <crm_config><cluster_property_set id="o">${nvpairs("o", {
      "stonith-enabled": String(scene.isFencing ?? true),
      "no-quorum-policy": scene.hasQuorum === undefined ? "ignore" : "stop",
    })}</cluster_property_set></crm_config>
    <nodes><node id="1" uname="srv01"/><node id="2" uname="srv02"/></nodes>
    <resources>${resources(scene)}
    </resources><constraints>${scene.constraints ?? ""}</constraints></configuration>
    <status>${state("srv01", scene)}${state("srv02", scene)}</status></cib>`;
  const read = parseXml(text);
  if (read.kind === "not-xml") throw new Error(read.reason);
  return {
    facts: readFacts(read.root, NOW_MS, undefined),
    self: "srv02",
    nowWallMs: NOW_MS,
    dc: "srv02",
    isSettled: true,
    isBusy: false,
    phases: { srv01: scene.offline === "srv01" || scene.unclean === "srv01" ? "lost" : "member", srv02: "self" },
    links: [],
    fencing: [],
    isFencingEnabled: scene.isFencing ?? true,
    fenceable: ["srv01", "srv02"],
    proofs: [],
    drbd: [],
    keeper: undefined,
    cibRefusal: undefined,
    conflict: undefined,
    clocks: [],
    alerts: [],
    heldUp: undefined,
    blocked: [],
    ...scene.live,
  };
}

/** The group runs there, well. */
export const runsOn = (node: Name, agoSeconds = 3600): readonly Done[] =>
  ["prmIp", "prmDB"].map((resource) => ({ node, resource, task: "start", agoSeconds }));
