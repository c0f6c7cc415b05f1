/** Two configurations side by side, without what has no meaning: order of sections, of attributes, of sets. */
import type { XmlElement } from "../../src/base/xml.ts";
import { essence, references } from "../../src/cib/crm-syntax/print.ts";

const RESOURCES = ["template", "primitive", "group", "clone", "master", "bundle"];
const SETS = ["instance_attributes", "meta_attributes", "utilization"];

/** Sets stand before members; those that hold nothing are none. */
function arrange(element: XmlElement): XmlElement {
  const isMember = ({ name }: XmlElement) => RESOURCES.includes(name);
  const kept = element.children.filter(
    ({ name, children, attributes }) =>
      !SETS.includes(name) || children.length > 0 || attributes["id-ref"] !== undefined,
  );
  const members = kept.filter(isMember);
  return { ...element, children: [...kept.filter((child) => !isMember(child)), ...members].map(arrange) };
}

/** Text that is equal for configurations of the same meaning. `sorted`: order of objects does not count either. */
export function canon(configuration: XmlElement, sorted = false): string {
  const referred = references(configuration);
  const sections = configuration.children.map(arrange).filter(({ children }) => children.length > 0);
  const lines = sections.map((section) => {
    const objects = section.children.map((child) => JSON.stringify(essence(child, referred)));
    return `${section.name}: ${(sorted ? objects.sort() : objects).join("\n  ")}`;
  });
  return lines.sort().join("\n");
}
