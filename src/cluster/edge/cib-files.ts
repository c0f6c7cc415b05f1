/**
 * The CIB on disk: `cib.xml` and its sidecar `cib.json` (checksum, lineage, history), and the pair before as
 * `cib.previous.*`. A pair counts only when the checksum fits, so a torn or truncated file falls back to the previous
 * pair, and that is told. Written as temporary files, synced, renamed, directory synced: `write` resolves when a power
 * cut can no longer undo it. A conflict's loser is kept as `cib-conflict-*.xml`, earlier versions in `history/`.
 */
import { createHash } from "node:crypto";
import { link, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { formatProblem, type Problem, type Read } from "../../base/problem.ts";
import { childOf, parseXml, printXml, type XmlElement, xml } from "../../base/xml.ts";
import { loadConfiguration } from "../../cib/load.ts";
import { BLANK, compareVersion } from "../core/cib-store/lineage.ts";
import { FEATURE_SET, SCHEMA_VERSION } from "../core/cib-store/state.ts";
import type { CibConflict, CibVersion, HistoryEntry, StoredCib } from "../core/cib-store/types.ts";
import { createRefusalTeller } from "./refusal-teller.ts";
import { createSilence } from "./silence.ts";

export interface CibFiles {
  /** What the disk holds; undefined when it never held a CIB, or none can be read (told in `problems`). */
  readonly stored: StoredCib | undefined;
  readonly problems: readonly Problem[];
  /**
   * Resolves when it, or a newer one, is on disk. A disk that refuses is told and tried again, for ever: until then
   * nothing is acknowledged. Never rejects.
   */
  readonly write: (stored: StoredCib) => Promise<void>;
  /** How long the disk has been silent over what it was asked last, by our own turns; 0 while nothing is asked. */
  readonly silentMs: () => number;
  /** Why what was to be written could not be, for as long as that is so. */
  readonly refusal: () => string | undefined;
  /** Resolves with the name of the file. */
  readonly keepConflict: (conflict: CibConflict) => Promise<string>;
  /** The configuration of an earlier version (`ADMIN.EPOCH`); undefined when this node never had it, or no longer. */
  readonly readVersion: (version: string) => Promise<XmlElement | undefined>;
}

type Sidecar = Omit<StoredCib, "configuration"> & { readonly format: 1; readonly sha256: string };

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function readSidecar(text: string): Sidecar | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isSidecar = typeof value === "object" && value !== null && "format" in value && value.format === 1;
    // Our own file, whose checksum of the XML is compared next; its shape is that of this version.
    return isSidecar ? (value as Sidecar) : undefined;
  } catch {
    return undefined;
  }
}

const NAMES = ["cib", "cib.previous"];

interface Pair {
  readonly stored: StoredCib;
  readonly file: string;
  readonly sha256: string;
  /** Both of the newest names: only such a pair may become the previous one. */
  readonly isWhole: boolean;
}

/** The first pair whose checksum fits, whichever sidecar belongs to it after an interrupted write. */
async function readPair(directory: string): Promise<Pair | undefined> {
  const sidecars: { readonly name: string; readonly sidecar: Sidecar }[] = [];
  for (const name of NAMES) {
    const sidecar = readSidecar((await readIfThere(path.join(directory, `${name}.json`))) ?? "");
    if (sidecar !== undefined) sidecars.push({ name, sidecar });
  }
  for (const name of NAMES) {
    const file = path.join(directory, `${name}.xml`);
    const text = await readIfThere(file);
    const found = sidecars.find(({ sidecar }) => text !== undefined && sidecar.sha256 === sha256(text));
    const read = text === undefined || found === undefined ? undefined : parseXml(text);
    const configuration = read?.kind === "xml" ? childOf(read.root, "configuration") : undefined;
    if (found === undefined || configuration === undefined) continue;
    const { version, head, lineage, confirmedHead, quorateHead, quorateVersion, history } = found.sidecar;
    const isWhole = name === "cib" && found.name === "cib";
    const marks = { confirmedHead, quorateHead, quorateVersion };
    const { sha256: sum } = found.sidecar;
    return { stored: { version, head, lineage, ...marks, configuration, history }, file, sha256: sum, isWhole };
  }
  return undefined;
}

function document({ version, configuration }: Pick<StoredCib, "version" | "configuration">): string {
  const attributes = {
    "validate-with": SCHEMA_VERSION,
    crm_feature_set: FEATURE_SET,
    admin_epoch: String(version.adminEpoch),
    epoch: String(version.epoch),
    num_updates: "0",
  };
  return printXml(xml("cib", attributes, [configuration, xml("status")]));
}

/** Kept versions: as many as the history tells of, so that whatever it tells can be gone back to. */
const KEPT_MAX = 100;
const keptDirectory = (directory: string) => path.join(directory, "history");
const keptName = ({ adminEpoch, epoch }: CibVersion) => `${adminEpoch}.${epoch}.xml`;

/** Keeps what is about to be replaced. A disk that cannot do even that must not hold up the change itself. */
async function keepVersion(directory: string, version: CibVersion): Promise<void> {
  const kept = keptDirectory(directory);
  const target = path.join(kept, keptName(version));
  await rm(target, { force: true });
  await link(path.join(directory, "cib.xml"), target);
  const names = (await readdir(kept)).filter((name) => /^\d+\.\d+\.xml$/.test(name));
  const order = (name: string) => name.split(".").slice(0, 2).map(Number);
  names.sort((left, right) => {
    const [a, b] = [order(left), order(right)];
    return (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0);
  });
  for (const name of names.slice(0, -KEPT_MAX)) await rm(path.join(kept, name), { force: true });
}

/**
 * What this node had while it was apart from another whose changes went before its own: there those numbers mean
 * other versions, which are in force; the end of what is lost stands in the conflict's file. Ids of requests are never
 * used twice.
 */
function lostVersions(before: StoredCib, now: StoredCib): readonly string[] {
  const stands = new Set(now.history.map(({ requestId }) => requestId));
  const [oldest] = now.history;
  const isTold = ({ version }: HistoryEntry) => oldest !== undefined && compareVersion(version, oldest.version) > 0;
  return before.history
    .filter((entry) => isTold(entry) && !stands.has(entry.requestId))
    .map(({ version }) => keptName(version));
}

async function keepPassed(directory: string, { version, configuration }: StoredCib): Promise<void> {
  await writeSynced(path.join(keptDirectory(directory), keptName(version)), document({ version, configuration }));
}

function sidecarText(stored: StoredCib, sum: string): string {
  const { version, head, lineage, confirmedHead, quorateHead, quorateVersion, history } = stored;
  const marks = { confirmedHead, quorateHead, quorateVersion };
  const sidecar: Sidecar = { format: 1, sha256: sum, version, head, lineage, ...marks, history };
  return `${JSON.stringify(sidecar)}\n`;
}

/** The same content, of which more is known: that it was confirmed. The XML stays, and so does its pair before. */
async function writeSidecar(directory: string, stored: StoredCib, sum: string, onStep: () => void): Promise<void> {
  const file = path.join(directory, "cib.json");
  await writeSynced(`${file}.new`, sidecarText(stored, sum));
  onStep();
  await rename(`${file}.new`, file);
  await syncDirectory(directory);
}

/**
 * Resolves with the checksum. `onStep`: each file is asked of the disk by itself; a slow disk that answers at all is
 * not a dead one. All is asked together, since whoever waits for an acknowledgement waits for the disk. `keep` puts
 * aside what is to be replaced; undefined where that is not worth keeping.
 */
async function writePair(
  directory: string,
  stored: StoredCib,
  keep: (() => Promise<unknown>) | undefined,
  onStep: () => void,
): Promise<string> {
  const at = (name: string) => path.join(directory, name);
  const text = document(stored);
  const sum = sha256(text);
  await Promise.all([
    writeSynced(at("cib.xml.new"), text).then(onStep),
    writeSynced(at("cib.json.new"), sidecarText(stored, sum)).then(onStep),
    keep?.(),
    ...(keep === undefined ? [] : ["json", "xml"]).map(async (end) => {
      await rm(at(`cib.previous.${end}.new`), { force: true });
      await link(at(`cib.${end}`), at(`cib.previous.${end}.new`));
    }),
  ]);
  if (keep !== undefined)
    await Promise.all(["json", "xml"].map((end) => rename(at(`cib.previous.${end}.new`), at(`cib.previous.${end}`))));
  // Between these two the old XML fits the previous sidecar, so that a crash here leaves the old pair.
  await rename(at("cib.json.new"), at("cib.json"));
  await rename(at("cib.xml.new"), at("cib.xml"));
  onStep();
  await syncDirectory(directory);
  return sum;
}

function tellLoss(directory: string, pair: { readonly file: string } | undefined): Problem[] {
  const place = path.join(directory, "cib.xml");
  if (pair?.file === place) return [];
  const what = "cib.xml or its checksum is damaged";
  if (pair === undefined)
    return [
      {
        severity: "error",
        place,
        reason: `${what}, and so is the previous pair; this node begins with no configuration`,
        remedy: "let it join its peer, which has the configuration, or load it again",
      },
    ];
  return [
    {
      severity: "error",
      place,
      reason: `${what}; the previous configuration is used, and a peer's newer one when there is any`,
      remedy: "check the disk, and compare gemel configure show with what you expect",
    },
  ];
}

/** A disk is not mended faster; often enough to go on soon after it is. */
const RETRY_MS = 1_000;

function sayAloud(problem: Problem): void {
  process.stderr.write(`${formatProblem(problem)}\n`);
}

/** Reads what is there and readies the directory. Rejects only when the directory itself cannot be used. */
export async function openCibFiles(
  directory: string,
  onTrouble: (problem: Problem) => void = sayAloud,
): Promise<CibFiles> {
  await mkdir(keptDirectory(directory), { recursive: true, mode: 0o700 });
  const pair = await readPair(directory);
  const isThere = (await readIfThere(path.join(directory, "cib.xml"))) !== undefined;
  const isFresh = pair === undefined && !isThere && (await readIfThere(path.join(directory, "cib.json"))) === undefined;
  let isCurrentGood = pair?.isWhole === true;
  const tell = (reason: string) =>
    onTrouble({ severity: "error", place: directory, reason, remedy: "free or mend the disk; it is tried again" });
  const refusals = createRefusalTeller((severity, reason) => {
    if (severity === "error") tell(reason);
    else onTrouble({ severity, place: directory, reason, remedy: "changes that waited for this disk go on" });
  });
  let waiting: { readonly stored: StoredCib; readonly resolve: () => void }[] = [];
  let isWriting = false;
  const silence = createSilence();
  let refusal: string | undefined;
  let current = pair?.stored;
  let sum = pair?.sha256 ?? "";
  const writeAll = async () => {
    for (let newest = waiting.at(-1); newest !== undefined; newest = waiting.at(-1)) {
      const covered = waiting;
      silence.begin();
      let kept: string | undefined;
      const keep = async (version: CibVersion) => {
        kept = await keepVersion(directory, version).then(() => undefined, String);
      };
      try {
        const before = isCurrentGood ? current : undefined;
        if (before?.head === newest.stored.head) await writeSidecar(directory, newest.stored, sum, silence.begin);
        else {
          const keepBefore = before === undefined ? undefined : () => keep(before.version);
          sum = await writePair(directory, newest.stored, keepBefore, silence.begin);
        }
        silence.begin();
        isCurrentGood = true;
        refusal = undefined;
        refusals.taken();
        current = newest.stored;
        if (kept !== undefined) tell(`the version before is not kept: ${kept}`);
        // What a slow disk was given together was never the current file, and is a version all the same.
        for (const { stored } of covered)
          if (stored.head !== newest.stored.head) await keepPassed(directory, stored).catch(() => {});
        for (const stored of [...(before === undefined ? [] : [before]), ...covered.map((one) => one.stored)])
          for (const name of lostVersions(stored, newest.stored))
            await rm(path.join(keptDirectory(directory), name), { force: true });
        waiting = waiting.slice(covered.length);
        for (const { resolve } of covered) resolve();
      } catch (error) {
        // The pair may be half renamed now, or gone: such a one must not become the previous.
        isCurrentGood = false;
        refusal = error instanceof Error ? error.message : String(error);
        silence.end();
        refusals.refused(error);
        await sleep(RETRY_MS);
      }
    }
    // In the same turn as the last look at `waiting`, so that no write falls between.
    isWriting = false;
    silence.end();
  };
  return {
    stored: pair?.stored,
    problems: isFresh ? [] : tellLoss(directory, pair),
    write(stored) {
      return new Promise((resolve) => {
        waiting = [...waiting, { stored, resolve }];
        if (isWriting) return;
        isWriting = true;
        void writeAll();
      });
    },
    silentMs: silence.ms,
    refusal: () => refusal,
    async readVersion(version) {
      if (!/^\d+\.\d+$/.test(version)) return undefined;
      const text = await readIfThere(path.join(keptDirectory(directory), `${version}.xml`));
      const read = text === undefined ? undefined : parseXml(text);
      return read?.kind === "xml" ? childOf(read.root, "configuration") : undefined;
    },
    async keepConflict({ loser, loserNode, lost, diff }) {
      const note = diff.map((line) => `<!-- ${line.replaceAll("--", "- -")} -->\n`).join("");
      const text = `${document({ version: loser, configuration: lost })}${note}`;
      const name = `cib-conflict-${loserNode}-${loser.adminEpoch}.${loser.epoch}-${sha256(text).slice(0, 8)}.xml`;
      const file = path.join(directory, name);
      await writeSynced(file, text);
      await syncDirectory(directory);
      return file;
    },
  };
}

/**
 * The first content of a node that has none: the configuration file named in the node's own configuration. The same
 * file gives the same head on every node, so that two of them agree without a conflict.
 */
export async function readInitialCib(file: string, nowWallMs: number): Promise<Read<StoredCib>> {
  const text = await readIfThere(file);
  if (text === undefined) {
    const remedy = "write the file, or name another one";
    return { kind: "invalid", problems: [{ severity: "error", place: file, reason: "there is no such file", remedy }] };
  }
  const loaded = loadConfiguration(text, { source: file });
  if (loaded.kind === "invalid") return loaded;
  const head = `initial-${sha256(printXml(loaded.value)).slice(0, 16)}`;
  const version = { adminEpoch: 0, epoch: 1 };
  const entry: HistoryEntry = {
    requestId: head,
    version,
    origin: { who: "gemel", from: file, wallMs: nowWallMs },
    diff: ["+ the initial configuration"],
  };
  const stored: StoredCib = {
    version,
    head,
    lineage: [BLANK, head],
    confirmedHead: BLANK,
    quorateHead: BLANK,
    quorateVersion: { adminEpoch: 0, epoch: 0 },
    configuration: loaded.value,
    history: [entry],
  };
  return { kind: "valid", value: stored, warnings: loaded.warnings };
}
