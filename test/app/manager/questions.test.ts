/** Who was asked and has gone answers no more: its questions end at once, and nobody else's do. */
import { expect, test } from "vitest";
import { endQuestions, type Question } from "../../../src/app/manager/questions.ts";

test("the questions to one manager end, each once, also when their end takes them off the list", () => {
  const ended: number[] = [];
  const asked = new Map<number, Question>();
  for (const [number, to] of [
    [1, "alpha"],
    [2, "bravo"],
    [3, "alpha"],
  ] as const)
    asked.set(number, {
      to,
      end: (message) => {
        expect(message).toBeUndefined();
        ended.push(number);
        asked.delete(number);
      },
    });
  endQuestions(asked, "alpha");
  expect(ended).toEqual([1, 3]);
  expect([...asked.keys()]).toEqual([2]);
});
