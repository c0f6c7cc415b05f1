/** The program's own code, present in memory: no page of it is waited for later. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mapProgramCode } from "../../../src/hw/edge/memory-lock.ts";

/** Sizes in KiB of the machine code of this very program, summed over its mappings. */
function codeInMemory(): { readonly sizeKib: number; readonly residentKib: number } {
  const all = readFileSync("/proc/self/smaps", "utf8").split(/^(?=[\da-f]+-[\da-f]+ )/m);
  const own = all.filter((one) => /^\S+ r-xp .* \/.*node/.test(one));
  const sum = (name: string) =>
    own.reduce((total, one) => total + Number(new RegExp(`^${name}: +(\\d+)`, "m").exec(one)?.[1]), 0);
  return { sizeKib: sum("Size"), residentKib: sum("Rss") };
}

test("every page of code is mapped", () => {
  mapProgramCode();
  const { sizeKib, residentKib } = codeInMemory();
  expect(sizeKib).toBeGreaterThan(10_000);
  expect(residentKib).toBe(sizeKib);
});
