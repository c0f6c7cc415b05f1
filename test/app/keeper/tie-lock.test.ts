/** Two nodes that seek the lock of one disk, here a file: never both have it, and who gives it back is followed. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { createTieLock, type TieLock } from "../../../src/app/keeper/tie-lock.ts";
import { printSfexControl, printSfexLock } from "../../../src/hw/core/sfex/record.ts";

// Not in tmpfs: it knows no O_DIRECT.
const folder = mkdtempSync(path.join(import.meta.dirname, ".tie-"));
const locks: TieLock[] = [];
afterEach(() => {
  for (const lock of locks.splice(0)) lock.close();
  rmSync(folder, { recursive: true, force: true });
});

test("a disk that holds no lock, or is not there, is told while nobody needs it", async () => {
  mkdirSync(folder, { recursive: true });
  const said: string[] = [];
  const log = {
    say: (level: string, text: string) => void said.push(`${level}: ${text}`),
    limited: () => undefined,
    flush: () => undefined,
  };
  const blank = path.join(folder, "blank");
  writeFileSync(blank, Buffer.alloc(8 * 512));
  const made = path.join(folder, "made");
  const free = printSfexLock({ held: false, count: 1, node: "" }, 512);
  writeFileSync(
    made,
    Buffer.concat([printSfexControl({ sectorBytes: 512, lockCount: 1 }), free, Buffer.alloc(7 * 512)]),
  );
  const open = (file: string) => {
    const lock = createTieLock(file, "alpha", log, () => undefined);
    locks.push(lock);
    return lock;
  };
  const [one, two, well] = [open(blank), open(path.join(folder, "away")), open(made)];
  await expect.poll(() => one.trouble()).toContain("no sfex record: make it by gemel fence lock create");
  await expect.poll(() => two.trouble()).toContain("ENOENT");
  expect(well.trouble()).toBeUndefined();
  expect(said.length).toBe(2);
  expect(said.join()).toContain("error: tie-breaker: ");
  expect(said.join()).toContain("if the cluster parted now, no half would have quorum");
});

test("of two halves one gets the lock, and the other when it is given back", async () => {
  mkdirSync(folder, { recursive: true });
  const disk = path.join(folder, "disk");
  const control = printSfexControl({ sectorBytes: 512, lockCount: 1 });
  const free = printSfexLock({ held: false, count: 1, node: "" }, 512);
  writeFileSync(disk, Buffer.concat([control, free, Buffer.alloc(7 * 512)]));
  const held = { alpha: false, bravo: false };
  const both: boolean[] = [];
  const log = { say: () => undefined, limited: () => undefined, flush: () => undefined };
  const open = (node: "alpha" | "bravo") => {
    const lock = createTieLock(disk, node, log, (now) => {
      held[node] = now;
      both.push(held.alpha && held.bravo);
    });
    locks.push(lock);
    return lock;
  };
  const [alpha, bravo] = [open("alpha"), open("bravo")];
  alpha.seek(true);
  bravo.seek(true);
  await expect.poll(() => held.alpha !== held.bravo).toBe(true);
  const [winner, loser] = held.alpha ? [alpha, "bravo" as const] : [bravo, "alpha" as const];
  expect(held[loser]).toBe(false);
  winner.seek(false);
  await expect.poll(() => held[loser]).toBe(true);
  expect(both).not.toContain(true);
});
