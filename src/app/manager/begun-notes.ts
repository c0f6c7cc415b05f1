/**
 * What runs here as it was begun (cluster/core/executor/runs-with.ts), a file for each resource in the run directory:
 * a manager that is started anew must end it as it was begun, whatever the configuration has become meanwhile. Written
 * in place before the agent is run, and not synced: a process that is killed loses nothing of it, and a machine that
 * boots has nothing running. Parameters may be secret, so the files are their owner's alone.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Begun } from "../../cluster/core/executor/runs-with.ts";
import { readBootId } from "../../hw/edge/boot-id.ts";
import type { Log } from "./log.ts";

export interface BegunNotes {
  /** Of earlier managers since the machine has booted. */
  readonly begun: readonly Begun[];
  readonly keep: (resourceId: string, begun: Begun | null) => void;
}

const FOLDER = "begun";
const END = ".json";

interface Note {
  /** A run directory on a disk outlives the boot that it tells of. */
  readonly boot: string;
  readonly begun: Begun;
}

function isNote(value: unknown): value is Note {
  return typeof value === "object" && value !== null && "boot" in value && "begun" in value;
}

export function openBegunNotes(runDirectory: string, log: Log, boot = readBootId()): BegunNotes {
  const folder = path.join(runDirectory, FOLDER);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // An id may hold any character but those of XML's own; a file's name may not.
  const fileOf = (resourceId: string) => path.join(folder, `${encodeURIComponent(resourceId)}${END}`);

  function read(name: string): readonly Begun[] {
    const file = path.join(folder, name);
    try {
      const note: unknown = name.endsWith(END) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
      if (isNote(note) && note.boot === boot) return [note.begun];
    } catch (error) {
      log(
        "warning",
        `${file} cannot be read, so that what it told of is only looked for as configured: ${String(error)}`,
      );
    }
    rmSync(file, { force: true });
    return [];
  }

  return {
    begun: readdirSync(folder).flatMap(read),
    keep(resourceId, begun) {
      const file = fileOf(resourceId);
      try {
        if (begun === null) {
          rmSync(file, { force: true });
          return;
        }
        writeFileSync(`${file}.new`, JSON.stringify({ boot, begun } satisfies Note), { mode: 0o600 });
        renameSync(`${file}.new`, file);
      } catch (error) {
        // The resource is run all the same: only a manager that dies and a change of its parameters would need it.
        log("error", `what ${resourceId} is begun as cannot be noted: ${String(error)}`);
      }
    },
  };
}
