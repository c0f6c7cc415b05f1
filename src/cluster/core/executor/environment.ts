/**
 * What a resource agent finds in its environment, as the OCF resource agent API 1.0/1.1 and Pacemaker's additions say.
 * Paths (OCF_ROOT, PATH, HA_*) are added by the edge that starts the agent.
 */
import { setEntry } from "../../../base/record.ts";
import type { ResourceAction } from "../transition/graph.ts";

const ODD = /[^A-Za-z0-9_]/;

/** Names of shell variables know no dash; every meta name goes through here, so `clone-max` works as `clone_max`. */
function variableName(name: string): string {
  return ODD.test(name) ? name.replaceAll(/[^A-Za-z0-9_]/g, "_") : name;
}

type Operation = Pick<ResourceAction, "resource" | "operation" | "intervalMs" | "timeoutMs" | "parameters" | "meta">;

const known = new WeakMap<
  Operation,
  { readonly node: string; readonly environment: Readonly<Record<string, string>> }
>();

/**
 * `node`: the name of the node that runs it. A recurring operation is begun again and again with the very same action,
 * which never changes: it is asked once.
 */
export function agentEnvironment(action: Operation, node: string): Readonly<Record<string, string>> {
  const before = known.get(action);
  if (before?.node === node) return before.environment;
  const environment = environmentOf(action, node);
  known.set(action, { node, environment });
  return environment;
}

/** Agents read OCF_CHECK_LEVEL bare, whatever its origin. */
function environmentOf(action: Operation, node: string): Readonly<Record<string, string>> {
  const { resource, operation, intervalMs, timeoutMs, parameters, meta } = action;
  const environment: Record<string, string> = {
    OCF_RA_VERSION_MAJOR: "1",
    OCF_RA_VERSION_MINOR: "1",
    OCF_RESOURCE_INSTANCE: resource.id,
    OCF_RESOURCE_TYPE: resource.type,
    OCF_RESKEY_CRM_meta_name: operation,
    OCF_RESKEY_CRM_meta_interval: String(intervalMs),
    OCF_RESKEY_CRM_meta_timeout: String(timeoutMs),
    OCF_RESKEY_CRM_meta_on_node: node,
    OCF_RESKEY_CRM_meta_on_node_uuid: node,
  };
  if (resource.provider !== undefined) environment["OCF_RESOURCE_PROVIDER"] = resource.provider;
  for (const [name, value] of Object.entries(meta))
    setEntry(environment, `OCF_RESKEY_CRM_meta_${variableName(name)}`, value);
  for (const [name, value] of Object.entries(parameters)) {
    if (name.startsWith("OCF_")) setEntry(environment, variableName(name), value);
    else setEntry(environment, `OCF_RESKEY_${variableName(name)}`, value);
  }
  const level = meta["OCF_CHECK_LEVEL"];
  if (level !== undefined) environment["OCF_CHECK_LEVEL"] = level;
  return environment;
}
