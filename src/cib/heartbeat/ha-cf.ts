/**
 * Reads ha.cf: every directive that Heartbeat 3 knows is taken, turned into what serves here, passed over because
 * nothing here needs it, or refused with the reason. Order counts as it did there: baud and udpport are for what
 * follows.
 * Facts: ha.cf(5); reference/heartbeat.md, section 1.
 */
import { nearestName } from "../../base/nearest.ts";
import type { Problem } from "../../base/problem.ts";
import { entryOf } from "../../base/record.ts";
import { parseTimeMs } from "../node-directives.ts";
import { BAUDS, PORT_DEFAULT } from "../node-links.ts";
import {
  type Answer,
  type Draft,
  type Handler,
  isFalse,
  isTrue,
  type Line,
  mapped,
  notNeeded,
  refused,
  type TimeName,
  taken,
  wrong,
} from "./answers.ts";
import { broadcast, multicast, ping, pingGroup, serial, unicast } from "./media.ts";
import { readOldDevice } from "./old-devices.ts";
import type { Site, Verdict } from "./site.ts";

/** Seconds without a unit, as here. */
function time(name: TimeName): Handler {
  return (draft, [word = "", ...rest]) => {
    const ms = parseTimeMs(word);
    if (ms === undefined || ms <= 0 || rest.length > 0)
      return wrong(`${name}: ${[word, ...rest].join(" ")} is no time`, `write ${name} 2, or 500ms`);
    draft.times[name] = ms;
    return taken(`${name} ${printMs(ms)}`);
  };
}

export const printMs = (ms: number): string => (ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`);

const failback: Handler = (draft, [word = ""]) => {
  if (word === "legacy") {
    draft.failback = "on";
    return mapped("as on: legacy moved back as well, by an older protocol");
  }
  if (!isTrue(word) && !isFalse(word))
    return wrong(`auto_failback ${word} is none of on, off, legacy`, "write auto_failback off");
  draft.failback = isTrue(word) ? "on" : "off";
  return mapped(`resource-stickiness ${isTrue(word) ? "below" : "above"} the owner's preference`);
};

/** Programs that heartbeat started and that have their place here. */
const RESPAWNED: readonly (readonly [RegExp, (draft: Draft, command: string) => Answer])[] = [
  [
    /\/ipfail$/,
    (draft) => {
      draft.ipfail = true;
      return mapped("a location rule by pingd: the keepers compare what they reach");
    },
  ],
  [
    /\/pingd$/,
    (_, command) => {
      const name = / -a\s*(\S+)/.exec(command)?.[1] ?? "pingd";
      if (name !== "pingd") return refused(`the attribute is always called pingd: change ${name} in your rules`);
      return mapped("ping nodes: the attribute pingd is 100 for each that answers (pingd -m is not read)");
    },
  ],
  [
    /\/(?:dopd|drbd-peer-outdater)$/,
    () => mapped("gemel drbd-handler fence-peer: set it as DRBD's fence-peer handler"),
  ],
  [
    /\/ifcheckd$/,
    (draft) => {
      draft.linkAttributes = true;
      return mapped("link-attributes on: the state of each link is an attribute PEER-LINK of the node");
    },
  ],
  [
    /\/(?:hbagent|ccm|cib|crmd|attrd|lrmd|stonithd|mgmtd|haclient)$/,
    () => ({ kind: "not-needed", text: "part of gemel" }),
  ],
];

const respawn: Handler = (draft, [user = "", program = "", ...rest]) => {
  if (program === "")
    return wrong("respawn names a user and a program", "write respawn root /path/to/program, or remove it");
  const known = RESPAWNED.find(([pattern]) => pattern.test(program));
  if (known !== undefined) return known[1](draft, [program, ...rest].join(" "));
  return refused(`nothing is started beside the cluster: make ${program} (as ${user}) a cloned resource of its own`);
};

const crm: Handler = (draft, [word = ""]) => {
  if (!/^(?:true|yes|on|y|1|respawn|minimal|manual|valgrind|ccm-only|false|no|off|n|0)$/i.test(word))
    return wrong(`crm ${word} is no mode`, "write crm yes or crm no");
  draft.usesCrm = !isFalse(word);
  if (!draft.usesCrm) return taken("resources come from haresources");
  return mapped("resources come from the CIB: load cib.xml by gemel cibadmin -R -x FILE; haresources is not read");
};

const logs = notNeeded("logs go to standard error and from there to the journal or syslog; gemel log shows them");
const ofHeartbeat = notNeeded("a detail of Heartbeat's own wire or files");
const clients = notNeeded("there are no client programs to be authorised: the control socket is root's");

const DIRECTIVES: Readonly<Record<string, Handler>> = {
  node(draft, names) {
    if (names.length === 0) return wrong("node names nobody", "write node and the output of uname -n of each node");
    draft.nodes.push(...names.map((name) => name.toLowerCase()));
    return taken(names.map((name) => `node ${name.toLowerCase()}`).join(", "));
  },
  cluster(draft, [name = ""]) {
    if (name === "") return wrong("cluster has no name", "write cluster and a name, or remove it");
    draft.cluster = name;
    return taken(`cluster ${name}`);
  },
  keepalive: time("keepalive"),
  warntime: time("warntime"),
  deadtime: time("deadtime"),
  initdead: time("initdead"),
  deadping: time("deadping"),
  hopfudge: notNeeded("a packet goes round a ring once, whatever its size"),
  baud(draft, [rate = ""]) {
    if (!BAUDS.includes(rate))
      return wrong(`baud ${rate} is no known rate`, `write ${nearestName(rate, BAUDS) ?? "19200"}`);
    // Heartbeat refused it, too: the line before would keep the old rate without a word.
    const late = draft.media.some(({ kind }) => kind === "serial");
    if (late) return wrong(`baud ${rate} stands behind serial, which it does not change`, "write it before serial");
    draft.baud = rate;
    return taken(`baud=${rate} of the serial links behind it`);
  },
  udpport(draft, [port = ""]) {
    if (!/^\d+$/.test(port) || Number(port) > 65_535) return wrong(`udpport ${port} is no port`, "write udpport 694");
    draft.port = Number(port);
    return taken(`port ${port} of the links behind it`);
  },
  bcast: broadcast,
  udp: broadcast,
  ucast: unicast,
  ucast6: unicast,
  mcast: multicast,
  mcast6: multicast,
  serial,
  ping,
  ping6: ping,
  ping_group: pingGroup,
  hbaping: () => refused("a host bus adapter is no ping node: monitor the disk behind it (ocf:gemel:diskd)"),
  auto_failback: failback,
  nice_failback(draft, [word = ""], line) {
    if (!isTrue(word) && !isFalse(word)) return wrong(`nice_failback ${word} is neither on nor off`, "write on");
    return failback(draft, [isTrue(word) ? "off" : "on"], line);
  },
  stonith: (_, [type = ""]) =>
    type === "meatware"
      ? mapped("fencing_by_hand: a person, for every node")
      : refused("its file is not read: write its line here, as stonith_host * TYPE PARAMETERS"),
  stonith_host(draft, words) {
    const read = readOldDevice(words, draft.devices.length + 1);
    if (read.kind === "refused") return read;
    draft.devices.push(read.device);
    return { kind: "mapped", text: read.text, written: read.written };
  },
  watchdog(draft, [device = ""]) {
    if (!device.startsWith("/")) return wrong("watchdog names no device", "write watchdog /dev/watchdog");
    draft.watchdog = device;
    return mapped(`watchdog ${device} with deadtime as its timeout`);
  },
  respawn,
  failfast: respawn,
  apiauth: clients,
  crm,
  pacemaker: crm,
  crm_daemon_dir: ofHeartbeat,
  crmd_spawns_pengine: ofHeartbeat,
  autojoin: (_, [word = "none"]) =>
    word === "none"
      ? { kind: "not-needed", text: "every node is named, as ever" }
      : refused("every node has to be named: write node lines for all"),
  logfile: logs,
  debugfile: logs,
  logfacility: logs,
  use_logd: logs,
  conn_logd_time: logs,
  debug: logs,
  syslogmsgfmt: logs,
  log_badpack: notNeeded("packets that are refused are counted and said at most once a second"),
  record_config_changes: logs,
  record_pengine_inputs: notNeeded("gemel simulate takes any CIB"),
  enable_config_writes: ofHeartbeat,
  coredumps: ofHeartbeat,
  coreroot: ofHeartbeat,
  realtime(draft, [word = ""]) {
    if (!isTrue(word) && !isFalse(word)) return wrong(`realtime ${word} is neither on nor off`, "write realtime on");
    draft.realtime = isTrue(word);
    return taken(`realtime ${draft.realtime ? "on" : "off"}`);
  },
  rtprio: notNeeded("the keeper's priority is fixed"),
  memreserve: notNeeded("the keeper's code is locked in memory; swap is off on the appliance"),
  hbgenmethod: (_, [word = "file"]) =>
    word === "file"
      ? taken("the number of each start is kept on disk")
      : mapped("kept on disk: a clock that is set back must not lock a node out"),
  msgfmt: ofHeartbeat,
  compression: ofHeartbeat,
  compression_threshold: ofHeartbeat,
  traditional_compression: ofHeartbeat,
  max_rexmit_delay: ofHeartbeat,
  uuidfrom: ofHeartbeat,
  env: (_, [word = ""]) =>
    refused(`agents take parameters, no environment: give ${word.split("=")[0]} as a parameter where it is used`),
  use_apphbd: (_, [word]) =>
    isTrue(word)
      ? refused("there is no apphbd: the keeper watches the manager")
      : { kind: "not-needed", text: "there is no apphbd" },
  normalpoll: ofHeartbeat,
  quorum_server: () =>
    refused(
      "there is no quorum server: write tie-breaker ping NAME or tie-breaker disk PATH into the node configuration",
    ),
};

/** Every directive that is known; a test holds it against reference/heartbeat.md. */
export const HA_CF_DIRECTIVES: readonly string[] = Object.keys(DIRECTIVES);

/** Heartbeat's: see the table of the reference. */
function withDefaults({ keepalive = 1000, deadtime = 30_000, ...times }: Draft["times"]): Site["times"] {
  const initdead = deadtime > 10_000 ? deadtime : deadtime < 6000 ? 12_000 : 2 * deadtime;
  return { warntime: deadtime / 2, initdead, deadping: deadtime, ...times, keepalive, deadtime };
}

function linesOf(text: string, file: string): Line[] {
  return text.split(/\r?\n/).flatMap((raw, index): Line[] => {
    const [name, ...words] = raw
      .replace(/#.*$/, "")
      .split(/\s+/)
      .filter((word) => word !== "");
    return name === undefined ? [] : [{ place: `${file}:${index + 1}`, name, words }];
  });
}

export interface ReadHaCf {
  readonly site: Site;
  readonly verdicts: readonly Verdict[];
  /** Errors only; the site is not to be used while there is one. */
  readonly problems: readonly Problem[];
}

export function readHaCf(text: string, file: string): ReadHaCf {
  const draft: Draft = {
    cluster: undefined,
    nodes: [],
    times: {},
    media: [],
    pings: [],
    port: PORT_DEFAULT,
    baud: "19200",
    watchdog: undefined,
    failback: undefined,
    usesCrm: false,
    ipfail: false,
    linkAttributes: false,
    realtime: true,
    devices: [],
  };
  const verdicts: Verdict[] = [];
  const problems: Problem[] = [];
  const report = (place: string, reason: string, remedy: string) =>
    problems.push({ severity: "error", place, reason, remedy });
  for (const line of linesOf(text, file)) {
    const { place, name, words } = line;
    const handler = entryOf(DIRECTIVES, name);
    if (handler === undefined) {
      const nearest = nearestName(name, HA_CF_DIRECTIVES);
      report(place, `ha.cf has no directive ${name}`, nearest === undefined ? "remove the line" : `write ${nearest}`);
      continue;
    }
    const answer = handler(draft, words, line);
    if (answer.kind === "wrong") report(place, answer.reason, answer.remedy);
    else verdicts.push({ place, written: [name, ...words].join(" "), ...answer });
  }
  if (draft.nodes.length < 2) report(file, "it names less than two nodes", "write node with the name of each");
  if (draft.media.length === 0) report(file, "it names no medium", "write bcast, ucast, mcast or serial");
  const times = withDefaults(draft.times);
  if (times.deadtime <= 2 * times.keepalive)
    report(file, `deadtime ${printMs(times.deadtime)} is not above twice keepalive`, "raise deadtime");
  const { nodes, media, pings, watchdog, usesCrm, ipfail, linkAttributes, realtime, devices } = draft;
  const site: Site = {
    cluster: draft.cluster ?? "linux-ha",
    nodes,
    times,
    media,
    pings,
    watchdog,
    failback: draft.failback ?? "on",
    usesCrm,
    ipfail,
    linkAttributes,
    realtime,
    devices,
  };
  return { site, verdicts, problems };
}
