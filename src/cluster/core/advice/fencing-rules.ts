/** Rows about fencing and the copies of the data: shot each other, does not work, is not there, has split. */
import type { Code } from "./codes.ts";
import { type Advice, type DrbdFact, type FencingFact, isShot, members, type Rule } from "./situation.ts";
import { clock } from "./words.ts";

/** For the same cut: in this time no node that was shot boots, joins and is lost again, which is another trouble. */
const MUTUAL_MS = 60_000;
/** A server with much memory and many disks may take a quarter of an hour to boot; then it waits for its peer. */
const BOOT_MAX_MS = 1_800_000;
/** Older ones are history. */
const RECENT_MS = 86_400_000;

const shooterOf = ({ by }: FencingFact) => by.split(":", 1)[0] ?? "";

/**
 * Both drew at the same cut; or the one that was shot came back, did not meet the other, and shot it for that. Had they
 * met in between, however shortly after the boot, the second shot is for a fault of its own.
 */
function isShotBack(one: FencingFact, two: FencingFact): boolean {
  if (two.target !== shooterOf(one) || shooterOf(two) !== one.target) return false;
  const afterMs = two.atWallMs - one.atWallMs;
  return Math.abs(afterMs) < MUTUAL_MS || (two.hasNotMet === true && afterMs > 0 && afterMs < BOOT_MAX_MS);
}

/** Row 15: each fenced the other for the same cut. */
export const mutualFencing: Rule = ({ fencing, nowWallMs }) => {
  const shots = fencing.filter((record) => isShot(record) && nowWallMs - record.atWallMs < RECENT_MS);
  for (const one of shots.toReversed()) {
    const back = shots.find((two) => isShotBack(one, two));
    if (back === undefined) continue;
    const values = { one: one.target, two: back.target, at: clock(Math.min(one.atWallMs, back.atWallMs)) };
    return [{ code: "mutual-fencing", severity: "error", values }];
  }
  return [];
};

/** So many failures in a row are no accident. */
const TRIES = 2;

/** Row 16: the fencing of a node fails again and again. */
export const failingFencing: Rule = ({ facts, fencing }) =>
  members(facts).flatMap(({ name, unclean }): readonly Advice[] => {
    const mine = fencing.filter(({ target, outcome }) => target === name && outcome !== "running");
    const since = mine.slice(mine.findLastIndex(({ outcome }) => outcome === "confirmed") + 1);
    const last = since.at(-1);
    if (!unclean || since.length < TRIES || last === undefined) return [];
    const values = { node: name, count: String(since.length), evidence: last.evidence, at: clock(last.atWallMs) };
    return [{ code: "fencing-fails", severity: "error", values }];
  });

export const fencingMissing: Rule = ({ facts, isFencingEnabled, fenceable }) => {
  const nodes = members(facts);
  if (nodes.length < 2) return [];
  if (!isFencingEnabled) return [{ code: "fencing-disabled", severity: "error", values: {} }];
  return nodes
    .filter(({ name }) => !fenceable.includes(name))
    .map(({ name }) => ({ code: "no-fencing-device", severity: "error", values: { node: name } }));
};

/** A device that is not proven is a takeover that may not come: said before it is needed. */
export const fencingUnproven: Rule = ({ proofs, isFencingEnabled }) =>
  proofs.flatMap(({ node, device, state, provenWallMs, reason = "" }): Advice[] => {
    if (!isFencingEnabled || (state !== "failing" && state !== "expired")) return [];
    const at = provenWallMs === undefined ? "" : clock(provenWallMs);
    const severity = state === "expired" ? "error" : "warning";
    return [{ code: "fencing-unproven", severity, values: { node, device, at, reason } }];
  });

function drbdCode({ connection, disk, isSuspended, replication, doubt }: DrbdFact): Code {
  if (doubt !== undefined) return doubt === "out-of-sync" ? "drbd-differs" : "drbd-bitmap-left";
  if (connection === "StandAlone") return "drbd-split";
  if (disk === "Diskless" || disk === "Failed") return "drbd-diskless";
  if (disk !== "UpToDate" && connection !== "Connected") return "drbd-stale";
  if (isSuspended) return "drbd-frozen";
  return replication.startsWith("Sync") ? "drbd-syncing" : "drbd-degraded";
}

/**
 * A loss of data that nobody would see before the next takeover, or at it; a mirror that stays parted until a person
 * joins it, with more to lose every minute. Writes that stand still are one besides, whatever they wait for.
 */
const DRBD_ERRORS: readonly Code[] = ["drbd-stale", "drbd-differs", "drbd-bitmap-left", "drbd-split"];

const isTroubled = ({ disk, connection, isSuspended, doubt }: DrbdFact): boolean =>
  isSuspended || disk !== "UpToDate" || connection !== "Connected" || doubt !== undefined;

export const drbdTrouble: Rule = ({ drbd }) =>
  drbd.filter(isTroubled).map((one) => {
    const { resource, role, disk, connection, isSuspended, outOfSyncKib } = one;
    const code = drbdCode(one);
    const values = {
      resource,
      role,
      disk,
      connection,
      frozen: isSuspended ? "yes" : "",
      behind: String(outOfSyncKib),
    };
    return { code, severity: isSuspended || DRBD_ERRORS.includes(code) ? "error" : "warning", values };
  });
