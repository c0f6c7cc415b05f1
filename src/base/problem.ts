/**
 * What is wrong with an input, told so that its author can mend it: the place, the reason, the remedy.
 * Readers collect all problems of an input; nothing is applied while there is one of severity `error`.
 */
export interface Problem {
  readonly severity: "error" | "warning";
  /** Where: `FILE:LINE`, `line 7`, or an XPath. */
  readonly place: string;
  /** What is wrong, in one sentence without a full stop. */
  readonly reason: string;
  /** What to do about it, as an order: `write ...`, `remove ...`. */
  readonly remedy: string;
}

/** Longer than any name or path that somebody wrote on purpose. */
const WORD_MAX = 240;

/**
 * Problems quote what they are about, and that may be any bytes: signs that steer a terminal are told by their number,
 * and a word without an end is cut.
 */
export function printable(text: string): string {
  return text
    .replaceAll(/[^\P{Cc}\t\n]/gu, (sign) => `\\x${(sign.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}`)
    .replaceAll(/\S+/g, (word) => (word.length > WORD_MAX ? `${word.slice(0, WORD_MAX)}...` : word));
}

/** One line for a terminal or a log. */
export function formatProblem({ severity, place, reason, remedy }: Problem): string {
  return printable(`${place}: ${severity}: ${reason}; ${remedy}`);
}

/** Either the value or every problem that was found; warnings may come with a value. */
export type Read<Value> =
  | { readonly kind: "valid"; readonly value: Value; readonly warnings: readonly Problem[] }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] };
