/** The known word that a mistyped one most likely meant, for remedies. */

/** Words further apart than this are different words, not mistypings. A guess, from the misspellings seen. */
const DISTANCE_MAX = 3;

/** Insertions, deletions, substitutions and swaps of neighbours between two words (optimal string alignment). */
function distance(left: string, right: string): number {
  let older: number[] = [];
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 0; i < left.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < right.length; j += 1) {
      const same = left[i] === right[j];
      const isSwap = i > 0 && j > 0 && left[i] === right[j - 1] && left[i - 1] === right[j];
      const swapped = isSwap ? (older[j - 1] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min((row[j] ?? 0) + (same ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, swapped));
    }
    [older, row] = [row, next];
  }
  return row[right.length] ?? 0;
}

/** Ignores case and takes `_` for `-`; undefined when nothing is near. */
export function nearestName(word: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replaceAll("_", "-");
  let best: { readonly word: string; readonly away: number } | undefined;
  for (const candidate of known) {
    // A long word is not worth measuring: it cannot be near.
    if (Math.abs(candidate.length - word.length) > DISTANCE_MAX) continue;
    const away = distance(plain(word), plain(candidate));
    if (away <= Math.min(DISTANCE_MAX, Math.ceil(word.length / 3)) && away < (best?.away ?? Number.POSITIVE_INFINITY))
      best = { word: candidate, away };
  }
  return best?.word;
}
