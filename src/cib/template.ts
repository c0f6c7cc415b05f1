/** What a primitive takes over from its template: whose class and type it has, wherever they are written. */
import { childrenOf, type XmlElement } from "../base/xml.ts";

/** The template that a primitive names, among `resources` (`<resources>`); undefined: none, or a missing one. */
export function templateOf(primitive: XmlElement, resources: XmlElement | undefined): XmlElement | undefined {
  const { template } = primitive.attributes;
  if (template === undefined) return undefined;
  return childrenOf(resources, "template").find(({ attributes }) => attributes["id"] === template);
}

/** The attributes of a primitive: its own, else those of its template. */
export function agentOf(primitive: XmlElement, resources: XmlElement | undefined): XmlElement["attributes"] {
  return { ...templateOf(primitive, resources)?.attributes, ...primitive.attributes };
}
