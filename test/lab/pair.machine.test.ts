/**
 * The whole appliance on emulated hardware: the active node loses its power, hangs, panics; the other one takes over,
 * and only after the power of the first has been read back as off. No acknowledged record is lost, and never do two
 * nodes write. Order and safety are asserted, not times: emulated machines on a busy host are slow.
 */
import process from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Lab, startLab } from "../../lab/lab.ts";
import type { Machine } from "../../lab/machine/machine.ts";
import { placeOf } from "../../lab/place.ts";
import { processesOf } from "../../lab/processes.ts";
import { writeSome } from "../../lab/tour/demo.ts";
import { takeOver } from "../../lab/tour/takeover.ts";

const place = placeOf(`test-${process.pid}`);
let lab: Lab;

beforeAll(async () => {
  lab = await startLab(place, (line) => process.stderr.write(`${line}\n`));
});

afterAll(async () => {
  await lab?.close();
  expect(processesOf(place.directory)).toEqual([]);
});

/** Leaves a synced file and an unsynced one behind, at the moment of the cut. */
async function cutWhileWriting(machine: Machine): Promise<void> {
  const synced = "echo synced >/data/log/probe && sync /data/log/probe";
  await machine.must(`rm -f /data/log/probe*; ${synced} && echo unsynced >/data/log/probe2`);
  await machine.powerCut();
}

/** A node that hung or crashed must have no power, or have started anew, before the other one writes. */
for (const [what, strike] of [
  ["loses its power", cutWhileWriting],
  ["hangs", (machine: Machine) => machine.freeze()],
  ["panics", (machine: Machine) => machine.panic()],
] as const) {
  test(`the active node ${what}: the other one takes over after a confirmed off, and nothing is lost`, async () => {
    await writeSome(lab, 10);
    const takeover = await takeOver(lab, what, strike);
    expect(takeover.fencing?.outcome).toBe("confirmed");
    const order = takeover.timeline.map(({ what: line }) => line);
    const at = (part: string) => order.findIndex((line) => line.includes(part));
    expect(at("confirmed by")).toBeGreaterThan(0);
    expect(at("confirmed by")).toBeLessThan(at("filesystem"));
    expect(at("filesystem")).toBeLessThan(at("record"));
    const verdict = await lab.client.verify();
    expect(verdict?.lost).toEqual([]);
    expect(verdict?.acknowledgedCount).toBeGreaterThan(10);

    expect(lab.pair.machines[takeover.from].isOn()).toBe(false);
    await lab.pair.machines[takeover.from].powerOn();
    await lab.untilWhole();
    expect(lab.active()).toBe(takeover.to);
    expect(lab.watcher.writers().violations).toEqual([]);
    if (strike === cutWhileWriting) {
      const left = await lab.pair.machines[takeover.from].must(
        "cat /data/log/probe /data/log/probe2 2>/dev/null; true",
      );
      expect(left).toBe("synced\n");
    }
  });
}
