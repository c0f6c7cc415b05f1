/**
 * What a start of this node has promised to its peers outlives it, until the machine has been reset: that it ends
 * when it loses quorum, or a lock on a disk. A keeper that died leaves running what the agents have started; one
 * that is started anew would feed the watchdog and knows nothing of those promises. So the bond is written before
 * the first promise and torn up by an orderly end only, and whoever finds it in the same boot leaves the machine to
 * its watchdog.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { readBootId } from "../../hw/edge/boot-id.ts";

export interface BootBond {
  /** From now on this boot is bound; a second call does nothing. Throws when it cannot be written. */
  bind(): void;
  /** Nothing runs here any more. */
  release(): void;
}

/** Throws when an earlier start of this boot is still bound. */
export function openBootBond(runFolder: string, bootId = readBootId()): BootBond {
  const file = path.join(runFolder, "bound");
  let isBound = false;
  let found = "";
  try {
    found = readFileSync(file, "utf8").trim();
  } catch {
    // The usual case: nothing was promised in this boot.
  }
  if (found === bootId)
    throw new Error(
      "an earlier start in this boot has promised its peers to end, and did not stop in order: what it started may " +
        "still run, so the machine is left to its watchdog; where it has none, reset it",
    );
  return {
    bind() {
      if (isBound) return;
      writeFileSync(file, `${bootId}\n`);
      isBound = true;
    },
    release() {
      if (isBound) rmSync(file, { force: true });
      isBound = false;
    },
  };
}
