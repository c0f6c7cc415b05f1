/**
 * `gemel crm-standby`, also `crm_standby`: whether a node may run resources. Unlike the attribute alone it is a lease:
 * it has an owner and an end. Facts: crm_standby(8).
 */
import process from "node:process";
import { configuredNodes } from "../../cluster/core/controller/cib-read.ts";
import { readCommandLine } from "../control-client.ts";
import { askOrTell, EXIT, FIELD_EXIT, fetchCib, refusedFlag, wrongCall } from "./ask.ts";
import { type AttributeCall, nodeAttribute, nodeName } from "./crm-attribute.ts";
import { changePairs, changeTransient, nodeScope, queryPairs, statusScope } from "./crm-attribute-pairs.ts";

const USAGE = "crm_standby -G | -v on|off | -D  [-N NODE] [-l reboot|forever] [-q]";
const FLAGS = {
  query: { type: "boolean", short: "G" },
  "get-value": { type: "boolean" },
  update: { type: "string", short: "v" },
  delete: { type: "boolean", short: "D" },
  node: { type: "string", short: "N" },
  uname: { type: "string", short: "U" },
  lifetime: { type: "string", short: "l" },
  id: { type: "string", short: "i" },
  quiet: { type: "boolean", short: "q" },
  "quiet-old": { type: "boolean", short: "Q" },
  verbose: { type: "boolean", short: "V" },
} as const;
const TRUE = ["on", "true", "yes", "1", "y"];
const FALSE = ["off", "false", "no", "0", "n"];

/** Exit codes: 0; 1 refused; 64 wrong call; 69 no manager. */
export async function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(argv, FLAGS);
  if (called.kind === "wrong") return wrongCall("crm_standby", called.reason, USAGE);
  const { socketPath, flags } = called;
  const { update, lifetime, id } = flags;
  const isQuery = update === undefined && flags.delete !== true;
  const found = "the lease that ends a standby finds it by its name; leave -i out";
  const refused = isQuery ? undefined : refusedFlag(flags, { id: found });
  if (refused !== undefined) return wrongCall("crm_standby", refused, USAGE);
  if (lifetime !== undefined && lifetime !== "reboot" && lifetime !== "forever")
    return wrongCall("crm_standby", `-l ${String(lifetime)} is neither reboot nor forever`, USAGE);
  const given = flags.node ?? flags.uname;
  const node = await nodeName("crm_standby", socketPath, typeof given === "string" ? given : undefined);
  if (typeof node === "number") return node;
  const call: AttributeCall = {
    tool: "crm_standby",
    socketPath,
    name: "standby",
    action: "query",
    isQuiet: flags.quiet === true || flags["quiet-old"] === true,
    ...(lifetime === undefined ? { fallback: "off" } : {}),
  };
  if (typeof update === "string" && !TRUE.includes(update) && !FALSE.includes(update))
    return wrongCall("crm_standby", `-v ${update} is neither on nor off`, USAGE);
  const isOn = typeof update === "string" && TRUE.includes(update);
  const cib = await fetchCib("crm_standby", socketPath);
  if (typeof cib === "number") return cib;
  const scope = nodeScope(cib, node, "instance_attributes");
  if (scope === undefined) {
    process.stderr.write(`crm_standby: there is no node ${node}\n`);
    return FIELD_EXIT.notFound;
  }
  const pairs = { ...call, choice: { name: "standby", ...(typeof id === "string" ? { id } : {}) } };
  if (flags.delete === true) {
    // Its lease ends of itself: there is nothing left of what it was for.
    if (lifetime !== "reboot") return await changePairs({ ...pairs, scope }, null);
    return await changeTransient({ ...pairs, scope: statusScope(node) }, node, null);
  }
  if (lifetime === "reboot" && update !== undefined) {
    const permanent = configuredNodes(cib).find(({ name }) => name === node)?.attributes["standby"];
    // "Off" until it leaves stands only against a standby that stays: else it would outlast a later one.
    const isAgainst = !isOn && TRUE.includes(permanent ?? "off");
    const action = isOn ? { update: "on" } : isAgainst ? { update: "off" } : "delete";
    return await nodeAttribute({ ...call, action }, node, "reboot");
  }
  if (isQuery && typeof id === "string")
    return await queryPairs({ ...pairs, scope: lifetime === "reboot" ? statusScope(node) : scope });
  if (update === undefined) return await nodeAttribute(call, node, lifetime);
  const action = isOn ? "standby" : "online";
  const asked = await askOrTell("crm_standby", socketPath, {
    kind: "node",
    node,
    action,
    // For ever was asked for by name: the field's tool knows no other end.
    ...(lifetime === "forever" && isOn ? { lifetime } : {}),
  });
  return asked.kind === "failed" ? asked.exitCode : EXIT.done;
}
