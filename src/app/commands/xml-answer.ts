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

const written = (chunk: unknown) => (typeof chunk === "string" ? chunk : "");

/**
 * Runs a command that says in text what it does: with `--output-as=xml` that text is left out, what it hands to `add`
 * stands in the answer, and so does what it complained of, when it has failed. Answers its exit code.
 */
export async function answeredInXml(
  tool: string,
  argv: readonly string[],
  run: (add: (element: XmlElement) => void) => Promise<number>,
): Promise<number> {
  const body: XmlElement[] = [];
  let complaints = "";
  const [out, error] = [process.stdout.write.bind(process.stdout), process.stderr.write.bind(process.stderr)];
  process.stdout.write = () => true;
  process.stderr.write = (chunk: unknown) => {
    complaints += written(chunk);
    return error(written(chunk));
  };
  let code: number;
  try {
    code = await run((element) => body.push(element));
  } finally {
    process.stdout.write = out;
    process.stderr.write = error;
  }
  tellXml(tool, argv, body, code, code === 0 ? [] : complaints.split("\n").filter((line) => line !== ""));
  return code;
}
