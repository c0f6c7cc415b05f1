/** Spoiled CIBs: nothing that may be asked of one throws. `bench/fuzz-scheduler.ts` runs the same for 100,000. */
import { expect, test } from "vitest";
import { parseXml } from "../../../src/base/xml.ts";
import { mutateCib } from "../../support/mutate-cib.ts";
import { randomCib } from "../../support/random-cib/cib.ts";
import { tryCib } from "../../support/try-cib.ts";

const COUNT = 600;

test(`${COUNT} spoiled CIBs are decided, reported, checked and explained without an uncaught error`, () => {
  const failures: string[] = [];
  for (let seed = 1; seed <= COUNT; seed++) {
    const read = parseXml(randomCib(1 + (seed % 100)));
    if (read.kind === "not-xml") throw new Error(read.reason);
    const error = tryCib(mutateCib(read.root, seed), seed);
    if (error !== undefined) failures.push(`seed ${seed}: ${error}`);
  }
  expect(failures).toEqual([]);
});

test("the mutations spoil: hardly any CIB stays as it was, and most are no longer valid", () => {
  const read = parseXml(randomCib(7));
  if (read.kind === "not-xml") throw new Error(read.reason);
  const { root } = read;
  const spoiled = Array.from({ length: 50 }, (_, seed) => mutateCib(root, seed));
  expect(spoiled.filter((each) => JSON.stringify(each) === JSON.stringify(root)).length).toBeLessThan(5);
  expect(mutateCib(root, 3)).toEqual(mutateCib(root, 3));
});
