/**
 * `gemel crm-shadow`, also `crm_shadow`: copies of the CIB to try things on. With CIB_shadow=NAME in the environment
 * all commands work on the copy; `--commit` brings it into force. Facts: crm_shadow(8).
 */
import { existsSync, rmSync } from "node:fs";
import process from "node:process";
import { childOf, parseXml, printXml, type XmlElement } from "../../base/xml.ts";
import { emptyConfiguration } from "../../cib/crm-syntax/apply.ts";
import { diffTrees } from "../../cluster/core/cib-store/diff.ts";
import { askFile, shadowFile, writeCibFile } from "../cib-door.ts";
import { askControl, readCommandLine } from "../control-client.ts";
import { askOrTell, EXIT, FIELD_EXIT, fetchCib, refusedFlag, wrongCall } from "./ask.ts";

const USAGE = "crm_shadow -w | -p | -F | -d | -c NAME | -e NAME | -r NAME | -C NAME --force | -D NAME --force";
export const FLAGS = {
  which: { type: "boolean", short: "w" },
  display: { type: "boolean", short: "p" },
  file: { type: "boolean", short: "F" },
  diff: { type: "boolean", short: "d" },
  create: { type: "string", short: "c" },
  "create-empty": { type: "string", short: "e" },
  reset: { type: "string", short: "r" },
  commit: { type: "string", short: "C" },
  delete: { type: "string", short: "D" },
  force: { type: "boolean", short: "f" },
  batch: { type: "boolean", short: "b" },
  edit: { type: "boolean", short: "E" },
  switch: { type: "string", short: "s" },
  all: { type: "boolean", short: "a" },
  "validate-with": { type: "string", short: "v" },
  verbose: { type: "boolean", short: "V" },
} as const;
function complain(text: string, code: number): number {
  process.stderr.write(`crm_shadow: ${text}\n`);
  return code;
}

function readShadow(name: string): XmlElement | number {
  const reply = askFile(shadowFile(name), { kind: "cib-query" });
  if (reply.kind !== "answer") return complain(`there is no shadow ${name}`, FIELD_EXIT.notFound);
  const { xml } = reply.value as { readonly xml: string };
  const read = parseXml(xml);
  return read.kind === "xml" ? read.root : complain(`the shadow ${name} is not XML`, EXIT.refused);
}

/** The running cluster, whatever CIB_shadow says. */
async function live(socketPath: string): Promise<XmlElement | number> {
  const { CIB_shadow: shadow } = process.env;
  delete process.env.CIB_shadow;
  const cib = await fetchCib("crm_shadow", socketPath);
  if (shadow !== undefined) process.env.CIB_shadow = shadow;
  return cib;
}

async function create(socketPath: string, name: string, isNew: boolean, isForced: boolean): Promise<number> {
  const file = shadowFile(name);
  if (isNew && existsSync(file) && !isForced)
    return complain(`the shadow ${name} exists already; -f, or -r`, FIELD_EXIT.exists);
  if (!isNew && !existsSync(file)) return complain(`there is no shadow ${name}`, FIELD_EXIT.notFound);
  const cib = await live(socketPath);
  if (typeof cib === "number") return cib;
  writeCibFile(file, cib);
  process.stdout.write(`A new shadow instance was created. To begin using it, enter:\n  export CIB_shadow=${name}\n`);
  return EXIT.done;
}

function createEmpty(name: string, isForced: boolean): number {
  const file = shadowFile(name);
  if (existsSync(file) && !isForced) return complain(`the shadow ${name} exists already; -f, or -r`, FIELD_EXIT.exists);
  const attributes = { admin_epoch: "0", epoch: "0", num_updates: "0", "validate-with": "pacemaker-3.10" };
  const status: XmlElement = { name: "status", attributes: {}, children: [] };
  writeCibFile(file, { name: "cib", attributes, children: [emptyConfiguration(), status] });
  process.stdout.write(`A new shadow instance was created. To begin using it, enter:\n  export CIB_shadow=${name}\n`);
  return EXIT.done;
}

/** Only when nobody has changed the configuration since the copy was made; `--force` puts it in force all the same. */
async function commit(socketPath: string, name: string, isForced: boolean): Promise<number> {
  if (!isForced) return complain("--commit changes the running cluster: say --force", EXIT.wrongCall);
  const shadow = readShadow(name);
  if (typeof shadow === "number") return shadow;
  const configuration = childOf(shadow, "configuration");
  if (configuration === undefined) return complain("the shadow holds no configuration", EXIT.refused);
  const door = `crm_shadow --commit ${name}`;
  const request = { kind: "cib-apply", mode: "replace", xml: printXml(configuration), door } as const;
  const reply = await askControl(socketPath, request);
  if (reply.kind === "answer") return EXIT.done;
  const reasons = reply.kind === "refused" ? reply.problems.map(({ reason }) => reason).join("; ") : reply.reason;
  return complain(reasons, reply.kind === "refused" ? EXIT.refused : FIELD_EXIT.disconnected);
}

async function compare(socketPath: string, name: string): Promise<number> {
  const shadow = readShadow(name);
  if (typeof shadow === "number") return shadow;
  const cib = await live(socketPath);
  if (typeof cib === "number") return cib;
  const [before, after] = [childOf(cib, "configuration"), childOf(shadow, "configuration")];
  const lines = before === undefined || after === undefined ? [] : diffTrees(before, after);
  for (const line of lines) process.stdout.write(`${line}\n`);
  return lines.length === 0 ? EXIT.done : EXIT.refused;
}

/** Exit codes: 0; 1 refused, or a difference; 64 wrong call; 69 no manager; 105 no such shadow; 108 exists. */
export async function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(argv, FLAGS);
  if (called.kind === "wrong") return wrongCall("crm_shadow", called.reason, USAGE);
  const { socketPath, flags } = called;
  const refused = refusedFlag(flags, {
    all: "the status is what the nodes see, and is not put in force from a copy",
    "validate-with": "copies are of the newest schema",
    edit: "edit it with: cibadmin -Q > FILE, then cibadmin -R -x FILE; or crm configure edit",
  });
  if (refused !== undefined) return wrongCall("crm_shadow", refused, USAGE);
  const isForced = flags.force === true;
  if (typeof flags.switch === "string") {
    if (!existsSync(shadowFile(flags.switch)))
      return complain(`there is no shadow ${flags.switch}`, FIELD_EXIT.notFound);
    process.stdout.write(`To switch to it, enter:\n  export CIB_shadow=${flags.switch}\n`);
    return EXIT.done;
  }
  if (typeof flags.create === "string") return await create(socketPath, flags.create, true, isForced);
  if (typeof flags.reset === "string") return await create(socketPath, flags.reset, false, true);
  if (typeof flags["create-empty"] === "string") return createEmpty(flags["create-empty"], isForced);
  if (typeof flags.commit === "string") return await commit(socketPath, flags.commit, isForced);
  if (typeof flags.delete === "string") {
    if (!isForced) return complain("--delete: say --force", EXIT.wrongCall);
    if (!existsSync(shadowFile(flags.delete)))
      return complain(`there is no shadow ${flags.delete}`, FIELD_EXIT.notFound);
    rmSync(shadowFile(flags.delete));
    return EXIT.done;
  }
  const name = process.env.CIB_shadow;
  if (name === undefined || name === "")
    return complain("no shadow is in use: export CIB_shadow=NAME", FIELD_EXIT.notFound);
  if (flags.which === true) process.stdout.write(`${name}\n`);
  else if (flags.file === true) process.stdout.write(`${shadowFile(name)}\n`);
  else if (flags.diff === true) return await compare(socketPath, name);
  else if (flags.display === true) {
    const asked = await askOrTell("crm_shadow", socketPath, { kind: "cib-query" });
    if (asked.kind === "failed") return asked.exitCode;
    process.stdout.write(`${asked.value.xml}\n`);
  } else return wrongCall("crm_shadow", "what shall be done?", USAGE);
  return EXIT.done;
}
