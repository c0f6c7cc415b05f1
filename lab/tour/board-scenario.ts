/** What the scenarios of the tour of boards have in common; the tour of troubles loads its configuration by it, too. */
import type { Lab } from "../lab.ts";
import type { Machine } from "../machine/machine.ts";
import type { NodeName } from "../names.ts";

/** In each machine, and the same disk in both. */
export const SHARED_DISK = "/dev/disk/by-id/virtio-shared";

/** Two tries of a fencing, and the pause between them. */
const HELD_FOR_MS = 30_000;
const LOAD_MAX_MS = 240_000;
const TOLD_MAX_MS = 120_000;
/** Exit code of a command that no manager has answered (EX_UNAVAILABLE). */
const UNANSWERED = 69;

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

/** Crm syntax put in force through a node. `text` ends with a newline. */
export async function loadCrm(machine: Machine, how: "update" | "replace", text: string): Promise<void> {
  const file = "/tmp/scenario.crm";
  const script = `cat >${file} <<'END'\n${text}END\ncrm configure load ${how} ${file}`;
  const endsAtMs = performance.now() + LOAD_MAX_MS;
  // On a starved host a manager is too slow to answer; whether the change has arrived does not matter: it is the same.
  for (;;) {
    const answer = await machine.run(script, LOAD_MAX_MS);
    if (answer?.exitCode === 0) return;
    if (answer?.exitCode !== UNANSWERED || performance.now() > endsAtMs)
      throw new Error(`${machine.node}: loading ends with ${answer?.exitCode ?? "no answer"}: ${answer?.output ?? ""}`);
  }
}

/** Nothing of the lost node may be taken over while its end is not proven. */
export async function isHeld(lab: Lab, survivor: NodeName): Promise<void> {
  const { watcher } = lab;
  await lab.until(
    `${survivor} says that it waits`,
    () =>
      watcher.status(survivor)?.problems.some(({ what }) => what.includes("is lost and not known to be off")) === true,
    TOLD_MAX_MS,
  );
  const endsAtMs = performance.now() + HELD_FOR_MS;
  const seen = () => watcher.latest(survivor)?.seen;
  await lab.until("the takeover is held", () => {
    if (watcher.active() === survivor || seen()?.hasVirtualAddress === true || seen()?.isMounted === true)
      throw new Error(`${survivor} HAS TAKEN OVER without a proof`);
    return performance.now() > endsAtMs;
  });
}

export async function hasTakenOver(lab: Lab, to: NodeName): Promise<void> {
  await lab.until(`${to} takes over`, () => lab.watcher.active() === to);
  await lab.until("the service answers", async () => (await lab.client.read()) !== undefined);
}
