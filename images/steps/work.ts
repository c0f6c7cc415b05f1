/**
 * What every step of the image build stands on: running a tool, progress lines, and a cache keyed by the hash of the
 * inputs. A step's result is a directory below .cache/image/ that appears at once or not at all.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  utimesSync,
} from "node:fs";
import path from "node:path";
import process from "node:process";

export const ROOT = path.resolve(import.meta.dirname, "../..");
export const CACHE = path.join(ROOT, ".cache/image");
export const BASE = path.join(ROOT, "images/base");
/** Every time stamp in the image, so that two builds of the same inputs compare equal: 2026-01-01. */
export const EPOCH_SECONDS = 1_767_225_600;
/** Results kept of one step: the newest, and one before for a quick way back. */
const KEPT = 2;
/** Enough for the listing of any package. */
const OUTPUT_BYTES_MAX = 64 * 2 ** 20;

/** A failure that the caller prints as one line. */
export class ImageError extends Error {
  override readonly name = "ImageError";
}

export function say(line: string): void {
  process.stderr.write(`gemel image: ${line}\n`);
}

/** Runs a tool to its end and returns its standard output; throws an ImageError with the tool's last line. */
export function run(command: string, argv: readonly string[], options: RunOptions = {}): Buffer {
  const { status, stdout, stderr, error } = spawnSync(command, argv, {
    cwd: options.cwd ?? ROOT,
    input: options.input,
    env: { ...process.env, LC_ALL: "C", TZ: "UTC", SOURCE_DATE_EPOCH: String(EPOCH_SECONDS), ...options.env },
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  if (error !== undefined) throw new ImageError(`${command} cannot be run: ${error.message}`);
  if (status === 0) return stdout;
  const said = stderr.toString().trim().split("\n").slice(-2).join(" / ");
  throw new ImageError(`${command} failed with exit code ${status}: ${said}`);
}

export interface RunOptions {
  readonly cwd?: string;
  readonly input?: Buffer;
  readonly env?: Readonly<Record<string, string>>;
}

/** Hash of the given parts, short enough for a file name. */
export function hashOf(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 16);
}

/** Hash of a file or of a whole directory: names, modes, contents, links. */
export function hashOfFile(file: string): string {
  const status = lstatSync(file);
  if (status.isSymbolicLink()) return hashOf("link", readlinkSync(file));
  if (!status.isDirectory()) return hashOf(String(status.mode & 0o111), readFileSync(file));
  const names = readdirSync(file).toSorted();
  return hashOf(...names.flatMap((name) => [name, hashOfFile(path.join(file, name))]));
}

/** The words of a list file, without its comments, a line each. */
export function readList(file: string): string[][] {
  return readFileSync(file, "utf8")
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== "")
    .map((line) => line.split(/\s+/));
}

/**
 * The directory of the step `name` for the inputs `key`; `make` fills a new one if there is none. Two builds at a time
 * may both make it; the first to finish wins.
 */
export function cached(name: string, key: string, make: (directory: string) => void): string {
  const directory = path.join(CACHE, `${name}-${key}`);
  if (existsSync(directory)) {
    const now = new Date();
    utimesSync(directory, now, now);
    return directory;
  }
  const startedAtMs = performance.now();
  const temporary = path.join(CACHE, `new-${name}-${process.pid}`);
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  try {
    make(temporary);
    if (!existsSync(directory)) renameSync(temporary, directory);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  say(`${name} ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`);
  forgetOld(name);
  return directory;
}

function forgetOld(name: string): void {
  const results = readdirSync(CACHE)
    .filter((entry) => entry.startsWith(`${name}-`) && /^[0-9a-f]{16}$/.test(entry.slice(name.length + 1)))
    .map((entry) => ({ file: path.join(CACHE, entry), usedAtWallMs: lstatSync(path.join(CACHE, entry)).mtimeMs }))
    .toSorted((one, other) => other.usedAtWallMs - one.usedAtWallMs);
  for (const { file } of results.slice(KEPT)) rmSync(file, { recursive: true, force: true });
}
