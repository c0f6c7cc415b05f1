/** A fencing agent as the tools of the field ask for it: its metadata as XML; whether its parameters are complete. */
import { type XmlElement, xml } from "../../base/xml.ts";
import { ownParameters } from "../../fencing/core/catalogue.ts";
import { CATALOGUE, parametersOf } from "../../fencing/drivers/index.ts";

const ACTIONS = ["on", "off", "reboot", "status", "monitor", "metadata", "validate-all"];
const SECRETS = "A password is never a parameter: secret names its entry in the secrets file.";

function withText(name: string, text: string): XmlElement {
  return { ...xml(name, { lang: "en" }), text };
}

/** As fence agents and plugins tell it; undefined: there is no such agent. */
export function metadataOf(agent: string): XmlElement | undefined {
  const parameters = parametersOf(agent)?.map(({ name, oldName, isRequired }) =>
    xml("parameter", { name: oldName, unique: "0", required: isRequired ? "1" : "0" }, [
      xml("content", { type: "string" }),
      withText("shortdesc", name === oldName ? name : `${name} in the words of gemel`),
    ]),
  );
  if (parameters === undefined) return undefined;
  return xml("resource-agent", { name: agent, shortdesc: `Fencing by ${agent}` }, [
    withText("longdesc", SECRETS),
    xml("parameters", {}, parameters),
    xml(
      "actions",
      {},
      ACTIONS.map((name) => xml("action", { name })),
    ),
  ]);
}

/** What is wrong with these parameters, a line each; undefined: there is no such agent. */
export function complaintsOf(agent: string, given: Readonly<Record<string, string>>): readonly string[] | undefined {
  const choice = CATALOGUE.choose(agent, ownParameters(given));
  return choice?.complaints.map(({ parameter, reason, remedy }) => `${parameter}: ${reason}; ${remedy}`);
}
