/**
 * Where a lab lives: `.lab/<name>/` of the repository holds all that it makes, and the files by which a second
 * terminal finds it. Unix sockets bound the length of the path, so it is checked before anything starts.
 */
import { createHash } from "node:crypto";
import path from "node:path";
import type { Problem } from "../src/base/problem.ts";
import type { NodeName } from "./names.ts";

export const ROOT = path.resolve(import.meta.dirname, "..");
/** sizeof(sun_path) is 108 with its closing zero; the longest name in a lab takes 28. */
const DIRECTORY_LENGTH_MAX = 79;

export interface Place {
  readonly name: string;
  /** Absolute; removed when the lab goes down, but for `logs/` and the records. */
  readonly directory: string;
  readonly controlSocket: string;
  readonly acknowledgedFile: string;
  readonly eventsFile: string;
  /** Network namespace of the client; told apart by the directory, so that two clones may both have a lab `lab`. */
  readonly clientNamespace: string;
}

export function placeOf(name: string, root: string = ROOT): Place {
  const directory = path.join(root, ".lab", name);
  const short = createHash("sha256").update(directory).digest("hex").slice(0, 6);
  return {
    name,
    directory,
    controlSocket: path.join(directory, "control.sock"),
    acknowledgedFile: path.join(directory, "acknowledged.txt"),
    eventsFile: path.join(directory, "events.log"),
    clientNamespace: `gemel-${name}-${short}`,
  };
}

export function nodeDirectory(place: Place, node: NodeName): string {
  return path.join(place.directory, node);
}

export function checkPlace(place: Place): readonly Problem[] {
  const problems: Problem[] = [];
  if (!/^[a-z0-9][a-z0-9-]{0,19}$/.test(place.name)) {
    problems.push({
      severity: "error",
      place: `--lab ${place.name}`,
      reason: "this is no name for a lab",
      remedy: "write up to 20 small letters, digits and hyphens",
    });
  }
  if (place.directory.length > DIRECTORY_LENGTH_MAX) {
    problems.push({
      severity: "error",
      place: place.directory,
      reason: `the path has ${place.directory.length} characters, and unix sockets below it would not fit`,
      remedy: `move the repository so that it has at most ${DIRECTORY_LENGTH_MAX}`,
    });
  }
  return problems;
}
