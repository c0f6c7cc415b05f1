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

/** One line for a terminal or a log. */
export function formatProblem({ severity, place, reason, remedy }: Problem): string {
  return `${place}: ${severity}: ${reason}; ${remedy}`;
}

/** Either the value or every problem that was found; warnings may come with a value. */
export type Read<Value> =
  | { readonly kind: "valid"; readonly value: Value; readonly warnings: readonly Problem[] }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] };
