/**
 * What stops `npm run lab` before anything starts: each case is one line with a reason and a remedy, and an exit code.
 * The machine is changed for real, inside a mount namespace that ends with the command. Needs root.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { skips } from "../support/skip.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const SETUP = path.join(ROOT, "tools/setup.mjs");
/** Proves that grub-pc-bin is installed; nothing else looks into its directory. */
const PROOF = "/usr/lib/grub/i386-pc";
const isRoot = process.getuid?.() === 0;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "gemel-start-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

/** Runs a program after `changes` (shell commands) to the mounts that nobody else sees. */
function runOn(changes: string, argv: readonly string[], environment: NodeJS.ProcessEnv = process.env) {
  const script = `set -e; ${changes}; exec ${[process.execPath, ...argv].map(quote).join(" ")}`;
  const { status, stderr } = spawnSync("unshare", ["-m", "sh", "-c", script], { encoding: "utf8", env: environment });
  return { status, lines: stderr.trimEnd().split("\n") };
}

const asRoot = test.skipIf(skips(!isRoot, "it needs root"));

asRoot("too little memory", () => {
  const meminfo = path.join(folder, "meminfo");
  writeFileSync(meminfo, readFileSync("/proc/meminfo", "utf8").replace(/MemAvailable: +\d+/, "MemAvailable: 700000"));
  expect(runOn(`mount --bind ${meminfo} /proc/meminfo`, [SETUP, "lab"])).toEqual({
    status: 1,
    lines: ["gemel set-up: only 0.7 GB of memory available; free 2.5 GB"],
  });
});

asRoot("too little disk", () => {
  const small = path.join(folder, "small");
  mkdirSync(small);
  const copy = `mount -t tmpfs -o size=64m none ${small}; mkdir ${small}/tools; cp ${SETUP} ${small}/tools/`;
  expect(runOn(copy, [path.join(small, "tools/setup.mjs"), "lab"])).toEqual({
    status: 1,
    lines: [`gemel set-up: only 0.1 GB free below ${small}; make room for 4 GB`],
  });
});

test.skipIf(skips(!isRoot || !existsSync(PROOF), "it needs root and grub-pc-bin"))(
  "a missing package that cannot be installed is named, with what apt-get said",
  () => {
    const tools = path.join(folder, "bin");
    mkdirSync(tools);
    writeFileSync(path.join(tools, "apt-get"), "#!/bin/sh\necho 'E: Unable to fetch some archives' >&2\nexit 100\n");
    chmodSync(path.join(tools, "apt-get"), 0o755);
    const environment = { ...process.env, PATH: `${tools}:${process.env["PATH"]}` };
    const { status, lines } = runOn(`mount -t tmpfs none ${PROOF}`, [SETUP, "image"], environment);
    expect([status, ...lines]).toEqual([
      1,
      "gemel set-up: installing Debian packages: grub-pc-bin",
      "E: Unable to fetch some archives",
      "gemel set-up: apt-get failed, see above; check that Debian's package registry is reachable",
    ]);
  },
);

/** The version is what a preload pretends; real Nodes 14 and 18 were tried by hand and say the same. */
test("an old Node", () => {
  const pretend = path.join(folder, "pretend.cjs");
  writeFileSync(pretend, 'Object.defineProperty(process, "versions", { value: { node: "18.20.8" } });\n');
  const { status, stderr } = spawnSync(process.execPath, ["--require", pretend, SETUP, "lab"], { encoding: "utf8" });
  expect([status, stderr]).toEqual([1, "gemel set-up: Node 18.20.8 is too old; install Node 20 or newer\n"]);
});

test("a purpose that does not exist", () => {
  const { status, stderr } = spawnSync(process.execPath, [SETUP, "everything"], { encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^gemel set-up: unknown purpose everything; use one of: .*\n$/);
});
