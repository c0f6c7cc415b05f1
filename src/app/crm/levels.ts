/** The resource and node levels of the crm shell, and the words of each level. */
import { entryOf } from "../../base/record.ts";
import { childOf, type XmlElement } from "../../base/xml.ts";
import { STATEMENT_NAMES } from "../../cib/crm-syntax/parse.ts";
import { everyElement } from "../../cib/schema/finding.ts";
import { readBoolean } from "../../cib/schema/values.ts";
import { applyOperations } from "../../cluster/core/cib-store/operations.ts";
import { configuredNodes } from "../../cluster/core/controller/cib-read.ts";
import { cibFile } from "../cib-door.ts";
import type { ControlRequest, StatusReport } from "../control-protocol.ts";
import { CLEANUP_WAIT_MAX_MS } from "../settle.ts";
import { borrowedWords, runTool } from "./borrowed.ts";
import { CIB_WORDS } from "./cib-level.ts";
import { CLUSTER_USAGES, COROSYNC_USAGES } from "./cluster-level.ts";
import { CONFIGURE_COMMANDS } from "./configure-level.ts";
import { externalCommand } from "./external.ts";
import { HISTORY_WORDS } from "./history-level.ts";
import { OPTION_WORDS } from "./options-level.ts";
import { RA_WORDS } from "./ra-level.ts";
import { notReached, roleNotReached } from "./reached.ts";
import { CIBSTATUS_WORDS } from "./rehearsal.ts";
import { SCRIPT_USAGES } from "./script-level.ts";
import {
  asCib,
  askManager,
  commit,
  EXIT,
  fetchRunning,
  type Session,
  settle,
  statusBefore,
  tellReply,
} from "./session.ts";
import { TEMPLATE_WORDS } from "./template-level.ts";
import { runTrace } from "./trace.ts";

type ResourceAction = (ControlRequest & { kind: "resource" })["action"];
type NodeAction = (ControlRequest & { kind: "node" })["action"];

/** Words of all versions of the shell, as what the manager does for them. */
const RESOURCE_ACTIONS: Readonly<Record<string, ResourceAction>> = {
  start: "start",
  stop: "stop",
  manage: "manage",
  unmanage: "unmanage",
  cleanup: "cleanup",
  refresh: "cleanup",
  reprobe: "cleanup",
  move: "move",
  migrate: "move",
  ban: "ban",
  unmove: "unmove",
  unmigrate: "unmove",
  unban: "unmove",
  clear: "unmove",
};
const NODE_ACTIONS: Readonly<Record<string, NodeAction>> = {
  standby: "standby",
  online: "online",
  maintenance: "maintenance",
  ready: "ready",
};
const META_SETS: Readonly<Record<string, string>> = {
  meta: "meta_attributes",
  param: "instance_attributes",
  utilization: "utilization",
};

/** Forgotten, looked for again, and what follows from that done: who cleans up looks at the status next. */
const isCleanup = (request: ControlRequest) => request.kind === "resource" && request.action === "cleanup";

/** Asks, and prints what was done. */
async function doIt<Kind extends "resource" | "node" | "attribute">(
  session: Session,
  request: ControlRequest & { readonly kind: Kind },
): Promise<number> {
  if (session.isEchoing) session.terminal.out(`.EXT ${externalCommand(request)}\n`);
  const waits = session.isWaiting || isCleanup(request);
  const before = await statusBefore(session, waits);
  const reply = await askManager<Kind>(session, request);
  if (reply.kind !== "answer") return tellReply(session, reply);
  session.terminal.out(`${reply.value.text}\n`);
  if (!waits) return EXIT.done;
  const bound = session.isWaiting ? {} : { waitMaxMs: CLEANUP_WAIT_MAX_MS };
  return await settle(session, (status) => notReached(request, before, status), bound);
}

export function tellResources(session: Session, status: StatusReport, wanted: readonly string[]): number {
  const shown = status.resources.filter(({ id, parents }) => {
    if (wanted.length === 0) return true;
    return wanted.includes(id) || parents.some((parent) => wanted.includes(parent.id));
  });
  for (const { id, agent, active, isManaged, heldBy } of shown) {
    const where = active.map(({ node, role }) => `${role} ${node}`).join(", ");
    const note = heldBy === "block" ? " (blocked)" : isManaged || heldBy !== undefined ? "" : " (unmanaged)";
    session.terminal.out(`${id}\t(${agent}):\t${where === "" ? "Stopped" : where}${note}\n`);
  }
  if (shown.length > 0 || wanted.length === 0) return EXIT.done;
  session.terminal.err(`crm: there is no resource ${wanted.join(", ")}\n`);
  return EXIT.failed;
}

/** Stop, wait until it runs nowhere, start. One that cannot be stopped is not started again. */
async function restart(session: Session, resource: string): Promise<number> {
  const stop = { kind: "resource", resource, action: "stop" } as const;
  const asked = await doIt(session, stop);
  const judge = (status: StatusReport) => notReached(stop, undefined, status);
  const stopped =
    asked === EXIT.done && !session.isWaiting
      ? await settle(session, judge, { isReached: (status) => judge(status).length === 0 })
      : asked;
  if (stopped === EXIT.done) return doIt(session, { ...stop, action: "start" });
  session.terminal.err(`crm: ${resource} is not started again; when that is mended: crm resource start ${resource}\n`);
  return stopped;
}

/** `meta R set NAME VALUE`, `show NAME`, `delete NAME`; and the like for param and utilization. */
async function option(session: Session, set: string, words: readonly string[]): Promise<number> {
  const [resource = "", verb = "", name = "", value] = words;
  if (!["set", "show", "delete"].includes(verb) || name === "" || (verb === "set") !== (value !== undefined)) return -1;
  const working = await fetchRunning(session);
  if (typeof working === "number") return working;
  if (verb === "show") {
    const find = (element: XmlElement): XmlElement | undefined =>
      element.attributes["id"] === resource ? element : element.children.map(find).find((found) => found !== undefined);
    const pairs = childOf(find(childOf(working, "resources") ?? working), set)?.children ?? [];
    const found = pairs.find(({ attributes }) => attributes["name"] === name)?.attributes["value"];
    if (found === undefined) session.terminal.err(`crm: ${resource} does not set ${name}\n`);
    else session.terminal.out(`${found}\n`);
    return found === undefined ? EXIT.failed : EXIT.done;
  }
  const operation = { kind: "set-option", target: resource, setName: set, name, value: value ?? null } as const;
  const applied = applyOperations(working, [operation]);
  if (applied.kind === "invalid") {
    session.terminal.err(`crm: there is no resource ${resource}\n`);
    return EXIT.failed;
  }
  session.working = applied.value;
  return commit(session);
}

const isPromotable = ({ name, children }: XmlElement): boolean =>
  name === "master" ||
  name === "bundle" ||
  (name === "clone" &&
    children
      .filter((set) => set.name === "meta_attributes")
      .flatMap((set) => set.children)
      .some(
        ({ attributes }) => attributes["name"] === "promotable" && readBoolean(attributes["value"] ?? "") === true,
      ));

/** Of a promotable clone; another resource has no such role, and would pass for stopped. */
async function setRole(session: Session, verb: "promote" | "demote", resource: string): Promise<number> {
  const working = await fetchRunning(session);
  if (typeof working === "number") return working;
  const clone = everyElement(working)
    .map(({ element }) => element)
    .find(
      (element) =>
        isPromotable(element) &&
        everyElement(element).some(({ element: { attributes } }) => attributes["id"] === resource),
    );
  if (clone === undefined) {
    session.terminal.err(`crm: ${resource} is no promotable clone, nor part of one\n`);
    return EXIT.failed;
  }
  const role = verb === "promote" ? "Promoted" : "Unpromoted";
  const code = await option(session, "meta_attributes", [resource, "set", "target-role", role]);
  if (code !== EXIT.done) return code;
  session.terminal.out(`target-role of ${resource} is ${role}\n`);
  return session.isWaiting ? await settle(session, (status) => roleNotReached(verb, resource, status)) : EXIT.done;
}

interface OverrideWords {
  /** What is none of them: the node. */
  readonly others: readonly string[];
  readonly members: { readonly lifetime?: string; readonly reason?: string; readonly isForced?: true };
}

/** `[NODE] [LIFETIME] [force] [reason=TEXT]` behind an override, in any order. */
function overrideWords(words: readonly string[]): OverrideWords {
  const isLifetime = (word: string) => word === "forever" || /^(?:P[\dT].*|\d+\s*[a-z]*)$/i.test(word);
  const lifetime = words.find(isLifetime);
  const reason = words.find((word) => word.startsWith("reason="))?.slice("reason=".length);
  return {
    others: words.filter((word) => !isLifetime(word) && !word.startsWith("reason=") && word !== "force"),
    members: {
      ...(lifetime === undefined ? {} : { lifetime }),
      ...(reason === undefined ? {} : { reason }),
      ...(words.includes("force") ? { isForced: true } : {}),
    },
  };
}

/** Of one resource or of several. */
const SWITCHES: readonly ResourceAction[] = ["start", "stop", "manage", "unmanage"];

/** One after the other; the first that is refused ends it. */
async function switchEach(session: Session, action: ResourceAction, words: readonly string[]): Promise<number> {
  const { others, members } = action === "unmanage" ? overrideWords(words) : { others: words, members: {} };
  if (others.length === 0) return -1;
  for (const resource of others) {
    const code = await doIt(session, { kind: "resource", resource, action, ...members });
    if (code !== EXIT.done) return code;
  }
  return EXIT.done;
}

/** A copy of the CIB has no manager that could be asked. */
async function tellOfFile(session: Session, resources: readonly string[]): Promise<number> {
  if (resources.length === 0) return await runTool(session, ["crm_resource", "-L"]);
  for (const resource of resources) {
    const code = await runTool(session, ["crm_resource", "-W", "-r", resource]);
    if (code !== EXIT.done) return code;
  }
  return EXIT.done;
}

/** The exit code; -1 for a wrong call. */
export async function runResource(session: Session, words: readonly string[]): Promise<number> {
  const [verb = "", resource, node] = words;
  if (["status", "show", "list"].includes(verb)) {
    if (cibFile() !== undefined) return await tellOfFile(session, words.slice(1));
    const reply = await askManager(session, { kind: "status" });
    return reply.kind === "answer" ? tellResources(session, reply.value, words.slice(1)) : tellReply(session, reply);
  }
  const set = entryOf(META_SETS, verb);
  if (set !== undefined) return option(session, set, words.slice(1));
  if (resource === undefined) return -1;
  if (verb === "restart") return restart(session, resource);
  if (verb === "trace" || verb === "untrace") return await runTrace(session, verb, words.slice(1));
  if ((verb === "promote" || verb === "demote") && words.length === 2) return setRole(session, verb, resource);
  const action = entryOf(RESOURCE_ACTIONS, verb);
  if (action === undefined) return -1;
  if (SWITCHES.includes(action)) return switchEach(session, action, words.slice(1));
  if (action !== "move" && action !== "ban") {
    // A word that is not heeded would be one that somebody relies on.
    const heeded = action === "cleanup" ? words.filter((word) => word !== "force").slice(0, 3) : words.slice(0, 2);
    if (words.some((word) => word !== "force" && !heeded.includes(word))) return -1;
    return doIt(session, { kind: "resource", resource, action, ...(node === undefined ? {} : { node }) });
  }
  const { others, members } = overrideWords(words.slice(2));
  if (others.length > 1) return -1;
  const [target] = others;
  return doIt(session, {
    kind: "resource",
    resource,
    action,
    ...members,
    ...(target === undefined ? {} : { node: target }),
  });
}

/** Their names and what they keep: how they stand a copy of the CIB does not know. */
async function tellNodesOfFile(session: Session, wanted: string | undefined): Promise<number> {
  const working = await fetchRunning(session);
  if (typeof working === "number") return working;
  const nodes = configuredNodes(asCib(working)).filter(({ name }) => wanted === undefined || wanted === name);
  for (const { name, attributes } of nodes) {
    session.terminal.out(`${name}\n`);
    for (const [key, value] of Object.entries(attributes)) session.terminal.out(`\t${key}=${value}\n`);
  }
  return nodes.length > 0 ? EXIT.done : EXIT.failed;
}

/** A node that was not named is the one that was asked. */
async function askedNode(session: Session): Promise<string | number> {
  const reply = await askManager(session, { kind: "ping" });
  return reply.kind === "answer" ? reply.value.self : tellReply(session, reply);
}

export async function runNode(session: Session, words: readonly string[]): Promise<number> {
  const [verb = "", given, ...rest] = words;
  if (["status", "show", "list"].includes(verb)) {
    if (cibFile() !== undefined) return await tellNodesOfFile(session, given);
    const status = await askManager(session, { kind: "status" });
    if (status.kind !== "answer") return tellReply(session, status);
    const nodes = status.value.nodes.filter(({ name }) => given === undefined || given === name);
    for (const { name, state, isDc, attributes } of nodes) {
      session.terminal.out(`${name}: ${state}${isDc ? " (DC)" : ""}\n`);
      for (const [key, value] of Object.entries(attributes)) session.terminal.out(`\t${key}=${value}\n`);
    }
    return nodes.length > 0 ? EXIT.done : EXIT.failed;
  }
  const action = entryOf(NODE_ACTIONS, verb);
  if (action !== undefined) {
    const node = given ?? (await askedNode(session));
    if (typeof node === "number") return node;
    // Fact: crmsh, node standby: `reboot` is until the node leaves, which no lease needs to end.
    if (rest[0] === "reboot" && action === "standby")
      return doIt(session, { kind: "attribute", node, name: "standby", value: "on", lifetime: "reboot" });
    return doIt(session, { kind: "node", node, action, ...overrideWords(rest).members });
  }
  if (verb === "fence" && given !== undefined) {
    const reply = await askManager(session, { kind: "fence", target: given, action: "reboot" }, FENCE_WAIT_MS);
    if (reply.kind !== "answer") return tellReply(session, reply);
    session.terminal.out(`${reply.value.target}: ${reply.value.action} ${reply.value.outcome}\n`);
    return reply.value.outcome === "confirmed" ? EXIT.done : EXIT.failed;
  }
  const [attributeVerb, name, value] = rest;
  if (!["attribute", "status-attr"].includes(verb) || given === undefined || name === undefined) return -1;
  const lifetime = verb === "attribute" ? "forever" : "reboot";
  if (attributeVerb === "set" && value !== undefined)
    return doIt(session, { kind: "attribute", node: given, name, value, lifetime });
  if (attributeVerb === "delete") return doIt(session, { kind: "attribute", node: given, name, lifetime });
  if (attributeVerb !== "show") return -1;
  return await runTool(session, ["crm_attribute", "-G", "-q", "-N", given, "-n", name, "-l", lifetime]);
}

/** Every level of topology may be tried, and each device has its own time. */
const FENCE_WAIT_MS = 600_000;

export type LevelName =
  | ""
  | "configure"
  | "resource"
  | "node"
  | "ra"
  | "cib"
  | "template"
  | "cibstatus"
  | "site"
  | "history"
  | "cluster"
  | "corosync"
  | "script"
  | "options";

/** Levels that stand below configure: what they change is committed when that is left. */
export const BELOW_CONFIGURE: readonly LevelName[] = ["template", "cibstatus", "ra", "cib"];

export const LEVELS: Readonly<Record<LevelName, readonly string[]>> = {
  "": [
    ...[
      "configure",
      "resource",
      "node",
      "ra",
      "cib",
      "template",
      "cibstatus",
      "site",
      "history",
      "cluster",
      "corosync",
    ],
    ...["script", "options"],
    ...["status", "verify", "maintenance", ...borrowedWords("")],
  ],
  configure: [...Object.keys(CONFIGURE_COMMANDS), ...STATEMENT_NAMES, ...BELOW_CONFIGURE],
  resource: [
    ...[
      ...Object.keys(RESOURCE_ACTIONS),
      "restart",
      "promote",
      "demote",
      "status",
      "trace",
      "untrace",
      ...Object.keys(META_SETS),
    ],
    ...borrowedWords("resource"),
  ],
  node: [
    ...[...Object.keys(NODE_ACTIONS), "status", "show", "fence", "attribute", "status-attr"],
    ...borrowedWords("node"),
  ],
  ra: [...RA_WORDS, ...borrowedWords("ra")],
  cib: CIB_WORDS,
  template: TEMPLATE_WORDS,
  cibstatus: CIBSTATUS_WORDS,
  site: borrowedWords("site"),
  history: HISTORY_WORDS,
  cluster: Object.keys(CLUSTER_USAGES),
  corosync: Object.keys(COROSYNC_USAGES),
  script: Object.keys(SCRIPT_USAGES),
  options: OPTION_WORDS,
};
export const EVERYWHERE: readonly string[] = ["help", "up", "back", "cd", "ls", "quit", "exit", "bye", "end"];
