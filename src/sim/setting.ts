/** What a virtual site is made of: nodes, links, times, fencing and services; and the CIB that goes with it. */
import { check } from "../base/check.ts";
import { parseXml, type XmlElement } from "../base/xml.ts";
import type { LinkSetting } from "./network.ts";
import { lockTimesOf } from "./shared-lock.ts";
import { PROMOTED, STATEFUL } from "./stateful.ts";

export const NODE_NAMES = ["alpha", "bravo", "charlie", "delta", "echo"] as const;
const SERVICES = ["fs", "ip", "http"] as const;

/**
 * Behind the board: nothing, an outlet of a power strip, a person, the lock that the other one must renew, its
 * watchdog.
 */
export type SecondLevel = "none" | "strip" | "person" | "lock" | "watchdog";

/**
 * `local`: nothing that could be shared; `drbd`: mirrored by DRBD, a promotable clone below the group; `sfex`: a shared
 * disk, with a lock at the head of the group; `stateful`: a promotable clone that minds its data itself.
 */
export type Storage = "local" | "drbd" | "sfex" | "stateful";

/** `no-quorum-policy` of Pacemaker. */
export const QUORUM_POLICIES = ["stop", "freeze", "ignore", "demote", "suicide"] as const;
export type QuorumPolicy = (typeof QUORUM_POLICIES)[number];
/** What decides between two halves: nothing, the router that is pinged, or a lock on a small shared disk. */
export const TIE_BREAKERS = ["none", "ping", "disk"] as const;
export type TieBreaker = (typeof TIE_BREAKERS)[number];

export interface Setting {
  readonly nodeCount: number;
  readonly links: readonly LinkSetting[];
  /** Of the serial links; 0: they carry everything at once. */
  readonly baud: number;
  readonly keepaliveMs: number;
  readonly warntimeMs: number;
  readonly deadtimeMs: number;
  readonly initdeadMs: number;
  readonly selfFencing: "reboot" | "watchdog";
  readonly watchdogMs: number;
  /** Without quorum for so long a node ends itself; 0: it does not, and nobody counts on it. */
  readonly leaseMs: number;
  /** From the wish to the board's first answer. */
  readonly boardMs: number;
  /** The board lives on its host's supply. */
  readonly boardDiesWithHost: boolean;
  readonly second: SecondLevel;
  readonly stonithAction: "reboot" | "off";
  readonly monitorMs: number;
  /** What the first service, a file system, lies on. */
  readonly storage: Storage;
  /** A router is pinged, and the group runs only where it answers. */
  readonly hasPing: boolean;
  readonly tieBreaker: TieBreaker;
  readonly waitForAll: boolean;
  readonly quorumPolicy: QuorumPolicy;
  /** One group that moves as a whole, or each service for itself. */
  readonly isGrouped: boolean;
}

export const USUAL_SETTING: Setting = {
  nodeCount: 2,
  links: [
    { name: "eth1", kind: "udp", delayMs: 1 },
    { name: "ttyS0", kind: "serial", delayMs: 40 },
  ],
  baud: 0,
  keepaliveMs: 1_000,
  warntimeMs: 2_000,
  deadtimeMs: 5_000,
  initdeadMs: 30_000,
  selfFencing: "reboot",
  watchdogMs: 10_000,
  leaseMs: 0,
  boardMs: 300,
  boardDiesWithHost: true,
  second: "none",
  stonithAction: "reboot",
  monitorMs: 10_000,
  storage: "local",
  hasPing: false,
  tieBreaker: "none",
  waitForAll: false,
  quorumPolicy: "stop",
  isGrouped: true,
};

export const nodesOf = ({ nodeCount }: Setting): readonly string[] => NODE_NAMES.slice(0, nodeCount);
/** What runs once: being promoted is a service like the others. */
export const servicesOf = ({ storage }: Setting): readonly string[] =>
  storage === "stateful" ? [...SERVICES, PROMOTED] : SERVICES;

const nvpairs = (id: string, values: Readonly<Record<string, string>>) =>
  Object.entries(values)
    .map(([name, value]) => `<nvpair id="${id}-${name}" name="${name}" value="${value}"/>`)
    .join("");

function device(id: string, target: string, board: string): string {
  const values = { host: board, user: "gemel", secret: board, pcmk_host_list: target };
  return (
    `<primitive id="${id}" class="stonith" type="ipmi-lan">` +
    `<instance_attributes id="${id}-a">${nvpairs(`${id}-a`, values)}</instance_attributes>` +
    `<operations><op id="${id}-m" name="monitor" interval="300s" timeout="60s"/></operations></primitive>`
  );
}

function lockDevice(target: string, { watchdogMs }: Setting): string {
  const confirmS = Math.ceil(lockTimesOf(watchdogMs).lockTimeoutMs / 1_000) + LOCK_CONFIRM_S;
  const values = { resource: "lock", node: target, pcmk_host_list: target, confirm_time: `${confirmS}s` };
  return (
    `<primitive id="lock-${target}" class="stonith" type="sfex">` +
    `<instance_attributes id="lock-${target}-a">${nvpairs(`lock-${target}-a`, values)}</instance_attributes>` +
    "</primitive>"
  );
}

/** The lock itself, first in the group. */
function lockResource({ watchdogMs }: Setting): string {
  const { lockTimeoutMs, collisionTimeoutMs, monitorIntervalMs } = lockTimesOf(watchdogMs);
  const values = {
    device: "/dev/shared",
    lock_timeout: `${lockTimeoutMs / 1_000}`,
    collision_timeout: `${collisionTimeoutMs / 1_000}`,
    monitor_interval: `${Math.floor(monitorIntervalMs / 1_000)}`,
  };
  const startS = Math.ceil(lockTimeoutMs / 1_000) + LOCK_CONFIRM_S;
  return (
    '<primitive id="lock" class="ocf" provider="gemel" type="sfex">' +
    `<instance_attributes id="lock-a">${nvpairs("lock-a", values)}</instance_attributes><operations>` +
    '<op id="lock-m" name="monitor" interval="10s" timeout="10s"/>' +
    `<op id="lock-start" name="start" interval="0s" timeout="${startS}s"/>` +
    '<op id="lock-stop" name="stop" interval="0s" timeout="20s"/></operations></primitive>'
  );
}

function fencing(setting: Setting): { readonly devices: string; readonly bans: string; readonly topology: string } {
  const nodes = nodesOf(setting);
  const { second } = setting;
  const isOne = second === "person" || second === "watchdog";
  const secondId = (node: string) => (isOne ? second : `${second}-${node}`);
  const devices = nodes.map((node) => device(`board-${node}`, node, `board-${node}`));
  if (second === "strip") devices.push(...nodes.map((node) => device(`strip-${node}`, node, `strip-${node}`)));
  if (second === "lock") devices.push(...nodes.map((node) => lockDevice(node, setting)));
  if (second === "person") devices.push('<primitive id="person" class="stonith" type="meatware"/>');
  const banned = nodes.flatMap((node) =>
    second === "none" || isOne ? [`board-${node}`] : [`board-${node}`, `${second}-${node}`],
  );
  const bans = banned.map((id) => {
    const node = id.slice(id.indexOf("-") + 1);
    return `<rsc_location id="ban-${id}" rsc="${id}" node="${node}" score="-INFINITY"/>`;
  });
  const levels = nodes.flatMap((node) => [
    `<fencing-level id="l1-${node}" target="${node}" index="1" devices="board-${node}"/>`,
    ...(second === "none"
      ? []
      : [`<fencing-level id="l2-${node}" target="${node}" index="2" devices="${secondId(node)}"/>`]),
  ]);
  return {
    devices: devices.join(""),
    bans: bans.join(""),
    topology: `<fencing-topology>${levels.join("")}</fencing-topology>`,
  };
}

/** Looks, writes, and late timers beside the lock's own times. */
const LOCK_CONFIRM_S = 15;

/** The `<configuration>` of the site. */
export function configurationOf(setting: Setting): XmlElement {
  const nodes = nodesOf(setting).map((name, index) => `<node id="${index + 1}" uname="${name}"/>`);
  const { devices, bans, topology } = fencing(setting);
  const services = SERVICES.map(
    (id) =>
      `<primitive id="${id}" class="ocf" provider="gemel" type="Dummy"><operations>` +
      `<op id="${id}-m" name="monitor" interval="${setting.monitorMs / 1000}s" timeout="20s"/>` +
      `<op id="${id}-start" name="start" interval="0s" timeout="60s"/>` +
      `<op id="${id}-stop" name="stop" interval="0s" timeout="60s"/></operations></primitive>`,
  );
  const data =
    '<clone id="ms-data"><meta_attributes id="ms-data-meta">' +
    nvpairs("ms-data-meta", { promotable: "true", "clone-max": "2", notify: "false", interleave: "true" }) +
    '</meta_attributes><primitive id="data" class="ocf" provider="gemel" type="drbd">' +
    `<instance_attributes id="data-a">${nvpairs("data-a", { drbd_resource: "data" })}</instance_attributes>` +
    "<operations>" +
    '<op id="data-m1" name="monitor" interval="10s" timeout="20s" role="Promoted"/>' +
    '<op id="data-m2" name="monitor" interval="20s" timeout="20s" role="Unpromoted"/>' +
    '<op id="data-start" name="start" interval="0s" timeout="240s"/>' +
    '<op id="data-promote" name="promote" interval="0s" timeout="90s"/>' +
    '<op id="data-demote" name="demote" interval="0s" timeout="90s"/>' +
    '<op id="data-stop" name="stop" interval="0s" timeout="100s"/></operations></primitive></clone>';
  const onData =
    '<rsc_colocation id="c-data" rsc="service" with-rsc="ms-data" with-rsc-role="Promoted" score="INFINITY"/>' +
    '<rsc_order id="o-data" first="ms-data" first-action="promote" then="service" then-action="start"/>';
  const lock = setting.storage === "sfex" ? lockResource(setting) : "";
  const whereRouterAnswers =
    '<rsc_location id="l-ping" rsc="service"><rule id="l-ping-r" score="-INFINITY" boolean-op="or">' +
    '<expression id="l-ping-1" attribute="pingd" operation="not_defined"/>' +
    '<expression id="l-ping-2" attribute="pingd" operation="lt" value="100" type="number"/></rule></rsc_location>';
  const isMirrored = setting.storage === "drbd";
  const { clone, constraints } = setting.storage === "stateful" ? STATEFUL : { clone: "", constraints: "" };
  const options = {
    "stonith-enabled": "true",
    "stonith-action": setting.stonithAction,
    "no-quorum-policy": setting.quorumPolicy,
    ...(setting.second === "watchdog" ? { "stonith-watchdog-timeout": "-1" } : {}),
  };
  const text =
    `<configuration><crm_config><cluster_property_set id="o">${nvpairs("o", options)}` +
    "</cluster_property_set></crm_config>" +
    `<nodes>${nodes.join("")}</nodes>` +
    `<resources>${setting.isGrouped ? `<group id="service">${lock}${services.join("")}</group>` : services.join("")}` +
    `${isMirrored ? data : ""}${clone}${devices}</resources>` +
    `<constraints>${bans}${isMirrored ? onData : ""}${constraints}` +
    `${setting.hasPing ? whereRouterAnswers : ""}</constraints>` +
    topology +
    `<rsc_defaults><meta_attributes id="d">${nvpairs("d", {
      "resource-stickiness": "100",
      "migration-threshold": "3",
    })}</meta_attributes></rsc_defaults></configuration>`;
  const read = parseXml(text);
  check(read.kind === "xml", "the configuration of a virtual site is XML");
  return read.root;
}
