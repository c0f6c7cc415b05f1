/**
 * Where the history level of the crm shell has its story from: the nodes of the cluster, or a report that was made of
 * them (`gemel report`, as a directory or packed). Fact: crm(8), history source.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { XmlElement } from "../../base/xml.ts";
import { maskText, secretsOf } from "../../cluster/core/report/mask.ts";
import {
  type Happening,
  readLogLine,
  type Told,
  tellTimeline,
  type Window,
} from "../../cluster/core/report/timeline.ts";
import { readWritten } from "../commands/happenings.ts";
import { storyLines } from "../commands/timeline.ts";
import { inOperatorsWords } from "../japanese/translate.ts";
import { fitted } from "../live-view.ts";
import { operatorsLanguage } from "../operators-language.ts";
import { EXIT, type Session } from "./session.ts";

export interface Past {
  readonly happenings: readonly Happening[];
  /** Lines as each node wrote them. */
  readonly logs: ReadonlyMap<string, readonly string[]>;
  readonly missing: readonly string[];
  readonly secrets: readonly string[];
  /** Undefined of a report. */
  readonly cib: XmlElement | undefined;
  /** The node that leads now; undefined of a report. */
  readonly dc: string | undefined;
}

const LOG = "log.txt";

/** `REPORT/NODE/log.txt`, or the same one directory further down, as an archive is unpacked. */
function logsBelow(directory: string, depth = 2): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const { name } of readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    const below = path.join(directory, name);
    if (readdirSync(below).includes(LOG)) found.set(name, readFileSync(path.join(below, LOG), "utf8").split("\n"));
    else if (depth > 1) for (const [node, lines] of logsBelow(below, depth - 1)) found.set(node, lines);
  }
  return found;
}

function readReport(source: string): ReadonlyMap<string, readonly string[]> {
  if (statSync(source).isDirectory()) return logsBelow(source);
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-history-"));
  try {
    const { status, stderr, error } = spawnSync("tar", ["-C", folder, "-xf", source], { encoding: "utf8" });
    if (status !== 0) throw error ?? new Error(`${source}: ${stderr.trim()}`);
    return logsBelow(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The exit code when nothing can be read (told already). */
export async function readPast({ history, socketPath, terminal }: Session): Promise<Past | number> {
  const { source } = history;
  if (source === undefined) {
    const written = await readWritten("crm", socketPath);
    if (typeof written === "number") return written;
    const { happenings, logs, missing, cib, status } = written;
    return { happenings, logs, missing, cib, secrets: secretsOf(cib), dc: status.nodes.find(({ isDc }) => isDc)?.name };
  }
  try {
    const logs = readReport(source);
    const happenings = [...logs].flatMap(([node, lines]) =>
      lines.flatMap((line) => readLogLine(node, line, (text) => Date.parse(text)) ?? []),
    );
    const missing = logs.size === 0 ? [`${source}: no log of a node is in it`] : [];
    return { happenings, logs, missing, secrets: [], cib: undefined, dc: undefined };
  } catch (error) {
    terminal.err(`crm: ${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.noInput;
  }
}

/** The story within the settings, of what `isWanted`. */
export function storyOf(session: Session, past: Past, within: Window, isWanted: (told: Told) => boolean): Told[] {
  const { excluded, detail } = session.history;
  const patterns = excluded.map((pattern) => new RegExp(pattern));
  const loud = past.happenings.filter(({ severity }) => detail === 1 || severity !== "info");
  return tellTimeline(loud, within)
    .filter((one) => isWanted(one) && !patterns.some((pattern) => pattern.test(one.text)))
    .map((one) => ({ ...one, text: maskText(one.text, past.secrets) }));
}

export function tellStory({ terminal }: Session, past: Past, story: readonly Told[]): number {
  const lines = storyLines(story, operatorsLanguage());
  if (lines.length > 0) terminal.out(fitted(`${lines.join("\n")}\n`));
  for (const reason of past.missing) terminal.err(`crm: without ${inOperatorsWords(reason)}\n`);
  return EXIT.done;
}
