/**
 * Reads which devices stand in which level for which node: by name, pattern or attribute.
 * Facts: Pacemaker Explained, "Fencing Topologies"; regex(7) for the patterns.
 */
import { entryOf } from "../../base/record.ts";
import { childOf, childrenOf, type XmlElement } from "../../base/xml.ts";
import type { FencingLevel } from "./configuration.ts";
import { type Complain, valuesOf, wordsOf } from "./values.ts";

/** A pattern of a configuration is matched by a backtracking engine: bounded, so that it cannot stall the manager. */
const PATTERN_LENGTH_MAX = 256;

/** Classes of POSIX patterns, which this language would read as single signs without a complaint. */
const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  digit: "0-9",
  lower: "a-z",
  upper: "A-Z",
  xdigit: "0-9A-Fa-f",
};

/**
 * As regexec(3) reads it, which looks for the pattern anywhere in a name: whoever means the whole one writes ^ and $.
 * Read more narrowly, a node would lose its level, and one power supply of two would pass for a proof.
 */
function patternOf(written: string): RegExp {
  const source = written.replaceAll(/\[:([a-z]+):\]/g, (_whole, name: string) => {
    const signs = entryOf(POSIX_CLASSES, name);
    if (signs === undefined) throw new SyntaxError(`the class ${name} is not known`);
    return signs;
  });
  return new RegExp(source);
}

/** The nodes of the CIB that a level speaks of. */
function levelTargets(level: XmlElement, section: XmlElement | undefined, complain: Complain): readonly string[] {
  const { id = "?", target, "target-pattern": pattern, "target-attribute": attribute } = level.attributes;
  if (target !== undefined) return [target];
  const nodes = childrenOf(childOf(section, "nodes"), "node");
  const named = nodes.flatMap((node) => {
    const name = node.attributes["uname"];
    return name === undefined ? [] : [{ name, attributes: valuesOf(node, "instance_attributes", section) }];
  });
  if (attribute !== undefined) {
    const wanted = level.attributes["target-value"] ?? "";
    return named.filter(({ attributes }) => entryOf(attributes, attribute) === wanted).map(({ name }) => name);
  }
  try {
    if (pattern === undefined || pattern.length > PATTERN_LENGTH_MAX) throw new SyntaxError("missing or too long");
    const expression = patternOf(pattern);
    return named.filter(({ name }) => expression.test(name)).map(({ name }) => name);
  } catch {
    complain(`fencing-level ${id}`, "it names no target", "add target=NODE, or a valid target-pattern");
    return [];
  }
}

/** By target, ascending. */
export function readTopology(
  section: XmlElement | undefined,
  ids: readonly string[],
  complain: Complain,
): Readonly<Record<string, readonly FencingLevel[]>> {
  const topology = new Map<string, FencingLevel[]>();
  for (const level of childrenOf(childOf(section, "fencing-topology"), "fencing-level")) {
    const place = `fencing-level ${level.attributes["id"] ?? "?"}`;
    const index = Number(level.attributes["index"]);
    const devices = wordsOf(level.attributes["devices"]);
    if (!Number.isInteger(index) || index < 1 || index > 9) {
      complain(place, `its index is ${level.attributes["index"] ?? "missing"}`, "write an index from 1 to 9");
      continue;
    }
    const absent = devices.filter((id) => !ids.includes(id));
    for (const id of absent) complain(place, `there is no usable device ${id}`, "correct the name, or the device");
    for (const target of levelTargets(level, section, complain)) {
      const levels = topology.get(target) ?? [];
      // A broken level still binds its target: one power supply of two, tried alone, would be a false proof.
      if (absent.length === 0 && devices.length > 0) levels.push({ index, devices });
      topology.set(target, levels);
    }
  }
  for (const levels of topology.values()) levels.sort((left, right) => left.index - right.index);
  return Object.fromEntries(topology);
}
