/** Nothing is left behind of a file that could not be written. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { writeWhole } from "../../src/app/write-whole.ts";

test("a file is replaced whole; what cannot be put in its place leaves nothing", () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-whole-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, "now.html");
  for (const text of ["old", "new"]) writeWhole(file, text);
  expect(readFileSync(file, "utf8")).toBe("new");
  mkdirSync(path.join(folder, "taken"));
  expect(() => writeWhole(path.join(folder, "taken"), "text")).toThrow();
  expect(readdirSync(folder).toSorted()).toEqual(["now.html", "taken"]);
});
