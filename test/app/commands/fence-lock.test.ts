/** `gemel fence lock` on a file, and sfex_stat of the package as its judge. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { runLock } from "../../../src/app/commands/fence-lock.ts";
import { attachLoopDisk, objectToLoopDisks } from "../../support/loop-disk.ts";
import { skips } from "../../support/skip.ts";

let directory = "";
let disk = "";
let said = "";
beforeEach(() => {
  // Not in tmpfs: it knows no O_DIRECT.
  directory = mkdtempSync(path.join(import.meta.dirname, ".sfex-"));
  disk = path.join(directory, "disk");
  writeFileSync(disk, Buffer.alloc(16 * 512, 0xff));
  said = "";
  const take = (text: string | Uint8Array) => {
    said += String(text);
    return true;
  };
  vi.spyOn(process.stdout, "write").mockImplementation(take);
  vi.spyOn(process.stderr, "write").mockImplementation(take);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true, force: true });
});

test("a disk is made only when its name is repeated, and then its locks are free", async () => {
  expect(await runLock(["list", disk])).toBe(1);
  expect(said).toContain("no sfex record: make it by gemel fence lock create");
  expect(await runLock(["create", disk])).toBe(64);
  expect(said).toContain(`repeat it, --yes ${disk}`);
  expect(await runLock(["create", disk, "--yes", disk, "--locks", "0"])).toBe(64);
  expect(await runLock(["create", disk, "--yes", disk, "--locks", "2"])).toBe(0);
  said = "";
  expect(await runLock(["list", disk])).toBe(0);
  expect(said).toBe("  1  free\n  2  free\n");
});

test("what it writes is what sfex_init writes, byte for byte", async () => {
  expect(await runLock(["create", disk, "--yes", disk, "--locks", "3"])).toBe(0);
  const dump = path.resolve(import.meta.dirname, "../../storage/sfex/01-init-3-locks.bin");
  expect(
    readFileSync(disk)
      .subarray(0, 4 * 512)
      .equals(readFileSync(dump).subarray(0, 4 * 512)),
  ).toBe(true);
});

const lacks = objectToLoopDisks() ?? (existsSync("/usr/sbin/sfex_stat") ? undefined : "sfex_stat is not installed");
test.skipIf(skips(lacks !== undefined, `${lacks}`))("the judge: sfex_stat reads our disk", async () => {
  const loop = attachLoopDisk();
  try {
    expect(await runLock(["create", loop.path, "--yes", loop.path, "--locks", "3"])).toBe(0);
    const { stdout, status } = spawnSync("sfex_stat", ["-i", "3", loop.path], { encoding: "utf8" });
    expect(stdout).toMatch(/numlocks: 3[\s\S]*status: unlock/);
    // It says 2 for "not ours".
    expect(status).toBe(2);
  } finally {
    loop.detach();
  }
});
