/**
 * What a manager hands on to the next one of the same keeper, in files of the run directory: which starts of peers were
 * confirmed off (no proof for DRBD), so that nobody is fenced again who is off and perhaps being repaired; and what of
 * the status section nobody would tell again (cluster/core/cib-store/kept-status.ts). Written in place before anything
 * follows from it, and not synced: it is void with the keeper. A disk that refuses is told and held up for by nobody.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { childrenOf, parseXml, printXml, type XmlElement, xml } from "../../base/xml.ts";
import { type NodeState, nodeKeptStatus } from "../../cluster/core/controller/node-core.ts";
import type { Log } from "./log.ts";

type Fenced = Readonly<Record<string, number>>;

export interface KeeperMemo {
  readonly fenced: Fenced;
  readonly keepFenced: (fenced: Fenced) => void;
  /** A `<status>`; undefined where there was no manager before. */
  readonly kept: XmlElement | undefined;
  /** To be called with every state of the core: only what has changed is written. */
  readonly keepStatus: (node: NodeState) => void;
}

/** Sessions count the starts of the manager within one life of the keeper; above them stands its generation. */
const SESSIONS_PER_KEEPER = 65_536;
const FENCED_FILE = "fenced-peers.json";
const STATUS_FILE = "kept-status.xml";

interface FencedNote {
  readonly keeper: number;
  readonly fenced: Fenced;
}

function readFenced(file: string): FencedNote | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as FencedNote;
  } catch {
    // Never written, or torn: then the peer is fenced once more, which does no harm.
    return undefined;
  }
}

function readStatus(file: string, keeper: string): XmlElement | undefined {
  try {
    const read = parseXml(readFileSync(file, "utf8"));
    if (read.kind !== "xml" || read.root.attributes["keeper"] !== keeper) return undefined;
    return childrenOf(read.root, "status")[0];
  } catch {
    // Never written: this is the first manager.
    return undefined;
  }
}

export function openKeeperMemo(runDirectory: string, session: number, log: Log): KeeperMemo {
  const keeper = Math.floor(session / SESSIONS_PER_KEEPER);
  const fencedFile = path.join(runDirectory, FENCED_FILE);
  const statusFile = path.join(runDirectory, STATUS_FILE);
  const fenced = readFenced(fencedFile);
  let noted = "";
  let status: unknown;
  let dc: string | undefined;
  /** Why a file could not be written when that was last tried: told once, for the status changes all the time. */
  const refused = new Map<string, string>();

  /** Nothing is better than what was true once: tickets and fail counts would come back that somebody has ended. */
  function forget(file: string): void {
    try {
      rmSync(file, { force: true });
    } catch (error) {
      log("error", `${file} cannot be removed: ${String(error)}`);
    }
  }

  function write(file: string, text: string): boolean {
    try {
      writeFileSync(`${file}.new`, text, { mode: 0o600 });
      renameSync(`${file}.new`, file);
      if (refused.delete(file)) log("info", `${file} is written again`);
      return true;
    } catch (error) {
      const reason = String(error);
      if (refused.get(file) !== reason)
        log("error", `a manager that is started anew will not know what ${file} should say: ${reason}`);
      refused.set(file, reason);
      forget(file);
      return false;
    }
  }

  return {
    fenced: fenced?.keeper === keeper ? fenced.fenced : {},
    keepFenced: (news) => void write(fencedFile, JSON.stringify({ keeper, fenced: news } satisfies FencedNote)),
    kept: readStatus(statusFile, String(keeper)),
    keepStatus(node) {
      const { store } = node;
      // Without a DC there is nobody's word to keep, and the note of the manager before stands.
      if (store.dc === undefined || (store.status === status && store.dc === dc)) return;
      status = store.status;
      dc = store.dc;
      const text = printXml(xml("manager", { keeper: String(keeper) }, [nodeKeptStatus(node)]));
      if (text !== noted) noted = write(statusFile, text) ? text : "";
    },
  };
}
