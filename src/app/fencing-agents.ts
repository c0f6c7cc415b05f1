/**
 * Fencing agents as the tools of the field ask for them: which there are, what each takes, as XML; and whether
 * parameters are complete. A packaged agent speaks for itself; what this program adds and refuses stands beside it.
 */
import { childOf, childrenOf, type XmlElement, xml } from "../base/xml.ts";
import { ownParameters } from "../fencing/core/catalogue.ts";
import { type AgentParameter, CATALOGUE, parametersOf, passwordsOf, plugOf } from "../fencing/drivers/index.ts";
import { packagedAgents, packagedMetadata } from "../fencing/edge/packaged-agents.ts";

const ACTIONS = ["on", "off", "reboot", "status", "monitor", "metadata", "validate-all"];
const SECRETS = "A password is never a parameter: secret names its entry in the secrets file.";

/** All that a configuration may name here, ascending. */
export function fencingAgents(): readonly string[] {
  const own = CATALOGUE.agents.filter((name) => !name.endsWith("*"));
  return [...new Set([...own, ...packagedAgents()])].toSorted();
}

function withText(name: string, text: string): XmlElement {
  return { ...xml(name, { lang: "en" }), text };
}

function parameterXml({ name, oldName, isRequired, words, fallback }: AgentParameter): XmlElement {
  return xml("parameter", { name: oldName, unique: "0", required: isRequired ? "1" : "0" }, [
    xml("content", { type: "string", ...(fallback === undefined ? {} : { default: fallback }) }),
    withText("shortdesc", name === oldName ? words : `${words} (${name} in the words of gemel)`),
  ]);
}

function agentXml(agent: string, longdesc: string, parameters: readonly XmlElement[], short: string): XmlElement {
  const actions = ACTIONS.map((name) => xml("action", { name }));
  return xml("resource-agent", { name: agent, shortdesc: short }, [
    withText("longdesc", longdesc),
    xml("parameters", {}, parameters),
    xml("actions", {}, actions),
  ]);
}

const textOf = (element: XmlElement | undefined) => (element?.text ?? "").trim();

/** With our own parameters beside the agent's, without its passwords, and without what the fencer gives it itself. */
function packaged(agent: string, own: readonly AgentParameter[]): XmlElement | string {
  const told = packagedMetadata(agent);
  if (typeof told === "string") return told;
  const hidden = ["action", ...passwordsOf(agent)];
  const theirs = childrenOf(childOf(told, "parameters"), "parameter").filter(
    ({ attributes }) => !hidden.includes(attributes["name"] ?? ""),
  );
  const ours = own.filter(({ name }) => name !== plugOf(agent)).map(parameterXml);
  const short = told.attributes["shortdesc"] ?? textOf(childOf(told, "shortdesc"));
  const long = [textOf(childOf(told, "longdesc")), SECRETS].filter((text) => text !== "").join("\n\n");
  return agentXml(agent, long, [...theirs, ...ours], short === "" ? `Fencing by ${agent}` : short);
}

/** As fence agents and plugins tell it; undefined: there is no such agent; a text: why it does not tell. */
export function fencingMetadata(agent: string): XmlElement | string | undefined {
  const own = parametersOf(agent);
  if (own === undefined || !fencingAgents().includes(agent)) return undefined;
  if (!CATALOGUE.agents.includes(agent)) return packaged(agent, own);
  return agentXml(agent, SECRETS, own.map(parameterXml), `Fencing by ${agent}`);
}

/** What is wrong with these parameters, a line each; undefined: there is no such agent. */
export function complaintsOf(agent: string, given: Readonly<Record<string, string>>): readonly string[] | undefined {
  if (!fencingAgents().includes(agent)) return undefined;
  const choice = CATALOGUE.choose(agent, ownParameters(given));
  return choice?.complaints.map(({ parameter, reason, remedy }) => `${parameter}: ${reason}; ${remedy}`);
}
