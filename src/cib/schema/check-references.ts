/** Ids that stand twice, and references to what is not there. */
import { nearestName } from "../../base/nearest.ts";
import { entryOf } from "../../base/record.ts";
import { childOf, childrenOf, type XmlElement } from "../../base/xml.ts";
import { everyElement, type Finding, finding, type Seen } from "./finding.ts";

const RESOURCES = ["primitive", "group", "clone", "master", "bundle"];
const REFERENCES = ["resource_ref", "obj_ref", "role"];

interface Known {
  /** Everything with an id, by id: the element's name. */
  readonly all: ReadonlyMap<string, string>;
  readonly resources: readonly string[];
  readonly templates: readonly string[];
  readonly tags: readonly string[];
  readonly roles: readonly string[];
  readonly nodes: readonly string[];
}

/** Sections are named by their element; ids count in the configuration only, since the status repeats them. */
export function checkIds(configuration: XmlElement): Finding[] {
  const first = new Map<string, Seen>();
  return everyElement(configuration).flatMap((seen) => {
    const { id } = seen.element.attributes;
    if (id === undefined || REFERENCES.includes(seen.element.name)) return [];
    const before = first.get(id);
    // A node and a resource may share a name: guest nodes do.
    if (before === undefined || (before.element.name === "node") !== (seen.element.name === "node")) {
      first.set(id, before ?? seen);
      return [];
    }
    const reason = `the id ${id} stands twice: also on <${before.element.name}>`;
    return [finding("error", seen, reason, "give one of the two another id")];
  });
}

/** A resource's id is part of the keys of its operations, and `:` counts its instances. Source: XML 1.0, NCName. */
const NAME = /^[\p{L}_][\p{L}\p{N}_.\u00b7-]*$/u;

export function checkNames(configuration: XmlElement): Finding[] {
  return everyElement(configuration).flatMap((seen) => {
    const { id } = seen.element.attributes;
    if (id === undefined || NAME.test(id) || ![...RESOURCES, "template"].includes(seen.element.name)) return [];
    const remedy = "begin with a letter and write letters, digits, _ . and - only";
    return [finding("error", seen, `"${id}" cannot be the name of a resource`, remedy)];
  });
}

function readKnown(configuration: XmlElement): Known {
  const all = new Map<string, string>();
  for (const { element } of everyElement(configuration)) {
    const { id } = element.attributes;
    if (id !== undefined && !REFERENCES.includes(element.name)) all.set(id, element.name);
  }
  const ofKind = (...names: readonly string[]) => [...all].flatMap(([id, name]) => (names.includes(name) ? [id] : []));
  const nodes = childrenOf(childOf(configuration, "nodes"), "node").flatMap(({ attributes: { uname, id } }) => [
    uname ?? id ?? "",
  ]);
  // Guest and remote nodes are resources that are nodes, too.
  const guests = everyElement(configuration).flatMap(({ element: { name, attributes } }) => {
    if (name === "nvpair" && attributes["name"] === "remote-node") return [attributes["value"] ?? ""];
    const isRemote = name === "primitive" && attributes["provider"] === "pacemaker" && attributes["type"] === "remote";
    return isRemote ? [attributes["id"] ?? ""] : [];
  });
  return {
    all,
    resources: ofKind(...RESOURCES),
    templates: ofKind("template"),
    tags: ofKind("tag"),
    roles: ofKind("acl_role"),
    nodes: [...nodes, ...guests],
  };
}

function checkOne(seen: Seen, known: Known): Finding[] {
  const { element, above } = seen;
  const { attributes } = element;
  const constrainable = [...known.resources, ...known.tags, ...known.templates];
  const findings: Finding[] = [];
  const need = (attribute: string, names: readonly string[], what: string) => {
    const value = entryOf(attributes, attribute);
    if (value === undefined || names.includes(value)) return;
    const near = nearestName(value, names);
    const remedy = near === undefined ? `define it, or remove the reference` : `write ${near}, or define ${value}`;
    findings.push(finding("error", seen, `${attribute} names ${what} ${value}, which does not exist`, remedy, value));
  };
  const wish = (name: string | undefined, what: string) => {
    if (name === undefined || known.nodes.length === 0 || known.nodes.includes(name)) return;
    const near = nearestName(name, known.nodes);
    const remedy = near === undefined ? `add node ${name}, or remove this` : `write ${near}, or add node ${name}`;
    findings.push(finding("warning", seen, `${what} ${name} is not configured`, remedy, name));
  };
  switch (element.name) {
    case "rsc_location":
      need("rsc", constrainable, "resource");
      wish(attributes["node"], "node");
      break;
    case "rsc_colocation":
      need("rsc", constrainable, "resource");
      need("with-rsc", constrainable, "resource");
      break;
    case "rsc_order":
      need("first", constrainable, "resource");
      need("then", constrainable, "resource");
      break;
    case "rsc_ticket":
      need("rsc", constrainable, "resource");
      break;
    case "resource_ref":
      need("id", constrainable, "resource");
      break;
    case "obj_ref":
      if (!known.all.has(attributes["id"] ?? "")) {
        const id = attributes["id"] ?? "";
        findings.push(finding("warning", seen, `the tag holds ${id}, which does not exist`, "define or remove it", id));
      }
      break;
    case "primitive":
      need("template", known.templates, "template");
      break;
    case "role":
      if (above.at(-1)?.name !== "acl_role") need("id", known.roles, "role");
      break;
    case "fencing-level": {
      wish(attributes["target"], "node");
      for (const device of (attributes["devices"] ?? "").split(",")) {
        if (known.resources.includes(device.trim())) continue;
        const near = nearestName(device.trim(), known.resources);
        const remedy = near === undefined ? "define the device, or remove it" : `write ${near}`;
        findings.push(finding("error", seen, `device ${device} does not exist`, remedy, device.trim()));
      }
      break;
    }
    default:
      break;
  }
  const reference = attributes["id-ref"];
  if (reference !== undefined && known.all.get(reference) !== element.name) {
    const reason = `id-ref names ${reference}, and no <${element.name}> has that id`;
    findings.push(finding("error", seen, reason, "name an element of the same kind, or write it out", reference));
  }
  return findings;
}

export function checkReferences(configuration: XmlElement): Finding[] {
  const known = readKnown(configuration);
  return everyElement(configuration).flatMap((seen) => checkOne(seen, known));
}
