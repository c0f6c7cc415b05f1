/**
 * What a report says of this node's own installation: its node configuration, and who may read and write what it keeps.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { whoServes } from "../installation.ts";

/** More is no listing that anybody reads. */
const ENTRIES_MAX = 500;

/** `0600 0:0 1234 2026-11-21T08:00:00.000Z FILE`, or why it cannot be looked at. */
function permissionLine(file: string): string {
  try {
    const { mode, uid, gid, size, mtime } = statSync(file);
    return `${(mode & 0o7777).toString(8).padStart(4, "0")} ${uid}:${gid} ${size} ${mtime.toISOString()} ${file}`;
  } catch (error) {
    return `${file}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Of a file, or of a directory and all below it. */
function permissionsOf(place: string): string[] {
  const below = statSync(place).isDirectory() ? readdirSync(place, { recursive: true, encoding: "utf8" }) : [];
  return [place, ...below.slice(0, ENTRIES_MAX).map((name) => path.join(place, name))].map(permissionLine);
}

/** Files by name; whatever cannot be had says so in its file. */
export function installationFiles(runDirectory: string): ReadonlyMap<string, string> {
  const { installation: found } = whoServes(runDirectory);
  const attempt = (read: () => string): string => {
    try {
      return read();
    } catch (error) {
      return `(${error instanceof Error ? error.message : String(error)})\n`;
    }
  };
  if (found === undefined) return new Map([["node.conf", `(gemel does not run with --run ${runDirectory})\n`]]);
  const places = [found.config, found.state, found.run];
  return new Map([
    ["node.conf", attempt(() => readFileSync(found.config, "utf8"))],
    ["permissions.txt", places.map((place) => attempt(() => `${permissionsOf(place).join("\n")}\n`)).join("")],
  ]);
}
