/**
 * Our scheduler beside crm_simulate, as a black box, on one CIB: where their transitions or reports differ.
 * Needs Debian's pacemaker-cli-utils; `isPeerInstalled` tells.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { clockOf } from "../../src/app/commands/simulate-batch.ts";
import { simulateCase } from "../../src/app/commands/simulate-report.ts";
import { parseXml, printXml, type XmlElement } from "../../src/base/xml.ts";
import { normalForm } from "./transition-normal-form.ts";

export interface Outputs {
  readonly graph: string;
  readonly picture: string;
  readonly report: string;
}

export function isPeerInstalled(): boolean {
  return spawnSync("crm_simulate", ["--version"], { stdio: "ignore" }).status === 0;
}

/** A hang of the peer is its own matter: such a CIB is no case. */
const PEER_WAIT_MS = 20_000;

/** What crm_simulate makes of it; `undefined` when it refuses the CIB or gives up. */
export function askPeer(cib: string): Outputs | undefined {
  const work = mkdtempSync(path.join(os.tmpdir(), "gemel-peer-"));
  const file = (name: string) => path.join(work, name);
  try {
    writeFileSync(file("cib.xml"), cib);
    const argv = ["-x", file("cib.xml"), "-S", "-D", file("dot"), "-G", file("graph")];
    const env = { PATH: process.env["PATH"] ?? "", LC_ALL: "C", CIB_shadow_dir: work };
    const { status, stdout } = spawnSync("crm_simulate", argv, { encoding: "utf8", timeout: PEER_WAIT_MS, env });
    if (status !== 0) return undefined;
    return { graph: readFileSync(file("graph"), "utf8"), picture: readFileSync(file("dot"), "utf8"), report: stdout };
  } finally {
    rmSync(work, { recursive: true });
  }
}

function parse(text: string): XmlElement {
  const read = parseXml(text);
  if (read.kind === "not-xml") throw new Error(`line ${read.line}: ${read.reason}`);
  return read.root;
}

export function askOurs(cib: string): Outputs {
  const root = parse(cib);
  // The peer takes a CIB's execution-date for its clock.
  const { exp, dot, summary } = simulateCase(root, clockOf(root, undefined), undefined);
  return { graph: exp, picture: dot, report: summary };
}

/** Numbers of instances count only where the clone is globally unique. */
function numbersForgotten(cib: XmlElement): (key: string) => string {
  const unique: string[] = [];
  const visit = (element: XmlElement, inUnique: boolean) => {
    const own =
      element.name === "clone" &&
      /name="globally-unique" value="true"/.test(
        printXml({ ...element, children: element.children.filter(({ name }) => name === "meta_attributes") }),
      );
    if (inUnique && element.name === "primitive") unique.push(element.attributes["id"] ?? "");
    for (const child of element.children) visit(child, inUnique || own);
  };
  visit(cib, false);
  return (key) =>
    key.replaceAll(/([\w.-]+):\d+(?=[_\s"|]|$)/g, (whole, id: string) => (unique.includes(id) ? whole : id));
}

/** What a picture shows twice is there once: the peer draws each instance, though all go by one name. */
function blockedIn(picture: string, rename: (key: string) => string): string[] {
  return [...new Set(picture.split("\n"))]
    .filter(
      (line) =>
        line.trimStart().startsWith('"') && !line.includes("->") && !line.replaceAll(" ", "").includes("style=bold"),
    )
    .map((line) => rename(line.trim().replace(/"\s*\[.*/, "")))
    .sort();
}

/**
 * Debian's peer is older than the reference cases: these say `maintenance` where it says `unmanaged`, and
 * `unmigrateable` where it says `unrunnable` of what cannot be handed over (7-migrate-group-one-unmigratable).
 */
export const inOldWords = (report: string): string =>
  report.replaceAll("maintenance", "unmanaged").replaceAll("unmigrateable", "unrunnable");

const squeezed = (report: string) =>
  inOldWords(report)
    .split("\n")
    .map((line) => line.replaceAll(/\s/g, ""))
    .filter(Boolean);

function differing(what: string, ours: readonly string[], theirs: readonly string[]): string[] {
  const count = (list: readonly string[]) => {
    const counts = new Map<string, number>();
    for (const each of list) counts.set(each, (counts.get(each) ?? 0) + 1);
    return counts;
  };
  const [mine, other] = [count(ours), count(theirs)];
  const more = (a: Map<string, number>, b: Map<string, number>) =>
    [...a].filter(([key, n]) => n > (b.get(key) ?? 0)).map(([key]) => key);
  return [
    ...more(other, mine).map((key) => `missing ${what} ${key}`),
    ...more(mine, other).map((key) => `surplus ${what} ${key}`),
  ];
}

export type Level = "actions" | "order" | "blocked" | "report";

export interface Difference {
  readonly level: Level;
  readonly lines: readonly string[];
}

/** The first level at which the two disagree, the gravest first; `undefined` when they agree in all. */
export function compare(cib: string, ours: Outputs, theirs: Outputs): Difference | undefined {
  const rename = numbersForgotten(parse(cib));
  const [mine, other] = [normalForm(parse(ours.graph), rename), normalForm(parse(theirs.graph), rename)];
  const actions = differing("action", mine.actions, other.actions);
  if (actions.length > 0) return { level: "actions", lines: actions };
  const order = differing("order", mine.pairs, other.pairs);
  if (order.length > 0) return { level: "order", lines: order };
  const blocked = differing("blocked", blockedIn(ours.picture, rename), blockedIn(theirs.picture, rename));
  if (blocked.length > 0) return { level: "blocked", lines: blocked };
  const [left, right] = [squeezed(ours.report), squeezed(theirs.report)];
  if (left.join("\n") === right.join("\n")) return undefined;
  const lines = differing("line", left, right);
  return { level: "report", lines: lines.length === 0 ? ["the lines of the report stand in another order"] : lines };
}
