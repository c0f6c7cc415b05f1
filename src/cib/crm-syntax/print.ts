/**
 * A configuration in crm syntax, laid out as crmsh does. Every object is printed, read back and compared; what the
 * language cannot express is printed as `xml` instead, so that nothing is lost by a round trip. Ids of options and
 * expressions are not kept, unless something refers to them; ids of sets, operations and rules are.
 */
import { entryOf } from "../../base/record.ts";
import { childOf, printXml, type XmlElement } from "../../base/xml.ts";
import { applyCrm, emptyConfiguration } from "./apply.ts";
import { dropMadeIds } from "./ids.ts";
import { parseCrm } from "./parse.ts";
import { printConstraint } from "./print-constraints.ts";
import { printOptionsObject } from "./print-options.ts";
import { printResource } from "./print-resources.ts";

/** One statement: its first line and those that continue it. */
export type Lines = readonly string[];

const CONTAINERS = ["group", "clone", "master", "bundle"];
const RESOURCES = ["template", "primitive", ...CONTAINERS];

/** The object as a statement, without asking whether it says all. */
function printObject(element: XmlElement, section: string): Lines | undefined {
  if (section === "resources" || section === "nodes") return printResource(element);
  return section === "constraints" ? printConstraint(element) : printOptionsObject(element, section);
}

/** Members without their content, which has statements of its own. */
function shallow(element: XmlElement): XmlElement {
  if (!CONTAINERS.includes(element.name)) return element;
  const children = element.children.map((child) =>
    RESOURCES.includes(child.name)
      ? { ...child, attributes: { id: child.attributes["id"] ?? "" }, children: [] }
      : child,
  );
  return { ...element, children };
}

/** Ids that a statement cannot give and nobody can refer to but by name. */
const UNNAMED = ["nvpair", "expression", "date_expression", "date_spec", "duration", "resource_set", "recipient"];
const ALSO_UNNAMED = ["fencing-level", "acl_permission", "port-mapping", "storage-mapping", "rsc_expression"];
const DEFAULTS: Readonly<Record<string, readonly (readonly [name: string, value: string])[]>> = {
  rule: [
    ["boolean-op", "and"],
    ["score", "INFINITY"],
  ],
  resource_set: [
    ["sequential", "true"],
    ["require-all", "true"],
  ],
};

const SETS = ["instance_attributes", "meta_attributes", "utilization", "operations", "cluster_property_set"];

/** A set of nothing, to which nobody refers, says nothing. */
function isEmptySet({ name, attributes, children }: XmlElement, referred: ReadonlySet<string>): boolean {
  if (!SETS.includes(name) || children.length > 0 || attributes["id-ref"] !== undefined) return false;
  return attributes["id"] === undefined || !referred.has(attributes["id"]);
}

/** A statement of a bundle names its engine first, wherever the element stood. */
function enginesFirst({ name, children }: XmlElement): readonly XmlElement[] {
  if (name !== "bundle") return children;
  const isEngine = (child: XmlElement) => ["docker", "podman", "rkt"].includes(child.name);
  return [...children.filter(isEngine), ...children.filter((child) => !isEngine(child))];
}

/** The element without sets of nothing, everywhere below. */
function withoutEmptySets(element: XmlElement, referred: ReadonlySet<string>): XmlElement {
  const children = enginesFirst(element)
    .filter((child) => !isEmptySet(child, referred))
    .map((child) => withoutEmptySets(child, referred));
  return { ...element, children };
}

/** What two objects must share to be the same: names, values and order, without ids that anyone could make up. */
export function essence(element: XmlElement, referred: ReadonlySet<string>): unknown {
  const unnamed = [...UNNAMED, ...ALSO_UNNAMED].includes(element.name);
  const defaults = entryOf(DEFAULTS, element.name) ?? [];
  const attributes = Object.entries(element.attributes)
    .filter(([name, value]) => !(name === "id" && unnamed && !referred.has(value)))
    .filter(([name, value]) => !defaults.some(([known, fallback]) => known === name && fallback === value))
    .map(([name, value]) => {
      if (element.name === "rsc_order" && name === "score")
        return ["kind", /^[+-]?0+$/.test(value) ? "Optional" : "Mandatory"];
      return [name, name === "score" ? value.replace(/^\+/, "") : value];
    })
    .sort(([left = ""], [right = ""]) => (left < right ? -1 : 1));
  // An interval that is not there is 0, and a set of operations without any is none.
  if (element.name === "rule" && element.children.length === 1)
    attributes.splice(0, attributes.length, ...attributes.filter(([name]) => name !== "boolean-op"));
  if (element.name === "op" && element.attributes["interval"] === undefined) attributes.push(["interval", "0"]);
  const children = enginesFirst(element)
    .filter((child) => !isEmptySet(child, referred))
    .map((child) => essence(child, referred));
  return [element.name, Object.fromEntries(attributes), children, element.text ?? ""];
}

export function references(root: XmlElement, found: Set<string> = new Set()): Set<string> {
  const reference = root.attributes["id-ref"];
  if (reference !== undefined) found.add(reference);
  for (const child of root.children) references(child, found);
  return found;
}

/** Whether the statement, read back alone, gives the object again. */
function isFaithful(lines: Lines, element: XmlElement, section: string, referred: ReadonlySet<string>): boolean {
  const text = lines.join("\n");
  const parsed = parseCrm(text, "print");
  const [object, ...more] = parsed.objects;
  if (parsed.problems.length > 0 || object === undefined || more.length > 0 || object.section !== section) return false;
  const members = (object.members ?? []).map((id) => ({ name: "member", attributes: { id }, children: [] }));
  const own = shallow(element);
  const wanted = {
    ...own,
    children: [
      ...own.children.filter(({ name }) => !RESOURCES.includes(name)),
      ...own.children
        .filter(({ name }) => RESOURCES.includes(name))
        .map(({ attributes }) => ({ name: "member", attributes, children: [] })),
    ],
  };
  // Ids that are made up must come out the same as those that were there, so the parts are joined as when loading.
  const alone = { ...object, members: undefined, element: { ...object.element, children: object.element.children } };
  const { members: _, ...whole } = alone;
  const { configuration } = applyCrm(emptyConfiguration(), { ...parsed, objects: [whole] });
  const read = childOf(configuration, section)?.children.at(-1);
  const found = section === "fencing-topology" ? childOf(configuration, section) : read;
  if (found === undefined) return false;
  const got = { ...found, children: [...found.children, ...members] };
  return JSON.stringify(essence(got, referred)) === JSON.stringify(essence(wanted, referred));
}

/** `xml` with the whole element: continued lines, as the loader takes them. */
function printRaw(element: XmlElement, section: string): Lines {
  const wrapped =
    section === "rsc_defaults" || section === "op_defaults"
      ? { name: section, attributes: {}, children: [element] }
      : element;
  const lines = printXml(wrapped).trimEnd().split("\n");
  return lines.map((line, at) => `${at === 0 ? "xml " : "\t"}${line}${at === lines.length - 1 ? "" : " \\"}`);
}

/** Containers that cannot be said in words take their members along; their statements are left out then. */
function listResources(resources: XmlElement, referred: ReadonlySet<string>): Printed[] {
  const statements: Printed[] = [];
  const visit = (element: XmlElement): void => {
    const lines = printObject(dropMadeIds(shallow(element), new Set()), "resources");
    const isSaid = lines !== undefined && isFaithful(lines, element, "resources", referred);
    if (isSaid) element.children.filter(({ name }) => RESOURCES.includes(name)).forEach(visit);
    const id = element.attributes["id"] ?? "";
    statements.push({ id, section: "resources", lines: isSaid ? lines : printRaw(element, "resources") });
  };
  resources.children.forEach(visit);
  return statements;
}

const ORDER = [
  "nodes",
  "resources",
  "tags",
  "constraints",
  "fencing-topology",
  "crm_config",
  "rsc_defaults",
  "op_defaults",
  "acls",
  "alerts",
];

export interface Printed {
  /** Of the object; empty for the fencing topology. */
  readonly id: string;
  readonly section: string;
  readonly lines: Lines;
}

/** Every object with its statement, in the order in which they are shown and may be loaded again. */
export function listStatements(whole: XmlElement): Printed[] {
  const referred = references(whole);
  const configuration = withoutEmptySets(whole, referred);
  return ORDER.flatMap((section): Printed[] => {
    const found = childOf(configuration, section);
    if (found === undefined || found.children.length === 0) return [];
    if (section === "resources") return listResources(found, referred);
    const objects = section === "fencing-topology" ? [found] : found.children;
    return objects.map((element) => ({
      id: element.attributes["id"] ?? "",
      section,
      lines: printOne(element, section, referred),
    }));
  });
}

/** The whole configuration, ending with a line feed. */
export function printCrm(whole: XmlElement): string {
  return listStatements(whole)
    .map(({ lines }) => `${lines.join("\n")}\n`)
    .join("");
}

function printOne(element: XmlElement, section: string, referred: ReadonlySet<string>): Lines {
  const lines = printObject(dropMadeIds(element, new Set()), section);
  if (lines !== undefined && isFaithful(lines, element, section, referred)) return lines;
  return printRaw(element, section);
}
