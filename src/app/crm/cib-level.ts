/**
 * The cib level of the crm shell: shadow copies to try things on. `use NAME` makes the session work on the copy, `use`
 * or `use live` on the cluster again. Facts: crm(8), cib level.
 */
import { existsSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { childOf, parseXml, printXml, type XmlElement } from "../../base/xml.ts";
import { emptyConfiguration } from "../../cib/crm-syntax/apply.ts";
import { diffTrees } from "../../cluster/core/cib-store/diff.ts";
import { askFile, shadowFile, writeCibFile } from "../cib-door.ts";
import { askControl, type ControlReply } from "../control-client.ts";
import { asCib, askManager, EXIT, type Session, tellReply } from "./session.ts";

export const CIB_WORDS = ["new", "delete", "reset", "commit", "use", "diff", "list", "import"] as const;

function complain({ terminal }: Session, text: string): number {
  terminal.err(`crm: ${text}\n`);
  return EXIT.failed;
}

/** What the session had fetched was of another CIB. */
function forget(session: Session): void {
  session.running = undefined;
  session.working = undefined;
}

function parse(reply: ControlReply<unknown>): XmlElement | undefined {
  if (reply.kind !== "answer") return undefined;
  const read = parseXml((reply.value as { readonly xml: string }).xml);
  return read.kind === "xml" ? read.root : undefined;
}

/** The cluster's own CIB, whichever copy is in use. */
async function live(session: Session): Promise<XmlElement | undefined> {
  const { CIB_shadow: shadow } = process.env;
  delete process.env["CIB_shadow"];
  const reply = await askManager(session, { kind: "cib-query" });
  if (shadow !== undefined) process.env["CIB_shadow"] = shadow;
  if (reply.kind !== "answer") tellReply(session, reply);
  return parse(reply);
}

const shadow = (name: string) => parse(askFile(shadowFile(name), { kind: "cib-query" }));

async function create(session: Session, name: string, words: readonly string[]): Promise<number> {
  const isThere = existsSync(shadowFile(name));
  if (isThere && !words.includes("force")) return complain(session, `the copy ${name} exists already; add force`);
  const cib = words.includes("empty") ? asCib(emptyConfiguration()) : await live(session);
  if (cib === undefined) return EXIT.unavailable;
  writeCibFile(shadowFile(name), cib);
  return use(session, name);
}

/** `import FILE [NAME]`: the copy of a CIB file, in use; without a name it is called as the file. */
function bringIn(session: Session, file: string, given = path.basename(file).replace(/\.xml$/, "")): number {
  if (!/^[\w.-]+$/.test(given)) return -1;
  if (existsSync(shadowFile(given))) return complain(session, `the copy ${given} exists already; cib delete ${given}`);
  const text = session.terminal.readText(file);
  if (text === undefined) return EXIT.noInput;
  const read = parseXml(text);
  if (read.kind === "not-xml") return complain(session, `${file}: line ${read.line}: ${read.reason}`);
  if (read.root.name !== "cib") return complain(session, `${file} is no CIB`);
  writeCibFile(shadowFile(given), read.root);
  return use(session, given);
}

function use(session: Session, name: string | undefined): number {
  forget(session);
  if (name === undefined || name === "live") {
    delete process.env["CIB_shadow"];
    return EXIT.done;
  }
  if (!existsSync(shadowFile(name))) return complain(session, `there is no copy ${name}; cib new ${name} makes one`);
  process.env["CIB_shadow"] = name;
  return EXIT.done;
}

async function commit(session: Session, name: string): Promise<number> {
  const configuration = childOf(shadow(name), "configuration");
  if (configuration === undefined) return complain(session, `there is no copy ${name}`);
  const request = {
    kind: "cib-apply",
    mode: "replace",
    xml: printXml(configuration),
    door: `crm cib commit ${name}`,
  } as const;
  const reply = await askControl(session.socketPath, request);
  if (reply.kind !== "answer") return tellReply(session, reply);
  session.terminal.out(`the copy ${name} is in force: ${reply.value.version}\n`);
  return EXIT.done;
}

async function diff(session: Session, name: string): Promise<number> {
  const [before, after] = [childOf(await live(session), "configuration"), childOf(shadow(name), "configuration")];
  if (before === undefined || after === undefined) return complain(session, `there is no copy ${name}`);
  for (const line of diffTrees(before, after)) session.terminal.out(`${line}\n`);
  return EXIT.done;
}

function list(session: Session): number {
  const directory = path.dirname(shadowFile("x"));
  const names = existsSync(directory) ? readdirSync(directory).filter((name) => name.startsWith("shadow.")) : [];
  for (const name of names.toSorted()) session.terminal.out(`${name.slice("shadow.".length)}\n`);
  return EXIT.done;
}

/** The exit code; -1 for a wrong call. */
export async function runCib(session: Session, words: readonly string[]): Promise<number> {
  const [verb, given, ...rest] = words;
  if (verb === "list") return list(session);
  if (verb === "use") return use(session, given);
  if (verb === "import") return given === undefined || rest.length > 1 ? -1 : bringIn(session, given, rest[0]);
  const name = given ?? process.env["CIB_shadow"];
  if (verb === undefined || name === undefined || name === "" || /[/\0]/.test(name)) return -1;
  switch (verb) {
    case "new":
      return await create(session, name, rest);
    case "reset":
      return await create(session, name, ["force"]);
    case "commit":
      return await commit(session, name);
    case "diff":
      return await diff(session, name);
    case "delete":
      if (!existsSync(shadowFile(name))) return complain(session, `there is no copy ${name}`);
      rmSync(shadowFile(name));
      return process.env["CIB_shadow"] === name ? use(session, undefined) : EXIT.done;
    default:
      return -1;
  }
}
