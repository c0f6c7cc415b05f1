/**
 * `npm run build`: dist/gemel, one file that runs on a bare Debian 12 (glibc, libstdc++6, libatomic1) without Node.
 * A CommonJS bundle with V8's code cache is put into a stripped copy of the project's own Node ("single
 * executable application"). Nothing is done when the inputs are unchanged. Measurements: docs/decisions/one-binary.md.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { build, type Metafile, type Plugin } from "esbuild";
import { VERSION } from "../src/app/version.ts";
import { profilesBelow } from "../src/hw/edge/profile-files.ts";

const root = path.resolve(import.meta.dirname, "..");
const output = path.join(root, "dist/gemel");
const cache = path.join(root, ".cache/build");
const MAIN = "src/app/main.ts";
/** Workers: the key of the asset (read by node:sea's getAsset) and the file that becomes it. */
const WORKERS: Readonly<Record<string, string>> = { "scheduler-worker": "src/app/manager/scheduler-worker.ts" };
/** The asset of the hardware profiles, each with its text: a bare machine has the program and no directory of them. */
const PROFILES = "hw-profiles";
/** The smoke test runs under emulation and full load as well; it takes 40 ms on a quiet machine. */
const SMOKE_TIMEOUT_MS = 30_000;

function say(line: string): void {
  process.stderr.write(`gemel build: ${line}\n`);
}

function refuse(reason: string): never {
  say(reason);
  process.exit(1);
}

function hashOf(parts: readonly (string | Buffer)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex");
}

/** One version number, in three places: the program's, npm's, npm's lock. */
function checkVersions(): void {
  for (const file of ["package.json", "package-lock.json"]) {
    const said: unknown = JSON.parse(readFileSync(path.join(root, file), "utf8"));
    const version = typeof said === "object" && said !== null && "version" in said ? said.version : undefined;
    if (version !== VERSION) refuse(`${file} says version ${String(version)}, src/app/version.ts says ${VERSION}`);
  }
}

/**
 * Libraries whose native part is an accelerator that they can do without (ssh2): it is left out, and asking for it
 * throws, as it does where it was never compiled. One binary holds no second file to load.
 */
const withoutNativeParts: Plugin = {
  name: "without-native-parts",
  setup(bundler) {
    bundler.onResolve({ filter: /\.node$/ }, ({ path: wanted }) => ({ path: wanted, namespace: "native-part" }));
    bundler.onLoad({ filter: /.*/, namespace: "native-part" }, ({ path: wanted }) => ({
      contents: `throw new Error(${JSON.stringify(`${wanted} is not part of this program`)});`,
    }));
  },
};

/** Bundles an entry into one CommonJS file: the code cache needs CommonJS, and minifying saves a megabyte. */
async function bundle(entry: string): Promise<{ readonly code: string; readonly inputs: Metafile["inputs"] }> {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: "node",
    target: "node26",
    format: "cjs",
    minify: true,
    keepNames: true,
    metafile: true,
    plugins: [withoutNativeParts],
    legalComments: "none",
    logLevel: "error",
  }).catch(() => refuse(`${entry} cannot be bundled, see above`));
  const [file] = result.outputFiles;
  if (file === undefined) refuse(`${entry} gave no bundle`);
  return { code: file.text, inputs: result.metafile.inputs };
}

/** A stripped copy of the Node that runs this: 33 MB less. Stripping must come before the program is put in. */
function strippedNode(): string {
  const key = hashOf([process.version, process.execPath, String(statSync(process.execPath).mtimeMs)]).slice(0, 16);
  const file = path.join(cache, `node-${key}`);
  if (existsSync(file)) return file;
  const temporary = `${file}.${process.pid}`;
  copyFileSync(process.execPath, temporary);
  execFileSync("strip", ["--strip-unneeded", temporary]);
  renameSync(temporary, file);
  return file;
}

/** Runs the new binary in an empty directory with an empty environment, as a bare machine would. */
function smokeTest(binary: string): void {
  const empty = mkdtempSync(path.join(os.tmpdir(), "gemel-smoke-"));
  try {
    const { stdout, stderr, error } = spawnSync(binary, ["--version"], {
      cwd: empty,
      env: {},
      encoding: "utf8",
      timeout: SMOKE_TIMEOUT_MS,
    });
    if (!stdout?.startsWith(`gemel ${VERSION} `) || stderr !== "") {
      refuse(`the new binary does not answer --version: ${error?.message ?? `${stdout}${stderr}`.trim()}`);
    }
  } finally {
    rmSync(empty, { recursive: true });
  }
}

function profilesText(): string {
  const profiles = profilesBelow(path.join(root, PROFILES));
  return JSON.stringify(profiles.map((profile) => ({ ...profile, place: path.relative(root, profile.place) })));
}

function makeExecutable(code: string, texts: Readonly<Record<string, string>>): void {
  const work = mkdtempSync(path.join(cache, "work-"));
  try {
    const assets: Record<string, string> = {};
    for (const [name, text] of Object.entries(texts)) {
      assets[name] = name;
      writeFileSync(path.join(work, name), text);
    }
    writeFileSync(path.join(work, "main.cjs"), code);
    // Relative paths: they end up in the binary, and two builds of the same inputs are to be equal.
    const configuration = {
      main: "main.cjs",
      mainFormat: "commonjs",
      executable: strippedNode(),
      output: "gemel",
      disableExperimentalSEAWarning: true,
      useCodeCache: true,
      useSnapshot: false,
      // A small young generation keeps the resident size and the pauses down (docs/decisions/one-binary.md).
      execArgv: ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=2"],
      // NODE_OPTIONS of whoever calls the program must not change what it does.
      execArgvExtension: "none",
      assets,
    };
    writeFileSync(path.join(work, "sea.json"), JSON.stringify(configuration));
    // The fixed seed makes two builds of the same inputs equal, code cache included.
    const argv = ["--random-seed=1", "--build-sea", "sea.json"];
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, { cwd: work, encoding: "utf8" });
    if (status !== 0) refuse(`node --build-sea failed: ${`${stdout}${stderr}`.trim()}`);
    const made = path.join(work, configuration.output);
    chmodSync(made, 0o755);
    smokeTest(made);
    mkdirSync(path.dirname(output), { recursive: true });
    renameSync(made, output);
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** Builds dist/gemel when its inputs have changed. Returns its path; ends the process with one line on any failure. */
export async function buildProgram(): Promise<string> {
  const startedAtMs = performance.now();
  checkVersions();
  mkdirSync(cache, { recursive: true });
  const main = await bundle(MAIN);
  const texts: Record<string, string> = { [PROFILES]: profilesText() };
  for (const [name, entry] of Object.entries(WORKERS)) texts[name] = (await bundle(entry)).code;
  const stamp = path.join(cache, "stamp");
  const key = hashOf([process.version, readFileSync(import.meta.filename), main.code, JSON.stringify(texts)]);
  if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, "utf8") === `${key} ${statSync(output).mtimeMs}`) {
    return output;
  }
  makeExecutable(main.code, texts);
  writeFileSync(stamp, `${key} ${statSync(output).mtimeMs}`);
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  const count = Object.keys(main.inputs).length;
  say(`dist/gemel ${VERSION}: ${count} files, ${(statSync(output).size / 1e6).toFixed(1)} MB, ${seconds} s`);
  return output;
}

if (process.argv[1] === import.meta.filename) process.stdout.write(`${path.relative(root, await buildProgram())}\n`);
