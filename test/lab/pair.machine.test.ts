/**
 * The whole appliance on emulated hardware, one pair for all of it: takeovers, fencing that cannot be confirmed, a
 * split, lesser faults. No acknowledged record is lost, and never do two nodes write. Order and safety are asserted,
 * not times: emulated machines on a busy host are slow. Each test finds and leaves the pair whole.
 */
import process from "node:process";
import { afterAll, beforeAll, expect } from "vitest";
import { type Lab, startLab } from "../../lab/lab.ts";
import { placeOf } from "../../lab/place.ts";
import { processesOf } from "../../lab/processes.ts";
import { testFencingTroubles } from "./pair/fencing-troubles.ts";
import { testLesserFaults } from "./pair/lesser-faults.ts";
import { testTakeovers } from "./pair/takeovers.ts";

const place = placeOf(`test-${process.pid}`);
let lab: Lab;

beforeAll(async () => {
  lab = await startLab(place, (line) => process.stderr.write(`${line}\n`));
});

afterAll(async () => {
  await lab?.close();
  expect(processesOf(place.directory)).toEqual([]);
});

testLesserFaults(() => lab);
testTakeovers(() => lab);
testFencingTroubles(() => lab);
