/** The proof that nothing acknowledged was lost must itself be able to fail. */
import { expect, test } from "vitest";
import {
  formatAcknowledged,
  formatVerdict,
  longestGapMs,
  readAcknowledged,
  recordText,
  verifyRecords,
  wholeRecords,
} from "../../lab/records/ledger.ts";
import { fc } from "../support/repeatable.ts";

const acknowledged = (...numbers: number[]) => numbers.map((number) => ({ number, atWallMs: number * 100 }));
const stored = (...numbers: number[]) => numbers.map((number) => `${recordText(number)}\n`).join("");

for (const [story, numbers, text, lost] of [
  ["all there", [1, 2, 3], stored(1, 2, 3), []],
  ["a record stored twice, one never acknowledged", [1, 2], stored(1, 1, 2, 3), []],
  ["one missing", [1, 2, 3], stored(1, 3), [2]],
  ["one torn by a power cut", [1, 2], `${stored(1)}${recordText(2).slice(0, 6)}\n`, [2]],
  ["an empty file", [1], "", [1]],
  ["the text of another number", [2], `2 ${recordText(1).slice(2)}\n`, [2]],
] as const) {
  test(`verify: ${story}`, () => {
    expect(verifyRecords(acknowledged(...numbers), text).lost).toEqual(lost);
  });
}

test("whatever is taken out of the stored records is told as lost, and nothing else", () => {
  const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 500 }), { minLength: 1 });
  fc.assert(
    fc.property(numbers, fc.array(fc.boolean()), (all, keep) => {
      const kept = all.filter((_, index) => keep[index] === true);
      const { lost } = verifyRecords(acknowledged(...all), stored(...kept));
      expect(lost).toEqual(all.filter((number) => !kept.includes(number)));
    }),
  );
});

test("the ledger is read as it was written, without a last line that was cut off", () => {
  const text = acknowledged(1, 2).map(formatAcknowledged).join("");
  expect(readAcknowledged(`${text}3 30`)).toEqual(acknowledged(1, 2));
  expect(wholeRecords(stored(4, 5))).toEqual(new Set([4, 5]));
});

test("the outage is the longest gap that reaches beyond the cut", () => {
  const times = [0, 5_000, 5_100, 5_200, 14_200, 14_300].map((atWallMs, index) => ({ number: index + 1, atWallMs }));
  expect(longestGapMs(times, 5_150)).toBe(9_000);
  expect(longestGapMs(times, 14_250)).toBe(100);
});

test("the verdict names the lost ones", () => {
  expect(formatVerdict({ acknowledgedCount: 3, storedCount: 2, lost: [2] })).toBe(
    "verify: 3 records acknowledged, 2 stored, 1 lost (2)",
  );
});
