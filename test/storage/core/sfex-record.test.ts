/** sfex records, as the real tools have written them. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { printSfexControl, printSfexLock, readSfexControl, readSfexLock } from "../../../src/hw/core/sfex/record.ts";

const SECTOR = 512;
const sector = (name: string, index: number) =>
  readFileSync(path.join(import.meta.dirname, "../sfex", `${name}.bin`)).subarray(index * SECTOR, (index + 1) * SECTOR);

test.each([
  ["01-init-3-locks", 1, { held: false, count: 0, node: "" }],
  ["02-alpha-acquired", 1, { held: true, count: 2, node: "alpha" }],
  ["05-alpha-holds-1-and-2", 2, { held: true, count: 2, node: "alpha" }],
  ["08-beta-released", 1, { held: false, node: "beta" }],
  ["13-count-after-wrap", 1, { held: true, count: 0, node: "alpha" }],
])("%s, lock %i", (name, index, lock) => {
  const read = readSfexLock(sector(name, index));
  expect(read).toMatchObject({ kind: "record", value: lock });
  if (read.kind !== "record") return;
  expect(Buffer.from(printSfexLock(read.value, SECTOR)).equals(sector(name, index))).toBe(true);
});

test("the control block is what sfex_init writes", () => {
  const printed = printSfexControl({ sectorBytes: SECTOR, lockCount: 3 });
  expect(Buffer.from(printed).equals(sector("01-init-3-locks", 0))).toBe(true);
  const read = readSfexControl(printed, SECTOR);
  expect(read).toEqual({ kind: "record", value: { sectorBytes: SECTOR, lockCount: 3 } });
});

test.each([
  ["00-blank", 0, "no sfex record"],
  ["16-bad-magic", 0, "no sfex record"],
  ["17-bad-blocksize", 0, "made for sectors of 4096 bytes"],
])("%s is a damaged control block: %s", (name, index, words) => {
  const read = readSfexControl(sector(name, index), SECTOR);
  expect(read.kind === "damaged" && read.reason).toContain(words);
});

test.each(["14-bad-status", "15-bad-count"])("%s is damaged, and not free", (name) => {
  expect(readSfexLock(sector(name, 1)).kind).toBe("damaged");
});
