/**
 * The ids that nobody wrote: made as crmsh makes them (`ip-instance_attributes-ip`, `ip-monitor-10s`), so that a
 * configuration loaded by either tool is the same. A second one of the same name gets `-0`, a third `-1`.
 * Measured with crmsh 4.4.1.
 */
import type { XmlElement } from "../../base/xml.ts";

/** The stem of an element's id, or undefined for elements that have none of their own. */
function stem(element: XmlElement, owner: string): string | undefined {
  const { name, attributes } = element;
  switch (name) {
    case "instance_attributes":
    case "meta_attributes":
    case "utilization":
    case "rule":
    case "date_spec":
    case "duration":
      return `${owner}-${name}`;
    case "expression":
    case "date_expression":
    case "rsc_expression":
    case "op_expression":
      return `${owner}-expression`;
    case "nvpair":
      return `${owner}-${attributes["name"] ?? ""}`;
    case "op":
      return `${owner}-${attributes["name"] ?? ""}-${attributes["interval"] ?? "0"}`;
    case "resource_set":
    case "acl_permission":
    case "port-mapping":
    case "storage-mapping":
      return owner;
    case "fencing-level":
      return "fencing";
    default:
      return undefined;
  }
}

/** Sets of a node are named after its name, whatever its id. */
const ownerName = ({ name, attributes }: XmlElement, id: string) =>
  name === "node" ? (attributes["uname"] ?? id) : id;

/** A reference to another element's content has no id of its own; `operations` and bundle parts need none. */
const isReference = ({ attributes }: XmlElement) => attributes["id-ref"] !== undefined;

export function takenIds(root: XmlElement, ids: Set<string> = new Set()): Set<string> {
  const id = root.attributes["id"];
  if (id !== undefined && root.name !== "resource_ref" && root.name !== "obj_ref" && root.name !== "role") ids.add(id);
  for (const child of root.children) takenIds(child, ids);
  return ids;
}

/** Ids become NCNames: a sign that may not stand in one (`#`, blank, `/`) becomes `_`. */
const cleanId = (id: string) => {
  const clean = id.replaceAll(/[^-.\w\u00b7-\uffff]/g, "_");
  return /^[A-Za-z_\u00c0-\uffff]/.test(clean) ? clean : `_${clean}`;
};

/** A free id of that stem, now taken. */
export function makeId(wanted: string, ids: Set<string>): string {
  const base = cleanId(wanted);
  let id = base;
  for (let number = 0; ids.has(id); number += 1) id = `${base}-${number}`;
  ids.add(id);
  return id;
}

/**
 * The element with an id wherever one is wanting, its attributes first `id`. `owner` is the id of the nearest
 * element above that has one; `ids` are those in use in the whole document and grows.
 * `onId` is told the id of each element as it was given.
 */
export function assignIds(
  element: XmlElement,
  ids: Set<string>,
  owner = "",
  onId: (given: XmlElement, id: string) => void = () => undefined,
): XmlElement {
  const own = element.attributes["id"];
  const wanted = own === undefined && !isReference(element) ? stem(element, owner) : undefined;
  const made = wanted === undefined ? undefined : makeId(wanted, ids);
  const attributes = made === undefined ? element.attributes : { id: made, ...element.attributes };
  const nearest = ownerName(element, attributes["id"] ?? owner);
  if (attributes["id"] !== undefined) onId(element, attributes["id"]);
  let recipients = 0;
  const children = element.children.map((child) => {
    if (child.name !== "recipient" || child.attributes["id"] !== undefined) return assignIds(child, ids, nearest, onId);
    recipients += 1;
    const id = makeId(`${nearest}-recipient-${recipients}`, ids);
    return assignIds({ ...child, attributes: { id, ...child.attributes } }, ids, nearest, onId);
  });
  return { ...element, attributes, children };
}

/** The element without the ids that `assignIds` would give it again. The inverse of `assignIds`, for printing. */
export function dropMadeIds(element: XmlElement, ids: Set<string>, owner = ""): XmlElement {
  const own = element.attributes["id"];
  const wanted = isReference(element) ? undefined : stem(element, owner);
  const { id: _, ...rest } = element.attributes;
  const made = wanted === undefined ? undefined : makeId(wanted, ids);
  if (own !== undefined && made !== own) ids.add(own);
  let recipients = 0;
  const children = element.children.map((child) => {
    const plain = dropMadeIds(child, ids, ownerName(element, own ?? owner));
    if (child.name !== "recipient") return plain;
    recipients += 1;
    const { id, ...others } = plain.attributes;
    return id === `${own}-recipient-${recipients}` ? { ...plain, attributes: others } : plain;
  });
  return { ...element, attributes: made !== undefined && made === own ? rest : element.attributes, children };
}
