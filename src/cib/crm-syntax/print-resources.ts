/** Nodes and resources as statements. What has no words here is left out; the caller reads the result back. */
import { entryOf } from "../../base/record.ts";
import type { XmlElement } from "../../base/xml.ts";
import { layOut } from "./lay-out.ts";
import { providerOf } from "./resources.ts";
import { printPairs, quoteWord } from "./rules.ts";
import { printSet } from "./sets.ts";

const KEYWORDS: Readonly<Record<string, string>> = {
  instance_attributes: "params",
  meta_attributes: "meta",
  utilization: "utilization",
};

function printSets(children: readonly XmlElement[], keywords: Readonly<Record<string, string>>): string[] {
  return children.flatMap((child) => {
    const keyword = entryOf(keywords, child.name);
    return keyword === undefined ? [] : [[keyword, ...printSet(child)].join(" ")];
  });
}

const described = ({ attributes: { description } }: XmlElement) =>
  description === undefined ? [] : [`description=${quoteWord(description)}`];

function printAgent({
  template,
  class: agentClass = "",
  provider,
  type = "",
}: Readonly<Record<string, string>>): string {
  if (template !== undefined) return `@${template}`;
  if (agentClass === "ocf" && provider === "heartbeat" && providerOf(type) === provider) return type;
  return [agentClass, ...(provider === undefined ? [] : [provider]), type].join(":");
}

function printOperation({ attributes, children }: XmlElement): string[] {
  const { name = "", id, "id-ref": reference, ...others } = attributes;
  if (reference !== undefined) return [`op ${name} $id-ref=${reference}`];
  const words = ["op", name, ...(id === undefined ? [] : [`$id=${id}`]), ...printPairs(others)];
  return [words.join(" "), ...printSets(children, { instance_attributes: "op_params", meta_attributes: "op_meta" })];
}

function printBody({ children }: XmlElement): string[] {
  return children.flatMap((child) => {
    if (child.name !== "operations") return printSets([child], KEYWORDS);
    const { id, "id-ref": reference } = child.attributes;
    const named = id !== undefined ? [`operations $id=${id}`] : [];
    const referred = reference !== undefined ? [`operations $id-ref=${reference}`] : [];
    return [...named, ...referred, ...child.children.flatMap(printOperation)];
  });
}

function printNode(node: XmlElement): string[] {
  const { id = "", uname = "", type } = node.attributes;
  const name = type === undefined ? uname : `${uname}:${type}`;
  const head =
    id === uname ? `node ${name}` : /^\d+$/.test(id) ? `node ${id}: ${name}` : `node $id=${quoteWord(id)} ${name}`;
  return layOut(head, [
    ...described(node),
    ...printSets(node.children, { instance_attributes: "attributes", utilization: "utilization" }),
  ]);
}

function printBundle({ attributes, children }: XmlElement): string[] {
  const parts = children.flatMap((child) => {
    if (child.name === "primitive") return [`primitive ${child.attributes["id"] ?? ""}`];
    if (child.name === "meta_attributes") return printSets([child], KEYWORDS);
    const mappings = child.children.map((mapping) => [mapping.name, ...printPairs(mapping.attributes)].join(" "));
    return [[child.name, ...printPairs(child.attributes), ...mappings].join(" ")];
  });
  return layOut(`bundle ${attributes["id"] ?? ""}`, parts);
}

/** Undefined for elements that have no statement. */
export function printResource(element: XmlElement): string[] | undefined {
  const { id = "" } = element.attributes;
  switch (element.name) {
    case "node":
      return printNode(element);
    case "primitive":
    case "template": {
      const keyword = element.name === "template" ? "rsc_template" : "primitive";
      const head = `${keyword} ${id} ${printAgent(element.attributes)}`;
      return layOut(head, [...described(element), ...printBody(element)]);
    }
    case "group":
    case "clone":
    case "master": {
      const keyword = element.name === "master" ? "ms" : element.name;
      const members = element.children
        .filter(({ name }) => ["primitive", "group"].includes(name))
        .map(({ attributes }) => attributes["id"] ?? "");
      return layOut([keyword, id, ...members].join(" "), [
        ...described(element),
        ...printSets(element.children, KEYWORDS),
      ]);
    }
    case "bundle":
      return printBundle(element);
    default:
      return undefined;
  }
}
