/**
 * `gemel replay JOURNAL...`: decides again what a node has decided, from the journal of its black box, on any machine.
 * Says whether every effect comes out as it was recorded; with `--story` it tells each step.
 */
import { readFileSync, statSync } from "node:fs";
import process from "node:process";
import { stepNode } from "../../cluster/core/controller/node-core.ts";
import { replay } from "../../cluster/core/journal/replay.ts";
import { parseArgs } from "../arguments.ts";
import { ctime } from "../ctime.ts";
import { segmentFiles, sha256 } from "../manager/black-box.ts";
import { NODE_TOOLS } from "../manager/manager.ts";
import { EXIT, wrongCall } from "./ask.ts";

const USAGE = "gemel replay FILE...|DIRECTORY [--story]";
const NO_INPUT = 66;
const DATA = 65;

interface Segment {
  readonly file: string;
  readonly text: string;
}

/** The segments in their order, or an exit code. */
function readJournal(places: readonly string[]): readonly Segment[] | number {
  try {
    const files = places.flatMap((place) => (statSync(place).isDirectory() ? segmentFiles(place) : [place]));
    if (files.length === 0) {
      process.stderr.write(`gemel replay: ${places.join(", ")}: no journal is there\n`);
      return NO_INPUT;
    }
    return files.map((file) => ({ file, text: readFileSync(file, "utf8") }));
  } catch (error) {
    process.stderr.write(`gemel replay: ${error instanceof Error ? error.message : String(error)}\n`);
    return NO_INPUT;
  }
}

/** Exit codes: 0 as recorded; 1 something comes out differently; 64 wrong call; 65 a broken chain; 66 no journal. */
export function run(argv: readonly string[]): Promise<number> {
  let parsed: { readonly values: { readonly story?: boolean }; readonly positionals: string[] };
  try {
    parsed = parseArgs({ args: [...argv], allowPositionals: true, options: { story: { type: "boolean" } } });
  } catch (error) {
    return Promise.resolve(wrongCall("gemel replay", error instanceof Error ? error.message : String(error), USAGE));
  }
  if (parsed.positionals.length === 0) return Promise.resolve(wrongCall("gemel replay", "which journal?", USAGE));
  const segments = readJournal(parsed.positionals);
  if (typeof segments === "number") return Promise.resolve(segments);
  const texts = segments.map(({ text }) => text);
  const report = replay(texts, {
    hash: sha256,
    step: (state, event, now) => stepNode(state, event, now, NODE_TOOLS),
    ...(parsed.values.story === true
      ? {
          onStep: ({ nowWallMs }, event, effects) => {
            if (event.kind === "tick" && effects.length === 0) return;
            const done = effects.map((effect) => (effect.kind === "log" ? `"${effect.text}"` : effect.kind)).join(", ");
            process.stdout.write(`${ctime(nowWallMs)}  ${event.kind}${done === "" ? "" : ` -> ${done}`}\n`);
          },
        }
      : {}),
  });
  const { kind, lineCount, eventCount, decisionCount, atSegment, atLine, reason } = report;
  const counted = `${eventCount} events, ${decisionCount} decisions`;
  const note = reason === "" ? "" : ` (${reason})`;
  if (lineCount === 0) {
    process.stderr.write(`gemel replay: ${parsed.positionals.join(", ")}: not one whole line is there${note}\n`);
    return Promise.resolve(NO_INPUT);
  }
  if (kind === "same") process.stdout.write(`${counted}: all as recorded${note}\n`);
  else process.stdout.write(`${segments[atSegment]?.file ?? ""}, line ${atLine}, after ${counted}: ${reason}\n`);
  return Promise.resolve(kind === "same" ? EXIT.done : kind === "different" ? EXIT.refused : DATA);
}
