/**
 * Joins parsed objects to a configuration, as `crm configure load update` does: an object replaces the one of its id,
 * sets of cluster options and defaults are merged by name, everything else stays. Groups, clones and bundles take
 * their members out of the resources that stand alone; members they give up stand alone again. Resources keep the order
 * of the text (crmsh sorts them by kind), since the scheduler prefers the earlier of equals.
 */
import { nearestName } from "../../base/nearest.ts";
import type { Problem } from "../../base/problem.ts";
import { entryOf } from "../../base/record.ts";
import { childOf, type XmlElement, xml } from "../../base/xml.ts";
import { assignIds, takenIds } from "./ids.ts";
import { moveOldDefaults } from "./old-defaults.ts";
import type { CrmObject, CrmText } from "./parse.ts";

export interface Applied {
  readonly configuration: XmlElement;
  readonly problems: readonly Problem[];
  /** Where each object of the text stands, and each of its options and operations, by id. */
  readonly places: ReadonlyMap<string, string>;
}

/** The order in which a configuration lists its sections; the first four are always there. */
const SECTIONS = [
  "crm_config",
  "nodes",
  "resources",
  "constraints",
  "tags",
  "fencing-topology",
  "rsc_defaults",
  "op_defaults",
  "acls",
  "alerts",
];
const ALWAYS = 4;
const RESOURCES = ["template", "primitive", "bundle", "group", "master", "clone"];
/** Which members a container may have. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  group: ["primitive"],
  clone: ["primitive", "group"],
  master: ["primitive", "group"],
  bundle: ["primitive"],
};

export function emptyConfiguration(): XmlElement {
  return xml(
    "configuration",
    {},
    SECTIONS.slice(0, ALWAYS).map((name) => xml(name)),
  );
}

/** A resource without its members, which are named. */
interface FlatResource {
  readonly element: XmlElement;
  readonly members: readonly string[];
  readonly place?: string;
}

interface Flat {
  readonly resources: Map<string, FlatResource>;
  readonly problems: Problem[];
}

const idOf = ({ attributes }: XmlElement) => attributes["id"] ?? "";
const isMember = ({ name }: XmlElement) => RESOURCES.includes(name);

function flatten(element: XmlElement, resources: Map<string, FlatResource>, place?: string): void {
  const members = element.children.filter(isMember);
  const own = { ...element, children: element.children.filter((child) => !isMember(child)) };
  const flat = { element: own, members: members.map(idOf) };
  resources.set(idOf(element), place === undefined ? flat : { ...flat, place });
  for (const member of members) flatten(member, resources, place);
}

/** Members that exist, may be there and belong to nobody else yet; the rest are problems. */
function claim(flat: Flat, failed: readonly string[]): Map<string, string> {
  const owner = new Map<string, string>();
  const latestFirst = [...flat.resources].reverse();
  for (const [id, { element, members, place = `//${element.name}[@id="${id}"]` }] of latestFirst) {
    const allowed = entryOf(MEMBERS, element.name) ?? [];
    const kept = members.filter((member, index) => {
      const found = flat.resources.get(member);
      const tell = (reason: string, remedy: string) => flat.problems.push({ severity: "error", place, reason, remedy });
      if (found === undefined) {
        const near = nearestName(member, [...flat.resources.keys()]);
        const remedy = near === undefined ? `define primitive ${member}, or remove it` : `write ${near}`;
        if (!failed.includes(member)) tell(`${element.name} ${id} holds ${member}, which is not defined`, remedy);
        return false;
      }
      if (!allowed.includes(found.element.name)) {
        tell(`${element.name} ${id} cannot hold ${found.element.name} ${member}`, `hold a ${allowed.join(" or ")}`);
        return false;
      }
      const holder = owner.get(member);
      if (holder !== undefined || members.indexOf(member) < index) {
        // An older container of the configuration gives its member to the text's; within the text it is a mistake.
        if (flat.resources.get(id)?.place === undefined && holder !== undefined) return false;
        tell(`${member} is held twice, by ${holder ?? id} and by ${id}`, "name it in one of them only");
        return false;
      }
      owner.set(member, id);
      return true;
    });
    flat.resources.set(id, { ...(flat.resources.get(id) ?? { element }), members: kept });
  }
  return owner;
}

function build(id: string, flat: Flat): XmlElement[] {
  const found = flat.resources.get(id);
  if (found === undefined) return [];
  const members = found.members.flatMap((member) => build(member, flat));
  return [{ ...found.element, children: [...found.element.children, ...members] }];
}

function joinResources(
  base: XmlElement,
  objects: readonly CrmObject[],
  text: CrmText,
  problems: Problem[],
): XmlElement {
  const flat: Flat = { resources: new Map(), problems };
  for (const resource of base.children) flatten(resource, flat.resources);
  for (const { element, members, place } of objects) {
    if (members === undefined) flatten(element, flat.resources, place);
    else flat.resources.set(idOf(element), { element, members, place });
  }
  for (const { resource, operation, place } of text.monitors) {
    const found = flat.resources.get(resource);
    if (found === undefined) {
      const remedy = `define primitive ${resource}, or remove the statement`;
      if (!text.failedIds.includes(resource))
        problems.push({ severity: "error", place, reason: `${resource} is not defined`, remedy });
      continue;
    }
    const operations = childOf(found.element, "operations") ?? xml("operations");
    const grown = { ...operations, children: [...operations.children, operation] };
    const others = found.element.children.filter(({ name }) => name !== "operations");
    flat.resources.set(resource, { ...found, element: { ...found.element, children: [...others, grown] } });
  }
  const owner = claim(flat, text.failedIds);
  const roots = [...flat.resources.keys()].filter((id) => !owner.has(id));
  return { ...base, children: roots.flatMap((id) => build(id, flat)) };
}

/** Options of the same name are replaced in place; new ones follow. `onReplace` is told what became of an option. */
export function mergeSet(
  base: XmlElement,
  addition: XmlElement,
  onReplace: (given: XmlElement, merged: XmlElement) => void = () => undefined,
): XmlElement {
  const children = [...base.children];
  for (const option of addition.children) {
    const { name: key } = option.attributes;
    const at = children.findIndex((child) => option.name === "nvpair" && child.attributes["name"] === key);
    const old = at < 0 ? undefined : children[at];
    if (old === undefined) {
      children.push(option);
      continue;
    }
    const merged = { ...option, attributes: { ...old.attributes, ...option.attributes } };
    children[at] = merged;
    onReplace(option, merged);
  }
  return { ...base, attributes: { ...base.attributes, ...addition.attributes }, children };
}

/** Objects of one section put in by id; `merge` says what becomes of two of the same id. */
export function mergeById(
  base: readonly XmlElement[],
  additions: readonly XmlElement[],
  merge: (old: XmlElement, addition: XmlElement) => XmlElement,
): XmlElement[] {
  const merged = [...base];
  for (const addition of additions) {
    const at = merged.findIndex((old) => idOf(old) === idOf(addition));
    const old = at < 0 ? undefined : merged[at];
    if (old === undefined) merged.push(addition);
    else merged[at] = merge(old, addition);
  }
  return merged;
}

const OPTION_SECTIONS = ["crm_config", "rsc_defaults", "op_defaults"];

/** Levels without a target hold for every node of the configuration. */
function spreadLevels(levels: readonly XmlElement[], nodes: readonly string[]): XmlElement[] {
  return levels.flatMap((level) =>
    ["target", "target-pattern", "target-attribute"].some((name) => entryOf(level.attributes, name) !== undefined)
      ? [level]
      : nodes.map((target) => ({ ...level, attributes: { target, ...level.attributes } })),
  );
}

function duplicates(objects: readonly CrmObject[]): Problem[] {
  const first = new Map<string, CrmObject>();
  const problems: Problem[] = [];
  for (const object of objects) {
    const id = idOf(object.element);
    if (id === "" || OPTION_SECTIONS.includes(object.section)) continue;
    const key = object.section === "nodes" ? `node ${id}` : id;
    const before = first.get(key);
    if (before === undefined) first.set(key, object);
    else
      problems.push({
        severity: "error",
        place: object.place,
        reason: `${id} is defined twice, first at ${before.place}`,
        remedy: "rename or remove one of the two",
      });
  }
  return problems;
}

function joinSection(
  name: string,
  base: XmlElement,
  objects: readonly CrmObject[],
  nodes: readonly string[],
  marks: Map<XmlElement, string>,
): XmlElement {
  const elements = objects.map(({ element }) => element);
  if (name === "fencing-topology" && elements.length > 0) {
    const levels = elements.flatMap(({ children }) => children);
    return { ...base, children: spreadLevels(levels, nodes) };
  }
  const merge = (old: XmlElement, addition: XmlElement) => {
    if (!OPTION_SECTIONS.includes(name)) return addition;
    return mergeSet(old, addition, (given, merged) => marks.set(merged, marks.get(given) ?? ""));
  };
  return { ...base, children: mergeById(base.children, elements, merge) };
}

/** Nodes are the same when their names are: an old id is kept, whatever id the text would make up. */
function keepNodeIds(base: XmlElement | undefined, objects: readonly CrmObject[]): CrmObject[] {
  return objects.map((object) => {
    if (object.section !== "nodes") return object;
    const { uname = "", id } = object.element.attributes;
    const known = base?.children.find(({ attributes }) => attributes["uname"] === uname);
    if (known === undefined || id !== uname) return object;
    return { ...object, element: { ...object.element, attributes: { ...object.element.attributes, id: idOf(known) } } };
  });
}

/** The base configuration with the text's objects in it. Problems are those of the text and of its containers. */
export function applyCrm(base: XmlElement, text: CrmText): Applied {
  const { objects: ofToday, warnings } = moveOldDefaults(text.objects);
  const objects = keepNodeIds(childOf(base, "nodes"), ofToday);
  const problems = [...text.problems, ...warnings, ...duplicates(objects)];
  const others = base.children.map(({ name }) => name).filter((name) => !SECTIONS.includes(name));
  const marks = new Map(objects.flatMap((object) => [...object.marks]));
  let nodes: string[] = [];
  const sections = [...SECTIONS, ...others].flatMap((name, index) => {
    const own = objects.filter(({ section }) => section === name);
    const old = childOf(base, name);
    if (old === undefined && own.length === 0 && index >= ALWAYS) return [];
    const before = old ?? xml(name);
    const joined =
      name === "resources" ? joinResources(before, own, text, problems) : joinSection(name, before, own, nodes, marks);
    if (name === "nodes") nodes = joined.children.map(({ attributes }) => attributes["uname"] ?? "");
    return [joined];
  });
  const places = new Map(objects.map(({ element, place }) => [idOf(element), place]));
  const whole = { ...base, children: sections };
  const configuration = assignIds(whole, takenIds(whole), "", (given, id) => {
    const place = marks.get(given);
    if (place !== undefined) places.set(id, place);
  });
  return { configuration, problems, places };
}
