/** Lines folded to a terminal: what is copied from it must still be whole, and Japanese takes two columns a letter. */
import { expect, test } from "vitest";
import { columnsOf, foldLine, foldText, padColumns } from "../../src/base/fold.ts";

const ADVICE =
  "    -> on srv01: stop by hand what prmDB runs, and see that nothing of it is left; then: " +
  "crm resource cleanup prmDB srv01";

test("a line that fits is left as it is; the rest of one that does not hangs below its text", () => {
  const row = "  prmDB                Started on srv01 for 3 min           ocf:heartbeat:pgsql";
  expect(foldLine(row, 80)).toEqual([row]);
  expect(foldLine(`${row}  [unmanaged, failed 2 times on srv02]`, 80)).toEqual([
    row,
    "    [unmanaged, failed 2 times on srv02]",
  ]);
});

test.each([80, 60, 48])("a command stays in one piece at %i columns", (columns) => {
  const lines = foldLine(ADVICE, columns);
  expect(lines.some((line) => line.endsWith("crm resource cleanup prmDB srv01"))).toBe(true);
  expect(Math.max(...lines.map(columnsOf))).toBeLessThanOrEqual(columns);
});

test("Japanese is broken between letters, never before a full stop, and counts two columns a letter", () => {
  expect(columnsOf("停止に失敗 (rc=1)。")).toBe(19);
  expect(columnsOf("か\u3099")).toBe(2);
  expect(padColumns("停止", 6)).toBe("停止  ");
  expect(foldLine("  エラー: まだ動いている恐れがあり、対処するまで何も動かない。", 30)).toEqual([
    "  エラー: まだ動いている恐れが",
    "    あり、対処するまで何も動か",
    "    ない。",
  ]);
  expect(foldLine("あいうえおかきくけこ。さ", 20)).toEqual(["あいうえおかきくけ", "  こ。さ"]);
});

test("narrow terminals have words instead of columns, and tabs are what a terminal makes of them", () => {
  const line = "    * default_ping_set                \t: 100       \t: Connectivity is lost";
  expect(foldLine(line, 80)).toEqual([
    "    * default_ping_set                  : 100           : Connectivity is lost",
  ]);
  expect(foldLine(line, 40)).toEqual(["    * default_ping_set : 100 :", "      Connectivity is lost"]);
});

test("what has no place to break is broken anywhere, and nothing is lost", () => {
  const id = "x".repeat(95);
  const lines = foldText(`  ${id} runs nowhere\nsecond`, 40);
  expect(lines.join("").replaceAll(" ", "")).toBe(`${id}runsnowheresecond`);
  expect(Math.max(...lines.map(columnsOf))).toBeLessThanOrEqual(40);
});
