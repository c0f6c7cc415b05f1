/**
 * `gemel crm-attribute`, also `crm_attribute`: options of the cluster, attributes of nodes, tickets.
 * `crm_standby`, `crm_failcount` and `crm_master` are the same with less to say; see their files.
 * Facts: crm_attribute(8); outputs and exit codes of crm_attribute 2.1.5 on CIB files.
 */
import process from "node:process";
import { entryOf } from "../../base/record.ts";
import { childOf, childrenOf, type XmlElement, xml } from "../../base/xml.ts";
import { withoutInstance } from "../../cib/instance-name.ts";
import { configuredNodes, nodeState, transientAttributes } from "../../cluster/core/controller/cib-read.ts";
import { cibFile } from "../cib-door.ts";
import { readCommandLine, refuseOutput } from "../control-client.ts";
import { askOrTell, EXIT, FIELD_EXIT, fetchCib, wrongCall } from "./ask.ts";
import {
  changePairs,
  changeTransient,
  nodeScope,
  optionScope,
  type PairsCall,
  queryPairs,
  statusScope,
} from "./crm-attribute-pairs.ts";
import { answeredInXml } from "./xml-answer.ts";

const USAGE =
  "crm_attribute [-n NAME | -P PATTERN | -p [RESOURCE]] -G | -v VALUE | -D  [-N NODE] [-l reboot|forever]\n" +
  "       [-t crm_config|rsc_defaults|op_defaults|tickets] [-s SET] [-i ID] [-d DEFAULT] [-q] [-z]";

export const SECTIONS = ["crm_config", "rsc_defaults", "op_defaults"] as const;

export interface AttributeCall {
  readonly tool: string;
  readonly socketPath: string;
  readonly name: string;
  readonly action: "query" | "delete" | { readonly update: string };
  readonly isQuiet: boolean;
  readonly fallback?: string;
  /** With `--output-as=xml`: takes each value that is told. */
  readonly add?: (element: XmlElement) => void;
}

/** `scope=nodes  name=standby value=on`, or the value alone. */
export function tellValue(call: AttributeCall, scope: string, value: string | undefined): number {
  const shown = value ?? call.fallback;
  if (shown === undefined) {
    process.stderr.write(`${call.tool}: Error performing operation: No such device or address\n`);
    return FIELD_EXIT.notFound;
  }
  process.stdout.write(call.isQuiet ? `${shown}\n` : `scope=${scope}  name=${call.name} value=${shown}\n`);
  call.add?.(xml("attribute", { name: call.name, value: shown, scope }));
  return EXIT.done;
}

/** The node that is meant when none is named: this one, as the manager calls it. */
export async function nodeName(tool: string, socketPath: string, given: string | undefined): Promise<string | number> {
  const own = process.env.OCF_RESKEY_CRM_meta_on_node;
  if (given !== undefined && given !== "auto" && given !== "local") return given;
  if (own !== undefined) return own;
  const asked = await askOrTell(tool, socketPath, { kind: "ping" });
  return asked.kind === "failed" ? asked.exitCode : asked.value.self;
}

/** An attribute of a node, permanent or until it leaves. */
export async function nodeAttribute(
  call: AttributeCall,
  node: string,
  lifetime: "reboot" | "forever" | undefined,
): Promise<number> {
  const { tool, socketPath, name, action } = call;
  if (action !== "query") {
    const value = action === "delete" ? {} : { value: action.update };
    const asked = await askOrTell(tool, socketPath, {
      kind: "attribute",
      node,
      name,
      lifetime: lifetime ?? "forever",
      ...value,
    });
    return asked.kind === "failed" ? asked.exitCode : EXIT.done;
  }
  const cib = await fetchCib(tool, socketPath);
  if (typeof cib === "number") return cib;
  const permanent = entryOf(configuredNodes(cib).find((each) => each.name === node)?.attributes, name);
  if (lifetime === "forever") return tellValue(call, "nodes", permanent);
  if (cibFile() === undefined) {
    const asked = await askOrTell(tool, socketPath, { kind: "attribute-query", name, node });
    if (asked.kind === "failed") return asked.exitCode;
    const [first] = asked.value.values;
    if (first !== undefined || lifetime === "reboot") return tellValue(call, "status", first?.value);
  }
  const transient = entryOf(transientAttributes(nodeState(cib, node)), name);
  if (transient !== undefined || lifetime === "reboot") return tellValue(call, "status", transient);
  return tellValue(call, permanent === undefined ? "status" : "nodes", permanent);
}

async function ticket(call: AttributeCall, id: string): Promise<number> {
  const cib = await fetchCib(call.tool, call.socketPath);
  if (typeof cib === "number") return cib;
  const states = childrenOf(childOf(childOf(cib, "status"), "tickets"), "ticket_state");
  if (call.action !== "query") {
    process.stderr.write(`${call.tool}: tickets are granted and revoked by booth; here they can only be queried\n`);
    return EXIT.refused;
  }
  return tellValue(
    call,
    "tickets",
    entryOf(states.find(({ attributes }) => attributes["id"] === id)?.attributes, call.name),
  );
}

const FLAGS = {
  name: { type: "string", short: "n" },
  "attr-name": { type: "string" },
  query: { type: "boolean", short: "G" },
  "get-value": { type: "boolean" },
  update: { type: "string", short: "v" },
  "attr-value": { type: "string" },
  delete: { type: "boolean", short: "D" },
  node: { type: "string", short: "N" },
  uname: { type: "string", short: "U" },
  type: { type: "string", short: "t" },
  lifetime: { type: "string", short: "l" },
  "set-name": { type: "string", short: "s" },
  id: { type: "string", short: "i" },
  default: { type: "string", short: "d" },
  pattern: { type: "string", short: "P" },
  promotion: { type: "boolean", short: "p" },
  utilization: { type: "boolean", short: "z" },
  ticket: { type: "string", short: "T" },
  quiet: { type: "boolean", short: "q" },
  "quiet-old": { type: "boolean", short: "Q" },
  verbose: { type: "boolean", short: "V" },
  "output-as": { type: "string" },
  "output-to": { type: "string" },
} as const;

/** `-p` may have a resource behind it. */
export function splitPromotion(argv: readonly string[]): { readonly rest: string[]; readonly resource?: string } {
  const at = argv.findIndex((word) => /^(?:-p|--promotion)(?:=|$)/.test(word));
  if (at < 0) return { rest: [...argv] };
  const [, joined] = (argv[at] ?? "").split("=", 2);
  const next = argv[at + 1];
  const behind = joined === undefined && next !== undefined && !next.startsWith("-") ? next : undefined;
  const rest = [...argv.slice(0, at), "-p", ...argv.slice(at + (behind === undefined ? 1 : 2))];
  const resource = joined ?? behind;
  return resource === undefined ? { rest } : { rest, resource };
}

/** A score that an agent gives for its own instance: the instance's number is no part of the name. */
export function promotionName(resource: string | undefined): string | undefined {
  const instance = resource ?? process.env.OCF_RESOURCE_INSTANCE;
  return instance === undefined ? undefined : `master-${withoutInstance(instance)}`;
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

interface Wanted {
  readonly call: AttributeCall;
  readonly lifetime: "reboot" | "forever";
  readonly node: string;
  readonly isUtilization: boolean;
}

type Called = Extract<ReturnType<typeof readCommandLine>, { kind: "called" }>;

/** Attributes of one node. */
async function ofNode(pairs: Omit<PairsCall, "scope">, wanted: Wanted): Promise<number> {
  const { call, lifetime, node, isUtilization } = wanted;
  const { choice } = pairs;
  const value = typeof call.action === "string" ? null : call.action.update;
  if (lifetime === "reboot") {
    if (isUtilization) return wrongCall(call.tool, "-z: a node keeps its capacities; leave -l reboot out", USAGE);
    const isOne = choice.name !== undefined && choice.id === undefined && choice.set === undefined;
    // What the manager has not written yet counts, too.
    if (isOne && call.action === "query") return await nodeAttribute(call, node, lifetime);
    const scoped = { ...pairs, scope: statusScope(node) };
    return call.action === "query" ? await queryPairs(scoped) : await changeTransient(scoped, node, value);
  }
  const cib = await fetchCib(call.tool, call.socketPath);
  if (typeof cib === "number") return cib;
  const scope = nodeScope(cib, node, isUtilization ? "utilization" : "instance_attributes");
  if (scope === undefined) {
    const names = configuredNodes(cib).map(({ name }) => name);
    process.stderr.write(`${call.tool}: there is no node ${node}; give one of ${names.join(", ")}\n`);
    return FIELD_EXIT.notFound;
  }
  const scoped = { ...pairs, scope };
  return call.action === "query" ? await queryPairs(scoped) : await changePairs(scoped, value);
}

/** The whole name, as the field's tool takes it: found anywhere in it; undefined for what is no pattern. */
function patternOf(source: string): RegExp | undefined {
  try {
    return new RegExp(source);
  } catch {
    return undefined;
  }
}

/** Exit codes: 0; 1 refused; 64 wrong call; 102 no manager; 105 there is none; 109 several match. */
export async function run(argv: readonly string[]): Promise<number> {
  const { rest, resource } = splitPromotion(argv);
  const called = readCommandLine(rest, FLAGS);
  if (called.kind === "wrong") return wrongCall("crm_attribute", called.reason, USAGE);
  const isXml = called.flags["output-as"] === "xml";
  const refusal = refuseOutput(isXml ? { ...called.flags, "output-as": "text" } : called.flags);
  if (refusal !== undefined) return wrongCall("crm_attribute", refusal, USAGE);
  if (!isXml) return await answer(called, resource);
  return await answeredInXml("crm_attribute", argv, (add) => answer(called, resource, add));
}

async function answer(
  { socketPath, flags }: Called,
  resource: string | undefined,
  add?: (element: XmlElement) => void,
): Promise<number> {
  const isPromotion = flags["promotion"] === true;
  const name = isPromotion ? promotionName(resource) : (text(flags["name"]) ?? text(flags["attr-name"]));
  if (isPromotion && name === undefined) return wrongCall("crm_attribute", "which resource? -p RESOURCE", USAGE);
  const id = text(flags["id"]);
  const written = text(flags["pattern"]);
  const pattern = written === undefined ? undefined : patternOf(written);
  if (written !== undefined && pattern === undefined)
    return wrongCall("crm_attribute", `-P ${written} is no pattern`, USAGE);
  const update = text(flags["update"]) ?? text(flags["attr-value"]);
  const isQuery = flags["query"] === true || flags["get-value"] === true;
  const wishes = [isQuery, update !== undefined, flags["delete"] === true].filter(Boolean).length;
  if (wishes > 1) return wrongCall("crm_attribute", "say one of -G, -v and -D", USAGE);
  const fallback = text(flags["default"]);
  const call: AttributeCall = {
    tool: "crm_attribute",
    socketPath,
    name: name ?? "",
    action: update === undefined ? (flags["delete"] === true ? "delete" : "query") : { update },
    isQuiet: flags["quiet"] === true || flags["quiet-old"] === true,
    ...(fallback === undefined ? {} : { fallback }),
    ...(add === undefined ? {} : { add }),
  };
  const type = text(flags["type"]);
  const ticketId = text(flags["ticket"]);
  if (type === "tickets" || ticketId !== undefined) return await ticket(call, ticketId ?? "");
  const lifetime = isPromotion ? (text(flags["lifetime"]) ?? "reboot") : (text(flags["lifetime"]) ?? lifetimeOf(type));
  if (lifetime !== undefined && lifetime !== "reboot" && lifetime !== "forever")
    return wrongCall("crm_attribute", `-l ${lifetime} is neither reboot nor forever`, USAGE);
  if (call.action !== "query" && name === undefined && (pattern === undefined || lifetime !== "reboot"))
    return wrongCall("crm_attribute", "which attribute? -n NAME; -P PATTERN only with -G or -l reboot", USAGE);
  const given = text(flags["node"]) ?? text(flags["uname"]);
  const section = SECTIONS.find((each) => each === type);
  if (type !== undefined && section === undefined && lifetimeOf(type) === undefined)
    return wrongCall("crm_attribute", `-t ${type} is not known`, USAGE);
  const set = text(flags["set-name"]);
  const choice = {
    ...(name === undefined ? {} : { name }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(set === undefined ? {} : { set }),
    ...(id === undefined ? {} : { id }),
  };
  const pairs = { ...call, choice };
  if (section !== undefined || (type === undefined && given === undefined && lifetime === undefined)) {
    const scoped = { ...pairs, scope: optionScope(section ?? "crm_config") };
    if (call.action === "query") return await queryPairs(scoped);
    return await changePairs(scoped, call.action === "delete" ? null : call.action.update);
  }
  const node = await nodeName(call.tool, socketPath, given);
  if (typeof node === "number") return node;
  const wanted = { call, node, isUtilization: flags["utilization"] === true };
  return await ofNode(pairs, { ...wanted, lifetime: lifetime ?? "forever" });
}

/** Old sections that say how long an attribute lives. */
function lifetimeOf(type: string | undefined): "reboot" | "forever" | undefined {
  if (type === "status") return "reboot";
  return type === "nodes" ? "forever" : undefined;
}
