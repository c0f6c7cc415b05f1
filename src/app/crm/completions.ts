/** What the tabulator makes of a line that has begun: words of its level, options and their values, names, agents. */
import { entryOf, isKeyOf } from "../../base/record.ts";
import { childOf, childrenOf } from "../../base/xml.ts";
import { parametersOfTemplate, TEMPLATES } from "../../cib/crm-syntax/templates.ts";
import {
  CLONE_META,
  CLUSTER_OPTIONS,
  OPERATION_OPTIONS,
  type OptionSchema,
  optionNames,
  RESOURCE_META,
} from "../../cib/schema/options.ts";
import { fencingAgents, fencingMetadata } from "../fencing-agents.ts";
import { TICKET_WORDS } from "./borrowed.ts";
import { behindFirst } from "./level-completions.ts";
import { BELOW_CONFIGURE, EVERYWHERE, LEVELS, type LevelName } from "./levels.ts";
import type { Names } from "./names.ts";
import { agentMetadata, agentProviders, agentTypes, findAgent } from "./ra-level.ts";

const SET_WORDS: Readonly<Record<string, readonly OptionSchema[]>> = {
  property: CLUSTER_OPTIONS,
  rsc_defaults: [...RESOURCE_META, ...CLONE_META],
  op_defaults: OPERATION_OPTIONS,
  meta: [...RESOURCE_META, ...CLONE_META],
  op: OPERATION_OPTIONS,
};
const AGENT_FIRST = ["primitive", "rsc_template"];
const PARTS = ["params", "meta", "utilization", "op", "operations"];

/** The words of a command of configure that stand for themselves. */
const COMMAND_WORDS: Readonly<Record<string, readonly string[]>> = {
  load: ["xml", "update", "replace", "push"],
  save: ["xml"],
  show: ["xml", "changed", "type:", "tag:", "related:", "obscure:"],
  commit: ["force", "replace"],
  erase: ["nodes", "--force"],
  upgrade: ["force"],
};

/** Agents that this node has; those of the field's own providers by their type alone, too. */
function agentsFor(word: string): readonly string[] {
  if (word.startsWith("stonith:")) return fencingAgents().map((name) => `stonith:${name}`);
  const ours = agentProviders().flatMap((provider) => agentTypes(provider).map((type) => `ocf:${provider}:${type}`));
  return [...ours, ...agentTypes("heartbeat"), "lsb:", "service:", "stonith:", "systemd:"];
}

/** Of the agent that a line has named: `ip=`, `nic=`; it is asked when somebody presses the key. */
function parametersFor(agent: string): readonly string[] {
  const [agentClass = "", provider = "", type = ""] = agent.split(":");
  const found = findAgent(agent);
  const metadata =
    agentClass === "stonith"
      ? fencingMetadata(type === "" ? provider : type)
      : found === undefined
        ? undefined
        : agentMetadata(found.provider, found.type);
  if (metadata === undefined || typeof metadata === "string") return [];
  return childrenOf(childOf(metadata, "parameters"), "parameter").map(
    ({ attributes }) => `${attributes["name"] ?? ""}=`,
  );
}

const OPERATIONS = ["start", "stop", "monitor", "promote", "demote", "notify", "migrate_to", "migrate_from"];
const VERBS = ["set", "show", "delete"];
/** Words of the resource and node levels behind which a verb and a name come. */
const NAMED_SETS: Readonly<Record<string, readonly OptionSchema[]>> = {
  meta: [...RESOURCE_META, ...CLONE_META],
  param: [],
  utilization: [],
  attribute: [],
  "status-attr": [],
};

/** Behind the name of a resource or node: `meta R set NAME`, `param R show NAME`. */
function behindName(first: string, rest: readonly string[], names: Names): readonly string[] {
  const set = entryOf(NAMED_SETS, first);
  if (set === undefined) return names.nodes;
  if (rest.length === 1) return VERBS;
  return rest.length === 2 ? optionNames(set) : [];
}

/** Words that may come next on a line of that level, for completion. */
export function completions(level: LevelName, line: string, names: Names): readonly string[] {
  const words = line.trimStart().split(/\s+/);
  const last = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const fitting = (list: readonly string[]) => [...new Set(list)].filter((word) => word.startsWith(last)).sort();
  if (before.length === 0) return fitting([...LEVELS[level], ...EVERYWHERE]);
  const [first = "", ...rest] = before;
  if (first === "help") {
    const [named = ""] = rest;
    return fitting(named !== "" && isKeyOf(LEVELS, named) ? LEVELS[named] : [...LEVELS[level], ...EVERYWHERE]);
  }
  if (level === "" && isKeyOf(LEVELS, first)) return completions(first, [...rest, last].join(" "), names);
  const behind = behindFirst(level, before, names);
  if (behind !== undefined) return fitting(behind);
  if (level === "template" && first === "new" && rest.length === 1) return fitting(Object.keys(TEMPLATES));
  if (level === "template" && first === "new" && rest.length > 1)
    return fitting(Object.keys(parametersOfTemplate(rest[1] ?? "")).map((name) => `${name}=`));
  if (level === "site" && first === "ticket" && rest.length === 0) return fitting(TICKET_WORDS);
  if (level === "ra" && (first === "info" || first === "meta")) return fitting(agentsFor(last));
  if (level === "configure" && AGENT_FIRST.includes(first) && rest.length === 1) return fitting(agentsFor(last));
  const own = level === "configure" ? entryOf(COMMAND_WORDS, first) : undefined;
  if (own !== undefined) return fitting([...own, ...(first === "show" ? names.all : [])]);
  if (level === "node" || level === "resource") {
    const named = level === "node" ? names.nodes : names.resources;
    return fitting(rest.length === 0 ? named : behindName(first, rest, names));
  }
  if (level !== "configure") return fitting(names.all);
  if ((BELOW_CONFIGURE as readonly string[]).includes(first))
    return completions(first as LevelName, [...rest, last].join(" "), names);
  const set = [...before].reverse().find((word) => isKeyOf(SET_WORDS, word) || PARTS.includes(word));
  const options = set === undefined ? undefined : entryOf(SET_WORDS, set);
  const isAgents = AGENT_FIRST.includes(first);
  if (isAgents && set === "params") return fitting([...parametersFor(rest[1] ?? ""), ...PARTS]);
  if (isAgents && before.at(-1) === "op") return fitting(OPERATIONS);
  const [, optionName, value] = /^([^=]+)=(.*)$/.exec(last) ?? [];
  if (options !== undefined && optionName !== undefined) {
    const schema = options.find(({ name, aliases }) => name === optionName || aliases?.includes(optionName) === true);
    const known = schema?.type === "boolean" ? ["true", "false"] : (schema?.words ?? []);
    return known.filter((word) => word.startsWith(value ?? "")).map((word) => `${optionName}=${word}`);
  }
  const parts = ["primitive", "rsc_template", "clone", "group", "ms"].includes(first) ? PARTS : [];
  const assigned = options === undefined ? [] : optionNames(options).map((name) => `${name}=`);
  // Behind its agent a primitive names nothing that there is already.
  const others = isKeyOf(SET_WORDS, first) || (isAgents && rest.length > 1) ? [] : names.all;
  return fitting([...assigned, ...parts, ...others]);
}
