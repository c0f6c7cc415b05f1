/**
 * A small JSON file of the state directory: certificates, proofs. Written beside, synced, renamed; the newest value
 * wins when several wait. A file that cannot be read is told once and begun anew: it is a record for people, no proof.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import path from "node:path";

export interface RecordFile<Value> {
  readonly stored: Value | undefined;
  /** Why there is none, where a file was there; undefined else. */
  readonly damage: string | undefined;
  readonly keep: (value: Value) => void;
  /** Resolves when everything is on the disk, or has failed to get there. */
  readonly settled: () => Promise<void>;
}

/** A check for lists of objects that have a name under `member`: what a file of ours must hold at least. */
export function isListOf<Item>(member: string): (read: unknown) => read is readonly Item[] {
  return (read): read is readonly Item[] =>
    Array.isArray(read) &&
    read.every((item) => typeof item === "object" && item !== null && Object.hasOwn(item, member));
}

/** `isValue`: whether what was read has the shape; a file of another version is begun anew. */
export function openRecordFile<Value>(
  file: string,
  isValue: (read: unknown) => read is Value,
  tell: (reason: string) => void,
): RecordFile<Value> {
  let stored: Value | undefined;
  let damage: string | undefined;
  try {
    const read: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (isValue(read)) stored = read;
    else damage = `${file} has another shape; it is begun anew`;
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (!isMissing) damage = `${file} cannot be read (${String(error)}); it is begun anew`;
  }
  let waiting: Value | undefined;
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    while (waiting !== undefined) {
      const text = JSON.stringify(waiting);
      waiting = undefined;
      try {
        mkdirSync(path.dirname(file), { recursive: true });
        const handle = await open(`${file}.new`, "w", 0o600);
        await handle.writeFile(text);
        await handle.sync();
        await handle.close();
        await rename(`${file}.new`, file);
      } catch (error) {
        tell(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    writing = undefined;
  }

  return {
    stored,
    damage,
    keep(value) {
      waiting = value;
      writing ??= write();
    },
    settled: () => writing ?? Promise.resolve(),
  };
}
