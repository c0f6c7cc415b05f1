/**
 * What the keeper remembers over its starts, in `membership.json` of the state folder: the number of this start and
 * the last known ones of the peers. Written whole, synced, then renamed, so that a power cut leaves the old or the new.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import path from "node:path";
import * as v from "valibot";
import type { Remembered } from "../../cluster/core/membership/state.ts";
import { UINT48_MAX } from "../../cluster/core/wire/bytes.ts";

const generation = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(UINT48_MAX));
/** Not valibot's record, which leaves out what is called `constructor` or `__proto__`: a node may be called so. */
const peers = v.custom<Readonly<Record<string, number>>>(
  (read) =>
    typeof read === "object" &&
    read !== null &&
    !Array.isArray(read) &&
    Object.values(read).every((each) => v.is(generation, each)),
);
const schema = v.object({ generation, peers });

const place = (folder: string) => path.join(folder, "membership.json");
const print = (remembered: Remembered) => `${JSON.stringify(remembered)}\n`;

/** `damaged`: there is a file that cannot be read. The peers then know our number better than we do: see self.ts. */
export function readRemembered(folder: string): { readonly remembered: Remembered; readonly damaged?: string } {
  const nothing: Remembered = { generation: 0, peers: {} };
  let text: string;
  try {
    text = readFileSync(place(folder), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return { remembered: nothing };
    throw error;
  }
  try {
    return { remembered: v.parse(schema, JSON.parse(text)) };
  } catch (error) {
    return { remembered: nothing, damaged: error instanceof Error ? error.message : String(error) };
  }
}

/** Before the keeper is under way, so it may wait. Throws when the disk refuses. */
export function writeRememberedSync(folder: string, remembered: Remembered): void {
  mkdirSync(folder, { recursive: true });
  const fd = openSync(`${place(folder)}.new`, "w", 0o600);
  writeSync(fd, print(remembered));
  fsyncSync(fd);
  closeSync(fd);
  renameSync(`${place(folder)}.new`, place(folder));
  const directory = openSync(folder, "r");
  fsyncSync(directory);
  closeSync(directory);
}

/** The same on libuv's threads. Rejects when the disk refuses. */
export async function writeRemembered(folder: string, remembered: Remembered): Promise<void> {
  const file = await open(`${place(folder)}.new`, "w", 0o600);
  try {
    await file.writeFile(print(remembered));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${place(folder)}.new`, place(folder));
  const directory = await open(folder, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
