/**
 * `gemel cibadmin`, also `cibadmin`: queries and changes of the CIB as XML. Changes are computed on the configuration
 * that was fetched and sent with its version, so that they never undo another's.
 * Facts: cibadmin(8).
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { formatProblem } from "../../base/problem.ts";
import { childOf, parseXml, printXml, type XmlElement, xml } from "../../base/xml.ts";
import { applyOperations } from "../../cluster/core/cib-store/operations.ts";
import { elementAt, findPaths } from "../../cluster/core/cib-store/paths.ts";
import type { ConfigurationOperation } from "../../cluster/core/cib-store/types.ts";
import { controlSocketPath } from "../control-client.ts";
import {
  askManager,
  commit,
  configurationOf,
  EXIT,
  fetchRunning,
  openSession,
  type Session,
  tellReply,
} from "../crm/session.ts";
import { terminal } from "../crm/terminal.ts";

const USAGE = `usage: gemel cibadmin -Q [-o SECTION | -A XPATH] [-n]
       gemel cibadmin -R|-C|-M|-D [-o SECTION] (-x FILE | -X XML | -p)   -D also with -A XPATH
       gemel cibadmin -E --force
`;

const OPTIONS = {
  query: { type: "boolean", short: "Q" },
  replace: { type: "boolean", short: "R" },
  create: { type: "boolean", short: "C" },
  modify: { type: "boolean", short: "M" },
  delete: { type: "boolean", short: "D" },
  erase: { type: "boolean", short: "E" },
  scope: { type: "string", short: "o" },
  xpath: { type: "string", short: "A" },
  "xml-file": { type: "string", short: "x" },
  "xml-text": { type: "string", short: "X" },
  "xml-pipe": { type: "boolean", short: "p" },
  "no-children": { type: "boolean", short: "n" },
  force: { type: "boolean", short: "f" },
  local: { type: "boolean", short: "l" },
  "sync-call": { type: "boolean", short: "s" },
  verbose: { type: "boolean", short: "V", multiple: true },
  run: { type: "string" },
} as const;

function readValues(argv: readonly string[]) {
  return parseArgs({ args: [...argv], options: OPTIONS }).values;
}
type Values = ReturnType<typeof readValues>;

const NO_SUCH_OBJECT = 105;

function fail(text: string, code: number = EXIT.failed): number {
  process.stderr.write(`cibadmin: ${text}\n`);
  return code;
}

async function query(session: Session, values: Values): Promise<number> {
  const reply = await askManager(session, { kind: "cib-query" });
  if (reply.kind !== "answer") return tellReply(session, reply);
  const read = parseXml(reply.value.xml);
  if (read.kind === "not-xml") return fail("the manager sent something that is not XML");
  const { scope, xpath } = values;
  const path = xpath ?? (scope === undefined || scope === "all" || scope === "cib" ? "/cib" : `//${scope}`);
  const found = findPaths(read.root, path);
  if (found === undefined) return fail(`${path} is no path that is understood`, EXIT.usage);
  const elements = found.flatMap((at) => elementAt(read.root, at) ?? []);
  if (elements.length === 0) return fail("No such device or address", NO_SUCH_OBJECT);
  const shown = values["no-children"] === true ? elements.map((element) => ({ ...element, children: [] })) : elements;
  const [only, ...more] = shown;
  if (only !== undefined) terminal.out(printXml(more.length === 0 ? only : xml("xpath-query", {}, shown)));
  return EXIT.done;
}

const SECTION_OF: Readonly<Record<string, string>> = {
  node: "nodes",
  cluster_property_set: "crm_config",
  tag: "tags",
  "fencing-level": "fencing-topology",
  acl_role: "acls",
  acl_target: "acls",
  acl_group: "acls",
  alert: "alerts",
};

/** The section that objects of that name stand in. */
function sectionFor({ name }: XmlElement): string {
  return SECTION_OF[name] ?? (name.startsWith("rsc_") && !name.endsWith("defaults") ? "constraints" : "resources");
}

/** What was given, as sections of a configuration: a cib, a configuration, a section, or a single object. */
function sectionsOf(given: XmlElement, scope: string | undefined): readonly XmlElement[] {
  if (given.name === "cib") return childOf(given, "configuration")?.children ?? [];
  if (given.name === "configuration") return given.children;
  const section = scope ?? sectionFor(given);
  const known = ["crm_config", "nodes", "resources", "constraints", "tags", "acls", "alerts", "fencing-topology"];
  if ([...known, "rsc_defaults", "op_defaults"].includes(given.name)) return [given];
  return [xml(section, {}, [given])];
}

function operationsFor(values: Values, given: XmlElement | undefined): readonly ConfigurationOperation[] | string {
  if (values.delete === true) {
    const target = values.xpath ?? given?.attributes["id"];
    return target === undefined
      ? "say what to delete: -A XPATH, or an element with an id"
      : [{ kind: "delete", target }];
  }
  if (given === undefined) return "give the XML: -x FILE, -X XML or -p";
  const sections = sectionsOf(given, values.scope);
  if (values.replace === true && (given.name === "cib" || given.name === "configuration"))
    return [{ kind: "replace", configuration: xml("configuration", {}, sections) }];
  if (values.replace === true && sections[0] === given)
    return [
      { kind: "delete", target: given.name },
      { kind: "update", configuration: xml("configuration", {}, sections) },
    ];
  return [{ kind: "update", configuration: xml("configuration", {}, sections) }];
}

async function change(session: Session, values: Values): Promise<number> {
  const { "xml-file": file, "xml-text": inline, "xml-pipe": pipe } = values;
  const text = inline ?? (file === undefined && pipe !== true ? undefined : terminal.readText(file ?? "-"));
  if (text === undefined && (file !== undefined || pipe === true)) return EXIT.noInput;
  const read = text === undefined ? undefined : parseXml(text);
  if (read?.kind === "not-xml") return fail(`line ${read.line}: not XML: ${read.reason}`, EXIT.config);
  const operations = operationsFor(values, read?.root);
  if (typeof operations === "string") return fail(operations, EXIT.usage);
  const running = await fetchRunning(session);
  if (typeof running === "number") return running;
  const isThere = (id: string) => printXml(running).includes(` id="${id}"`);
  const id = read?.root.attributes["id"];
  if (values.create === true && id !== undefined && isThere(id)) return fail(`${id} exists already`, 108);
  if (values.modify === true && id !== undefined && !isThere(id)) return fail(`there is no ${id}`, NO_SUCH_OBJECT);
  const applied = applyOperations(running, operations);
  if (applied.kind === "invalid") return fail(applied.problems.map(formatProblem).join("\ncibadmin: "), NO_SUCH_OBJECT);
  session.working = applied.value;
  return commit(session);
}

/** Exit codes: 0; 1 refused; 64 wrong call; 66, 69 as all commands; 78 not XML; 105 not found; 108 exists. */
export async function run(argv: readonly string[]): Promise<number> {
  let values: Values;
  try {
    values = readValues(argv);
  } catch (error) {
    process.stderr.write(`cibadmin: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return EXIT.usage;
  }
  const socket = controlSocketPath(values.run);
  const session = openSession(socket, terminal, {
    isForced: values.force === true,
  });
  if (values.query === true) return query(session, values);
  if (values.erase === true) {
    if (values.force !== true) return fail("erasing the whole configuration needs --force", EXIT.usage);
    const fetched = await fetchRunning(session);
    if (typeof fetched === "number") return fetched;
    session.working = configurationOf("<configuration><crm_config/><nodes/><resources/><constraints/></configuration>");
    return commit(session);
  }
  if (values.replace === true || values.create === true || values.modify === true || values.delete === true)
    return change(session, values);
  process.stderr.write(USAGE);
  return EXIT.usage;
}
