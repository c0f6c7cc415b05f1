/**
 * Statements about the rest: property, rsc_defaults, op_defaults, tag, fencing_topology, role, user/acl_target/
 * acl_group, alert.
 */
import { entryOf, setEntry } from "../../base/record.ts";
import { type XmlElement, xml } from "../../base/xml.ts";
import {
  atEnd,
  type Cursor,
  fault,
  finish,
  peek,
  take,
  takeId,
  takeIf,
  takeLabel,
  takeNamed,
  takePair,
} from "./cursor.ts";
import type { Said } from "./resources.ts";
import { readSet, SET_NAMES } from "./sets.ts";

/** `property [ID:] name=value ...`, and the two defaults. A set is merged into the one of the same id. */
export function readOptionSet(cursor: Cursor, element: string, defaultId: string): Said {
  const before = cursor.at;
  const named = takeNamed(cursor, "id")?.value ?? takeLabel(cursor)?.text;
  if (named !== undefined && /^[+-]?(?:inf|\d+)/i.test(named)) cursor.at = before;
  const id = named === undefined || cursor.at === before ? defaultId : named;
  const set = readSet(cursor, element, element === "cluster_property_set" ? "property" : "the set");
  finish(cursor, "name=value");
  return { element: { ...set, attributes: { ...set.attributes, id: set.attributes["id"] ?? id } } };
}

export function readTag(cursor: Cursor): Said {
  const token = take(cursor, "the tag's id");
  const id = token.text.replace(/:$/, "");
  const references: XmlElement[] = [];
  while (!atEnd(cursor)) references.push(xml("obj_ref", { id: takeId(cursor, "an object") }));
  if (references.length === 0) throw fault(cursor, undefined, `tag ${id} holds nothing`, "name at least one object");
  return { element: xml("tag", { id }, references) };
}

/** Targets of fencing levels: a node, `attr:name=value`, or `pattern:regular expression`. */
function readTarget(text: string): Record<string, string> {
  const attribute = /^attr:([^=]+)=(.*)$/.exec(text);
  if (attribute !== null) return { "target-attribute": attribute[1] ?? "", "target-value": attribute[2] ?? "" };
  const pattern = /^pattern:(.+)$/.exec(text);
  return pattern === null ? { target: text } : { "target-pattern": pattern[1] ?? "" };
}

/**
 * `fencing_topology [TARGET:] DEVICE[,DEVICE] ...`: one level a word. Without any target the levels hold for all
 * nodes, which `apply.ts` writes out; they come as levels without a target here.
 */
export function readTopology(cursor: Cursor): Said {
  const levels: XmlElement[] = [];
  let target: Record<string, string> | undefined;
  let index = 0;
  while (!atEnd(cursor)) {
    const pair = /^attr:[^=]+=/.test(peek(cursor)?.text ?? "");
    const label = takeLabel(cursor);
    if (label !== undefined) {
      target = readTarget(label.text);
      index = 0;
      continue;
    }
    const token = take(cursor, "a fencing device");
    if (pair) throw fault(cursor, token, "the target has no colon at its end", "write attr:NAME=VALUE: DEVICE");
    const given = /^(?:(\d+):)?(.+)$/.exec(token.text);
    index = given?.[1] === undefined ? index + 1 : Number(given[1]);
    const devices = given?.[2] ?? "";
    if (!/^[\w.-]+(,[\w.-]+)*$/.test(devices))
      throw fault(cursor, token, `"${token.text}" is no list of devices`, "write ids parted by commas");
    levels.push(xml("fencing-level", { ...target, index: String(index), devices }));
  }
  if (levels.length === 0)
    throw fault(cursor, undefined, "the topology names no device", "write TARGET: DEVICE, or remove the statement");
  return { element: xml("fencing-topology", {}, levels) };
}

const RIGHTS = ["read", "write", "deny"];

/** The short forms that crmsh offers, as the XPath that it writes for them. */
function shortcut(word: string): string | undefined {
  const [kind = "", id, name] = word.split(":");
  const sets: Readonly<Record<string, string>> = { meta: "meta_attributes", params: "instance_attributes" };
  const set = entryOf(sets, kind);
  if (set !== undefined && id !== undefined) {
    const nvpair = name === undefined ? "" : `/nvpair[@name='${name}']`;
    return `//primitive[@id='${id}']/${set}${nvpair}`;
  }
  if (kind === "utilization" && id !== undefined) return `//primitive[@id='${id}']/utilization`;
  if (kind === "location" && id !== undefined) return `//rsc_location[@id='${id}' and @rsc='${name ?? ""}']`;
  if (kind === "property")
    return id === undefined ? "//crm_config/cluster_property_set" : `//crm_config//nvpair[@name='${id}']`;
  if (kind === "node") return id === undefined ? "//nodes/node" : `//nodes/node[@uname='${id}']`;
  if (kind === "nodeattr" && id !== undefined) return `//nodes/node/instance_attributes/nvpair[@name='${id}']`;
  if (kind === "status") return "/cib/status";
  return kind === "cib" ? "/cib" : undefined;
}

const PROTECTED: Readonly<Record<string, string>> = {
  xpath: "xpath",
  ref: "reference",
  type: "object-type",
  tag: "object-type",
  attr: "attribute",
  attribute: "attribute",
};

/** One right may name several things: each is a permission, but an attribute belongs to its type. */
function readPermissions(cursor: Cursor, kind: string): XmlElement[] {
  const permissions: Record<string, string>[] = [];
  const given = takeNamed(cursor, "id");
  for (let token = peek(cursor); token !== undefined && !RIGHTS.includes(token.text); token = peek(cursor)) {
    const shorthand = shortcut(token.text);
    const [, word = "", value = ""] = /^([a-z]+):([\s\S]*)$/.exec(token.text) ?? [];
    const name = entryOf(PROTECTED, word);
    const last = permissions.at(-1);
    const completes = (one: string, other: string) =>
      name === one && entryOf(last, other) !== undefined && entryOf(last, one) === undefined;
    if (shorthand !== undefined) permissions.push({ kind, xpath: shorthand });
    else if (name === undefined)
      throw fault(cursor, token, `"${token.text}" names nothing to protect`, "write xpath:, ref:, type: or attr:");
    else if (last !== undefined && (completes("attribute", "object-type") || completes("object-type", "attribute")))
      setEntry(last, name, value);
    else permissions.push({ kind, [name]: value });
    cursor.at += 1;
  }
  if (permissions.length === 0)
    throw fault(cursor, peek(cursor), `${kind} names nothing`, "write xpath:, ref:, type: or attr: behind it");
  return permissions.map((permission, index) =>
    xml("acl_permission", { ...(given !== undefined && index === 0 ? { id: given.value } : {}), ...permission }),
  );
}

export function readRole(cursor: Cursor): Said {
  const id = takeId(cursor, "the role's id");
  const permissions: XmlElement[] = [];
  while (!atEnd(cursor)) {
    const right = takeIf(cursor, ...RIGHTS);
    if (right === undefined) finish(cursor, "read, write or deny");
    else permissions.push(...readPermissions(cursor, right.text));
  }
  return { element: xml("acl_role", { id }, permissions) };
}

export function readAclTarget(cursor: Cursor, name: "acl_target" | "acl_group"): Said {
  const id = takeId(cursor, "the user");
  const roles: XmlElement[] = [];
  while (!atEnd(cursor)) {
    const token = take(cursor, "a role");
    roles.push(xml("role", { id: token.text.replace(/^role:/, "") }));
  }
  if (roles.length === 0) throw fault(cursor, undefined, `${id} has no role`, "name at least one role");
  return { element: xml(name, { id }, roles) };
}

function readAlertSets(cursor: Cursor): XmlElement[] {
  const sets: XmlElement[] = [];
  for (;;) {
    const keyword = takeIf(cursor, "attributes", "meta");
    if (keyword === undefined) return sets;
    sets.push(readSet(cursor, entryOf(SET_NAMES, keyword.text) ?? "", keyword.text));
  }
}

function readSelect(cursor: Cursor): XmlElement {
  const kinds: XmlElement[] = [];
  for (let word = takeIf(cursor, "nodes", "fencing", "resources"); word !== undefined; ) {
    kinds.push(xml(`select_${word.text}`));
    word = takeIf(cursor, "nodes", "fencing", "resources");
  }
  const attributes = takeIf(cursor, "attributes");
  if (attributes === undefined) return xml("select", {}, kinds);
  const names: XmlElement[] = [];
  if (takeIf(cursor, "{") !== undefined)
    while (takeIf(cursor, "}") === undefined)
      names.push(xml("attribute", { name: take(cursor, "an attribute's name, or }").text }));
  return xml("select", {}, [...kinds, xml("select_attributes", {}, names)]);
}

export function readAlert(cursor: Cursor): Said {
  const id = takeId(cursor, "the alert's id");
  const description = takeNamed(cursor, "description");
  const path = take(cursor, "the path of the alert's program").text;
  const children: XmlElement[] = [];
  while (!atEnd(cursor)) {
    if (takeIf(cursor, "select") !== undefined) children.push(readSelect(cursor));
    else if (takeIf(cursor, "to") !== undefined) {
      const braced = takeIf(cursor, "{") !== undefined;
      const recipientId = takeNamed(cursor, "id");
      const value = (takeNamed(cursor, "value") ?? { value: take(cursor, "the recipient").text }).value;
      const idAttribute: Record<string, string> = recipientId === undefined ? {} : { id: recipientId.value };
      children.push(xml("recipient", { ...idAttribute, value }, readAlertSets(cursor)));
      if (braced && takeIf(cursor, "}") === undefined)
        throw fault(cursor, peek(cursor), "the recipient's bracket is not closed", "write } behind it");
    } else {
      const sets = readAlertSets(cursor);
      if (sets.length === 0) finish(cursor, "attributes, meta, select or to");
      children.push(...sets);
    }
  }
  const attributes = { id, path, ...(description === undefined ? {} : { description: description.value }) };
  return { element: xml("alert", attributes, children) };
}

/** `monitor RESOURCE[:ROLE] INTERVAL[:TIMEOUT]`: one more operation of a primitive that stands elsewhere. */
export function readMonitor(cursor: Cursor): { readonly resource: string; readonly operation: XmlElement } {
  const [resource = "", role] = take(cursor, "the resource").text.split(":");
  const [interval = "", timeout] = take(cursor, "the interval").text.split(":");
  while (takePair(cursor) !== undefined) finish({ ...cursor, at: cursor.at - 1 }, "INTERVAL:TIMEOUT only");
  finish(cursor, "nothing more");
  const attributes = {
    name: "monitor",
    interval,
    ...(role === undefined ? {} : { role }),
    ...(timeout === undefined ? {} : { timeout }),
  };
  return { resource, operation: xml("op", attributes) };
}
