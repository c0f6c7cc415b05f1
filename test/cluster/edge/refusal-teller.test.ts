/** A disk that refuses each second for an hour is no hour of log lines. */
import { expect, test } from "vitest";
import { createRefusalTeller } from "../../../src/cluster/edge/refusal-teller.ts";

const fault = (code: string) => Object.assign(new Error(`${code}: the disk says so`), { code });

test("told when it begins, for another reason, each ten minutes, and when it is over", () => {
  let nowMs = 0;
  const told: string[] = [];
  const teller = createRefusalTeller(
    (severity, reason) => told.push(`${nowMs / 1_000} ${severity}: ${reason}`),
    () => nowMs,
  );
  teller.taken();
  for (let second = 0; second < 1_300; second += 1) {
    nowMs = second * 1_000;
    teller.refused(fault(second < 30 ? "ENOSPC" : "EROFS"));
  }
  teller.taken();
  teller.taken();
  expect(told).toEqual([
    "0 error: the configuration cannot be written: ENOSPC: the disk says so",
    "30 error: the configuration cannot be written, for 30 s now: EROFS: the disk says so",
    "630 error: the configuration cannot be written, for 630 s now: EROFS: the disk says so",
    "1230 error: the configuration cannot be written, for 1230 s now: EROFS: the disk says so",
    "1299 warning: the configuration is written again, after 1299.0 s",
  ]);
});
