/**
 * What a report tells of a node whose manager does not answer: the configuration on its disk, and what its black box
 * says that it did. Where a file cannot be read, the reason stands in its place.
 */
import { readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseXml, type XmlElement } from "../../base/xml.ts";
import { stepNode } from "../../cluster/core/controller/node-core.ts";
import { replay } from "../../cluster/core/journal/replay.ts";
import { type Happening, readLogLine } from "../../cluster/core/report/timeline.ts";
import { unansweredText, whoServes } from "../installation.ts";
import { segmentFiles, sha256 } from "../manager/black-box.ts";
import { NODE_TOOLS } from "../manager/manager.ts";

export interface AtRest {
  readonly self: string;
  /** Undefined when there is none to read; `missing` says why. */
  readonly cib: XmlElement | undefined;
  readonly logs: ReadonlyMap<string, readonly string[]>;
  readonly missing: readonly string[];
  readonly happenings: readonly Happening[];
}

/** A segment holds hours of a pair that is in trouble, and is told within seconds. */
const SEGMENTS_TOLD = 2;

/** What the core logged, as its manager wrote it; or why that cannot be told. */
function storyOf(directory: string): { readonly lines: readonly string[]; readonly missing: readonly string[] } {
  const lines: string[] = [];
  const segments = segmentFiles(directory).slice(-SEGMENTS_TOLD);
  if (segments.length === 0) return { lines, missing: [`${directory}: no journal is there`] };
  const { kind, reason } = replay(
    segments.map((file) => readFileSync(file, "utf8")),
    {
      hash: sha256,
      step: (state, event, now) => stepNode(state, event, now, NODE_TOOLS),
      onStep({ nowWallMs }, _event, effects) {
        for (const effect of effects)
          if (effect.kind === "log")
            lines.push(`${new Date(nowWallMs).toISOString()} ${effect.level.toUpperCase()}: ${effect.text}`);
      },
    },
  );
  return { lines, missing: kind === "same" ? [] : [`${directory}: ${reason}`] };
}

function cibOf(file: string): XmlElement | string {
  try {
    const read = parseXml(readFileSync(file, "utf8"));
    return read.kind === "xml" ? read.root : `${file}:${read.line}: ${read.reason}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** `named`: its state directory, by the operator. Undefined when nobody knows where this node keeps its things. */
export function readAtRest(runDirectory: string, named: string | undefined): AtRest | undefined {
  const serving = whoServes(runDirectory);
  const state = named ?? serving.installation?.state;
  if (state === undefined) return undefined;
  const self = os.hostname();
  const cib = cibOf(path.join(state, "cib", "cib.xml"));
  const story = storyOf(path.join(state, "journal"));
  return {
    self,
    cib: typeof cib === "string" ? undefined : cib,
    logs: new Map([[self, story.lines]]),
    missing: [
      `the manager of ${self}: ${unansweredText(serving)}`,
      "every other node: only a manager can ask for its log; make a report there, too",
      ...(typeof cib === "string" ? [cib] : []),
      ...story.missing,
    ],
    happenings: story.lines.flatMap((line) => readLogLine(self, line, (text) => Date.parse(text)) ?? []),
  };
}
