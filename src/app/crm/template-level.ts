/**
 * The template level of the crm shell: a ready configuration is taken up by a name, filled in, looked at and applied to
 * the working copy. What was begun stands in files of the user, so that a week may lie between.
 * Facts: crm(8), "Configuration templates".
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { entryOf } from "../../base/record.ts";
import { fillTemplate, parametersOfTemplate, TEMPLATES } from "../../cib/crm-syntax/templates.ts";
import { EXIT, type Session } from "./session.ts";

export const TEMPLATE_WORDS = ["new", "load", "edit", "delete", "list", "apply", "show"] as const;

/** GEMEL_CRM_TEMPLATES is for tests and for those whose home is not kept. */
const directory = () => process.env["GEMEL_CRM_TEMPLATES"] ?? path.join(os.homedir(), ".gemel_crm_templates");
const fileOf = (name: string) => path.join(directory(), name);
const NAME = /^[A-Za-z_][\w.-]*$/;

function complain({ terminal }: Session, text: string): number {
  terminal.err(`crm: ${text}\n`);
  return EXIT.failed;
}

function write(name: string, template: string, values: Readonly<Record<string, string>>): void {
  const lines = Object.entries(parametersOfTemplate(template)).map(([key, { help, required }]) => {
    return `# ${help}${required === true ? " (must be given)" : ""}\n${key} ${entryOf(values, key) ?? ""}`.trimEnd();
  });
  mkdirSync(directory(), { recursive: true, mode: 0o700 });
  writeFileSync(fileOf(name), `template ${template}\n${lines.join("\n")}\n`, { mode: 0o600 });
}

interface Begun {
  readonly template: string;
  readonly values: Readonly<Record<string, string>>;
}

function read(name: string): Begun | undefined {
  if (!NAME.test(name) || !existsSync(fileOf(name))) return undefined;
  const pairs = readFileSync(fileOf(name), "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line): [string, string] => {
      const [, key = "", value = ""] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
      return [key, value.trim()];
    });
  const { template = "", ...values } = Object.fromEntries(pairs);
  return { template, values };
}

/** `new NAME TEMPLATE [params NAME=VALUE...]` */
function begin(session: Session, [name = "", template = "", ...rest]: readonly string[]): number {
  if (!NAME.test(name)) return complain(session, `${name === "" ? "a configuration without a name" : name} is no name`);
  if (!Object.hasOwn(TEMPLATES, template))
    return complain(session, `there is no template ${template}; there are ${Object.keys(TEMPLATES).join(", ")}`);
  if (existsSync(fileOf(name))) return complain(session, `${name} exists already; template delete ${name} drops it`);
  const given = rest.filter((word) => word !== "params").map((word) => word.split(/=(.*)/s));
  const known = parametersOfTemplate(template);
  const strange = given.find(([key = ""]) => !Object.hasOwn(known, key));
  if (strange !== undefined) return complain(session, `${template} has no parameter ${strange[0] ?? ""}`);
  write(name, template, Object.fromEntries(given.map(([key = "", value = ""]) => [key, value])));
  session.chosenTemplate = name;
  return EXIT.done;
}

function list(session: Session, what: string | undefined): number {
  const { out } = session.terminal;
  if (what === "templates") {
    for (const [name, { help }] of Object.entries(TEMPLATES)) out(`${name.padEnd(12)} ${help}\n`);
    return EXIT.done;
  }
  const names = existsSync(directory()) ? readdirSync(directory()).filter((name) => NAME.test(name)) : [];
  for (const name of names.toSorted()) out(`${name}\n`);
  return EXIT.done;
}

/** The statements of a configuration; undefined when it cannot be made (told already). */
function statements(session: Session, name: string): string | undefined {
  const begun = read(name);
  if (begun === undefined) {
    complain(session, `there is no configuration ${name}; template list names them`);
    return undefined;
  }
  const filled = fillTemplate(begun.template, name, begun.values);
  if ("text" in filled) return filled.text;
  complain(session, `${name} lacks ${filled.missing.join(", ")}; fill it in with template edit ${name}`);
  return undefined;
}

function edit(session: Session, name: string): number {
  const begun = read(name);
  if (begun === undefined) return complain(session, `there is no configuration ${name}`);
  const text = session.terminal.edit(readFileSync(fileOf(name), "utf8"));
  if (text === undefined) return EXIT.failed;
  writeFileSync(fileOf(name), text, { mode: 0o600 });
  return EXIT.done;
}

/** `load` takes the statements up into the working copy. The exit code; -1 for a wrong call. */
export function runTemplate(
  session: Session,
  words: readonly string[],
  load: (text: string, mode: "update" | "replace") => number,
): number {
  const [verb, first, ...rest] = words;
  if (verb === "new") return begin(session, words.slice(1));
  if (verb === "list") return list(session, first);
  if (verb === "apply") {
    const mode = first === "replace" ? "replace" : "update";
    const named = first === "replace" || first === "update" ? rest[0] : first;
    const name = named ?? session.chosenTemplate;
    if (name === undefined) return complain(session, "which configuration? template apply [update|replace] NAME");
    const text = statements(session, name);
    return text === undefined ? EXIT.failed : load(text, mode);
  }
  if (verb === undefined || !(TEMPLATE_WORDS as readonly string[]).includes(verb)) return -1;
  const name = first ?? session.chosenTemplate;
  if (name === undefined || !NAME.test(name)) return complain(session, `which configuration? template ${verb} NAME`);
  if (verb === "edit") return edit(session, name);
  if (verb === "show") {
    const text = statements(session, name);
    if (text !== undefined) session.terminal.out(text);
    return text === undefined ? EXIT.failed : EXIT.done;
  }
  if (read(name) === undefined) return complain(session, `there is no configuration ${name}`);
  if (verb === "delete") {
    rmSync(fileOf(name));
    if (session.chosenTemplate === name) session.chosenTemplate = undefined;
  } else session.chosenTemplate = name;
  return EXIT.done;
}
