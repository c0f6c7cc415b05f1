/** The meta-data of a built-in agent as the XML that every OCF tool reads. */
import { type XmlElement, xml } from "../../../base/xml.ts";
import type { AgentAction, AgentParameter, BuiltInAgent } from "./contract.ts";

function withText(name: string, text: string): XmlElement {
  return { ...xml(name, { lang: "en" }), text };
}

function parameterXml({ name, required, unique, content, fallback, shortdesc }: AgentParameter): XmlElement {
  const attributes = { name, unique: unique === true ? "1" : "0", required: required === true ? "1" : "0" };
  const fallbackXml: Record<string, string> = fallback === undefined ? {} : { default: fallback };
  const contentXml = xml("content", { type: content, ...fallbackXml });
  return xml("parameter", attributes, [withText("longdesc", shortdesc), withText("shortdesc", shortdesc), contentXml]);
}

function actionXml({ name, timeout, interval, role }: AgentAction): XmlElement {
  const optional = { ...(interval === undefined ? {} : { interval }), ...(role === undefined ? {} : { role }) };
  return xml("action", { name, timeout, ...optional });
}

export function metadataXml({ type, shortdesc, parameters, actions }: BuiltInAgent): XmlElement {
  return xml("resource-agent", { name: type, version: "1.0" }, [
    { ...xml("version"), text: "1.1" },
    withText("longdesc", shortdesc),
    withText("shortdesc", shortdesc),
    xml("parameters", {}, parameters.map(parameterXml)),
    xml("actions", {}, actions.map(actionXml)),
  ]);
}
