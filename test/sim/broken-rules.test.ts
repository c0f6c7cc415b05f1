/** Every rule that is broken on purpose is found: the simulator's silence about the real cores means something. */
import { expect, test } from "vitest";
import { type Failure, runSeed } from "../../src/sim/run-seeds.ts";
import { BROKEN_RULES } from "./broken-rules.ts";

const SEEDS_MAX = 2_000;

test.each(Object.entries(BROKEN_RULES))(
  `found within ${SEEDS_MAX} seeds when broken: %s`,
  { timeout: 600_000 },
  (_, cores) => {
    let found: Failure | undefined;
    for (let seed = 0; seed < SEEDS_MAX && found === undefined; seed += 1) [found] = runSeed(seed, { cores }).failures;
    expect(found).toBeDefined();
  },
);
