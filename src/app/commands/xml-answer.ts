/** What the commands of the field write with `--output-as=xml`: one element, the result behind what was asked for. */
import process from "node:process";
import { printXml, type XmlElement, xml } from "../../base/xml.ts";
import { API_VERSION } from "../../cluster/core/monitor/xml.ts";
import { EXIT_CODES } from "./exit-codes.ts";

/** Words that a shell would take apart are quoted, as the field's tools quote them in `request`. */
const quoted = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

export function tellXml(
  tool: string,
  argv: readonly string[],
  body: readonly XmlElement[],
  code: number,
  errors: readonly string[] = [],
): void {
  const [, message = ""] = EXIT_CODES.get(code) ?? [];
  const told = errors.map((error) => ({ ...xml("error"), text: error }));
  const status = xml("status", { code: String(code), message }, told.length === 0 ? [] : [xml("errors", {}, told)]);
  const attributes = { "api-version": API_VERSION, request: [tool, ...argv.map(quoted)].join(" ") };
  process.stdout.write(printXml(xml("pacemaker-result", attributes, [...body, status])));
}
