/**
 * The script level of the crm shell, for who knows crmsh's wizards: each of our templates is a script of that name.
 * What a script would do on other machines (install, copy, start) is not among them. Fact: crm(8), level script.
 */
import { entryOf } from "../../base/record.ts";
import { fillTemplate, parametersOfTemplate, TEMPLATES } from "../../cib/crm-syntax/templates.ts";
import { EXIT, type Session } from "./session.ts";

export const SCRIPT_USAGES: Readonly<Record<string, string>> = {
  list: "[all] [names]",
  show: "SCRIPT [all]",
  verify: "SCRIPT [id=ID] NAME=VALUE...",
  run: "SCRIPT [id=ID] NAME=VALUE... [dry_run=yes]",
};

function complain({ terminal }: Session, text: string): number {
  terminal.err(`crm: ${text}\n`);
  return EXIT.failed;
}

function list({ terminal }: Session, words: readonly string[]): number {
  if (words.some((word) => word !== "all" && word !== "names")) return -1;
  for (const [name, { help }] of Object.entries(TEMPLATES))
    terminal.out(words.includes("names") ? `${name}\n` : `${name.padEnd(14)} ${help}\n`);
  return EXIT.done;
}

function show({ terminal }: Session, name: string): number {
  terminal.out(`${name}: ${entryOf(TEMPLATES, name)?.help ?? ""}\n\n`);
  terminal.out(`  ${"id".padEnd(14)} the id of what is made; else ${name}\n`);
  for (const [key, { help, required }] of Object.entries(parametersOfTemplate(name)))
    terminal.out(`  ${key.padEnd(14)} ${help}${required === true ? " (must be given)" : ""}\n`);
  return EXIT.done;
}

/** The statements of a script with these values; undefined when it cannot be made (told already). */
function statements(session: Session, name: string, given: Readonly<Record<string, string>>): string | undefined {
  const { id = name, dry_run: _dry, nodes: _nodes, ...values } = given;
  const strange = Object.keys(values).find((key) => !Object.hasOwn(parametersOfTemplate(name), key));
  if (strange !== undefined) {
    complain(session, `${name} has no parameter ${strange}; script show ${name} lists them`);
    return undefined;
  }
  const filled = fillTemplate(name, id, values);
  if ("text" in filled) return filled.text;
  complain(session, `${name} lacks ${filled.missing.join(", ")}; script show ${name} tells what they are`);
  return undefined;
}

/** `apply` puts the statements in force. The exit code; -1 for a wrong call. */
export async function runScript(
  session: Session,
  [verb = "", name, ...rest]: readonly string[],
  apply: (statements: string) => Promise<number>,
): Promise<number> {
  if (verb === "list") return list(session, name === undefined ? [] : [name, ...rest]);
  if (name === undefined || !Object.hasOwn(SCRIPT_USAGES, verb)) return -1;
  if (!Object.hasOwn(TEMPLATES, name))
    return complain(session, `there is no script ${name}; there are ${Object.keys(TEMPLATES).join(", ")}`);
  if (verb === "show") return rest.every((word) => word === "all") ? show(session, name) : -1;
  if (rest.some((word) => !/^[^=]+=/.test(word))) return -1;
  const given = Object.fromEntries(rest.map((word) => [word.replace(/=.*/s, ""), word.replace(/^[^=]+=/, "")]));
  const text = statements(session, name, given);
  if (text === undefined) return EXIT.failed;
  if (verb === "run" && !/^(?:yes|true|1)$/.test(given["dry_run"] ?? "no")) return await apply(text);
  session.terminal.out(text);
  return EXIT.done;
}
