/** Clocks that differ are told by status, as doctor tells them: dated facts of one node are misread on the other. */
import { expect, test } from "vitest";
import { advise } from "../../../src/cluster/core/advice/advise.ts";
import { textOf } from "../../../src/cluster/core/advice/texts.ts";
import { runsOn, situationOf } from "./scene.ts";

function told(offsetMs: number | undefined, roundTripMs = 4): readonly string[] {
  const clocks = [{ node: "srv01", offsetMs, roundTripMs }];
  return advise(situationOf({ done: runsOn("srv01"), live: { clocks } })).map(
    ({ severity, code, values }) => `${severity} ${textOf("en", code, values).what}`,
  );
}

test.each([
  [3_600_000, "error the clock of srv01 is 3600 s ahead of this node's"],
  [-61_000, "error the clock of srv01 is 61 s behind this node's"],
  [-2_500, "warning the clock of srv01 is 2.5 s behind this node's"],
])("an offset of %i ms is told", (offsetMs, text) => {
  expect(told(offsetMs)).toEqual([text]);
});

test("what the way of the question may have made up, and a node that has not answered, is no difference", () => {
  expect(told(900)).toEqual([]);
  expect(told(2_500, 4_000)).toEqual([]);
  expect(told(undefined)).toEqual([]);
});
