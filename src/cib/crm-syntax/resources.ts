/**
 * Statements about nodes and resources: node, primitive, rsc_template, group, clone, ms/master, bundle.
 * A container's children are only named here; `apply.ts` puts the elements into it.
 */
import { entryOf, setEntry } from "../../base/record.ts";
import { type XmlElement, xml } from "../../base/xml.ts";
import {
  atEnd,
  type Cursor,
  checkId,
  fault,
  finish,
  mark,
  nextIs,
  peek,
  take,
  takeId,
  takeIf,
  takeLabel,
  takeNamed,
  takePair,
} from "./cursor.ts";
import { readSet, SET_NAMES } from "./sets.ts";

/** What a statement says: the element, and for containers the resources that belong into it. */
export interface Said {
  readonly element: XmlElement;
  readonly members?: readonly string[];
}

/**
 * The provider that a type without one means. Agents that heartbeat does not have are looked up here instead of on
 * this machine, where they may not be installed. Fact: `crm ra providers` on Debian 12; DRBD's is its own.
 */
export function providerOf(type: string): string {
  if (type === "drbd") return "linbit";
  return PACEMAKER_TYPES.includes(type) ? "pacemaker" : "heartbeat";
}
const PACEMAKER_TYPES = [
  "attribute",
  "controld",
  "diskd",
  "HealthCPU",
  "HealthIOWait",
  "HealthSMART",
  "ifspeed",
  "o2cb",
  "ping",
  "pingd",
  "remote",
  "Stateful",
  "SysInfo",
  "SystemHealth",
];
const CLASSES = ["ocf", "lsb", "systemd", "service", "stonith", "fencing", "heartbeat", "upstart", "nagios"];
const OPERATIONS = [
  "monitor",
  "start",
  "stop",
  "promote",
  "demote",
  "notify",
  "migrate_to",
  "migrate_from",
  "reload",
  "reload-agent",
  "meta-data",
  "validate-all",
];
/** Attributes of `<op>` itself; any other name is a parameter of that operation, such as OCF_CHECK_LEVEL. */
const OP_ATTRIBUTES = [
  "id",
  "name",
  "interval",
  "description",
  "start-delay",
  "interval-origin",
  "timeout",
  "enabled",
  "record-pending",
  "role",
  "requires",
  "on-fail",
];
const SET_WORDS = ["params", "meta", "utilization", "operations", "op", "op_params", "op_meta", "description"];

export function readNode(cursor: Cursor): Said {
  const given = takeNamed(cursor, "id")?.value ?? takeLabel(cursor)?.text;
  const token = take(cursor, "the node's name");
  const [, uname = "", type] = /^(.*?)(?::(normal|member|ping|remote))?$/.exec(token.text) ?? [];
  checkId(cursor, token, uname.replace(/^\d+/, "n"));
  const children: XmlElement[] = [];
  let description: string | undefined;
  while (!atEnd(cursor)) {
    const named = takeNamed(cursor, "description");
    const keyword = named === undefined ? takeIf(cursor, "attributes", "utilization") : undefined;
    if (named !== undefined) description = named.value;
    else if (keyword !== undefined)
      children.push(readSet(cursor, entryOf(SET_NAMES, keyword.text) ?? "", keyword.text));
    else finish(cursor, "attributes NAME=VALUE or utilization NAME=VALUE");
  }
  const attributes = {
    id: given ?? uname,
    uname,
    ...(type === undefined ? {} : { type }),
    ...(description === undefined ? {} : { description }),
  };
  return { element: xml("node", attributes, children) };
}

/** `class:provider:type`, `class:type` or a bare type, which is ocf:heartbeat's. */
function readAgent(cursor: Cursor): Record<string, string> {
  const token = take(cursor, "the resource agent (class:provider:type)");
  if (token.text.startsWith("@")) {
    const template = token.text.slice(1);
    checkId(cursor, token, template);
    return { template };
  }
  const parts = token.text.replace(/^ocf::/, "ocf:").split(":");
  const [first = "", second = "", ...more] = parts;
  if (parts.some((part) => part === "") || token.text.includes("="))
    throw fault(cursor, token, `"${token.text}" is no agent`, "write such as ocf:heartbeat:IPaddr2 or systemd:nginx");
  if (parts.length === 1) return { class: "ocf", provider: providerOf(first), type: first };
  if (!CLASSES.includes(first))
    throw fault(cursor, token, `"${first}" is no class of agents`, `write one of ${CLASSES.join(", ")}`);
  if (first === "ocf")
    return more.length === 0
      ? { class: first, provider: providerOf(second), type: second }
      : { class: first, provider: second, type: more.join(":") };
  // Types of other classes may hold a colon themselves: systemd:wg-quick@a:b.
  return { class: first, type: [second, ...more].join(":") };
}

function readOperation(cursor: Cursor): XmlElement {
  const nameToken = take(cursor, "the operation's name");
  if (!OPERATIONS.includes(nameToken.text))
    throw fault(cursor, nameToken, `"${nameToken.text}" is no operation`, `write one of ${OPERATIONS.join(", ")}`);
  const id = takeNamed(cursor, "id", "id-ref");
  const attributes: Record<string, string> = {
    ...(id === undefined ? {} : { [id.name]: id.value }),
    name: nameToken.text,
  };
  if (id?.name === "id-ref") return xml("op", { "id-ref": id.value });
  const parameters: XmlElement[] = [];
  for (let pair = takePair(cursor); pair !== undefined; pair = takePair(cursor)) {
    if (!OP_ATTRIBUTES.includes(pair.name)) parameters.push(xml("nvpair", { name: pair.name, value: pair.value }));
    else if (pair.name !== "id" && entryOf(attributes, pair.name) !== undefined)
      throw fault(cursor, pair.token, `${pair.name} stands twice`, `remove one of the two ${pair.name}`);
    else setEntry(attributes, pair.name, pair.value);
  }
  attributes["interval"] ??= "0";
  const children = parameters.length === 0 ? [] : [xml("instance_attributes", {}, parameters)];
  for (
    let word = takeIf(cursor, "op_params", "op_meta");
    word !== undefined;
    word = takeIf(cursor, "op_params", "op_meta")
  )
    children.push(readSet(cursor, entryOf(SET_NAMES, word.text) ?? "", word.text));
  return mark(cursor, nameToken, xml("op", attributes, children));
}

/** Everything behind the agent of a primitive or template. */
function readBody(cursor: Cursor): { children: XmlElement[]; description: string | undefined } {
  const children: XmlElement[] = [];
  let operations: { attributes: Record<string, string>; list: XmlElement[]; at: number } | undefined;
  let description: string | undefined;
  while (!atEnd(cursor)) {
    const named = takeNamed(cursor, "description");
    if (named !== undefined) {
      description = named.value;
      continue;
    }
    const keyword = takeIf(cursor, ...SET_WORDS);
    // Options may follow the agent at once: `primitive ip IPaddr2 ip=10.0.0.1`.
    if (keyword === undefined && /^[^=]+=/.test(peek(cursor)?.text ?? ""))
      children.push(readSet(cursor, "instance_attributes", "params"));
    else if (keyword?.text === "operations" || keyword?.text === "op") {
      operations ??= { attributes: {}, list: [], at: children.length };
      if (keyword.text === "op") operations.list.push(readOperation(cursor));
      else {
        const id = takeNamed(cursor, "id", "id-ref");
        if (id === undefined)
          throw fault(cursor, peek(cursor), "operations needs an id", "write operations $id=ID, or remove the word");
        setEntry(operations.attributes, id.name, id.value);
      }
    } else if (keyword === undefined || keyword.text.startsWith("op_"))
      finish({ ...cursor, at: keyword === undefined ? cursor.at : cursor.at - 1 }, `one of ${SET_WORDS.join(", ")}`);
    else children.push(readSet(cursor, entryOf(SET_NAMES, keyword.text) ?? "", keyword.text));
  }
  if (operations !== undefined)
    children.splice(operations.at, 0, xml("operations", operations.attributes, operations.list));
  return { children, description };
}

export function readPrimitive(cursor: Cursor): Said {
  const id = takeId(cursor, "the resource's id");
  const agent = readAgent(cursor);
  const { children, description } = readBody(cursor);
  return {
    element: xml("primitive", { id, ...agent, ...(description === undefined ? {} : { description }) }, children),
  };
}

export function readTemplate(cursor: Cursor): Said {
  const { element } = readPrimitive(cursor);
  return { element: { ...element, name: "template" } };
}

function readContainer(cursor: Cursor, name: string, id: string, members: readonly string[]): Said {
  const children: XmlElement[] = [];
  let description: string | undefined;
  while (!atEnd(cursor)) {
    const named = takeNamed(cursor, "description");
    const keyword = takeIf(cursor, "params", "meta");
    if (named !== undefined) description = named.value;
    else if (keyword === undefined) finish(cursor, "params or meta");
    else children.push(readSet(cursor, entryOf(SET_NAMES, keyword.text) ?? "", keyword.text));
  }
  return { element: xml(name, { id, ...(description === undefined ? {} : { description }) }, children), members };
}

export function readGroup(cursor: Cursor): Said {
  const id = takeId(cursor, "the group's id");
  const members: string[] = [];
  while (!atEnd(cursor) && !nextIs(cursor, "params", "meta") && !/=/.test(peek(cursor)?.text ?? ""))
    members.push(takeId(cursor, "a resource"));
  if (members.length === 0)
    throw fault(cursor, peek(cursor), `group ${id} has no resource`, "name at least one resource behind the id");
  return readContainer(cursor, "group", id, members);
}

export function readClone(cursor: Cursor, name: "clone" | "master"): Said {
  const id = takeId(cursor, "the clone's id");
  return readContainer(cursor, name, id, [takeId(cursor, "the resource that it clones")]);
}

const BUNDLE_ENGINES = ["docker", "podman", "rkt"];

function takeAttributes(cursor: Cursor): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (let pair = takePair(cursor); pair !== undefined; pair = takePair(cursor))
    setEntry(attributes, pair.name, pair.value);
  return attributes;
}

export function readBundle(cursor: Cursor): Said {
  const id = takeId(cursor, "the bundle's id");
  const engine = take(cursor, "docker or podman");
  if (!BUNDLE_ENGINES.includes(engine.text))
    throw fault(cursor, engine, `"${engine.text}" runs no containers`, `write one of ${BUNDLE_ENGINES.join(", ")}`);
  const children: XmlElement[] = [xml(engine.text, takeAttributes(cursor))];
  let members: string[] = [];
  while (!atEnd(cursor)) {
    const keyword = takeIf(cursor, "network", "storage", "meta", "primitive");
    if (keyword === undefined) finish(cursor, "network, storage, meta or primitive");
    else if (keyword.text === "meta") children.push(readSet(cursor, "meta_attributes", "meta"));
    else if (keyword.text === "primitive") members = [takeId(cursor, "a resource")];
    else {
      const mapping = keyword.text === "network" ? "port-mapping" : "storage-mapping";
      const attributes = takeAttributes(cursor);
      const parts: XmlElement[] = [];
      while (takeIf(cursor, mapping) !== undefined) parts.push(xml(mapping, takeAttributes(cursor)));
      children.push(xml(keyword.text, attributes, parts));
    }
  }
  return { element: xml("bundle", { id }, children), members };
}
