/** The rule that keeps words from outside away from what every object inherits finds each way of asking. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { outsideWordBreaches } from "../../tools/outside-words.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-words-"));
afterAll(() => rmSync(folder, { recursive: true }));

const REFUSED = [
  "TABLE[word]",
  "TABLE[word] = 1",
  "TABLE[word] += 1",
  "word in TABLE",
  "Object.assign(TABLE, { a: 1 })",
  "maybe?.[word]",
];
const ALLOWED = ['TABLE["own"]', "CLOSED[name]", "list[at]", "delete TABLE[word]", '"own" in TABLE', "TABLE[OWN]"];

test("each way is refused, and none that is safe", () => {
  const lines = [
    "declare const TABLE: Record<string, number>, CLOSED: Record<'a' | 'b', number>, list: readonly number[];",
    "declare const word: string, name: 'a' | 'b', at: number, maybe: Readonly<Record<string, number>> | undefined;",
    'const OWN = "own";',
    ...[...REFUSED, ...ALLOWED].map((statement) => `${statement};`),
    "export const { [word]: bound } = TABLE;",
  ];
  writeFileSync(path.join(folder, "asks.ts"), lines.join("\n"));
  writeFileSync(
    path.join(folder, "tsconfig.json"),
    '{"compilerOptions":{"strict":true,"noEmit":true,"types":[]},"include":["."]}',
  );
  const found = outsideWordBreaches(path.join(folder, "tsconfig.json"));
  const told = found.map((line) => line.replace(/^.*asks\.ts:\d+: /, "").replace(/: write .*$/, ""));
  expect(told.toSorted()).toEqual([...REFUSED.map((each) => each.replace(/ \+?= 1$/, "")), "[word]: bound"].toSorted());
});
