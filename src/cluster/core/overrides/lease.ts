/**
 * Leases: who has set a manual override (move, ban, standby, maintenance, unmanage), why, and when it ends. They stand
 * in the configuration, in a property set of their own, so that every member has them and history tells of them:
 *   lease.standby.srv01 = "2026-11-21 10:00:00Z|alice|disk change"
 * An override without end says `forever`. When its end has come the DC undoes it, lease and all; when somebody has
 * undone it before, the lease goes alone. Foreign tools that know nothing of leases can thus do no harm.
 */
import { childOf, childrenOf, type XmlElement, xml } from "../../../base/xml.ts";
import type { ConfigurationOperation } from "../cib-store/types.ts";
import { configuredNodes, readBoolean } from "../controller/cib-read.ts";
import { formatDate, parseDate } from "../scheduler/facts/dates.ts";
import { parseDurationMs } from "../scheduler/facts/values.ts";

export const LEASE_SET = "gemel-leases";
export const LEASE_PREFIX = "lease.";
/** Cluster option: how long an override holds when nobody says. */
export const LEASE_OPTION = "manual-override-lifetime";
export const LEASE_DEFAULT_MS = 86_400_000;

/** `trial`: of a whole configuration, which goes back to what it was (the subject is that version) at its end. */
export type OverrideKind = "move" | "ban" | "standby" | "maintenance" | "unmanage" | "trial";

export interface Lease {
  readonly kind: OverrideKind;
  /** A node for standby and maintenance, else a resource. */
  readonly subject: string;
  /** Of a ban: from which node. A resource may be kept from several, each with an end of its own. */
  readonly node?: string;
  /** Undefined: for ever. */
  readonly endWallMs: number | undefined;
  readonly owner: string;
  readonly reason: string;
}

const KINDS: readonly OverrideKind[] = ["move", "ban", "standby", "maintenance", "unmanage", "trial"];
type LeaseName = Pick<Lease, "kind" | "subject" | "node">;
const nameOf = ({ kind, subject, node }: LeaseName) =>
  `${LEASE_PREFIX}${kind}.${subject}${node === undefined ? "" : `@${node}`}`;

/** An end is written and read to the second. */
export const endText = (endWallMs: number | undefined): string =>
  endWallMs === undefined ? "forever" : formatDate(Math.floor(endWallMs / 1000)).replace("T", " ");

function readLease(name: string, value: string): Lease | undefined {
  const rest = name.slice(LEASE_PREFIX.length);
  const kind = KINDS.find((each) => rest.startsWith(`${each}.`));
  if (!name.startsWith(LEASE_PREFIX) || kind === undefined) return undefined;
  const [end = "", owner = "", ...reason] = value.split("|");
  const seconds = end === "forever" ? undefined : parseDate(end);
  const endWallMs = seconds === undefined ? undefined : seconds * 1000;
  // No id of a resource holds the sign; a ban of an earlier version names no node, and means all.
  const [subject = "", ...node] =
    kind === "ban" ? rest.slice(kind.length + 1).split("@") : [rest.slice(kind.length + 1)];
  const from = node.length === 0 ? {} : { node: node.join("@") };
  return { kind, subject, ...from, endWallMs, owner, reason: reason.join("|") };
}

/** Every lease of the configuration, in its order. */
export function leasesOf(configuration: XmlElement | undefined): readonly Lease[] {
  const sets = childrenOf(childOf(configuration, "crm_config"), "cluster_property_set");
  return sets
    .flatMap((set) => childrenOf(set, "nvpair"))
    .flatMap(({ attributes: { name = "", value = "" } }) => readLease(name, value) ?? []);
}

/**
 * What keeps a lease beside its override: sent in the same change. Only its own pair is written: another node's lease
 * may be on its way at the same moment.
 */
export function leaseOperations(lease: Lease): readonly ConfigurationOperation[] {
  const { endWallMs, owner, reason } = lease;
  const value = [endText(endWallMs), owner.replaceAll("|", "/"), reason].join("|");
  const name = nameOf(lease);
  return [
    { kind: "add", parent: "crm_config", element: xml("cluster_property_set", { id: LEASE_SET }) },
    { kind: "set", parent: LEASE_SET, element: xml("nvpair", { id: `${LEASE_SET}-${name}`, name, value }) },
  ];
}

/** Forgets a lease, all bans of a resource where no node is named; nothing when there is none. */
export function dropLease(configuration: XmlElement | undefined, lease: LeaseName): readonly ConfigurationOperation[] {
  return leasesOf(configuration)
    .filter(({ kind, subject }) => kind === lease.kind && subject === lease.subject)
    .filter(({ node }) => lease.node === undefined || node === lease.node)
    .map((found) => ({ kind: "delete", target: `//nvpair[@name="${nameOf(found)}"]` }));
}

/**
 * When an override that is set now ends. `wish` is a length of time (`PT1H`, `30min`), `forever`, or undefined for
 * what the configuration says. The answer `bad` names a wish that is no time.
 */
export function endOf(
  configuration: XmlElement | undefined,
  wish: string | undefined,
  nowWallMs: number,
): { readonly kind: "end"; readonly wallMs: number | undefined } | { readonly kind: "bad" } {
  const sets = childrenOf(childOf(configuration, "crm_config"), "cluster_property_set");
  const option = sets
    .flatMap((set) => childrenOf(set, "nvpair"))
    .find(({ attributes }) => attributes["name"] === LEASE_OPTION)?.attributes["value"];
  const text = wish ?? option;
  if (text === undefined) return { kind: "end", wallMs: nowWallMs + LEASE_DEFAULT_MS };
  if (text === "forever") return { kind: "end", wallMs: undefined };
  const lengthMs = parseDurationMs(text);
  if (lengthMs === undefined || lengthMs <= 0) return { kind: "bad" };
  return { kind: "end", wallMs: nowWallMs + lengthMs };
}

/** The constraints that moves and bans of one resource have made, by any tool of the field. */
export function overrideConstraints(configuration: XmlElement | undefined, resource: string): readonly XmlElement[] {
  return childrenOf(childOf(configuration, "constraints"), "rsc_location").filter(({ attributes }) => {
    const { id = "", rsc } = attributes;
    return rsc === resource && /^cli-(?:prefer|ban|standby)-/.test(id);
  });
}

function findResource(element: XmlElement | undefined, id: string): XmlElement | undefined {
  if (element?.attributes["id"] === id) return element;
  return element?.children.map((child) => findResource(child, id)).find((found) => found !== undefined);
}

/** Of these, the ones that the lease of a move or ban is about. */
export function heldConstraints(
  configuration: XmlElement | undefined,
  { kind, subject, node }: Lease,
): readonly XmlElement[] {
  const wanted = kind === "move" ? "cli-prefer-" : "cli-ban-";
  return overrideConstraints(configuration, subject).filter(({ attributes: { id = "" } }) =>
    node === undefined ? id.startsWith(wanted) : id === `${wanted}${subject}-on-${node}`,
  );
}

/** Whether the override of a lease is still in force. */
function isInForce(configuration: XmlElement | undefined, lease: Lease): boolean {
  const { kind, subject } = lease;
  if (kind === "trial") return true;
  if (kind === "standby" || kind === "maintenance") {
    const cib = xml("cib", {}, configuration === undefined ? [] : [configuration]);
    const node = configuredNodes(cib).find(({ name }) => name === subject);
    return readBoolean(node?.attributes[kind], false);
  }
  if (kind === "unmanage") {
    const resource = findResource(childOf(configuration, "resources"), subject);
    const pairs = childrenOf(resource, "meta_attributes").flatMap((set) => childrenOf(set, "nvpair"));
    const managed = pairs.find(({ attributes }) => attributes["name"] === "is-managed")?.attributes["value"];
    return !readBoolean(managed, true);
  }
  return heldConstraints(configuration, lease).length > 0;
}

/** The trial that is on: until its end, or its confirmation, nothing else is to be changed. */
export function trialOf(configuration: XmlElement | undefined): Lease | undefined {
  return leasesOf(configuration).find(({ kind }) => kind === "trial");
}

/**
 * A configuration that was read while a trial was on, a version of that time or a copy, tells of that trial. Put in
 * force again it would be gone back from at once, for the end of that trial is over.
 */
export function withoutTrial(configuration: XmlElement): XmlElement {
  const isTrial = ({ name, attributes }: XmlElement) =>
    name === "nvpair" && attributes["name"]?.startsWith(`${LEASE_PREFIX}trial.`) === true;
  const strip = (element: XmlElement): XmlElement => ({
    ...element,
    children: element.children.filter((child) => !isTrial(child)).map(strip),
  });
  return trialOf(configuration) === undefined ? configuration : strip(configuration);
}

/** What undoes an override; a trial is gone back from otherwise. */
export function undoLease(configuration: XmlElement | undefined, lease: Lease): readonly ConfigurationOperation[] {
  const { kind, subject } = lease;
  if (kind === "standby" || kind === "maintenance")
    return [
      {
        kind: "set-option",
        target: `//node[@uname="${subject}"]`,
        setName: "instance_attributes",
        name: kind,
        value: null,
      },
    ];
  if (kind === "unmanage")
    return [{ kind: "set-option", target: subject, setName: "meta_attributes", name: "is-managed", value: null }];
  return heldConstraints(configuration, lease).map(({ attributes }) => ({
    kind: "delete",
    target: attributes["id"] ?? "",
  }));
}

export interface DueLeases {
  readonly operations: readonly ConfigurationOperation[];
  /** What is undone now, for the log. */
  readonly ended: readonly Lease[];
  /** The version to go back to, because its trial has ended unconfirmed. */
  readonly goBackTo: string | undefined;
  /** When to look again; undefined when no lease has an end. */
  readonly nextWallMs: number | undefined;
}

/** What the DC has to do now: undo what has ended, forget what was undone before. */
export function dueLeases(configuration: XmlElement | undefined, nowWallMs: number): DueLeases {
  const operations: ConfigurationOperation[] = [];
  const ended: Lease[] = [];
  const ends: number[] = [];
  let goBackTo: string | undefined;
  for (const lease of leasesOf(configuration)) {
    if (!isInForce(configuration, lease)) operations.push(...dropLease(configuration, lease));
    else if (lease.endWallMs === undefined) continue;
    else if (lease.endWallMs > nowWallMs) ends.push(lease.endWallMs);
    else if (lease.kind === "trial") {
      goBackTo = lease.subject;
      ended.push(lease);
    } else {
      operations.push(...undoLease(configuration, lease), ...dropLease(configuration, lease));
      ended.push(lease);
    }
  }
  return { operations, ended, goBackTo, nextWallMs: ends.length === 0 ? undefined : Math.min(...ends) };
}
