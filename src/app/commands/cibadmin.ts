/**
 * `gemel cibadmin`, also `cibadmin`: queries and changes of the CIB as XML. Changes are computed on the CIB that was
 * fetched and sent with its version, so that they never undo another's.
 * Facts: cibadmin(8); exit codes and results of cibadmin 2.1.5 on CIB files. Where ours differ on purpose: no schema
 * errors are printed but our own; XML that is not well-formed is refused, not guessed; a section that is not there is
 * refused, where Debian's answers with everything.
 */
import process from "node:process";
import { entryOf } from "../../base/record.ts";
import { parseXml, printXml, type XmlElement, xml } from "../../base/xml.ts";
import { elementAt, searchPaths, type TreePath } from "../../base/xml-path.ts";
import { emptyConfiguration } from "../../cib/crm-syntax/apply.ts";
import { upgradeCib } from "../../cib/upgrade/to-three.ts";
import { diskDigest, versionedDigest } from "../../cluster/core/cib-store/cib-digest.ts";
import { applyPatch } from "../../cluster/core/cib-store/patch-set.ts";
import {
  create,
  type Edited,
  findSection,
  modify,
  type Place,
  remove,
  replace,
} from "../../cluster/core/cib-store/xml-edit.ts";
import { readCommandLine } from "../control-client.ts";
import { terminal } from "../crm/terminal.ts";
import { EXIT, FIELD_EXIT, fetchCib, wrongCall } from "./ask.ts";
import { type CibChange, changeWholeCib } from "./cib-edit.ts";

const USAGE =
  "cibadmin -Q [-o SECTION | -A XPATH [-e]] [-n] | -a | -5|-6 (XML) | -B | -u -f | -E -f | -P (XML)\n" +
  "       cibadmin -C|-M|-R|-D|-d [-o SECTION | -A XPATH] [-c] (XML)   XML: -x FILE | -X TEXT | -p";

const FLAGS = {
  query: { type: "boolean", short: "Q" },
  replace: { type: "boolean", short: "R" },
  create: { type: "boolean", short: "C" },
  modify: { type: "boolean", short: "M" },
  patch: { type: "boolean", short: "P" },
  delete: { type: "boolean", short: "D" },
  "delete-all": { type: "boolean", short: "d" },
  erase: { type: "boolean", short: "E" },
  bump: { type: "boolean", short: "B" },
  upgrade: { type: "boolean", short: "u" },
  empty: { type: "boolean", short: "a" },
  "md5-sum": { type: "boolean", short: "5" },
  "md5-sum-versioned": { type: "boolean", short: "6" },
  scope: { type: "string", short: "o" },
  xpath: { type: "string", short: "A" },
  "node-path": { type: "boolean", short: "e" },
  "xml-file": { type: "string", short: "x" },
  "xml-text": { type: "string", short: "X" },
  "xml-pipe": { type: "boolean", short: "p" },
  "no-children": { type: "boolean", short: "n" },
  "allow-create": { type: "boolean", short: "c" },
  force: { type: "boolean", short: "f" },
  // What is asked of the cluster is the same at every node, and is always waited for: accepted, and of no effect.
  local: { type: "boolean", short: "l" },
  "sync-call": { type: "boolean", short: "s" },
  node: { type: "string", short: "N" },
  timeout: { type: "string", short: "t" },
  verbose: { type: "boolean", short: "V" },
  // Refused with a reason.
  user: { type: "string", short: "U" },
  "show-access": { type: "boolean", short: "S" },
} as const;
const ACTIONS = [
  "query",
  "replace",
  "create",
  "modify",
  "patch",
  "delete",
  "delete-all",
  "erase",
  "bump",
  "upgrade",
  "empty",
  "md5-sum",
  "md5-sum-versioned",
] as const;
type Action = (typeof ACTIONS)[number];

/** They can destroy a cluster with one word. */
const DANGEROUS: readonly Action[] = ["erase", "upgrade", "delete-all"];

interface Call {
  readonly socketPath: string;
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  readonly place: Place;
  readonly given: XmlElement | undefined;
}

function fail(text: string, code: number): number {
  process.stderr.write(`cibadmin: ${text}\n`);
  return code;
}

const NOTHING = "No such device or address";

/** `/cib/configuration/resources/primitive[@id='a']`. */
function pathText(root: XmlElement, path: TreePath): string {
  return [[], ...path.map((_, end) => path.slice(0, end + 1))]
    .map((at) => {
      const { name = "", attributes: { id } = {} } = elementAt(root, at) ?? {};
      return id === undefined ? `/${name}` : `/${name}[@id='${id}']`;
    })
    .join("");
}

async function query({ socketPath, flags, place }: Call): Promise<number> {
  const cib = await fetchCib("cibadmin", socketPath);
  if (typeof cib === "number") return cib;
  const { scope = "cib", xpath } = place;
  const section = scope === "all" ? [] : findSection(cib, scope);
  const searched = xpath === undefined ? undefined : searchPaths(cib, xpath);
  if (searched?.kind === "not-xpath")
    return fail(`${xpath ?? ""} is not understood: ${searched.reason}`, FIELD_EXIT.notFound);
  const found = searched?.paths ?? (section === undefined ? [] : [section]);
  if (found.length === 0)
    return fail(xpath === undefined ? `there is no section ${scope}` : NOTHING, FIELD_EXIT.notFound);
  if (flags["node-path"] === true) {
    for (const path of found) terminal.out(`${pathText(cib, path)}\n`);
    return EXIT.done;
  }
  const elements = found.flatMap((at) => elementAt(cib, at) ?? []);
  const shown = flags["no-children"] === true ? elements.map((element) => ({ ...element, children: [] })) : elements;
  const [only, ...more] = shown;
  if (only !== undefined) terminal.out(printXml(more.length === 0 ? only : xml("xpath-query", {}, shown)));
  return EXIT.done;
}

/** What cibadmin 2.1.5 writes. */
const NEWEST_SCHEMA = "pacemaker-3.9";

function emptyCib(): XmlElement {
  const sections = ["crm_config", "nodes", "resources", "constraints"];
  const configuration = { ...emptyConfiguration(), children: sections.map((name) => xml(name)) };
  const attributes = { crm_feature_set: "3.16.1", "validate-with": NEWEST_SCHEMA };
  return xml("cib", { ...attributes, epoch: "1", num_updates: "0", admin_epoch: "0" }, [configuration, xml("status")]);
}

const refused = (exitCode: number, ...reasons: readonly string[]): CibChange => ({
  kind: "refused",
  reasons,
  exitCode,
});

const EDIT_EXIT = {
  exists: FIELD_EXIT.exists,
  "not-found": FIELD_EXIT.notFound,
  "not-allowed": FIELD_EXIT.wrongValue,
} as const;

function toChange(edited: Edited): CibChange {
  if (edited.kind === "edited") return { kind: "changed", cib: edited.root };
  return refused(EDIT_EXIT[edited.kind], edited.reason);
}

const count = ({ attributes }: XmlElement, name: string, by: number) => ({
  [name]: String(Number(entryOf(attributes, name) ?? 0) + by),
});

function patched(cib: XmlElement, patch: XmlElement): CibChange {
  const result = applyPatch(cib, patch);
  if (result.kind === "patched") return { kind: "changed", cib: result.root };
  const { place, reason, remedy } = result.problem;
  return refused(result.kind === "stale" ? FIELD_EXIT.stale : FIELD_EXIT.invalid, `${place}: ${reason}; ${remedy}`);
}

/** The minor schemas from 3.0 on only add to one another: what is valid by one is by all later ones. */
function withNewestSchema(cib: XmlElement): XmlElement {
  const { "validate-with": schema = "" } = cib.attributes;
  const isOlder = /^pacemaker-3\.[0-8]$/.test(schema);
  return isOlder ? { ...cib, attributes: { ...cib.attributes, "validate-with": NEWEST_SCHEMA } } : cib;
}

type Make = (call: Call, cib: XmlElement) => CibChange;

/** For what cannot be done without XML. */
const withXml =
  (make: (given: XmlElement, call: Call, cib: XmlElement) => CibChange): Make =>
  (call, cib) =>
    call.given === undefined ? refused(EXIT.wrongCall, "give the XML: -x, -X or -p") : make(call.given, call, cib);

const deleting =
  (all: boolean): Make =>
  ({ place, given }, cib) =>
    given === undefined && place.xpath === undefined
      ? refused(EXIT.wrongCall, "say what to delete: XML (-x, -X or -p) or -A XPATH")
      : toChange(remove(cib, place, given, all));

/** What each action makes of the CIB; those that are not here do not change it. */
const CHANGES: Partial<Readonly<Record<Action, Make>>> = {
  bump: (_call, cib) => ({
    kind: "changed",
    cib: { ...cib, attributes: { ...cib.attributes, ...count(cib, "epoch", 1) } },
  }),
  upgrade: (_call, cib) => ({ kind: "changed", cib: withNewestSchema(upgradeCib(cib)) }),
  erase: (_call, cib) => {
    const attributes = { ...cib.attributes, ...count(cib, "admin_epoch", 1), num_updates: "0" };
    return { kind: "changed", cib: { ...emptyCib(), attributes } };
  },
  delete: deleting(false),
  "delete-all": deleting(true),
  create: withXml((given, { place }, cib) => toChange(create(cib, place, given))),
  modify: withXml((given, { place, flags }, cib) =>
    toChange(modify(cib, place, given, flags["allow-create"] === true)),
  ),
  replace: withXml((given, { place }, cib) => toChange(replace(cib, place, given))),
  patch: withXml((given, _call, cib) => patched(cib, given)),
};

async function carryOut(action: Action, call: Call): Promise<number> {
  const { socketPath, flags, given } = call;
  if (action === "query") return await query(call);
  if (action === "empty") {
    terminal.out(printXml(emptyCib()));
    return EXIT.done;
  }
  if (action === "md5-sum" || action === "md5-sum-versioned") {
    if (given === undefined) return wrongCall("cibadmin", "of which XML? -X, -x or -p", USAGE);
    process.stderr.write(action === "md5-sum" ? "Digest: " : "Versioned digest: ");
    terminal.out(`${action === "md5-sum" ? diskDigest(given) : versionedDigest(given)}\n`);
    return EXIT.done;
  }
  if (DANGEROUS.includes(action) && flags["force"] !== true)
    return fail(`--${action} can destroy the configuration; say --force as well`, FIELD_EXIT.unsafe);
  const make = CHANGES[action];
  if (make === undefined) return wrongCall("cibadmin", `--${action} changes nothing`, USAGE);
  const order = { tool: "cibadmin", socketPath, door: `cibadmin --${action}` };
  return await changeWholeCib({ ...order, tell: (text) => void fail(text, 0) }, (cib) => make(call, cib));
}

/** The XML that was given, if any; the exit code when it cannot be read. */
function readGiven(flags: Call["flags"]): XmlElement | undefined | number {
  const { "xml-file": file, "xml-text": inline, "xml-pipe": pipe } = flags;
  if (typeof inline !== "string" && typeof file !== "string" && pipe !== true) return undefined;
  const text = typeof inline === "string" ? inline : terminal.readText(typeof file === "string" ? file : "-");
  if (text === undefined) return FIELD_EXIT.invalid;
  const read = parseXml(text);
  return read.kind === "xml" ? read.root : fail(`line ${read.line}: not XML: ${read.reason}`, FIELD_EXIT.invalid);
}

/**
 * Exit codes: 0; 1 refused; 64 wrong call; 69 no manager; 78 not XML or no valid CIB; 103 patch of another version;
 * 70 cannot be deleted; 105 not found; 107 needs --force; 108 exists.
 */
export async function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(argv, FLAGS, 0);
  if (called.kind === "wrong") return wrongCall("cibadmin", called.reason, USAGE);
  const { flags, socketPath } = called;
  const [action, second] = ACTIONS.filter((name) => flags[name] === true);
  if (action === undefined) return wrongCall("cibadmin", "what shall be done?", USAGE);
  if (second !== undefined) return wrongCall("cibadmin", `--${action} and --${second} exclude each other`, USAGE);
  if (flags["user"] !== undefined || flags["show-access"] !== undefined)
    return wrongCall(
      "cibadmin",
      "rights are those of the caller: run it as that user (sudo -u USER cibadmin -Q)",
      USAGE,
    );
  const given = readGiven(flags);
  if (typeof given === "number") return given;
  const { scope, xpath } = flags;
  const place = {
    ...(typeof scope === "string" ? { scope } : {}),
    ...(typeof xpath === "string" ? { xpath } : {}),
  };
  return await carryOut(action, { socketPath, flags, place, given });
}
