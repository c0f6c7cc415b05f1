/** Changes of a configuration that operators make by id: deleting and renaming, with everything that refers to it. */
import { entryOf } from "../../base/record.ts";
import { childOf, type XmlElement } from "../../base/xml.ts";

const CONTAINERS = ["group", "clone", "master", "bundle"];
const MEMBERS = ["primitive", "group", "clone", "master"];
const CONSTRAINTS = ["rsc_location", "rsc_colocation", "rsc_order", "rsc_ticket"];
/** Attributes by which constraints name resources. */
const NAMING = ["rsc", "with-rsc", "first", "then"];

export interface Deleted {
  readonly configuration: XmlElement;
  /** Ids that went, the wanted one first; what referred to it goes along. */
  readonly ids: readonly string[];
}

const idOf = ({ attributes }: XmlElement) => attributes["id"] ?? "";

/** Whether a constraint has lost an end of it, or all the members of a set. */
function isBroken(element: XmlElement, gone: readonly string[]): boolean {
  if (!CONSTRAINTS.includes(element.name)) return false;
  if (NAMING.some((name) => gone.includes(entryOf(element.attributes, name) ?? ""))) return true;
  const sets = element.children.filter(({ name }) => name === "resource_set");
  return sets.length > 0 && sets.every(({ children }) => children.every((child) => gone.includes(idOf(child))));
}

function without(element: XmlElement, gone: string[]): XmlElement {
  const children = element.children.flatMap((child): XmlElement[] => {
    const isReference = child.name === "resource_ref" || child.name === "obj_ref";
    if (gone.includes(idOf(child)) && child.name !== "role") {
      if (isReference || !CONTAINERS.includes(child.name)) return [];
      // Members of a container that goes stand alone from now on.
      return child.children.filter(({ name }) => MEMBERS.includes(name)).map((member) => without(member, gone));
    }
    const kept = without(child, gone);
    const isEmptied = CONTAINERS.includes(kept.name) && !kept.children.some(({ name }) => MEMBERS.includes(name));
    const isEmptySet = ["resource_set", "tag"].includes(kept.name) && kept.children.length === 0;
    if (isEmptied || isEmptySet || isBroken(kept, gone)) {
      if (idOf(kept) !== "" && !gone.includes(idOf(kept))) gone.push(idOf(kept));
      return [];
    }
    return [kept];
  });
  return { ...element, children };
}

function holds(element: XmlElement, id: string): boolean {
  return idOf(element) === id || element.children.some((child) => holds(child, id));
}

/** Undefined when there is no object of that id. */
export function deleteObject(configuration: XmlElement, id: string): Deleted | undefined {
  if (!holds(configuration, id)) return undefined;
  const gone = [id];
  let result = without(configuration, gone);
  // Each thing that goes may have been what a constraint named.
  for (let before = 0; before < gone.length; ) {
    before = gone.length;
    result = without(result, gone);
  }
  return { configuration: result, ids: gone };
}

/** The object under a new id, its parts' made-up ids and all references with it. Undefined: no such object. */
export function renameObject(configuration: XmlElement, from: string, to: string): XmlElement | undefined {
  if (!holds(configuration, from)) return undefined;
  const rename = (element: XmlElement, isInside: boolean): XmlElement => {
    const attributes = Object.fromEntries(
      Object.entries(element.attributes).map(([name, value]) => {
        if (value === from && (name === "id" || name === "id-ref" || name === "template" || NAMING.includes(name)))
          return [name, to];
        if (name === "devices")
          return [
            name,
            value
              .split(",")
              .map((device) => (device === from ? to : device))
              .join(","),
          ];
        return [
          name,
          isInside && name === "id" && value.startsWith(`${from}-`) ? to + value.slice(from.length) : value,
        ];
      }),
    );
    const inside = isInside || idOf(element) === from;
    return { ...element, attributes, children: element.children.map((child) => rename(child, inside)) };
  };
  return rename(configuration, false);
}

export type GroupChange =
  | { readonly kind: "remove" }
  | { readonly kind: "add"; readonly before?: string; readonly after?: string };

/** A member put into a group or taken out of it; the problem when that cannot be. */
export function changeGroup(
  configuration: XmlElement,
  group: string,
  member: string,
  how: GroupChange,
): XmlElement | string {
  const resources = childOf(configuration, "resources");
  const holder = resources?.children.find(({ name, attributes }) => name === "group" && attributes["id"] === group);
  if (resources === undefined || holder === undefined) return `there is no group ${group}`;
  const inside = holder.children.find((child) => idOf(child) === member);
  const outside = resources.children.find((child) => child.name === "primitive" && idOf(child) === member);
  const put = (members: readonly XmlElement[], others: readonly XmlElement[]): XmlElement => {
    const changed = others.map((child) => (child === holder ? { ...holder, children: members } : child));
    const section = { ...resources, children: changed };
    return { ...configuration, children: configuration.children.map((one) => (one === resources ? section : one)) };
  };
  if (how.kind === "remove") {
    if (inside === undefined) return `${member} is no member of ${group}`;
    const rest = holder.children.filter((child) => child !== inside);
    if (!rest.some(({ name }) => name === "primitive")) return `${member} is the last member; delete ${group}`;
    return put(rest, [...resources.children, inside]);
  }
  const primitive = inside ?? outside;
  if (primitive === undefined) return `there is no primitive ${member} that stands alone or in ${group}`;
  const rest = holder.children.filter((child) => child !== primitive);
  const next = how.before ?? how.after;
  const found = next === undefined ? rest.length - 1 : rest.findIndex((child) => idOf(child) === next);
  if (found < 0) return `${next ?? ""} is no member of ${group}`;
  const at = how.before === undefined ? found + 1 : found;
  const members = [...rest.slice(0, at), primitive, ...rest.slice(at)];
  return put(
    members,
    resources.children.filter((child) => child !== outside),
  );
}

/** `ID.NAME` gets another value, in whichever set of the object it stands; undefined when it stands in none. */
export function setValue(configuration: XmlElement, id: string, name: string, value: string): XmlElement | undefined {
  let isDone = false;
  const visit = (element: XmlElement, isInside: boolean): XmlElement => {
    const isHere = isInside || element.attributes["id"] === id;
    if (isHere && !isDone && element.name === "nvpair" && element.attributes["name"] === name) {
      isDone = true;
      return { ...element, attributes: { ...element.attributes, value } };
    }
    return { ...element, children: element.children.map((child) => visit(child, isHere)) };
  };
  const changed = visit(configuration, false);
  return isDone ? changed : undefined;
}
