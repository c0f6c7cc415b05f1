/**
 * How long something has not answered, counted in turns of our own loop. On a starved machine each turn takes seconds,
 * and an answer may lie there unread: the time in which we did not look proves nothing against the one who was asked.
 */

/** A turn counts for so much, however long it took. */
const TURN_MS = 1_000;

export interface Silence {
  /** Something was asked, or has answered with more to come: counts anew. */
  readonly begin: () => void;
  /** Nothing is asked any more. */
  readonly end: () => void;
  readonly ms: () => number;
}

/** `turnMs`: how often it is looked, 1000 unless a test has less time. */
export function createSilence(turnMs: number = TURN_MS): Silence {
  let turns = 0;
  let timer: NodeJS.Timeout | undefined;
  return {
    begin() {
      turns = 0;
      timer ??= setInterval(() => {
        turns += 1;
      }, turnMs).unref();
    },
    end() {
      clearInterval(timer);
      timer = undefined;
      turns = 0;
    },
    ms: () => turns * turnMs,
  };
}
