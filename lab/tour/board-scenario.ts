/** What the scenarios of the tour of boards have in common. */
import type { Lab } from "../lab.ts";
import type { NodeName } from "../names.ts";

/** In each machine, and the same disk in both. */
export const SHARED_DISK = "/dev/disk/by-id/virtio-shared";

export interface Scenario {
  readonly title: string;
  /** Returns what came of it; throws where it did not come. */
  readonly play: (lab: Lab) => Promise<string>;
}

/** The struck node gets its power and its processor back, and the pair is waited for. */
export async function makeWhole(lab: Lab, struck: NodeName): Promise<void> {
  const { [struck]: machine } = lab.pair.machines;
  if (machine.isFrozen()) await machine.thaw();
  if (!machine.isOn()) await machine.powerOn();
  await lab.untilWhole();
}
