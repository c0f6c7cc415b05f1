/**
 * The whole picture of the cluster as one node sees it, for `gemel status`, crm_mon, the lab and the console.
 * Nothing is judged here that the cores have not judged: roles and nodes come from the scheduler's reading of the CIB.
 */
import { entryOf } from "../../base/record.ts";
import { childOf, childrenOf, type XmlElement } from "../../base/xml.ts";
import { agentOf } from "../../cib/template.ts";
import type { ConflictFact } from "../../cluster/core/advice/situation.ts";
import type { ToldTrouble } from "../../cluster/core/alerts/dispatch.ts";
import type { ClockReading } from "../../cluster/core/clock-skew.ts";
import {
  cibVersion,
  configuredNodes,
  isFencingEnabled,
  nodeState,
  nodeStates,
  transientAttributes,
} from "../../cluster/core/controller/cib-read.ts";
import { fencingStandings } from "../../cluster/core/controller/fencing-race.ts";
import type { ControllerState } from "../../cluster/core/controller/types.ts";
import type { KeeperReport } from "../../cluster/core/keeper/report.ts";
import { leasesOf } from "../../cluster/core/overrides/lease.ts";
import type { Decision, ResourceRole } from "../../cluster/core/scheduler/decision.ts";
import type { FencingConfiguration } from "../../fencing/core/configuration.ts";
import type { FencingRecord as FencerRecord, FencingOperation } from "../../fencing/core/fencer-state.ts";
import { expiryOf, isExpired, type ProofReport } from "../../fencing/core/proofs.ts";
import type {
  ActiveOn,
  DrbdStatus,
  FailureStatus,
  NodeState,
  NodeStatus,
  ResourceStatus,
  StatusReport,
} from "../control-protocol.ts";
import type { FencingRecord, ProofStatus } from "../fencing-report.ts";
import { VERSION } from "../version.ts";
import { findProblems } from "./advice.ts";

export interface StatusSources {
  readonly controller: ControllerState;
  readonly cib: XmlElement;
  /** Of the present CIB; its transition is not used. */
  readonly decision: Decision;
  readonly fencing: FencingConfiguration;
  readonly records: readonly FencerRecord[];
  /** By node, this one first. */
  readonly proofs: readonly (readonly [string, ProofReport])[];
  readonly running: readonly Pick<FencingOperation, "target" | "action" | "startedWallMs" | "by" | "phase">[];
  readonly drbd: readonly DrbdStatus[];
  readonly cibRefusal: string | undefined;
  readonly conflict: ConflictFact | undefined;
  readonly clocks: readonly ClockReading[];
  readonly alerts: readonly ToldTrouble[];
  readonly keeper?: KeeperReport;
  readonly nowWallMs: number;
}

function nodeStateWord(decision: Decision["nodes"][number] | undefined): NodeState {
  if (decision === undefined) return "offline";
  if (decision.unclean) return "unclean";
  if (decision.pending) return "pending";
  if (!decision.online) return "offline";
  if (decision.maintenance) return "maintenance";
  return decision.standby ? "standby" : "online";
}

function readNodes({ controller, cib, decision }: StatusSources): readonly NodeStatus[] {
  const { view, self, election } = controller;
  const peers = view?.peers ?? [];
  const configured = configuredNodes(cib);
  const names = new Set([...configured.map(({ name }) => name), self, ...peers.map(({ name }) => name)]);
  return [...names].sort().map((name) => {
    const attributes = {
      ...configured.find((node) => node.name === name)?.attributes,
      ...transientAttributes(nodeState(cib, name)),
    };
    const shown = Object.entries(attributes).filter(([key]) => !/^(fail-count|last-failure)-/.test(key));
    const membership = name === self ? "self" : (peers.find((peer) => peer.name === name)?.phase ?? "unknown");
    // A member that no DC has written down yet is neither lost nor a ghost.
    const isJoining = nodeState(cib, name) === undefined && (membership === "self" || membership === "member");
    return {
      name,
      state: isJoining ? "pending" : nodeStateWord(decision.nodes.find((node) => node.name === name)),
      membership,
      isDc: election.dc === name,
      attributes: Object.fromEntries(shown),
    };
  });
}

interface Listed {
  readonly primitive: XmlElement;
  readonly parents: ResourceStatus["parents"];
  readonly isWanted: boolean;
}

function hasMeta(element: XmlElement, name: string, value: string): boolean {
  const pairs = childrenOf(element, "meta_attributes").flatMap((set) => childrenOf(set, "nvpair"));
  return pairs.some(({ attributes }) => attributes.name === name && attributes.value === value);
}

function isPromotable(element: XmlElement): boolean {
  return element.name === "master" || hasMeta(element, "promotable", "true");
}

/** Every primitive with what holds it, in the order of the configuration. */
export function listPrimitives(
  element: XmlElement | undefined,
  parents: ResourceStatus["parents"] = [],
  isHolderWanted = true,
): Listed[] {
  return (element?.children ?? []).flatMap((child): Listed[] => {
    const id = child.attributes.id ?? "";
    const isWanted = isHolderWanted && !hasMeta(child, "target-role", "Stopped");
    if (child.name === "primitive") return [{ primitive: child, parents, isWanted }];
    if (child.name === "group") return listPrimitives(child, [{ id, kind: "group" }, ...parents], isWanted);
    if (child.name !== "clone" && child.name !== "master") return [];
    const kind = isPromotable(child) ? "promotable" : "clone";
    return listPrimitives(child, [{ id, kind }, ...parents], isWanted);
  });
}

const ROLES: Readonly<Record<ResourceRole, ActiveOn["role"] | undefined>> = {
  unknown: undefined,
  stopped: undefined,
  started: "Started",
  unpromoted: "Unpromoted",
  promoted: "Promoted",
};

function lrmResources(state: XmlElement): readonly XmlElement[] {
  return childrenOf(childOf(childOf(state, "lrm"), "lrm_resources"), "lrm_resource");
}

/** By its own name, or by that which all instances of an anonymous clone share. */
export function sinceWallMs(cib: XmlElement, node: string, names: readonly string[]): number | undefined {
  const state = nodeState(cib, node);
  const known = state === undefined ? [] : lrmResources(state);
  const found = known.find(({ attributes: { id = "" } }) => names.includes(id));
  const { id: resource, "active-since": since } = found?.attributes ?? {};
  const last = childrenOf(found, "lrm_rsc_op").find(({ attributes }) => attributes.id === `${resource}_last_0`);
  const seconds = Number(since ?? last?.attributes["last-rc-change"]);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}

function holdOf(instances: Decision["resources"]): Pick<ResourceStatus, "heldBy"> {
  if (instances.some(({ blocked }) => blocked)) return { heldBy: "block" };
  return instances.some(({ heldBack }) => heldBack === true) ? { heldBy: "no-fencing" } : {};
}

function readResources({ cib, decision }: StatusSources): readonly ResourceStatus[] {
  const states = nodeStates(cib);
  const written = childOf(childOf(cib, "configuration"), "resources");
  return listPrimitives(written).map(({ primitive, parents, isWanted }) => {
    const { id = "", class: agentClass, provider, type } = agentOf(primitive, written);
    const instances = decision.resources.filter((one) => one.id === id || one.id.startsWith(`${id}:`));
    const active = instances.flatMap(({ id: instance, role, activeOn }) =>
      activeOn.flatMap((node): ActiveOn[] => {
        const shown = ROLES[role];
        const since = sinceWallMs(cib, node, [instance, id]);
        return shown === undefined
          ? []
          : [{ node, role: shown, ...(since === undefined ? {} : { sinceWallMs: since }) }];
      }),
    );
    const failCounts = states.flatMap((state) => {
      const counts = Object.entries(transientAttributes(state)).filter(([name]) =>
        name.startsWith(`fail-count-${id}#`),
      );
      return counts.map(([, count]) => ({ node: state.attributes.uname ?? "", count }));
    });
    return {
      id,
      agent: [agentClass, provider, type].filter((part) => part !== undefined).join(":"),
      parents,
      isManaged: instances.every(({ managed }) => managed),
      ...holdOf(instances),
      isWanted,
      active: active.toSorted((left, right) => left.node.localeCompare(right.node)),
      failCounts,
    };
  });
}

/** Words of crm_mon for the numbers of the CIB (op-status). */
const OP_STATUS: Readonly<Record<string, string>> = {
  "0": "complete",
  "1": "Cancelled",
  "2": "Timed Out",
  "3": "Not supported",
  "4": "Error",
  "7": "Not installed",
};

function readFailures({ cib }: StatusSources): readonly FailureStatus[] {
  return nodeStates(cib).flatMap((state) =>
    lrmResources(state).flatMap((resource) =>
      childrenOf(resource, "lrm_rsc_op")
        .filter(({ attributes }) => attributes.id?.endsWith("_last_failure_0") === true)
        .map(({ attributes }) => {
          const seconds = Number(attributes["last-rc-change"]);
          return {
            node: state.attributes.uname ?? "",
            resource: resource.attributes.id ?? "",
            operation: `${attributes.operation}_${attributes.interval ?? "0"}`,
            code: Number(attributes["rc-code"]),
            status: entryOf(OP_STATUS, attributes["op-status"] ?? "") ?? `status ${attributes["op-status"]}`,
            callId: Number(attributes["call-id"]),
            ...(seconds > 0 ? { atWallMs: seconds * 1000 } : {}),
            exitReason: attributes["exit-reason"] ?? "",
          };
        }),
    ),
  );
}

/** A person's word is no reading, and is never told as one. */
const confirmationOf = (driver: string, power: string) =>
  driver === "meatware" ? "nothing was read: a person has said so" : `power read as ${power}`;

/** One record of the fencer in the words of the control protocol. */
export function fencingRecord(record: FencerRecord): FencingRecord {
  const { node, target, action, outcome, devices, by, hasNotMet, startedWallMs, endedWallMs } = record;
  const evidence = devices.flatMap((device) =>
    device.evidence.map(({ asked, answered }) => `${device.device}: ${asked}: ${answered}`),
  );
  return {
    target,
    action,
    outcome: outcome.kind,
    device: devices.at(-1)?.device ?? "",
    atWallMs: startedWallMs,
    by: by.join(", "),
    ...(hasNotMet === true ? { hasNotMet } : {}),
    evidence: evidence.join("; "),
    reason: outcome.kind === "confirmed" ? "" : outcome.reason,
    node,
    endedWallMs,
    devices: devices.map(({ device, driver, action: asked, outcome: seen, evidence: lines }) => ({
      device,
      driver,
      action: asked,
      outcome: seen.kind,
      reason: seen.kind === "confirmed" ? confirmationOf(driver, seen.power) : seen.reason,
      evidence: lines.map(({ atWallMs, lastWallMs, asked: question, answered }) => {
        return { atWallMs, lastWallMs, asked: question, answered };
      }),
    })),
  };
}

/** How a device of a node is proven, in one word and with its dates. */
function proofStatus(node: string, { times, proofs }: ProofReport, nowWallMs: number): ProofStatus[] {
  return proofs.map((proof) => {
    const { device, provenWallMs, switchedWallMs, failing } = proof;
    const expiresWallMs = expiryOf(proof, times);
    const isOver = isExpired(proof, times, nowWallMs);
    const state = isOver
      ? "expired"
      : failing !== undefined
        ? "failing"
        : provenWallMs === undefined
          ? "new"
          : "proven";
    return {
      node,
      device,
      state,
      ...(provenWallMs === undefined ? {} : { provenWallMs }),
      ...(expiresWallMs === undefined ? {} : { expiresWallMs }),
      ...(switchedWallMs === undefined ? {} : { switchedWallMs }),
      ...(failing === undefined ? {} : { reason: failing.reason, failingSinceWallMs: failing.sinceWallMs }),
    };
  });
}

function readFencing({
  cib,
  decision,
  fencing,
  records,
  running,
  proofs,
  nowWallMs,
}: StatusSources): StatusReport["fencing"] {
  const open = running.map(({ target, action, startedWallMs, by, phase }): FencingRecord => {
    return {
      target,
      action,
      outcome: "running",
      device: "",
      atWallMs: startedWallMs,
      by: by.join(", "),
      evidence: "",
      reason: "",
      ...(phase.kind === "operator" ? { awaitsPerson: true } : {}),
    };
  });
  return {
    isEnabled: isFencingEnabled(cib),
    devices: fencing.devices.map(({ id, driver, targets }) => ({ id, driver, targets: targets ?? [] })),
    history: [...records.map(fencingRecord), ...open],
    proofs: proofs.flatMap(([node, report]) => proofStatus(node, report, nowWallMs)),
    race: { order: fencingStandings(decision).map(({ node }) => node), delayMs: fencing.priorityDelayMs },
  };
}

export function buildStatus(sources: StatusSources): StatusReport {
  const { controller, cib, drbd, nowWallMs } = sources;
  const { view, self, election, dcReport } = controller;
  const report: Omit<StatusReport, "problems"> = {
    program: `gemel ${VERSION}`,
    self,
    atWallMs: nowWallMs,
    ...(election.dc === null ? {} : { dc: election.dc }),
    hasQuorum: cib.attributes["have-quorum"] === "1",
    isSettled: view?.settled === true,
    cibVersion: cibVersion(cib),
    nodes: readNodes(sources),
    links: view?.links ?? [],
    ...(sources.keeper === undefined ? {} : { keeper: sources.keeper }),
    resources: readResources(sources),
    failures: readFailures(sources),
    drbd,
    ...(sources.cibRefusal === undefined ? {} : { cibRefusal: sources.cibRefusal }),
    ...(sources.conflict === undefined ? {} : { conflict: sources.conflict }),
    ...(sources.clocks.length === 0 ? {} : { clocks: sources.clocks }),
    ...(sources.alerts.length === 0 ? {} : { alerts: sources.alerts }),
    fencing: readFencing(sources),
    transition: {
      number: dcReport?.number ?? 0,
      isRunning: dcReport?.isRunning === true,
      actionCount: dcReport?.actionCount ?? 0,
      doneCount: dcReport?.doneCount ?? 0,
      inFlight: dcReport?.inFlight ?? [],
      summary: dcReport?.summary ?? [],
    },
    leases: leasesOf(childOf(cib, "configuration")),
  };
  return { ...report, problems: findProblems(cib, report, dcReport ?? { blocked: [] }) };
}
