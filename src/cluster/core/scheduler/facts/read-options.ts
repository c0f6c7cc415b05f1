/** Cluster options: both dialects, defaults, quorum. Facts: Pacemaker Explained, "Cluster Options". */
import { entryOf } from "../../../../base/record.ts";
import type { XmlElement } from "../../../../base/xml.ts";
import { childOf, childrenOf } from "../../../../base/xml.ts";
import { readCount } from "../../../../cib/schema/values.ts";
import { FIRST_OPTION_SET, type IdIndex } from "../../../../cib/sets.ts";
import { addSets } from "./attribute-sets.ts";
import type { RuleContext } from "./rules.ts";
import { isTrue, parseBoolean, parseDurationMs } from "./values.ts";

export interface Options {
  readonly all: Readonly<Record<string, string>>;
  readonly fencingEnabled: boolean;
  readonly fencingAction: "reboot" | "off";
  readonly fencingTimeoutMs: number;
  readonly startupFencing: boolean;
  readonly concurrentFencing: boolean;
  readonly hasWatchdog: boolean;
  readonly watchdogTimeoutMs: number;
  readonly priorityFencingDelayMs: number;
  /** How long a node may take from joining the cluster to joining its managers; 0: for ever. */
  readonly nodePendingTimeoutMs: number;
  readonly quorate: boolean;
  readonly noQuorumPolicy: "ignore" | "stop" | "freeze" | "demote" | "fence";
  readonly symmetric: boolean;
  readonly maintenance: boolean;
  readonly stopAll: boolean;
  readonly stopRemoved: boolean;
  readonly cancelRemoved: boolean;
  readonly startFailureIsFatal: boolean;
  readonly probes: boolean;
  readonly placement: "default" | "utilization" | "minimal" | "balanced";
  readonly shutdownLock: boolean;
  readonly shutdownLockLimitMs: number;
  readonly healthStrategy: string;
  readonly clusterDelayMs: number;
  readonly batchLimit: number;
  readonly migrationLimit: number;
}

/** Each option's other names, the first one that is set counts. */
export const DIALECTS: Readonly<Record<string, readonly string[]>> = {
  "fencing-enabled": ["fencing-enabled", "stonith-enabled", "stonith_enabled"],
  "fencing-action": ["fencing-action", "stonith-action", "stonith_action"],
  "fencing-timeout": ["fencing-timeout", "stonith-timeout"],
  "fencing-watchdog-timeout": ["fencing-watchdog-timeout", "stonith-watchdog-timeout"],
  "no-quorum-policy": ["no-quorum-policy", "no_quorum_policy"],
  "symmetric-cluster": ["symmetric-cluster", "symmetric_cluster"],
  "stop-removed-resources": ["stop-removed-resources", "stop-orphan-resources", "stop_orphan_resources"],
  "cancel-removed-actions": ["cancel-removed-actions", "stop-orphan-actions", "stop_orphan_actions"],
  "cluster-delay": ["cluster-delay", "transition_idle_timeout"],
  "fence-remote-without-quorum": ["fence-remote-without-quorum"],
};

const NO_DIALECTS: readonly string[] = [];

function noQuorumPolicyOf(value: string | undefined, fencingEnabled: boolean): Options["noQuorumPolicy"] {
  if (value === "ignore" || value === "freeze" || value === "demote") return value;
  return fencingEnabled && (value === "suicide" || value === "fence") ? "fence" : "stop";
}

function placementOf(value: string | undefined): Options["placement"] {
  return value === "utilization" || value === "minimal" || value === "balanced" ? value : "default";
}

/** Reads `crm_config`; an option it does not know is left alone, one with a senseless value takes its default. */
export function readOptions(
  cib: XmlElement,
  configuration: XmlElement,
  ids: () => IdIndex,
  context: RuleContext,
  quorate: boolean | undefined,
): Options {
  const sets = childrenOf(childOf(configuration, "crm_config"), "cluster_property_set");
  const all = addSets(sets, ids, context, {}, FIRST_OPTION_SET);
  const get = (name: string) => {
    for (const spelling of entryOf(DIALECTS, name) ?? NO_DIALECTS)
      if (entryOf(all, spelling) !== undefined) return entryOf(all, spelling);
    return entryOf(all, name);
  };
  const flag = (name: string, fallback: boolean) => parseBoolean(get(name), fallback);
  const ms = (name: string, fallbackMs: number) => parseDurationMs(get(name)) ?? fallbackMs;
  const fencingEnabled = flag("fencing-enabled", true);
  return {
    all,
    fencingEnabled,
    fencingAction: get("fencing-action") === "off" || get("fencing-action") === "poweroff" ? "off" : "reboot",
    fencingTimeoutMs: ms("fencing-timeout", 60_000),
    startupFencing: flag("startup-fencing", true),
    concurrentFencing: flag("concurrent-fencing", true),
    hasWatchdog: flag("have-watchdog", false),
    watchdogTimeoutMs: ms("fencing-watchdog-timeout", 0),
    priorityFencingDelayMs: ms("priority-fencing-delay", 0),
    nodePendingTimeoutMs: ms("node-pending-timeout", 0),
    quorate: quorate ?? isTrue(cib.attributes["have-quorum"]),
    noQuorumPolicy: noQuorumPolicyOf(get("no-quorum-policy"), fencingEnabled),
    symmetric: flag("symmetric-cluster", true),
    maintenance: flag("maintenance-mode", false),
    stopAll: flag("stop-all-resources", false),
    stopRemoved: flag("stop-removed-resources", true),
    cancelRemoved: flag("cancel-removed-actions", true),
    startFailureIsFatal: flag("start-failure-is-fatal", true),
    probes: flag("enable-startup-probes", true),
    placement: placementOf(get("placement-strategy")),
    shutdownLock: flag("shutdown-lock", false),
    shutdownLockLimitMs: ms("shutdown-lock-limit", 0),
    healthStrategy: get("node-health-strategy") ?? "none",
    clusterDelayMs: ms("cluster-delay", 60_000),
    batchLimit: readCount(get("batch-limit")),
    migrationLimit: readCount(get("migration-limit")),
  };
}
