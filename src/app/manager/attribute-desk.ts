/** Node attributes as the control socket asks for them: permanent ones, transient ones with dampening, private ones. */
import { entryOf } from "../../base/record.ts";
import type { XmlElement } from "../../base/xml.ts";
import { filterCib, type Person, seesEverything } from "../../cluster/core/access/acl.ts";
import { attributeValue } from "../../cluster/core/attributes.ts";
import { knownNodes, nodeState, transientAttributes } from "../../cluster/core/controller/cib-read.ts";
import { nodeCib } from "../../cluster/core/controller/node-core.ts";
import type { ControlAnswers, ControlRequest } from "../control-protocol.ts";
import { nodeAttribute, type Wish } from "./configuration-requests.ts";
import type { Reply } from "./control-server.ts";
import { feedAttributes, type Manager, sendMessage } from "./manager.ts";
import type { ManagerMessage } from "./messages.ts";

type AttributeRequest = Extract<ControlRequest, { kind: "attribute" }>;

export function permanentAttribute(
  cib: XmlElement,
  self: string,
  { node = self, name, value }: AttributeRequest,
): Wish {
  return nodeAttribute(cib, node, name, value ?? null);
}

function isPrivate({ attributes }: Manager, node: string, name: string): boolean {
  return entryOf(attributes.entries, `${node}\n${name}`)?.isPrivate === true;
}

export function setTransient(manager: Manager, request: AttributeRequest): Reply {
  const { name, node = manager.self, dampenMs, keeps = false } = request;
  const cib = nodeCib(manager.node);
  // The configuration knows the members; remote nodes have a state of their own.
  const wish = nodeAttribute(cib, node, name, request.value ?? null);
  if (wish.kind === "problem" && nodeState(cib, node) === undefined)
    return { kind: "refused", problems: [wish.problem] };
  const value = keeps ? undefined : (request.value ?? null);
  const known = entryOf(transientAttributes(nodeState(cib, node)), name);
  feedAttributes(manager, {
    kind: "update",
    node,
    name,
    value,
    known,
    dampenMs,
    isPrivate: request.isPrivate === true,
  });
  if (isPrivate(manager, node, name) && value !== undefined)
    for (const peer of manager.view?.members ?? [])
      if (peer !== manager.self) sendMessage(manager, peer, { room: "attribute", node, name, value });
  const text = value === null ? `${name} of ${node} is removed` : `${name} of ${node} is ${value ?? "kept"}`;
  return { kind: "answer", value: { text } };
}

/** Takes away what a node would have until it leaves; nothing is done where there is none. */
export function dropTransient(manager: Manager, node: string, name: string): void {
  const pending = attributeValue(manager.attributes, node, name);
  const value =
    pending === undefined ? entryOf(transientAttributes(nodeState(nodeCib(manager.node), node)), name) : pending.value;
  if (value !== null && value !== undefined)
    setTransient(manager, { kind: "attribute", node, name, lifetime: "reboot" });
}

export function takePrivate(
  manager: Manager,
  { node, name, value }: Extract<ManagerMessage, { room: "attribute" }>,
): void {
  feedAttributes(manager, {
    kind: "update",
    node,
    name,
    value,
    known: undefined,
    dampenMs: undefined,
    isPrivate: true,
  });
}

export function queryAttribute(
  manager: Manager,
  { name, node }: Extract<ControlRequest, { kind: "attribute-query" }>,
  person: Person,
): ControlAnswers["attribute-query"] {
  const cib = filterCib(nodeCib(manager.node), person);
  // What is not in the CIB yet, or never will be, has no rules of its own: it is for those from whom nothing is kept.
  const isWhole = seesEverything(nodeCib(manager.node), person);
  const names = node === undefined ? knownNodes(cib) : [node];
  return {
    values: names.flatMap((each) => {
      const pending = isWhole ? attributeValue(manager.attributes, each, name) : undefined;
      const value = pending === undefined ? entryOf(transientAttributes(nodeState(cib, each)), name) : pending.value;
      return value === null || value === undefined ? [] : [{ node: each, value }];
    }),
  };
}
