/** Two texts line by line and, where lines differ, word by word, as wdiff(1) marks them: `[-gone-]`, `{+new+}`. */

/** Texts of thousands of words on each side are compared in a second; longer ones line by line alone. */
const CELLS_MAX = 4_000_000;

/** What both have in common, in order: for each item whether it is kept, gone or new. */
function aligned(before: readonly string[], after: readonly string[]): readonly (readonly ["=" | "-" | "+", string])[] {
  const width = after.length + 1;
  if (before.length * after.length > CELLS_MAX)
    return [...before.map((item) => ["-", item] as const), ...after.map((item) => ["+", item] as const)];
  const lengths = new Uint32Array((before.length + 1) * width);
  const at = (left: number, right: number) => lengths[left * width + right] ?? 0;
  for (let left = before.length - 1; left >= 0; left -= 1)
    for (let right = after.length - 1; right >= 0; right -= 1)
      lengths[left * width + right] =
        before[left] === after[right]
          ? at(left + 1, right + 1) + 1
          : Math.max(at(left + 1, right), at(left, right + 1));
  const found: (readonly ["=" | "-" | "+", string])[] = [];
  let [left, right] = [0, 0];
  while (left < before.length || right < after.length) {
    const [old, now] = [before[left], after[right]];
    if (old !== undefined && old === now) {
      found.push(["=", old]);
      left += 1;
      right += 1;
    } else if (old !== undefined && (now === undefined || at(left + 1, right) >= at(left, right + 1))) {
      found.push(["-", old]);
      left += 1;
    } else {
      found.push(["+", now ?? ""]);
      right += 1;
    }
  }
  return found;
}

const MARKS = { "=": ["", ""], "-": ["[-", "-]"], "+": ["{+", "+}"] } as const;

/** Lines that both have are left out; empty when nothing differs. */
export function wordDiff(before: string, after: string): string {
  let [gone, come]: [string[], string[]] = [[], []];
  const told: string[] = [];
  const flush = () => {
    if (gone.length + come.length === 0) return;
    const split = (lines: readonly string[]) => lines.join("\n").split(/(?<=\s)|(?=\s)/);
    const words = aligned(gone.length === 0 ? [] : split(gone), come.length === 0 ? [] : split(come));
    const runs: { mark: "=" | "-" | "+"; text: string }[] = [];
    for (const [mark, text] of words) {
      const last = runs.at(-1);
      if (last?.mark === mark) last.text += text;
      else runs.push({ mark, text });
    }
    told.push(runs.map(({ mark, text }) => `${MARKS[mark][0]}${text}${MARKS[mark][1]}`).join(""));
    [gone, come] = [[], []];
  };
  for (const [mark, line] of aligned(before.split("\n"), after.split("\n"))) {
    if (mark === "=") flush();
    else (mark === "-" ? gone : come).push(line);
  }
  flush();
  return told.map((text) => `${text}\n`).join("");
}
