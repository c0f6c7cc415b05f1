/**
 * What was decided in the past, and of what: the black box of this node, or one that was carried here, decided again.
 * Only the DC decides, so only its black box holds the decisions of its time.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { XmlElement } from "../../base/xml.ts";
import { stepNode } from "../../cluster/core/controller/node-core.ts";
import { replay } from "../../cluster/core/journal/replay.ts";
import { whoServes } from "../installation.ts";
import { segmentFiles, sha256 } from "../manager/black-box.ts";
import { NODE_TOOLS } from "../manager/manager.ts";

export interface PastDecision {
  /** As the log counts them: each DC begins anew. */
  readonly number: number;
  readonly wallMs: number;
  readonly quorate: boolean;
  readonly cib: XmlElement;
  /** A line for each resource and node that something was to be done with. */
  readonly summary: readonly string[];
}

export interface PastDecisions {
  readonly directory: string;
  readonly decisions: readonly PastDecision[];
  /** Why what follows is not told. */
  readonly missing: readonly string[];
}

/** A decision of a large cluster holds a CIB of megabytes, most of it shared with the one before. */
const DECISIONS_MAX = 1_000;

/** Where the journal lies: below `named`, or where the node of that run directory keeps its things. */
export function journalDirectory(runDirectory: string, named: string | undefined): string | undefined {
  const state = named ?? whoServes(runDirectory).installation?.state;
  if (state === undefined) return undefined;
  const below = path.join(state, "journal");
  return existsSync(below) ? below : state;
}

const why = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Segments that were written to since then; one holds what came before its last line. */
function textsSince(directory: string, fromWallMs: number): readonly string[] {
  const files = segmentFiles(directory).filter((file) => statSync(file).mtimeMs >= fromWallMs);
  return files.map((file) => readFileSync(file, "utf8"));
}

export function readDecisions(directory: string, fromWallMs: number, toWallMs: number): PastDecisions {
  const decisions: PastDecision[] = [];
  try {
    const texts = textsSince(directory, fromWallMs);
    const { kind, reason } = replay(texts, {
      hash: sha256,
      step: (state, event, now) => stepNode(state, event, now, NODE_TOOLS),
      onDecision({ number, wallMs, quorate }, cib, { transition }) {
        if (wallMs < fromWallMs || wallMs > toWallMs) return;
        if (decisions.length === DECISIONS_MAX) decisions.shift();
        decisions.push({ number, wallMs, quorate, cib, summary: transition.summary });
      },
    });
    const none = texts.length === 0 ? [`${directory}: no black box of that time is there`] : [];
    return { directory, decisions, missing: kind === "same" ? none : [`${directory}: ${reason}`] };
  } catch (error) {
    return { directory, decisions, missing: [why(error)] };
  }
}

/**
 * The decision that a word means: `0` the last, `-1` the one before, `12` or `decision-12` the newest of that number.
 */
export function decisionNamed(decisions: readonly PastDecision[], word: string): PastDecision | undefined {
  const [, digits] = /^(?:decision-|pe-(?:input|warn|error)-)?(-?\d+)(?:\.bz2|\.xml)?$/.exec(word) ?? [];
  if (digits === undefined) return undefined;
  const number = Number(digits);
  return number <= 0 ? decisions.at(number - 1) : decisions.findLast((one) => one.number === number);
}
