/** Rows about nodes: who is gone and why, who hangs, who was refused. */
import { entryOf } from "../../../base/record.ts";
import { clockSkew } from "../clock-skew.ts";
import { failCountOf } from "../monitor/operations.ts";
import type { Node } from "../scheduler/facts/model.ts";
import {
  type Advice,
  brokenDisks,
  failures,
  failureText,
  isShot,
  isSingle,
  lacksInterface,
  lastFencing,
  lostAttributes,
  members,
  namesOf,
  primitives,
  type Rule,
  type Situation,
} from "./situation.ts";
import { clock } from "./words.ts";

/** Why a node can take nothing over, as words for row 1; empty when it can. */
function impairments(situation: Situation, node: Node): readonly string[] {
  const { facts } = situation;
  if (node.unclean) return ["unclean"];
  if (!node.online) return ["offline"];
  const attributes = [...lostAttributes(facts), ...brokenDisks(facts)]
    .filter(([, nodes]) => nodes.includes(node))
    .map(([name]) => name);
  // A device that cannot be asked from there keeps no service away.
  const services = primitives(facts).filter((resource) => resource.class !== "stonith");
  const failed = services.filter((resource) => failCountOf(resource, node) !== undefined);
  return [
    ...(node.standby ? ["standby"] : []),
    ...attributes,
    ...new Set(failed.map(({ baseId }) => `fail-count ${baseId}`)),
  ];
}

/** Row 1: all services stand on one node, and the other cannot take them back. */
export const failedOver: Rule = (situation) => {
  const { facts } = situation;
  if (!situation.isSettled) return [];
  const active = primitives(facts).filter(
    (one) => isSingle(one) && one.runningOn.length > 0 && one.class !== "stonith",
  );
  return members(facts).flatMap((node): Advice[] => {
    const why = impairments(situation, node);
    const survivors = members(facts).filter((other) => other !== node && impairments(situation, other).length === 0);
    const [survivor, ...more] = survivors;
    if (why.length === 0 || survivor === undefined || more.length > 0 || members(facts).length !== 2) return [];
    const moved = active.filter(({ runningOn }) => runningOn.includes(survivor) && !runningOn.includes(node));
    if (moved.length === 0 || active.some(({ runningOn }) => runningOn.includes(node))) return [];
    const ids = [...new Set(moved.map(({ baseId }) => baseId))].join(", ");
    const values = { node: node.name, survivor: survivor.name, resources: ids, why: why.join(", ") };
    return [{ code: "failed-over", severity: "warning", values }];
  });
};

/** How long a node that was switched off and on may need to come back before anybody has to look. */
const REBOOT_MS = 180_000;

function absent(situation: Situation, node: Node): Advice[] {
  const { phases, nowWallMs, links, isSettled } = situation;
  const phase = entryOf(phases, node.name) ?? "unknown";
  const heard = links.filter(({ peer, state }) => peer === node.name && state === "up").map(({ name }) => name);
  const values = { node: node.name, phase };
  if (heard.length > 0 && (phase === "lost" || phase === "left"))
    return [{ code: "start-refused", severity: "error", values: { ...values, links: heard.join(", ") } }];
  if (phase === "left")
    return [{ code: "service-not-running", severity: "warning", values: { ...values, how: "left" } }];
  const last = lastFencing(situation, node.name);
  if (last !== undefined && isShot(last)) {
    const proof = { ...values, at: clock(last.atWallMs), evidence: last.evidence, by: last.by };
    if (last.action === "off") return [{ code: "node-without-power", severity: "warning", values: proof }];
    if (nowWallMs - last.atWallMs > REBOOT_MS)
      return [{ code: "service-not-running", severity: "warning", values: { ...proof, how: "rebooted" } }];
    return [{ code: "service-not-running", severity: "warning", values: { ...proof, how: "rebooting" } }];
  }
  return isSettled ? [{ code: "node-silent", severity: "warning", values }] : [];
}

/** Rows 2, 3 and 14, and what stands before them: each absent node, with what is known of it. */
export const absentNodes: Rule = (situation) =>
  members(situation.facts).flatMap((node): readonly Advice[] => {
    if (node.name === situation.self || node.online) return [];
    if (!node.unclean) return absent(situation, node);
    return [{ code: "node-unclean", severity: "error", values: { node: node.name, ...fencingStory(situation, node) } }];
  });

/** What has been tried so far to prove that the node is off. */
function fencingStory({ fencing, nowWallMs }: Situation, { name }: Node): Readonly<Record<string, string>> {
  const rounds = fencing.filter(({ target }) => target === name);
  const failed = rounds.slice(rounds.findLastIndex(({ outcome }) => outcome === "confirmed") + 1);
  const last = failed.findLast(({ outcome }) => outcome !== "running");
  const open = failed.find(({ outcome }) => outcome === "running");
  const running = open === undefined ? "" : open.awaitsPerson === true ? "person" : "devices";
  if (last === undefined) return { outcome: "", reason: "", seconds: "", running };
  const seconds = String(Math.max(0, Math.round((nowWallMs - last.atWallMs) / 1000)));
  return { outcome: last.outcome, reason: last.reason, seconds, running };
}

/** Whatever an operator changes now waits, on every node: an acknowledged change stands on the disk of each. */
export const cibNotWritten: Rule = ({ cibRefusal, self }) =>
  cibRefusal === undefined
    ? []
    : [{ code: "cib-not-written", severity: "error", values: { node: self, why: cibRefusal } }];

/** One side's changes are not in force, though they were acknowledged there. */
export const configurationConflict: Rule = ({ conflict }) =>
  conflict === undefined
    ? []
    : [
        {
          code: "configuration-conflict",
          severity: "warning",
          values: { version: conflict.version, lost: String(conflict.lost) },
        },
      ];

/** What is dated on one node is misread on the other. */
export const skewedClocks: Rule = ({ clocks }) =>
  clocks.flatMap((reading) => {
    const skew = clockSkew(reading);
    return skew === undefined ? [] : [{ ...skew, values: { ...skew.values } }];
  });

/** Whoever is to be told of the next trouble would not hear of it. */
export const alertsNotTold: Rule = ({ alerts }) =>
  alerts.map(({ node, target, reason, lost }) => {
    return { code: "alert-not-told", severity: "warning", values: { node, target, reason, lost: String(lost) } };
  });

/** Beyond this share of deadtime a busier day looks like death. */
const SILENCE_SHARE = 0.75;

export const keeperTrouble: Rule = ({ keeper, self }) => {
  if (keeper === undefined) return [];
  const { ailment, tieTrouble, deadtimeMs, worstSilenceMs, lateP99Ms } = keeper;
  const found: Advice[] = [];
  if (ailment !== undefined) found.push({ code: "node-sick", severity: "error", values: { node: self, why: ailment } });
  if (tieTrouble !== undefined)
    found.push({ code: "tie-breaker-unready", severity: "error", values: { node: self, why: tieTrouble } });
  if (worstSilenceMs > SILENCE_SHARE * deadtimeMs) {
    const values = {
      silence: String(Math.round(worstSilenceMs)),
      deadtime: String(deadtimeMs),
      late: String(lateP99Ms),
    };
    found.push({ code: "silence-near-deadtime", severity: "warning", values });
  }
  return found;
};

/** Row 12: a node is leaving and cannot, because something on it does not stop. */
const SHUTDOWN_MS = 300_000;

export const hangingShutdown: Rule = ({ facts, nowWallMs }) =>
  members(facts).flatMap((node): readonly Advice[] => {
    if (!node.shutdown || !node.online) return [];
    const stuck = failures(facts).find((failure) => failure.node === node && failure.entry.task === "stop");
    const sinceMs = Number(node.attributes["shutdown"] ?? 0) * 1000;
    const isLate = sinceMs > 1_000_000_000_000 && nowWallMs - sinceMs > SHUTDOWN_MS;
    if (stuck === undefined && !isLate) return [];
    const proof = stuck === undefined ? clock(sinceMs) : `${stuck.resource.baseId}: ${failureText(stuck)}`;
    const resource = stuck?.resource.baseId ?? "";
    return [{ code: "shutdown-hangs", severity: "error", values: { node: node.name, proof, resource } }];
  });

/** Exit codes that say: what the agent needs is not there. Fact: OCF resource agent API. */
const NOT_READY = [2, 4, 5, 6];

/** Row 13: the cluster was started before the files, disks or networks that its services need; or they lack since. */
export const notReady: Rule = ({ facts }) => {
  const early = failures(facts).filter((failure) => {
    const { entry, code, isTimeout } = failure;
    if (isTimeout || !NOT_READY.includes(code) || lacksInterface(failure)) return false;
    return ["monitor", "start"].includes(entry.task) && entry.intervalMs === 0;
  });
  const byClass = (isDevice: boolean) => early.filter(({ resource }) => (resource.class === "stonith") === isDevice);
  const asked = members(facts).flatMap((node) => [false, true].map((isDevice) => ({ node, isDevice })));
  return asked.flatMap(({ node, isDevice }): readonly Advice[] => {
    const mine = byClass(isDevice).filter((failure) => failure.node === node);
    if (mine.length === 0) return [];
    const resources = [...new Set(mine.map(({ resource }) => resource.baseId))];
    const proof = mine.map((failure) => `${failure.resource.baseId} ${failureText(failure)}`).join("; ");
    const cleanup = resources.map((id) => `crm resource cleanup ${id} ${node.name}`).join("; ");
    const kind = isDevice ? "device" : "service";
    const values = { node: node.name, resources: resources.join(", "), proof, cleanup, kind };
    return [{ code: "not-ready", severity: "warning", values }];
  });
};

export const setAside: Rule = ({ facts }) =>
  members(facts).flatMap((node): Advice[] => {
    if (!node.online) return [];
    const values = { node: node.name };
    return [
      ...(node.standby && !node.standbyOnFail && !node.pending
        ? ([{ code: "node-standby", severity: "warning", values }] as const)
        : []),
      ...(node.maintenance ? ([{ code: "node-maintenance", severity: "warning", values }] as const) : []),
    ];
  });

/** Whether this part may not decide for the cluster, by its policy. */
export const lacksQuorum = ({ facts }: Situation): boolean =>
  !facts.options.quorate && facts.options.noQuorumPolicy !== "ignore";

/**
 * One line in place of each action that is blocked by it. Who is together, the keepers say: the CIB of a part that is
 * led by nobody, or not yet again, still has the nodes as they were.
 */
export const noQuorum: Rule = (situation) => {
  const { facts, isSettled, phases, self } = situation;
  if (!isSettled || !lacksQuorum(situation)) return [];
  const all = members(facts);
  const here = all.filter(({ name }) => name === self || entryOf(phases, name) === "member");
  const how = here.length * 2 > all.length ? "not-counted" : "too-few";
  return [{ code: "no-quorum", severity: "error", values: { nodes: namesOf(here), count: String(all.length), how } }];
};

/** The worst silence of a cluster: all is green, and nothing would be taken over. */
export const heldUpDecisions: Rule = ({ heldUp }) =>
  heldUp === undefined ? [] : [{ code: "decisions-held-up", severity: "error", values: { why: heldUp } }];

export const noDc: Rule = ({ dc }) => (dc === undefined ? [{ code: "no-dc", severity: "error", values: {} }] : []);
