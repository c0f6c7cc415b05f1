/** How long a manager's silence is borne: only as far as the keeper itself listened. */
import { expect, test } from "vitest";
import {
  ASK_EVERY_MS,
  beginListening,
  isTooSilent,
  noteAnswer,
  noteQuestion,
  noteWord,
  type Silence,
} from "../../../src/cluster/core/keeper/manager-care.ts";

const SILENT_MAX_MS = 5_000;
const hangs = (silence: Silence) => isTooSilent(silence, true, SILENT_MAX_MS);

/** Asks on and on, and never gets a word; the silence at which the manager counts as hung. */
function askInVain(before: Silence): Silence {
  let silence = before;
  while (!hangs(silence) && silence.askedAtMs < 200_000)
    silence = noteQuestion(silence, silence.askedAtMs + ASK_EVERY_MS);
  return silence;
}

test("a manager that says nothing to question after question hangs", () => {
  const { askedAtMs, unansweredMs } = askInVain(beginListening(0));
  expect([askedAtMs, unansweredMs]).toEqual([SILENT_MAX_MS + ASK_EVERY_MS, SILENT_MAX_MS + ASK_EVERY_MS]);
});

test("a keeper that stood still for a minute does not hold that against its manager", () => {
  const before = noteQuestion(noteAnswer(beginListening(0)), ASK_EVERY_MS);
  // Timers run before the pipe is read: the answer that waits there is not known yet.
  const awake = noteQuestion(before, 60_000);
  expect(hangs(awake)).toBe(false);
  // And one that hangs is found all the same, a little later.
  expect(askInVain(awake).askedAtMs).toBeLessThanOrEqual(60_000 + SILENT_MAX_MS);
});

test("other words show that it lives, and are no answer; a new start is given longer", () => {
  let silence = beginListening(0);
  for (let nowMs = ASK_EVERY_MS; nowMs <= 10_000; nowMs += ASK_EVERY_MS)
    silence = noteWord(noteQuestion(silence, nowMs));
  expect([silence.silentMs, silence.unansweredMs]).toEqual([0, 10_000]);
  const starting = { ...silence, silentMs: 59_000 };
  expect([isTooSilent(starting, false, SILENT_MAX_MS), hangs(starting)]).toEqual([false, true]);
});
