/** A file whole or not at all: who reads it meanwhile sees the old one, and a full disk leaves no half of it behind. */
import { renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";

/** Throws what the file system says. */
export function writeWhole(file: string, content: string | Uint8Array, mode = 0o644): void {
  const beside = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}`);
  try {
    writeFileSync(beside, content, { mode });
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}
