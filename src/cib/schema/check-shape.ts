/**
 * What may stand where: elements that the schemas know under the one that holds them, attributes that must be there,
 * words of constraints. What is meant by anything else nobody can tell, so it refuses the CIB.
 * Facts: the RELAX NG schemas that Pacemaker installs (/usr/share/pacemaker/*.rng), 1.3 to 3.10 taken together;
 * Pacemaker Explained, the tables of each element's attributes.
 */
import { nearestName } from "../../base/nearest.ts";
import { entryOf } from "../../base/record.ts";
import { childOf, type XmlElement } from "../../base/xml.ts";
import { everyElement, type Finding, finding, type Seen } from "./finding.ts";

const SETS = ["meta_attributes", "instance_attributes", "utilization"];
const CONTAINERS = ["docker", "podman", "rkt"];
const IN_CONSTRAINT = ["resource_set", "rule", "lifetime"];

const HOLDS: ReadonlyMap<string, readonly string[]> = new Map([
  [
    "configuration",
    [
      ...["crm_config", "rsc_defaults", "op_defaults", "nodes", "resources", "constraints"],
      ...["fencing-topology", "acls", "tags", "alerts"],
    ],
  ],
  ["nodes", ["node"]],
  ["node", SETS],
  ["resources", ["primitive", "template", "group", "clone", "master", "bundle"]],
  ["primitive", [...SETS, "operations"]],
  ["template", [...SETS, "operations"]],
  ["group", [...SETS, "primitive"]],
  ["clone", [...SETS, "primitive", "group"]],
  ["master", [...SETS, "primitive", "group"]],
  ["bundle", [...SETS, ...CONTAINERS, "network", "storage", "primitive"]],
  ["operations", ["op"]],
  ["op", ["meta_attributes", "instance_attributes"]],
  ["constraints", ["rsc_location", "rsc_colocation", "rsc_order", "rsc_ticket"]],
  ["rsc_location", IN_CONSTRAINT],
  ["rsc_colocation", IN_CONSTRAINT],
  ["rsc_order", IN_CONSTRAINT],
  ["rsc_ticket", IN_CONSTRAINT],
  ["resource_set", ["resource_ref"]],
]);

/** Each element's ways of being whole: attributes, or children marked by `/`. */
const NEEDS: ReadonlyMap<string, readonly (readonly string[])[]> = new Map([
  ["node", [["id"]]],
  [
    "primitive",
    [
      ["id", "class", "type"],
      ["id", "template"],
    ],
  ],
  ["template", [["id", "class", "type"]]],
  ["group", [["id", "/primitive"]]],
  [
    "clone",
    [
      ["id", "/primitive"],
      ["id", "/group"],
    ],
  ],
  [
    "master",
    [
      ["id", "/primitive"],
      ["id", "/group"],
    ],
  ],
  ["bundle", CONTAINERS.map((name) => ["id", `/${name}`])],
  ["op", [["name"], ["id-ref"]]],
  ["rsc_location", ["rsc", "rsc-pattern", "/resource_set"].map((what) => ["id", what])],
  [
    "rsc_colocation",
    [
      ["id", "rsc", "with-rsc"],
      ["id", "/resource_set"],
    ],
  ],
  [
    "rsc_order",
    [
      ["id", "first", "then"],
      ["id", "/resource_set"],
    ],
  ],
  [
    "rsc_ticket",
    [
      ["id", "ticket", "rsc"],
      ["id", "ticket", "/resource_set"],
    ],
  ],
  ["resource_set", [["id", "/resource_ref"], ["id-ref"]]],
  ["resource_ref", [["id"]]],
]);

const ACTIONS = ["start", "promote", "demote", "stop"];
const ROLES = ["stopped", "started", "master", "slave", "promoted", "unpromoted"];

const WORDS: Readonly<Record<string, readonly string[]>> = {
  "rsc_order first-action": ACTIONS,
  "rsc_order then-action": ACTIONS,
  "resource_set action": ACTIONS,
  "resource_set role": ROLES,
  "rsc_colocation rsc-role": ROLES,
  "rsc_colocation with-rsc-role": ROLES,
  "rsc_location role": ROLES,
  "rsc_ticket rsc-role": ROLES,
  "rule role": ROLES,
  "rule boolean-op": ["and", "or"],
};

const isThere = (element: XmlElement, what: string) =>
  what.startsWith("/")
    ? childOf(element, what.slice(1)) !== undefined
    : entryOf(element.attributes, what) !== undefined;

const shown = (what: string) => (what.startsWith("/") ? `<${what.slice(1)}>` : what);

function checkPlace(seen: Seen): Finding[] {
  const { element, above } = seen;
  const holder = above.at(-1)?.name ?? "";
  const known = HOLDS.get(holder);
  if (known === undefined || known.includes(element.name)) return [];
  const near = nearestName(element.name, known);
  const remedy = near === undefined ? "remove it" : `write <${near}>`;
  return [finding("error", seen, `<${element.name}> has no place in <${holder}>`, remedy)];
}

function checkWhole(seen: Seen): Finding[] {
  const { element } = seen;
  const ways = NEEDS.get(element.name);
  if (ways === undefined || ways.some((way) => way.every((what) => isThere(element, what)))) return [];
  const missing = ways.map((way) => way.filter((what) => !isThere(element, what)));
  const said = missing.map((way) => way.map(shown).join(" and ")).join(", or ");
  return [finding("error", seen, `<${element.name}> is not whole`, `add ${said}`)];
}

function checkWords(seen: Seen): Finding[] {
  const { element } = seen;
  return Object.entries(element.attributes).flatMap(([name, value]) => {
    const words = entryOf(WORDS, `${element.name} ${name}`);
    if (words === undefined || words.includes(value.toLowerCase())) return [];
    return [finding("error", seen, `${name}="${value}" cannot be read`, `write one of ${words.join(", ")}`)];
  });
}

/** Either it is something of its own, or it stands for something else. */
function checkBorrowed(seen: Seen): Finding[] {
  const { id, "id-ref": reference } = seen.element.attributes;
  // An nvpair may keep an id of its own beside the value that it borrows.
  if (id === undefined || reference === undefined || seen.element.name === "nvpair") return [];
  return [finding("error", seen, `<${seen.element.name}> has both id and id-ref`, "keep one of the two")];
}

/** The same action of the same resource cannot come before itself. */
function checkSelf(seen: Seen): Finding[] {
  const { first, then: second, "first-action": action = "start", "then-action": after } = seen.element.attributes;
  if (seen.element.name !== "rsc_order" || first === undefined || first !== second) return [];
  if ((after ?? action) !== action) return [];
  const reason = `an order waits for itself: ${action} of ${first} is to come after itself`;
  return [finding("error", seen, reason, "name another resource, or remove it")];
}

/** Of two sections one would be read and the other one silently lost. */
function checkTwice(seen: Seen): Finding[] {
  const { name, children } = seen.element;
  if (name !== "configuration" && name !== "cib") return [];
  const twice = children.filter((child, at) => children.findIndex((other) => other.name === child.name) < at);
  return twice.map((element) =>
    finding("error", { element, above: [seen.element] }, `<${element.name}> stands twice`, "join the two"),
  );
}

/** The CIB itself, without what is in its sections. */
export function checkRoot(cib: XmlElement): Finding[] {
  return checkTwice({ element: cib, above: [] });
}

export function checkShape(configuration: XmlElement): Finding[] {
  return everyElement(configuration).flatMap((seen) => [
    ...checkPlace(seen),
    ...checkWhole(seen),
    ...checkWords(seen),
    ...checkBorrowed(seen),
    ...checkSelf(seen),
    ...checkTwice(seen),
  ]);
}
