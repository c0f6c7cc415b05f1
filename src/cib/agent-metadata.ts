/**
 * What an agent says of itself (meta-data), as `crm ra info` of the field prints it: a title, what it is for, its
 * parameters with type and default, its operations with their advised times.
 * Facts: OCF resource agent API, meta-data; output of crmsh 4.4.1.
 */
import { childOf, childrenOf, type XmlElement } from "../base/xml.ts";

const textOf = (element: XmlElement | undefined): string => (element?.text ?? "").trim();

/** Every line of it behind the same blanks. */
const indented = (text: string, blanks: string): string =>
  text
    .split("\n")
    .map((line) => `${blanks}${line}`)
    .join("\n");

function parameterText(parameter: XmlElement): string {
  const { name = "", required = "0" } = parameter.attributes;
  const content = childOf(parameter, "content")?.attributes ?? {};
  const star = required === "1" ? "*" : "";
  const type = content["type"] ?? "string";
  const fallback = (content["default"] ?? "") === "" ? "" : `, [${content["default"]}]`;
  const short = textOf(childOf(parameter, "shortdesc"));
  const long = textOf(childOf(parameter, "longdesc"));
  const head = `${name}${star} (${type}${fallback}): ${[long, name].includes(short) ? "" : short}`;
  return long === "" ? head : `${head}\n${indented(long, "    ")}`;
}

/** These every agent has, and nobody configures them. */
const INTERNAL = ["meta-data", "validate-all", "usage", "help"];
const NAME_WIDTH = 14;

function actionText(action: XmlElement): string {
  const { name = "" } = action.attributes;
  const times = Object.entries(action.attributes)
    .filter(([key]) => key !== "name")
    .map(([key, value]) => `${key}=${value}`);
  return `    ${name.padEnd(NAME_WIDTH)}${times.join(" ")}`.trimEnd();
}

/** `title`: as it was asked for, `ocf:heartbeat:Dummy`. */
export function printAgentMetadata(metadata: XmlElement, title: string): string {
  const short = textOf(childOf(metadata, "shortdesc")) || (metadata.attributes["shortdesc"] ?? "");
  const long = textOf(childOf(metadata, "longdesc"));
  const parameters = childrenOf(childOf(metadata, "parameters"), "parameter");
  const actions = childrenOf(childOf(metadata, "actions"), "action");
  const shown = actions.filter(({ attributes }) => !INTERNAL.includes(attributes["name"] ?? ""));
  return [
    `${short === "" ? title : `${short} (${title})`}`,
    ...(long === "" ? [] : ["", long]),
    ...(parameters.length === 0 ? [] : ["", "Parameters (*: required, []: default):", ""]),
    parameters.map(parameterText).join("\n\n"),
    ...(shown.length === 0 ? [] : ["", "Operations' defaults (advisory minimum):", "", ...shown.map(actionText)]),
    "",
  ].join("\n");
}
