/** Whether this node has the agents that a change names: a mistyped one fails only when the cluster looks for it. */
import { nearestName } from "../../base/nearest.ts";
import type { XmlElement } from "../../base/xml.ts";
import { everyElement } from "../../cib/schema/finding.ts";
import { cibFile } from "../cib-door.ts";
import { agentTypes, findAgent } from "./ra-level.ts";

/** `provider:type` of each OCF agent that the configuration names. */
function agentsOf(configuration: XmlElement): ReadonlySet<string> {
  const named = everyElement(configuration).flatMap(({ element: { name, attributes } }) => {
    const { class: agentClass, provider, type } = attributes;
    const isAgent = (name === "primitive" || name === "template") && agentClass === "ocf";
    return isAgent && provider !== undefined && type !== undefined ? [`${provider}:${type}`] : [];
  });
  return new Set(named);
}

/** A line for each agent that `after` brings and that is not here. A copy may be meant for another site. */
export function missingAgents(before: XmlElement, after: XmlElement): readonly string[] {
  if (cibFile() !== undefined) return [];
  const known = agentsOf(before);
  const missing = [...agentsOf(after)].filter((agent) => !known.has(agent) && findAgent(agent) === undefined);
  return missing.map((agent) => {
    const [provider = "", type = ""] = agent.split(":");
    const near = nearestName(type, agentTypes(provider));
    const guess = near === undefined ? "; crm ra list ocf names them" : `; did you mean ${near}?`;
    return `crm: warning: there is no agent ocf:${agent} on this node${guess}`;
  });
}
