/**
 * `configure simulate` (`ptest`) and the cibstatus level: what the cluster would do with the working copy, also if its
 * nodes stood otherwise. Nothing is sent anywhere. Facts: crm(8), levels configure and cibstatus; crm_simulate(8).
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { entryOf } from "../../base/record.ts";
import { parseXml, printXml, type XmlElement } from "../../base/xml.ts";
import { runTool } from "./borrowed.ts";
import { askManager, EXIT, fetchRunning, type Session, tellReply } from "./session.ts";

export const CIBSTATUS_WORDS = [
  "show",
  "node",
  "op",
  "ticket",
  "quorum",
  "load",
  "save",
  "origin",
  "simulate",
  "run",
] as const;

/** The CIB with the working copy in it; the exit code when there is none. */
async function suppositional(session: Session): Promise<XmlElement | number> {
  const { supposed } = session;
  const working = await fetchRunning(session);
  if (typeof working === "number") return working;
  let text: string | undefined;
  if (supposed.file === undefined) {
    const reply = await askManager(session, { kind: "cib-query" });
    if (reply.kind !== "answer") return tellReply(session, reply);
    text = reply.value.xml;
  } else text = session.terminal.readText(supposed.file);
  if (text === undefined) return EXIT.noInput;
  const read = parseXml(text);
  if (read.kind === "not-xml") {
    session.terminal.err(`crm: line ${read.line}: not XML: ${read.reason}\n`);
    return EXIT.config;
  }
  const children = read.root.children.map((child) => (child.name === "configuration" ? working : child));
  return { ...read.root, children };
}

/** Verbosity and pictures of old are words without effect here. */
const IDLE = /^(?:nograph|graph|v+|actions)$/;

/** The exit code; -1 for a wrong call. */
export async function simulate(session: Session, words: readonly string[]): Promise<number> {
  const flags = words.flatMap((word) => {
    if (word === "scores") return ["-s"];
    return word === "utilization" ? ["-U"] : IDLE.test(word) ? [] : [word];
  });
  if (flags.some((flag) => !flag.startsWith("-"))) return -1;
  const cib = await suppositional(session);
  if (typeof cib === "number") return cib;
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-simulate-"));
  try {
    const file = path.join(folder, "cib.xml");
    // The configuration may hold passwords.
    writeFileSync(file, printXml(cib), { mode: 0o600 });
    return await runTool(session, ["crm_simulate", "-x", file, "-S", ...flags, ...session.supposed.flags]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const NODE_FLAGS: Readonly<Record<string, string>> = { online: "-u", offline: "-d", unclean: "-f" };
const TICKET_FLAGS: Readonly<Record<string, string>> = { granted: "-g", revoked: "-r", standby: "-b", activated: "-e" };

/** `op OPERATION RESOURCE CODE [NODE]`, as crm_simulate writes it. */
function operationFlag([operation = "", resource = "", code = "", node]: readonly string[]): string[] | undefined {
  const [, task = "", interval = "0"] = /^([a-z_-]+?)(?::(\d+)(?:s|ms)?)?$/.exec(operation) ?? [];
  if (task === "" || resource === "" || !/^\d+$/.test(code) || node === undefined) return undefined;
  return ["-i", `${resource}_${task}_${interval}@${node}=${code}`];
}

function suppose(verb: string, words: readonly string[]): string[] | undefined {
  const [first = "", second = ""] = words;
  const state =
    verb === "node" ? entryOf(NODE_FLAGS, second) : verb === "ticket" ? entryOf(TICKET_FLAGS, second) : undefined;
  if (state !== undefined && first !== "") return [state, first];
  if (verb === "quorum" && ["true", "false"].includes(first)) return ["-q", first === "true" ? "1" : "0"];
  return verb === "op" ? operationFlag(words) : undefined;
}

/** The exit code; -1 for a wrong call. */
export async function runCibStatus(session: Session, words: readonly string[]): Promise<number> {
  const [verb = "", ...rest] = words;
  const { terminal, supposed } = session;
  if (verb === "simulate" || verb === "run") return await simulate(session, rest);
  if (verb === "origin" || verb === "show") {
    terminal.out(`${supposed.file ?? "live"}${supposed.flags.map((flag) => ` ${flag}`).join("")}\n`);
    return EXIT.done;
  }
  if (verb === "load") {
    const [file] = rest;
    if (file === undefined) return -1;
    supposed.file = file === "live" ? undefined : file;
    supposed.flags = [];
    return EXIT.done;
  }
  if (verb === "save") {
    const [file] = rest;
    if (file === undefined) return -1;
    const cib = await suppositional(session);
    if (typeof cib === "number") return cib;
    return terminal.writeText(file, printXml(cib)) ? EXIT.done : EXIT.failed;
  }
  const flags = suppose(verb, rest);
  if (flags === undefined) return -1;
  supposed.flags = [...supposed.flags, ...flags];
  return EXIT.done;
}
