/**
 * The primitives of class stonith as they are meant: what a template adds and what `id-ref` borrows stands in them.
 * A device that is written in another way than the plainest must not be invisible to the fencer.
 * Facts: Pacemaker Explained, "Reusing Parts of the Configuration": what the primitive says itself comes first.
 */
import { childOf, type XmlElement } from "../../base/xml.ts";
import { type IdIndex, lazyIds, resolveReference } from "../../cib/sets.ts";
import { agentOf, templateOf } from "../../cib/template.ts";

const FENCING_CLASSES = ["stonith", "fencing"];
const HOLDERS = ["group", "clone", "master", "bundle"];
const SETS = ["instance_attributes", "meta_attributes"];

/** Primitives, wherever groups and clones hold them. */
export function primitivesOf(element: XmlElement | undefined): readonly XmlElement[] {
  return (element?.children ?? []).flatMap((child) => {
    if (child.name === "primitive") return [child];
    return HOLDERS.includes(child.name) ? primitivesOf(child) : [];
  });
}

/** What an `id-ref` names, under the name that a borrowed pair may have of its own; what is nowhere stays as it is. */
function resolved(element: XmlElement, ids: () => IdIndex): XmlElement {
  const found = resolveReference(element, ids);
  const { attributes, children } = found.name === element.name ? found : element;
  const pairs = children.map((child) => (child.name === "nvpair" ? resolved(child, ids) : child));
  return { ...element, attributes: { ...attributes, ...element.attributes }, children: pairs };
}

/** `section`: the `<configuration>`. A primitive whose template is missing is none of anybody's class. */
export function writtenDevices(section: XmlElement | undefined): readonly XmlElement[] {
  const resources = childOf(section, "resources");
  if (section === undefined || resources === undefined) return [];
  const ids = lazyIds(section);
  return primitivesOf(resources).flatMap((primitive) => {
    const template = templateOf(primitive, resources);
    const attributes = agentOf(primitive, resources);
    if (!FENCING_CLASSES.includes(attributes["class"] ?? "")) return [];
    const children = [...primitive.children, ...(template?.children ?? [])];
    const whole = children.map((child) => (SETS.includes(child.name) ? resolved(child, ids) : child));
    return [{ ...primitive, attributes, children: whole }];
  });
}
