/**
 * Asks DRBD now and then, and soon after a mirror has become whole, whether disks that call themselves UpToDate are
 * really the same: no event tells it. A doubt is looked at again soon, and told when it is still there; it is taken
 * back when a look finds none.
 */
import {
  confirmedDoubt,
  type MirrorCheck,
  type MirrorDoubt,
  NO_MIRROR_DOUBT,
  noteLook,
} from "../../storage/core/mirror-check.ts";
import type { Log } from "./log.ts";

/** Two small children a minute; what is found has often been so for weeks. */
const LOOK_EVERY_MS = 60_000;
/** Longer than the two nodes need to agree on their UUIDs after a resync. */
const LOOK_AGAIN_MS = 5_000;

export interface MirrorWatchOptions {
  /** The DRBD resources that there are now. */
  readonly resources: () => readonly string[];
  readonly look: (resource: string) => Promise<MirrorDoubt | "unknown" | undefined>;
  readonly log: Log;
  readonly onChange: () => void;
}

export interface MirrorWatch {
  readonly doubt: (resource: string) => MirrorDoubt | undefined;
  /** A mirror has just become whole: that is when a resync that copied too little would show. */
  readonly lookSoon: () => void;
  readonly close: () => void;
}

function tell(log: Log, resource: string, doubt: MirrorDoubt | undefined): void {
  if (doubt === undefined) log("info", `DRBD ${resource}: the two disks are not in doubt any more`);
  else if (doubt.kind === "bitmap-left")
    log("error", `ALERT: DRBD ${resource}: a bitmap UUID was left behind; a rejoin might copy nothing`);
  else log("error", `ALERT: DRBD ${resource}: both disks say UpToDate, but ${doubt.behindKib} KiB differ`);
}

export function watchMirrors({ resources, look, log, onChange }: MirrorWatchOptions): MirrorWatch {
  const checks = new Map<string, MirrorCheck>();
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;
  let isAskedSoon = false;
  let isClosed = false;
  const doubtOf = (resource: string) => confirmedDoubt(checks.get(resource) ?? NO_MIRROR_DOUBT);

  const lookIn = (delayMs: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => void lookAtAll(), delayMs);
  };

  const lookAtAll = async () => {
    let isOpen = false;
    isLooking = true;
    isAskedSoon = false;
    for (const resource of resources()) {
      const before = checks.get(resource) ?? NO_MIRROR_DOUBT;
      const found = await look(resource);
      if (isClosed) return;
      // What could not be looked at stays as it was.
      if (found === "unknown") continue;
      const after = noteLook(before, found);
      checks.set(resource, after);
      isOpen ||= after.doubt !== undefined && confirmedDoubt(after) === undefined;
      if (confirmedDoubt(after)?.kind === confirmedDoubt(before)?.kind) continue;
      tell(log, resource, confirmedDoubt(after));
      onChange();
    }
    isLooking = false;
    lookIn(isOpen || isAskedSoon ? LOOK_AGAIN_MS : LOOK_EVERY_MS);
  };

  lookIn(LOOK_EVERY_MS);
  return {
    doubt: doubtOf,
    lookSoon() {
      isAskedSoon = true;
      if (!isLooking) lookIn(LOOK_AGAIN_MS);
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
