/** The active node is gone or hangs: the other one takes over, after the power of the first was read back as off. */
import { expect, test } from "vitest";
import type { Lab } from "../../../lab/lab.ts";
import type { Machine } from "../../../lab/machine/machine.ts";
import { writeSome } from "../../../lab/tour/demo.ts";
import { type Takeover, takeOver } from "../../../lab/tour/takeover.ts";

/** Leaves a synced file and an unsynced one behind, at the moment of the cut. */
async function cutWhileWriting(machine: Machine): Promise<void> {
  const synced = "echo synced >/data/log/probe && sync /data/log/probe";
  await machine.must(`rm -f /data/log/probe*; ${synced} && echo unsynced >/data/log/probe2`);
  await machine.powerCut();
}

export async function nothingIsLost(lab: Lab): Promise<void> {
  const verdict = await lab.client.verify();
  expect(verdict?.lost).toEqual([]);
  expect(verdict?.acknowledgedCount).toBeGreaterThan(10);
  expect(lab.watcher.writers().violations).toEqual([]);
}

/** Waits until the kernel has no mirror there. */
export async function mirrorIsDown(lab: Lab, machine: Machine, maxMs?: number): Promise<void> {
  const isDown = async () => (await machine.run("! grep -q ' 0: cs:' /proc/drbd"))?.exitCode === 0;
  await lab.until("DRBD is down", isDown, maxMs);
}

/** Beside a dead peer a restarted disk is only Consistent; it is promoted all the same, since nobody has newer data. */
async function restartMirror(lab: Lab): Promise<void> {
  const alive = lab.active();
  const machine = lab.pair.machines[alive];
  await machine.must("crm resource stop mirror");
  await mirrorIsDown(lab, machine);
  await machine.must("crm resource start mirror");
  await lab.until("it is promoted", () => lab.watcher.active() === alive);
  await lab.until("the service answers", async () => (await lab.client.read()) !== undefined);
  await writeSome(lab, 10);
}

async function checkProbe(struck: Machine): Promise<void> {
  expect(await struck.must("cat /data/log/probe /data/log/probe2 2>/dev/null; true")).toBe("synced\n");
}

const nothing = () => Promise.resolve();

/** What is done to the active node, then beside the dead node, then when the pair is whole again. */
const CASES: readonly {
  readonly what: string;
  readonly strike: (machine: Machine) => Promise<void>;
  readonly beside?: (lab: Lab) => Promise<void>;
  readonly after?: (struck: Machine) => Promise<void>;
}[] = [
  { what: "loses its power", strike: cutWhileWriting, after: checkProbe },
  { what: "hangs", strike: (machine) => machine.freeze() },
  {
    what: "panics, and the mirror is restarted beside it",
    strike: (machine) => machine.panic(),
    beside: restartMirror,
  },
];

/** The order in which it must have happened; times are not judged. */
export function happenedInOrder({ fencing, timeline }: Takeover): void {
  expect(fencing?.outcome).toBe("confirmed");
  const order = timeline.map(({ what }) => what);
  const at = (part: string) => order.findIndex((line) => line.includes(part));
  expect(at("confirmed by")).toBeGreaterThan(0);
  expect(at("confirmed by")).toBeLessThan(at("filesystem"));
  expect(at("filesystem")).toBeLessThan(at("record"));
}

export function testTakeovers(lab: () => Lab): void {
  for (const { what, strike, beside = nothing, after = nothing } of CASES) {
    test(`the active node ${what}: the other one takes over after a confirmed off, and nothing is lost`, async () => {
      await writeSome(lab(), 10);
      const takeover = await takeOver(lab(), what, strike);
      happenedInOrder(takeover);
      await nothingIsLost(lab());
      await beside(lab());
      // Its power was read back as off, so it is off: nothing but a person or the lab switches it on again.
      const { [takeover.from]: struck } = lab().pair.machines;
      expect(struck.isOn()).toBe(false);
      await struck.powerOn();
      await lab().untilWhole();
      expect(lab().active()).toBe(takeover.to);
      await nothingIsLost(lab());
      await after(struck);
    });
  }
}
