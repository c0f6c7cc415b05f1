/**
 * One machine's side of a DRBD resource: what stands on its disk and in its metadata, and what only its kernel knows.
 */
import type { Machine } from "./machine.ts";

/** What stands on a disk: its last write, on top of all before it. */
export interface Version {
  readonly parent: Version | undefined;
  readonly depth: number;
}

export type DrbdDisk = "Diskless" | "Inconsistent" | "Outdated" | "Consistent" | "UpToDate";

/** Whether the data of `later` contain everything of `earlier`. */
export function contains(later: Version, earlier: Version): boolean {
  let at: Version | undefined = later;
  while (at !== undefined && at.depth > earlier.depth) at = at.parent;
  return at === earlier;
}

/** One machine's side. */
export class DrbdSide {
  readonly machine: Machine;
  // On the disk.
  version: Version;
  generation = 0;
  history: readonly number[] = [];
  isConsistent = true;
  /** No newer data can be anywhere. */
  isCurrent = true;
  isOutdated = false;
  /** The peer is known to be outdated or was fenced: these data are the newest. */
  isPeerOutdated = false;
  wasPrimary = false;
  // In the kernel.
  isUp = false;
  role: "Primary" | "Secondary" = "Secondary";
  isConnected = false;
  isFrozen = false;
  /** Written here, and not yet acknowledged to the file system. */
  pending: Version | undefined;
  /** The peer does not answer since then, and is taken for lost at that time. */
  lostAtMs: number | undefined;
  connectAtMs = 0;
  /** Grows with every loss of the peer: a handler's answer to an older one is not used any more. */
  losses = 0;
  resyncEndsAtMs: number | undefined;

  constructor(machine: Machine, version: Version) {
    this.machine = machine;
    this.version = version;
  }

  /** What the disk is worth, as the kernel shows it. */
  get disk(): DrbdDisk {
    if (!this.isUp) return "Diskless";
    if (!this.isConsistent) return "Inconsistent";
    if (this.isOutdated) return "Outdated";
    return this.isCurrent ? "UpToDate" : "Consistent";
  }

  get isRunning(): boolean {
    const { isBooted, isHung, sleep } = this.machine;
    return this.isUp && isBooted && !isHung && sleep !== "frozen";
  }
}
