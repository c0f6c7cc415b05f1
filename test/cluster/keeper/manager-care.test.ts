/** How long a manager's silence is borne: only as far as the keeper itself listened. */
import { expect, test } from "vitest";
import {
  ASK_EVERY_MS,
  beginListening,
  isTooSilent,
  noteAnswer,
  noteQuestion,
  noteWord,
} from "../../../src/cluster/core/keeper/manager-care.ts";

const SILENT_MAX_MS = 5_000;
const hangs = (silence: ReturnType<typeof beginListening>) => isTooSilent(silence, true, SILENT_MAX_MS);

test("a manager that says nothing to question after question hangs", () => {
  let silence = beginListening(0);
  let nowMs = 0;
  while (!hangs(silence) && nowMs < 60_000) silence = noteQuestion(silence, (nowMs += ASK_EVERY_MS));
  expect(nowMs).toBe(SILENT_MAX_MS + ASK_EVERY_MS);
  expect(silence.unansweredMs).toBe(nowMs);
});

test("a keeper that stood still for a minute does not hold that against its manager", () => {
  let silence = noteQuestion(noteAnswer(beginListening(0)), ASK_EVERY_MS);
  // Timers run before the pipe is read: the answer that waits there is not known yet.
  silence = noteQuestion(silence, 60_000);
  expect(hangs(silence)).toBe(false);
  // And one that hangs is found all the same, a little later.
  let nowMs = 60_000;
  while (!hangs(silence) && nowMs < 120_000) silence = noteQuestion(silence, (nowMs += ASK_EVERY_MS));
  expect(nowMs).toBeLessThanOrEqual(60_000 + SILENT_MAX_MS);
});

test("other words show that it lives, and are no answer; a new start is given longer", () => {
  let silence = beginListening(0);
  for (let nowMs = ASK_EVERY_MS; nowMs <= 10_000; nowMs += ASK_EVERY_MS)
    silence = noteWord(noteQuestion(silence, nowMs));
  expect([silence.silentMs, silence.unansweredMs]).toEqual([0, 10_000]);
  const starting = { ...silence, silentMs: 59_000 };
  expect([isTooSilent(starting, false, SILENT_MAX_MS), hangs(starting)]).toEqual([false, true]);
});
