/**
 * CIBs by seed, our scheduler beside crm_simulate: as many as agreed before must still agree. The whole comparison, and
 * what it is that differs, is `bench/differential.ts`.
 */
import { expect, test } from "vitest";
import { explanationOf } from "../../support/peer-explanations.ts";
import { randomCib } from "../../support/random-cib/cib.ts";
import { askOurs, askPeer, compare, isPeerInstalled } from "../../support/scheduler-peer.ts";
import { skips } from "../../support/skip.ts";
import floor from "./differential-floor.json" with { type: "json" };

test.skipIf(skips(!isPeerInstalled(), "Debian's pacemaker-cli-utils is not installed"))(
  `of ${floor.seeds} generated CIBs at least ${floor.agree} are decided and told as by crm_simulate`,
  () => {
    const differing: number[] = [];
    for (let seed = 1; seed <= floor.seeds; seed++) {
      const cib = randomCib(seed);
      const theirs = askPeer(cib);
      // What the peer refuses, or is known to be too old for, says nothing about us.
      if (theirs === undefined || compare(cib, askOurs(cib), theirs) === undefined) continue;
      if (explanationOf(cib, theirs) === undefined) differing.push(seed);
    }
    const agreeing = floor.seeds - differing.length;
    process.stdout.write(
      `differential: ${agreeing} of ${floor.seeds} agree; differing seeds: ${differing.join(" ")}\n`,
    );
    expect(agreeing).toBeGreaterThanOrEqual(floor.agree);
  },
  300_000,
);
