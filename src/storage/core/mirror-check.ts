/**
 * Whether two disks that both call themselves UpToDate are really the same. DRBD's state lines do not say: bits that a
 * verify run or a refused write has set stay set, and a bitmap UUID that was left behind makes a Primary that loses its
 * peer begin no new generation, so that a later rejoin copies nothing and the peer's old data pass for new (seen: 1320
 * of 1378 records lost after a split and a rejoin). Pure.
 * Facts: reference/storage.md, section 3 (verify); drbdsetup(8), get-gi: current, bitmap and history UUIDs of a volume.
 */
import { type DrbdResource, localDisk, peerDisk } from "./drbd-events.ts";

export type MirrorDoubt =
  /** Blocks that differ, or were never compared since. */
  | { readonly kind: "out-of-sync"; readonly behindKib: number }
  /** A bitmap UUID, though the peer is connected and nothing is being copied. */
  | { readonly kind: "bitmap-left" };

/** Both disks say UpToDate to each other, and nothing is being copied. */
export const isWhole = (resource: DrbdResource): boolean => {
  const connections = Object.values(resource.connections);
  const isSettled = (connection: (typeof connections)[number]) =>
    connection.connection === "Connected" &&
    peerDisk(connection) === "UpToDate" &&
    Object.values(connection.volumes).every(({ replication }) => replication === "Established");
  return localDisk(resource) === "UpToDate" && connections.length > 0 && connections.every(isSettled);
};

const isSet = (uuid: string | undefined): boolean =>
  uuid !== undefined && /^[\dA-F]+$/i.test(uuid) && !/^0+$/.test(uuid);

/** `generations`: the output of `get-gi`, one line a volume. Undefined: no doubt, or not the time to have one. */
export function mirrorDoubt(resource: DrbdResource, generations: string): MirrorDoubt | undefined {
  if (!isWhole(resource)) return undefined;
  const volumes = Object.values(resource.connections).flatMap(({ volumes: found }) => Object.values(found));
  const behindKib = volumes.reduce((sum, { outOfSyncKib }) => sum + outOfSyncKib, 0);
  if (behindKib > 0) return { kind: "out-of-sync", behindKib };
  const isLeft = generations.split("\n").some((line) => isSet(line.trim().split(":")[1]));
  return isLeft ? { kind: "bitmap-left" } : undefined;
}

/** Looks in a row that must agree: for a moment after a resync the UUIDs are still being exchanged. */
const LOOKS_MIN = 2;

export interface MirrorCheck {
  readonly doubt: MirrorDoubt | undefined;
  readonly looks: number;
}

export const NO_MIRROR_DOUBT: MirrorCheck = { doubt: undefined, looks: 0 };

/** One more look; a doubt of another kind begins to count anew. */
export function noteLook(before: MirrorCheck, doubt: MirrorDoubt | undefined): MirrorCheck {
  return { doubt, looks: doubt?.kind === before.doubt?.kind ? Math.min(LOOKS_MIN, before.looks + 1) : 1 };
}

/** What has been seen often enough to be told. */
export function confirmedDoubt({ doubt, looks }: MirrorCheck): MirrorDoubt | undefined {
  return looks >= LOOKS_MIN ? doubt : undefined;
}
