/**
 * Scenario files: blocks of comment lines, input lines, `----` and the expected output, parted by blank lines.
 * `GEMEL_REWRITE=1` writes what happened as the new expectation; its diff is then read like code.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { expect, test } from "vitest";

interface Block {
  readonly comments: readonly string[];
  readonly input: readonly string[];
  readonly expected: readonly string[];
}

function parseBlocks(text: string): Block[] {
  return text
    .split(/\n\s*\n/)
    .filter((block) => block.trim() !== "")
    .map((block) => {
      const lines = block.split("\n").filter((line) => line.trim() !== "");
      const rule = lines.indexOf("----");
      const head = rule < 0 ? lines : lines.slice(0, rule);
      return {
        comments: head.filter((line) => line.startsWith("#")),
        input: head.filter((line) => !line.startsWith("#")),
        expected: rule < 0 ? [] : lines.slice(rule + 1),
      };
    });
}

/** One test a block, named by its first comment line. */
export function testScenarios(folder: string, play: (input: readonly string[]) => readonly string[]): void {
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".txt"))) {
    const place = path.join(folder, file);
    const blocks = parseBlocks(readFileSync(place, "utf8"));
    if (process.env["GEMEL_REWRITE"] === "1") {
      const text = blocks.map(({ comments, input }) => [...comments, ...input, "----", ...play(input)].join("\n"));
      writeFileSync(place, `${text.join("\n\n")}\n`);
    }
    for (const { comments, input, expected } of parseBlocks(readFileSync(place, "utf8")))
      test(`${file}: ${comments[0]?.slice(2) ?? input.join("; ")}`, () => expect(play(input)).toEqual(expected));
  }
}
