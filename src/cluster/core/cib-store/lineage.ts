/**
 * Which of two contents is the newer one. Versions alone cannot tell: two nodes that were apart may both have made
 * their epoch 7. So each content has a name (its head) and carries the names that it descends from.
 */
import type { CibVersion, Standing, StoredCib } from "./types.ts";

/** The configuration that nobody has written yet: an ancestor of all. */
export const BLANK = "blank";
/** Kept names; a node that missed more changes than this is treated as diverged, never as older. */
const LINEAGE_MAX = 256;
/** The first names (`blank`, the initial load) are kept, so that a node set up anew is known as older. */
const LINEAGE_ROOTS = 2;

export type Kinship = "same" | "newer" | "older" | "diverged";

/**
 * Whether `mine` has all that the other has. Its name in our lineage is not enough: we may descend from a copy of it
 * that never heard that a part with quorum has it, and that was set aside in a join for want of that word.
 */
export function covers(mine: Pick<StoredCib, "lineage" | "quorateVersion">, other: Standing): boolean {
  return mine.lineage.includes(other.head) && compareVersion(other.quorateVersion, mine.quorateVersion) <= 0;
}

export const standingOf = ({ head, quorateVersion }: StoredCib): Standing => ({ head, quorateVersion });

/** How `other` stands to `mine`. */
export function compareLineage(mine: Standing & Pick<StoredCib, "lineage">, other: typeof mine): Kinship {
  if (mine.head === other.head) return "same";
  if (covers(other, mine)) return "newer";
  return covers(mine, other) ? "older" : "diverged";
}

export function growLineage(lineage: readonly string[], head: string): string[] {
  const grown = [...lineage, head];
  return grown.length <= LINEAGE_MAX
    ? grown
    : [...grown.slice(0, LINEAGE_ROOTS), ...grown.slice(LINEAGE_ROOTS - LINEAGE_MAX)];
}

/**
 * Both lines: what descends from the result descends from either. Of each the newest names come last and in turn, so
 * that growing drops the oldest of both: a join that forgot one side's present name would meet that side as a stranger
 * again, and join again, for ever.
 */
export function joinLineage(one: readonly string[], other: readonly string[], head: string): string[] {
  const shared = one.filter((name) => other.includes(name));
  const [mine, theirs] = [one, other].map((line) => line.filter((name) => !shared.includes(name)).reverse());
  const longest = Math.max(mine?.length ?? 0, theirs?.length ?? 0);
  const newestFirst = Array.from({ length: longest }, (_, at) => [mine?.[at], theirs?.[at]]).flat();
  return growLineage([...shared, ...newestFirst.filter((name) => name !== undefined).reverse()], head);
}

/** Negative when `left` is the smaller. */
export function compareVersion(left: CibVersion, right: CibVersion): number {
  return left.adminEpoch - right.adminEpoch || left.epoch - right.epoch;
}

/**
 * Which of two diverged contents stays. What a part with quorum acknowledged goes before what one without has done,
 * however often that one has changed it, and whether or not the lineages still reach back to it: two parts with quorum
 * at once there are only of a pair. What all members of a view had on disk was acknowledged to somebody and goes before
 * what was not; then the higher version; then the later clock; then, only to be the same everywhere, the name.
 */
export function winnerOf(one: StoredCib, two: StoredCib): StoredCib {
  const later = compareVersion(one.quorateVersion, two.quorateVersion);
  if (later !== 0) return later > 0 ? one : two;
  const oneConfirmed = !two.lineage.includes(one.confirmedHead);
  const twoConfirmed = !one.lineage.includes(two.confirmedHead);
  if (oneConfirmed !== twoConfirmed) return oneConfirmed ? one : two;
  const wallMs = ({ history }: StoredCib) => history.at(-1)?.origin.wallMs ?? 0;
  const order = compareVersion(one.version, two.version) || wallMs(one) - wallMs(two);
  if (order !== 0) return order > 0 ? one : two;
  return one.head > two.head ? one : two;
}
