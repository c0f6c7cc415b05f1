/**
 * Parameter digests: whether what a running resource was started with is still what is configured.
 * A node records with each operation the MD5 of its parameters; for agents that can reload, also that of the parameters
 * that only a restart changes. Facts: crm_simulate as a black box; Pacemaker Explained, "Reloading an Agent After a
 * Definition Change".
 */
import { entryOf, setEntry } from "../../../../base/record.ts";
import { escapeXml } from "../../../../base/xml.ts";
import { md5 } from "./md5.ts";
import type { HistoryEntry, Known, Node, Resource } from "./model.ts";
import { findOperation, operationMeta } from "./on-fail.ts";
import { parametersOf } from "./read-resources.ts";
import { parseDurationMs } from "./values.ts";

/** Digests worked out before: decision after decision asks for the same ones. Pure all the same. */
const known = new Map<string, string>();
const KNOWN_MAX = 2000;

/** The digest that the executor records for an operation run with these parameters. */
export function parametersDigest(parameters: Readonly<Record<string, string>>): string {
  let text = " <parameters";
  for (const name of Object.keys(parameters).sort()) text += ` ${name}="${escapeXml(entryOf(parameters, name) ?? "")}"`;
  text += "/>\n";
  let digest = known.get(text);
  if (digest === undefined) {
    digest = md5(text);
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(text, digest);
  }
  return digest;
}

/** `same`: nothing changed; `repeat`: a recurring operation is to be set up anew. */
export type DefinitionChange = "same" | "repeat" | "reload" | "restart";

const TIMEOUT_DEFAULT = "20000";

type OperationRun = Pick<HistoryEntry, "task" | "intervalMs">;

/** A container without an address of its own is reached at that of its host. */
export function atHost(
  parameters: Readonly<Record<string, string>>,
  host: Node | undefined,
): Readonly<Record<string, string>> {
  return parameters["addr"] === "#uname" && host !== undefined ? { ...parameters, addr: host.name } : parameters;
}

const NO_PARAMETERS: Readonly<Record<string, string>> = {};

/** What is configured for that operation alone: its agent is given it, and its digest is made with it. */
export function ownParameters(
  resource: Resource,
  { task, intervalMs }: OperationRun,
): Readonly<Record<string, string>> {
  const children = findOperation(resource, task, intervalMs)?.element.children ?? [];
  if (children.length === 0) return NO_PARAMETERS;
  const own: Record<string, string> = {};
  for (const set of children)
    if (set.name === "instance_attributes")
      for (const { attributes } of set.children)
        if (attributes["name"] !== undefined) setEntry(own, attributes["name"], attributes["value"] ?? "");
  return own;
}

/** What the operation would be run with now. */
function currentParameters(
  facts: Known,
  resource: Resource,
  node: Node,
  run: OperationRun,
): Readonly<Record<string, string>> {
  const common = parametersOf(facts, resource, node.attributes);
  const own = ownParameters(resource, run);
  const parameters = atHost(own === NO_PARAMETERS ? common : { ...common, ...own }, resource.container?.runningOn[0]);
  if (run.intervalMs === 0) return parameters;
  const operation = findOperation(resource, run.task, run.intervalMs);
  const meta = operationMeta(facts, resource, operation, run.task, run.intervalMs);
  const timeout = meta["timeout"];
  const timeoutMs = timeout === undefined ? TIMEOUT_DEFAULT : String(parseDurationMs(timeout) ?? TIMEOUT_DEFAULT);
  return { ...parameters, CRM_meta_timeout: timeoutMs };
}

const isMasked = (value: string) => value.startsWith("*") && /^\*+$/.test(value);

/** Where secrets are masked in the copy of the CIB at hand, only the digest of the rest can tell. */
function matchesSecurely(current: Readonly<Record<string, string>>, entry: HistoryEntry): boolean {
  const { "op-secure-digest": digest, "op-secure-params": names = "" } = entry.element.attributes;
  if (digest === undefined || !Object.values(current).some(isMasked)) return false;
  const secret = new Set(names.split(/\s+/).filter(Boolean));
  const open = Object.fromEntries(
    Object.entries(current).filter(([name]) => !secret.has(name) && !/^(?:CRM_meta_|pcmk_)/.test(name)),
  );
  return parametersDigest(open) === digest;
}

/** What of a fencing device's parameters is no secret and speaks to the device, not to the fencer. */
const isOpen = (name: string) => name !== "passwd" && name !== "password" && !/^(?:CRM_meta_|pcmk_)/.test(name);

/** The digests of a device's parameters that a node keeps which it has let in: of all, and of the open ones. */
export interface DeviceDigests {
  readonly all: string;
  readonly secure: string;
  /** Secrets are masked in the copy of the CIB at hand. */
  readonly isMasked: boolean;
}

export function deviceDigests(facts: Known, device: Resource, node: Node): DeviceDigests {
  const parameters = parametersOf(facts, device, node.attributes);
  const open = Object.fromEntries(Object.entries(parameters).filter(([name]) => isOpen(name)));
  return {
    all: parametersDigest(parameters),
    secure: parametersDigest(open),
    isMasked: Object.values(parameters).some(isMasked),
  };
}

/** The digest that an execution of the operation on the node would leave behind. */
export function currentDigest(facts: Known, resource: Resource, node: Node, run: OperationRun): string {
  return parametersDigest(currentParameters(facts, resource, node, run));
}

/** Compares a recorded operation with the configuration. A record without a digest proves nothing, so it differs. */
export function definitionChange(
  facts: Known,
  resource: Resource,
  node: Node,
  entry: HistoryEntry,
  looksBehindMasks = true,
): DefinitionChange {
  const recorded = entry.element.attributes["op-digest"];
  if (recorded === undefined) return entry.intervalMs > 0 ? "repeat" : "restart";
  const current = currentParameters(facts, resource, node, entry);
  if (looksBehindMasks && matchesSecurely(current, entry)) return "same";
  // An agent knows nothing of what is configured for one operation: of that it cannot say that a reload would do.
  const digest = parametersDigest(current);
  if (entry.intervalMs === 0 && Object.keys(ownParameters(resource, entry)).length > 0)
    return digest === recorded ? "same" : "restart";
  const restartDigest = entry.element.attributes["op-restart-digest"];
  if (restartDigest !== undefined) {
    const listed = entry.element.attributes["op-force-restart"];
    const names = new Set(listed?.split(/\s+/).filter(Boolean));
    // Where no list was recorded, the digest is of all that was there.
    const forced =
      listed === undefined
        ? digest
        : parametersDigest(Object.fromEntries(Object.entries(current).filter(([name]) => names.has(name))));
    if (forced !== restartDigest) return "restart";
  }
  if (digest === recorded) return "same";
  if (entry.intervalMs > 0) return "repeat";
  return restartDigest === undefined ? "restart" : "reload";
}
