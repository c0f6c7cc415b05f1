/**
 * Whom the configuration wants told of what: each recipient of each alert as one target, with everything that its agent
 * is given. Rules in the sets are judged at the instant that is asked for.
 * Facts: Pacemaker Explained, "Alerts": filters, meta and instance attributes, of the alert and of the recipient; what
 * the recipient says goes before what the alert says.
 */
import { entryOf } from "../../../base/record.ts";
import { childOf, childrenOf, type XmlElement } from "../../../base/xml.ts";
import { type IdIndex, lazyIds } from "../../../cib/sets.ts";
import { configurationOf } from "../controller/cib-read.ts";
import { addSets } from "../scheduler/facts/attribute-sets.ts";
import type { RuleContext } from "../scheduler/facts/rules.ts";
import { parseBoolean, parseDurationMs } from "../scheduler/facts/values.ts";

export type AlertKind = "node" | "fencing" | "resource" | "attribute";

export interface AlertTarget {
  /** Unique among the targets. */
  readonly name: string;
  readonly path: string;
  /** Empty where the alert names nobody. */
  readonly recipient: string;
  readonly kinds: readonly AlertKind[];
  /** The node attributes that are wanted; empty for all. */
  readonly attributes: readonly string[];
  readonly timeoutMs: number;
  readonly timestampFormat: string;
  /** Instance attributes, under their own names. */
  readonly parameters: Readonly<Record<string, string>>;
}

const TIMEOUT_MS = 30_000;
const TIMESTAMP_FORMAT = "%H:%M:%S.%06N";
const USUAL_KINDS: readonly AlertKind[] = ["node", "fencing", "resource"];
const KIND_OF: Readonly<Record<string, AlertKind>> = {
  select_nodes: "node",
  select_fencing: "fencing",
  select_resources: "resource",
  select_attributes: "attribute",
};

/** The section alone, to see whether it has changed. */
export const alertsOf = (cib: XmlElement): XmlElement | undefined => childOf(configurationOf(cib), "alerts");

export const selectsAttributes = (cib: XmlElement): boolean =>
  childrenOf(alertsOf(cib), "alert").some(
    (alert) => childOf(childOf(alert, "select"), "select_attributes") !== undefined,
  );

/** A filter that names nothing is taken as none: else the agent would never be called, and nobody would know. */
function selected(alert: XmlElement): Pick<AlertTarget, "kinds" | "attributes"> {
  const select = childOf(alert, "select");
  const kinds = (select?.children ?? []).flatMap(({ name }) => entryOf(KIND_OF, name) ?? []);
  const names = childrenOf(childOf(select, "select_attributes"), "attribute");
  return {
    kinds: kinds.length === 0 ? USUAL_KINDS : kinds,
    attributes: names.flatMap(({ attributes }) => attributes.name ?? []),
  };
}

function readTarget(
  alert: XmlElement,
  recipient: XmlElement | undefined,
  ids: () => IdIndex,
  context: RuleContext,
): AlertTarget | undefined {
  const own = (kind: string) => {
    const values = addSets(childrenOf(recipient, kind), ids, context, {});
    return addSets(childrenOf(alert, kind), ids, context, values);
  };
  const meta = own("meta_attributes");
  if (!parseBoolean(meta["enabled"], true)) return undefined;
  const timeoutMs = parseDurationMs(meta["timeout"]);
  const { id = "", path = "" } = alert.attributes;
  const value = recipient?.attributes.value ?? "";
  return {
    name: recipient === undefined ? id : `${id} (${value})`,
    path,
    recipient: value,
    ...selected(alert),
    timeoutMs: timeoutMs === undefined || timeoutMs === 0 ? TIMEOUT_MS : timeoutMs,
    timestampFormat: meta["timestamp-format"] ?? TIMESTAMP_FORMAT,
    parameters: own("instance_attributes"),
  };
}

export function readAlertTargets(cib: XmlElement, context: RuleContext): readonly AlertTarget[] {
  const alerts = childrenOf(alertsOf(cib), "alert");
  if (alerts.length === 0) return [];
  const ids = lazyIds(cib);
  return alerts.flatMap((alert) => {
    const recipients = childrenOf(alert, "recipient");
    const all = recipients.length === 0 ? [undefined] : recipients;
    return all.flatMap((recipient) => readTarget(alert, recipient, ids, context) ?? []);
  });
}

export const wants = ({ kinds, attributes }: AlertTarget, kind: AlertKind, attribute: string): boolean =>
  kinds.includes(kind) && (kind !== "attribute" || attributes.length === 0 || attributes.includes(attribute));
