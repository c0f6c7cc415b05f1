/** Every rule that is broken on purpose is found: the simulator's silence about the real cores means something. */
import { expect, test } from "vitest";
import { type Failure, runSeed } from "../../src/sim/run-seeds.ts";
import { BROKEN_RULES } from "./broken-rules.ts";

const SEEDS_MAX = 2_000;

/** Seeds that find one, tried first: the way to them is long. When a plan has changed the others are searched anew. */
const KNOWN: Readonly<Record<string, number>> = {
  "an outcome that is not known does not count as off": 80,
  "a fencing that was refused does not count as done": 5,
  "an accepted command is no proof of off": 80,
  "a start waits for the stop elsewhere": 10,
  "a silent node has not left": 18,
  "a stop that failed is no stop": 58,
  "nobody says goodbye while something runs": 11,
  "a newer configuration is not overwritten by an older one": 7,
  "DRBD is told only what is proven": 155,
  "a node is a member only by the word of all": 624,
};

test.each(Object.entries(BROKEN_RULES))(
  `found within ${SEEDS_MAX} seeds when broken: %s`,
  { timeout: 600_000 },
  (rule, cores) => {
    let [found]: readonly Failure[] = runSeed(KNOWN[rule] ?? 0, { cores }).failures;
    for (let seed = 0; seed < SEEDS_MAX && found === undefined; seed += 1) [found] = runSeed(seed, { cores }).failures;
    expect(found).toBeDefined();
  },
);
