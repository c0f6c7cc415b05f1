/** Options and their values: unknown names are told and left alone, values that cannot be read refuse the CIB. */
import { unreachable } from "../../base/check.ts";
import { nearestName } from "../../base/nearest.ts";
import { entryOf } from "../../base/record.ts";
import { childOf, type XmlElement } from "../../base/xml.ts";
import { everyElement, type Finding, finding, type Seen } from "./finding.ts";
import {
  CLONE_META,
  CLUSTER_OPTIONS,
  findOption,
  GROUP_META,
  OPERATION_OPTIONS,
  type OptionSchema,
  optionNames,
  RESOURCE_META,
} from "./options.ts";
import { readBoolean, readInteger, readScore, readTimeMs } from "./values.ts";

const ALL_META = [...RESOURCE_META, ...CLONE_META, ...GROUP_META];

/** What a value of that type looks like, or undefined when this is one. */
function mismatch({ type, words = [] }: OptionSchema, value: string): string | undefined {
  if (words.some((word) => word.toLowerCase() === value.toLowerCase())) return undefined;
  switch (type) {
    case "boolean":
      return readBoolean(value) === undefined ? "true or false" : undefined;
    case "integer":
      return readInteger(value) === undefined ? "a whole number" : undefined;
    case "score":
      return readScore(value) === undefined ? "a whole number, INFINITY or -INFINITY" : undefined;
    case "percentage":
      return /^\d+(\.\d+)?%?$/.test(value) ? undefined : "a percentage such as 80%";
    case "time":
      return readTimeMs(value) === undefined ? "a time such as 10s, 500ms, 1min or PT1M" : undefined;
    case "words":
      return `one of ${words.join(", ")}`;
    case "text":
      return undefined;
    default:
      return unreachable(type);
  }
}

/** A fraction of a score is cut off, as by all who ever read one. */
function cutOff({ type }: OptionSchema, value: string): string | undefined {
  return type === "score" || type === "integer" ? /^\s*([+-]?\d+)\.\d+\s*$/.exec(value)?.[1] : undefined;
}

/** Fits an option against its schema. `undefined` options are unknown. */
function checkValue(
  seen: Seen,
  name: string,
  value: string,
  options: readonly OptionSchema[],
  what: string,
): Finding[] {
  // Leases are names of their own: see cluster/core/overrides.
  if (name.startsWith("lease.")) return [];
  const option = findOption(options, name);
  if (option === undefined) {
    const near = nearestName(name, optionNames(options));
    const remedy = near === undefined ? "remove it, or check its spelling" : `write ${near}`;
    return [finding("warning", seen, `${name} is no ${what} that is known; it has no effect`, remedy)];
  }
  const whole = cutOff(option, value);
  if (whole !== undefined)
    return [finding("warning", seen, `${name}="${value}" is read as ${whole}`, `write ${name}=${whole}`)];
  const wanted = mismatch(option, value);
  if (wanted !== undefined) return [finding("error", seen, `${name}="${value}" cannot be read`, `write ${wanted}`)];
  if (option.obsolete !== undefined)
    return [finding("warning", seen, `${name} is no longer the way to say this`, option.obsolete)];
  const negative = option.type === "time" && (readTimeMs(value) ?? 0) < 0;
  if (negative && option.name !== "fencing-watchdog-timeout")
    return [finding("error", seen, `${name}="${value}" is a negative time`, "write a time of 0 or more")];
  const word = option.words?.find((known) => known.toLowerCase() === value.toLowerCase());
  if (word === undefined || word === value) return [];
  return [finding("warning", seen, `${name}="${value}" is read as ${word}`, `write ${name}=${word}`)];
}

/** Which options a set of meta-attributes may hold, by where it stands. */
function metaOptions(above: readonly XmlElement[]): { options: readonly OptionSchema[]; what: string } | undefined {
  const owner = above.at(-2)?.name ?? "";
  switch (owner) {
    case "op":
    case "op_defaults":
      return { options: OPERATION_OPTIONS, what: "property of operations" };
    case "primitive":
    case "template":
      return { options: [...RESOURCE_META, ...CLONE_META], what: "meta attribute" };
    case "group":
    case "clone":
    case "master":
    case "bundle":
    case "rsc_defaults":
      return { options: ALL_META, what: "meta attribute" };
    default:
      return undefined;
  }
}

function checkPair(seen: Seen): Finding[] {
  const { name, value } = seen.element.attributes;
  if (name === undefined || value === undefined) return [];
  const set = seen.above.at(-1)?.name;
  if (set === "cluster_property_set") return checkValue(seen, name, value, CLUSTER_OPTIONS, "cluster option");
  if (set !== "meta_attributes") return [];
  const place = metaOptions(seen.above);
  // Names with a dollar are tools' own, such as $id; a primitive may hold what its agent reads, by CRM_meta_*.
  if (place === undefined || name.startsWith("$")) return [];
  return checkValue(seen, name, value, place.options, place.what);
}

function checkAttribute(seen: Seen, name: string, option: OptionSchema): Finding[] {
  const value = entryOf(seen.element.attributes, name);
  return value === undefined ? [] : checkValue(seen, name, value, [option], "attribute");
}

const SCORE: OptionSchema = { name: "score", type: "score", help: "" };
const KIND: OptionSchema = { name: "kind", type: "words", words: ["Mandatory", "Optional", "Serialize"], help: "" };
const SYMMETRICAL: OptionSchema = { name: "symmetrical", type: "boolean", help: "" };
const LOSS: OptionSchema = {
  name: "loss-policy",
  type: "words",
  words: ["stop", "demote", "fence", "freeze"],
  help: "",
};
const DISCOVERY: OptionSchema = {
  name: "resource-discovery",
  type: "words",
  words: ["always", "never", "exclusive"],
  help: "",
};

function checkElement(seen: Seen): Finding[] {
  const { element } = seen;
  switch (element.name) {
    case "nvpair":
      return checkPair(seen);
    case "op":
      return Object.entries(element.attributes).flatMap(([name, value]) => {
        const option = findOption(OPERATION_OPTIONS, name);
        return option === undefined ? [] : checkValue(seen, name, value, [option], "attribute");
      });
    default:
      return [];
  }
}

export function checkOptions(configuration: XmlElement): Finding[] {
  return everyElement(configuration).flatMap(checkElement);
}

function checkConstraint(seen: Seen): Finding[] {
  switch (seen.element.name) {
    case "rsc_location":
      return [...checkAttribute(seen, "score", SCORE), ...checkAttribute(seen, "resource-discovery", DISCOVERY)];
    case "rsc_colocation":
    case "rule":
      return checkAttribute(seen, "score", SCORE);
    case "rsc_order":
      return [KIND, SCORE, SYMMETRICAL].flatMap((option) => checkAttribute(seen, option.name, option));
    case "rsc_ticket":
      return checkAttribute(seen, "loss-policy", LOSS);
    default:
      return [];
  }
}

/** Scores, kinds and policies of constraints: a wrong one turns a constraint into another. */
export function checkConstraintValues(configuration: XmlElement): Finding[] {
  return everyElement(configuration).flatMap(checkConstraint);
}

/** The cluster option as it stands, under its name of today or an older one. */
export function clusterOption(configuration: XmlElement, name: string): string | undefined {
  const option = findOption(CLUSTER_OPTIONS, name);
  const names = [name, option?.name, ...(option?.aliases ?? [])];
  for (const set of childOf(configuration, "crm_config")?.children ?? [])
    for (const { attributes } of set.children)
      if (attributes["value"] !== undefined && names.includes(attributes["name"])) return attributes["value"];
  return option?.default;
}
