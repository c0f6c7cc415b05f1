/**
 * A text in crm syntax as a list of objects, each with its place. Objects are not yet joined to a configuration: see
 * `apply.ts`. A statement with a fault yields a problem and no object, and its id is remembered, so that nothing else
 * is blamed for the hole that it leaves.
 */
import { nearestName } from "../../base/nearest.ts";
import type { Problem } from "../../base/problem.ts";
import { entryOf } from "../../base/record.ts";
import { parseXml, type XmlElement } from "../../base/xml.ts";
import { readColocation, readLocation, readOrder, readTicket } from "./constraints.ts";
import { type Cursor, finish, openCursor, placeOf, SyntaxFault } from "./cursor.ts";
import { readAclTarget, readAlert, readMonitor, readOptionSet, readRole, readTag, readTopology } from "./options.ts";
import { readBundle, readClone, readGroup, readNode, readPrimitive, readTemplate, type Said } from "./resources.ts";
import { readStatements, type Statement } from "./tokens.ts";

export interface CrmObject extends Said {
  /** The section of `<configuration>` it belongs to. */
  readonly section: string;
  /** `FILE:LINE:COLUMN`. */
  readonly place: string;
  /** Places of parts: options and operations. */
  readonly marks: ReadonlyMap<XmlElement, string>;
}

/** `monitor rsc 10s:30s`: an operation to be added to a resource that stands elsewhere. */
export interface CrmMonitor {
  readonly resource: string;
  readonly operation: XmlElement;
  readonly place: string;
}

export interface CrmText {
  readonly objects: readonly CrmObject[];
  readonly monitors: readonly CrmMonitor[];
  readonly problems: readonly Problem[];
  /** Ids that statements with faults would have defined. */
  readonly failedIds: readonly string[];
}

interface StatementKind {
  readonly section: string;
  readonly read: (cursor: Cursor) => Said;
}

const ms: StatementKind = { section: "resources", read: (cursor) => readClone(cursor, "master") };
const target: StatementKind = { section: "acls", read: (cursor) => readAclTarget(cursor, "acl_target") };

/** Every statement of the language, but `xml` and `monitor`, which are no objects. */
const STATEMENTS: Readonly<Record<string, StatementKind>> = {
  node: { section: "nodes", read: readNode },
  primitive: { section: "resources", read: readPrimitive },
  rsc_template: { section: "resources", read: readTemplate },
  group: { section: "resources", read: readGroup },
  clone: { section: "resources", read: (cursor) => readClone(cursor, "clone") },
  ms,
  master: ms,
  bundle: { section: "resources", read: readBundle },
  location: { section: "constraints", read: readLocation },
  colocation: { section: "constraints", read: readColocation },
  collocation: { section: "constraints", read: readColocation },
  order: { section: "constraints", read: readOrder },
  rsc_ticket: { section: "constraints", read: readTicket },
  property: {
    section: "crm_config",
    read: (cursor) => readOptionSet(cursor, "cluster_property_set", "cib-bootstrap-options"),
  },
  rsc_defaults: { section: "rsc_defaults", read: (cursor) => readOptionSet(cursor, "meta_attributes", "rsc-options") },
  op_defaults: { section: "op_defaults", read: (cursor) => readOptionSet(cursor, "meta_attributes", "op-options") },
  tag: { section: "tags", read: readTag },
  fencing_topology: { section: "fencing-topology", read: readTopology },
  role: { section: "acls", read: readRole },
  user: target,
  acl_target: target,
  acl_group: { section: "acls", read: (cursor) => readAclTarget(cursor, "acl_group") },
  alert: { section: "alerts", read: readAlert },
};

export const STATEMENT_NAMES: readonly string[] = [...Object.keys(STATEMENTS), "monitor", "xml"];

const SECTION_OF: Readonly<Record<string, string>> = {
  node: "nodes",
  primitive: "resources",
  template: "resources",
  group: "resources",
  clone: "resources",
  master: "resources",
  bundle: "resources",
  rsc_location: "constraints",
  rsc_colocation: "constraints",
  rsc_order: "constraints",
  rsc_ticket: "constraints",
  cluster_property_set: "crm_config",
  tag: "tags",
  "fencing-topology": "fencing-topology",
  acl_role: "acls",
  acl_target: "acls",
  acl_group: "acls",
  acl_user: "acls",
  alert: "alerts",
};

/** An `xml` statement: an object, or a whole `rsc_defaults`/`op_defaults` section with its sets. */
function readRaw(cursor: Cursor, raw: string): { section: string; element: XmlElement }[] {
  const read = parseXml(raw);
  const place = placeOf(cursor, cursor.tokens[0]);
  const refuse = (reason: string, remedy: string) => new SyntaxFault({ severity: "error", place, reason, remedy });
  if (read.kind === "not-xml")
    throw refuse(`the xml is broken in its line ${read.line}: ${read.reason}`, "write one whole element");
  const { root } = read;
  if (root.name === "rsc_defaults" || root.name === "op_defaults")
    return root.children.map((element) => ({ section: root.name, element }));
  const section = entryOf(SECTION_OF, root.name);
  if (section === undefined)
    throw refuse(`<${root.name}> is no object of a configuration`, "write a resource, a constraint, a node or options");
  if (root.attributes["id"] === undefined && root.name !== "fencing-topology")
    throw refuse(`<${root.name}> has no id`, 'add id="..."');
  return [{ section, element: root }];
}

function readStatement(statement: Statement, source: string): { objects: CrmObject[]; monitors: CrmMonitor[] } {
  const [keyword] = statement.tokens;
  const cursor = openCursor(statement, source);
  const place = placeOf(cursor, keyword);
  if (statement.raw !== undefined)
    return {
      objects: readRaw(cursor, statement.raw).map((said) => ({ ...said, place, marks: cursor.marks })),
      monitors: [],
    };
  if (keyword.text === "monitor") return { objects: [], monitors: [{ ...readMonitor(cursor), place }] };
  // `commit` ends the examples that people paste; a loaded text is committed as a whole anyhow.
  if (keyword.text === "commit" && cursor.tokens.length === 1) return { objects: [], monitors: [] };
  const kind = entryOf(STATEMENTS, keyword.text);
  if (kind === undefined) {
    const near = nearestName(keyword.text, STATEMENT_NAMES);
    throw new SyntaxFault({
      severity: "error",
      place,
      reason: `"${keyword.text}" begins no statement`,
      remedy: near === undefined ? `begin with one of ${STATEMENT_NAMES.join(", ")}` : `write ${near}`,
    });
  }
  const said = kind.read(cursor);
  finish(cursor, "nothing more");
  return { objects: [{ ...said, section: kind.section, place, marks: cursor.marks }], monitors: [] };
}

const isLikeStatement = (keyword: string) => nearestName(keyword, [...STATEMENT_NAMES, "commit"]) !== undefined;

/** Of a picture or a letter each line would be told of, and none would help. */
function isNoConfiguration(source: string): Problem {
  const reason = "the text is neither XML nor crm syntax: no line of it begins a statement";
  return { severity: "error", place: source, reason, remedy: "is this the right file? Give a configuration" };
}

/** Never throws on bad input; `source` names the text in places. */
export function parseCrm(text: string, source: string): CrmText {
  const problems: Problem[] = [];
  const objects: CrmObject[] = [];
  const monitors: CrmMonitor[] = [];
  const failedIds: string[] = [];
  const statements = readStatements(text, source, problems);
  const hasStatements = statements.some(({ tokens: [keyword] }) => isLikeStatement(keyword.text));
  if (text.includes("\0") || (statements.length > 1 && !hasStatements))
    return { objects, monitors, problems: [isNoConfiguration(source)], failedIds };
  for (const statement of statements) {
    try {
      const read = readStatement(statement, source);
      objects.push(...read.objects);
      monitors.push(...read.monitors);
    } catch (error) {
      if (!(error instanceof SyntaxFault)) throw error;
      problems.push(error.problem);
      const id = statement.tokens[1]?.text;
      if (id !== undefined) failedIds.push(id);
    }
  }
  return { objects, monitors, problems, failedIds };
}
