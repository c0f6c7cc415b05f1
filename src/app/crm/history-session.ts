/**
 * `history session`: what is looked at, kept under a name for another day, and packed for whoever helps. What a cluster
 * has forgotten by then is only in what was packed. Fact: crm(8), history session.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import * as v from "valibot";
import { runTool } from "./borrowed.ts";
import { EXIT, type HistorySettings, type Session } from "./session.ts";

const folder = () => path.join(homedir(), ".gemel_crm_sessions");
const fileOf = (name: string) => path.join(folder(), `${name}.json`);
const NAME = /^[\w-]+$/;

/** The session that the terminal is in, to be written anew by `update`. */
const current = new WeakMap<Session, string>();

const words = ({ from, to, source, excluded, detail }: HistorySettings) =>
  [
    `source ${source ?? "live"}`,
    ...(from === undefined ? [] : [`limit ${[from, ...(to === undefined ? [] : [to])].join(" ")}`]),
    ...excluded.map((pattern) => `exclude ${pattern}`),
    `detail ${detail}`,
  ].join("\n");

const KEPT = v.object({
  from: v.optional(v.string()),
  to: v.optional(v.string()),
  source: v.optional(v.string()),
  excluded: v.array(v.string()),
  detail: v.picklist([0, 1]),
});

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function save(session: Session, name: string): number {
  mkdirSync(folder(), { recursive: true, mode: 0o700 });
  writeFileSync(fileOf(name), `${JSON.stringify({ ...session.history, read: undefined })}\n`, { mode: 0o600 });
  current.set(session, name);
  return EXIT.done;
}

function load(session: Session, name: string): number {
  const told = v.safeParse(KEPT, readJson(fileOf(name)));
  if (!told.success) {
    session.terminal.err(`crm: ${fileOf(name)} holds no history session\n`);
    return EXIT.failed;
  }
  const { from, to, source, excluded, detail } = told.output;
  const { history } = session;
  [history.from, history.to, history.source] = [from, to, source];
  [history.excluded, history.detail] = [excluded, detail];
  current.set(session, name);
  return EXIT.done;
}

/** A report of the period, which another day and another machine can read: `history source FILE`. */
async function pack(session: Session, name: string | undefined): Promise<number> {
  const { from, to, source } = session.history;
  if (source !== undefined) {
    session.terminal.err(`crm: ${source} is a report already\n`);
    return EXIT.failed;
  }
  const period = ["-f", from ?? "1h", ...(to === undefined ? [] : ["-t", to])];
  return await runTool(session, ["report", ...period, ...(name === undefined ? [] : [name])]);
}

function names(): readonly string[] {
  try {
    return readdirSync(folder()).flatMap((file) => (file.endsWith(".json") ? [file.slice(0, -".json".length)] : []));
  } catch {
    // Nobody has saved one.
    return [];
  }
}

/** The exit code; -1 for a wrong call. */
export async function runHistorySession(session: Session, [verb, name, ...more]: readonly string[]): Promise<number> {
  const { terminal, history } = session;
  if (more.length > 0 || (name !== undefined && !NAME.test(name) && verb !== "pack")) return -1;
  if (verb === undefined) {
    terminal.out(`${words(history)}\n`);
    return EXIT.done;
  }
  if (verb === "pack") return await pack(session, name);
  if (verb === "list" && name === undefined) {
    for (const one of names().toSorted()) terminal.out(`${one}\n`);
    return EXIT.done;
  }
  const meant = verb === "update" ? (name ?? current.get(session)) : name;
  if (meant === undefined || !["save", "load", "delete", "update"].includes(verb)) return -1;
  if (verb !== "save" && !names().includes(meant)) {
    terminal.err(`crm: there is no history session ${meant}; history session list tells which there are\n`);
    return EXIT.failed;
  }
  if (verb === "load") return load(session, meant);
  if (verb === "delete") {
    rmSync(fileOf(meant));
    return EXIT.done;
  }
  return save(session, meant);
}
