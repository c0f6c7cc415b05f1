/** Questions to other managers that have no answer yet. */
import type { ManagerMessage } from "./messages.ts";

export interface Question {
  readonly to: string;
  /** Undefined: no answer will come. */
  readonly end: (message: ManagerMessage | undefined) => void;
}

/**
 * What was asked of a manager that has gone, or of an earlier life of it, nobody will answer: whoever asked is told
 * now, and not when the longest fencing would have ended.
 */
export function endQuestions(asked: ReadonlyMap<number, Question>, to: string): void {
  for (const question of [...asked.values()].filter((each) => each.to === to)) question.end(undefined);
}
