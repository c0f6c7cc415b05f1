/** What an operator names on a line, for completion: nodes by their names, resources, every object. */
import { childOf, type XmlElement } from "../../base/xml.ts";
import { everyElement } from "../../cib/schema/finding.ts";

export interface Names {
  readonly all: readonly string[];
  readonly nodes: readonly string[];
  readonly resources: readonly string[];
}

export const NO_NAMES: Names = { all: [], nodes: [], resources: [] };

/** Parts of objects, which no command names. */
const UNNAMED = new Set(["nvpair", "op", "meta_attributes", "instance_attributes", "utilization", "operations"]);

function wordsOf(section: XmlElement | undefined): readonly string[] {
  const elements = section === undefined ? [] : everyElement(section).map(({ element }) => element);
  return elements.flatMap(({ name, attributes }) => {
    const word = name === "node" ? attributes["uname"] : UNNAMED.has(name) ? undefined : attributes["id"];
    return word === undefined ? [] : [word];
  });
}

export function namesOf(configuration: XmlElement | undefined): Names {
  if (configuration === undefined) return NO_NAMES;
  const [nodes, resources] = [childOf(configuration, "nodes"), childOf(configuration, "resources")];
  return { all: wordsOf(configuration), nodes: wordsOf(nodes), resources: wordsOf(resources) };
}
