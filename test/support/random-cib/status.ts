/** The status of generated CIBs: what each node recorded, its attributes and its membership. */
import { parametersDigest } from "../../../src/cluster/core/scheduler/facts/digests.ts";
import { type Draw, NOW_SECONDS, type Primitive, pairs, type Theme, type Top, tag } from "./draw.ts";

/** What a node records of an operation without parameters; the timeout of a recurring one counts as a parameter. */
const DIGEST = parametersDigest({});
const MONITOR_DIGEST = parametersDigest({ CRM_meta_timeout: "20000" });

interface Entry {
  readonly task: string;
  readonly code: number;
  readonly target?: number;
  readonly intervalMs?: number;
  readonly status?: number;
}

/** The life of one instance on one node, as its node would have recorded it. */
function life(
  draw: Draw,
  theme: Theme,
  { monitors, isFencing }: Primitive,
  promotable: boolean,
  mode: string,
): Entry[] {
  const { chance, pick } = draw;
  const stopped: Entry = { task: "monitor", code: 7, target: 7 };
  if (mode === "unknown") return [];
  if (mode === "stopped")
    return chance(0.2)
      ? [
          { task: "start", code: 0 },
          { task: "stop", code: 0 },
        ]
      : [stopped];
  const entries: Entry[] =
    isFencing || chance(0.8) ? [{ task: "start", code: 0 }] : [{ task: "monitor", code: 0, target: 7 }];
  if (mode === "promoted") entries.push({ task: "promote", code: 0 });
  const role = promotable ? (mode === "promoted" ? "Promoted" : "Unpromoted") : "";
  for (const { seconds, role: wanted } of monitors)
    if (wanted === role && chance(0.9)) {
      const code = role === "Promoted" ? 8 : 0;
      entries.push({ task: "monitor", code, target: code, intervalMs: seconds * 1000 });
    }
  if (!theme.failures || !chance(0.25)) return entries;
  const failure = pick(["monitor", "start", "stop", "promote", "pending"]);
  if (failure === "start") return [{ task: "start", code: pick([1, 5, 7, 2]) }];
  if (failure === "stop") return [...entries, { task: "stop", code: 1 }];
  if (failure === "promote" && promotable) return [entries[0] ?? stopped, { task: "promote", code: 1 }];
  if (failure === "pending")
    return [entries[0] ?? stopped, { task: pick(["stop", "monitor"]), code: 193, target: 0, status: -1 }];
  const last = entries.at(-1);
  if (last?.intervalMs === undefined) return entries;
  return [...entries.slice(0, -1), { ...last, code: pick([1, 7]) }];
}

function historyXml(id: string, agent: string, entries: readonly Entry[], callFrom: number): string {
  const ops = entries.map(({ task, code, target = 0, intervalMs = 0, status = 0 }, index) => {
    const key = `${id}_${task}_${intervalMs}`;
    const plain = code !== target && task !== "monitor" ? `${id}_last_failure_0` : `${id}_last_${index}`;
    const transition = `1:0:${target}:00000000-0000-0000-0000-000000000000`;
    return tag("lrm_rsc_op", {
      id: intervalMs > 0 ? key : plain,
      operation_key: key,
      operation: task,
      crm_feature_set: "3.16.1",
      "transition-key": transition,
      "transition-magic": `${status}:${code};${transition}`,
      "call-id": status === -1 ? -1 : callFrom + index,
      "rc-code": code,
      "op-status": status,
      interval: intervalMs,
      "last-rc-change": NOW_SECONDS - 1000 + index,
      "exec-time": 1,
      "queue-time": 0,
      "op-digest": intervalMs === 0 ? DIGEST : MONITOR_DIGEST,
    });
  });
  return `<lrm_resource id="${id}" ${agent}>${ops.join("")}</lrm_resource>`;
}

const agentOf = (member: Primitive, promotable: boolean) =>
  member.isFencing
    ? 'class="stonith" type="fence_ipmilan"'
    : `class="ocf" provider="pacemaker" type="${promotable ? "Stateful" : "Dummy"}"`;

export type Lives = Map<string, string[]>;

/** Where everything runs: mostly as the scheduler would have it, sometimes not. */
export function live(
  draw: Draw,
  theme: Theme,
  tops: readonly Top[],
  nodes: readonly [string, ...string[]],
  lives: Lives,
): void {
  const { chance, pick } = draw;
  let call = 1;
  for (const { kind, members, unique } of tops) {
    const isClone = kind === "clone" || kind === "promotable";
    const home = pick(nodes);
    const isUp = chance(0.65);
    const leader = pick(nodes);
    nodes.forEach((node, position) => {
      const here = isClone ? isUp && chance(0.85) : isUp && (node === home || chance(0.03));
      const reach = here && chance(0.1) ? 1 : members.length;
      members.forEach((member, index) => {
        const active = here && index < reach;
        const up = kind === "promotable" && node === leader ? "promoted" : "started";
        const mode = active ? up : chance(0.85) ? "stopped" : "unknown";
        const entries = life(draw, theme, member, kind === "promotable", mode);
        if (entries.length === 0) return;
        const id = isClone && unique ? `${member.id}:${position}` : member.id;
        lives.get(node)?.push(historyXml(id, agentOf(member, kind === "promotable"), entries, call));
        call += entries.length;
      });
    });
  }
}

function transient(draw: Draw, theme: Theme, tops: readonly Top[], troubled: boolean): Record<string, string> {
  const { chance, pick } = draw;
  const attributes: Record<string, string> = {};
  for (const { kind, members } of tops) {
    if (kind === "promotable" && chance(0.8))
      for (const { id } of members) attributes[`master-${id}`] = pick(["5", "10", "100", "-1"]);
    for (const { id, monitors } of members)
      if (theme.failures && chance(0.1)) {
        const [monitor] = monitors;
        attributes[`fail-count-${id}#${monitor === undefined ? "start_0" : `monitor_${monitor.seconds * 1000}`}`] =
          pick(["1", "2", "INFINITY"]);
        attributes[`last-failure-${id}#${monitor === undefined ? "start_0" : `monitor_${monitor.seconds * 1000}`}`] =
          String(NOW_SECONDS - pick([5, 100, 900]));
      }
  }
  if (theme.health && chance(0.5)) attributes["#health-disk"] = pick(["red", "yellow", "green"]);
  if (troubled && chance(0.15)) attributes["shutdown"] = String(NOW_SECONDS - 10);
  return attributes;
}

export function nodeState(
  draw: Draw,
  theme: Theme,
  name: string,
  number: number,
  tops: readonly Top[],
  lives: Lives,
): string {
  const { chance, pick } = draw;
  const troubled = theme.troubledNodes && chance(0.4);
  const kind = troubled ? pick(["lost", "down", "leaving", "pending", "away"]) : "up";
  const states: Readonly<Record<string, string>> = {
    up: 'in_ccm="true" crmd="online" join="member" expected="member"',
    leaving: 'in_ccm="true" crmd="online" join="member" expected="member"',
    lost: 'in_ccm="false" crmd="offline" join="down" expected="member"',
    down: 'in_ccm="false" crmd="offline" join="down" expected="down"',
    pending: 'in_ccm="true" crmd="offline" join="down" expected="member"',
    away: 'in_ccm="true" crmd="online" join="down" expected="member"',
  };
  if (kind === "down" && chance(0.3)) return "";
  const attributes = transient(draw, theme, tops, troubled && kind === "leaving");
  if (kind === "leaving") attributes["shutdown"] = String(NOW_SECONDS - 10);
  const own = tag("instance_attributes", { id: `status-${number}` }, pairs(`status-${number}`, attributes));
  const isBare = Object.keys(attributes).length === 0;
  const transientXml = isBare ? "" : tag("transient_attributes", { id: number }, own);
  const records = tag("lrm_resources", {}, ...(lives.get(name) ?? []));
  const lrm = kind === "down" ? "" : tag("lrm", { id: number }, records);
  return `<node_state id="${number}" uname="${name}" ${states[kind]}>${transientXml}${lrm}</node_state>`;
}
