/**
 * What an alert agent is told: the variables of the interface, each as CRM_alert_NAME and, for scripts that were
 * written for ClusterMon, as CRM_notify_NAME.
 * Facts: Pacemaker Explained, "Writing an Alert Agent". In which unit the interval stands is not said there: as with
 * resource agents, milliseconds.
 */
import { OP_STATUS } from "../executor/history.ts";
import { codeText, statusText } from "../monitor/operations.ts";
import type { AlertTarget } from "./configuration.ts";
import type { Happening } from "./happenings.ts";
import { formatTimestamp, type Instant } from "./timestamp.ts";

/** Agents ask for the version of the interface, and some refuse one that they do not know. */
const INTERFACE_VERSION = "2.1.5";

function told(happening: Happening): Readonly<Record<string, string | number>> {
  switch (happening.kind) {
    case "node":
      return { desc: happening.word, nodeid: happening.nodeId };
    case "fencing":
      return { desc: happening.summary, task: happening.action, rc: happening.rc };
    case "resource": {
      const { resource, operation, intervalMs, rc, expectedRc, opStatus, execMs } = happening;
      return {
        rsc: resource,
        task: operation,
        interval: intervalMs,
        rc,
        target_rc: expectedRc,
        status: opStatus,
        desc: opStatus === OP_STATUS.done ? codeText(rc) : statusText(opStatus),
        exec_time: execMs,
      };
    }
    case "attribute":
      return { attribute_name: happening.name, attribute_value: happening.value };
  }
}

export function alertEnvironment(
  happening: Happening,
  { recipient, parameters, timestampFormat }: AlertTarget,
  sequence: number,
  instant: Instant,
): Readonly<Record<string, string>> {
  const seconds = Math.floor(instant.wallMs / 1000);
  const values = {
    kind: happening.kind,
    node: happening.node,
    node_sequence: sequence,
    recipient,
    timestamp: formatTimestamp(timestampFormat, instant),
    timestamp_epoch: seconds,
    timestamp_usec: Math.round((instant.wallMs - seconds * 1000) * 1000),
    version: INTERFACE_VERSION,
    ...told(happening),
  };
  const variables = Object.entries(values).flatMap(([name, value]): [string, string][] => [
    [`CRM_alert_${name}`, String(value)],
    [`CRM_notify_${name}`, String(value)],
  ]);
  return { ...parameters, ...Object.fromEntries(variables) };
}
