/**
 * The answer of our fence-peer handler to DRBD: only what is proven, never a guess.
 * 7 (fenced): the peer's power was read as off, there was no sign of life from it since, and our own data are current;
 * 4 (outdated): the peer itself said, over a path that still works, that its disk is outdated now (read back);
 * 6 (Primary): the peer itself said that it is Primary; 1: anything else, and then DRBD keeps its I/O frozen.
 * Never 5 ("unreachable"): DRBD takes it for "dead" and goes on, on both sides of a cut (reference, run 26).
 * Facts: reference/storage.md, section 4.
 */
export type FencePeerCode = 1 | 4 | 6 | 7;

/** What the peer's manager has answered over the cluster's own links. */
export type PeerWord =
  | { readonly kind: "primary" }
  /** Its `drbdadm outdate` ended, and its disk state was read back as Outdated. */
  | { readonly kind: "outdated" }
  | { readonly kind: "silent" };

export interface FencePeerFacts {
  readonly peer: string;
  /** State of our own disk: `UpToDate`, `Consistent`, ... */
  readonly localDisk: string;
  /**
   * When DRBD's connection to the peer was established last, monotonic; undefined: not since our start. When it was
   * lost proves nothing: DRBD may notice a dead peer only long after the power was read as off.
   */
  readonly connectedAtMs?: number;
  /**
   * When our disk was last seen as UpToDate with the peer connected, monotonic; undefined: not since our start. From
   * then on the peer can have acknowledged nothing without us: as a Primary it froze at the cut, until it was told that
   * we are outdated (our disk would say so) or off (we have run ever since).
   */
  readonly currentAtMs?: number;
  /** When the peer's power was last read as off, monotonic. */
  readonly powerOffConfirmedAtMs?: number;
  /** The peer has left the cluster in order: its resources, this one among them, had stopped before its goodbye. */
  readonly hasLeft?: boolean;
  /** When the peer was last heard on any link, monotonic. */
  readonly heardAtMs?: number;
  readonly word: PeerWord;
}

export interface FencePeerDecision {
  readonly code: FencePeerCode;
  readonly reason: string;
}

/** `settled`: more facts will not change a code of 1 before an operator acts, so that waiting longer is no use. */
export function decideFencePeer(facts: FencePeerFacts): FencePeerDecision & { readonly settled: boolean } {
  const { peer, localDisk, connectedAtMs, currentAtMs, powerOffConfirmedAtMs, heardAtMs, hasLeft, word } = facts;
  if (word.kind === "primary") return { code: 6, reason: `${peer} says that it is Primary`, settled: true };
  if (word.kind === "outdated") {
    // An outdated peer proves that it does not write; it does not prove that our data are the newest.
    if (localDisk === "UpToDate") return { code: 4, reason: `${peer} has outdated its disk`, settled: true };
  }
  // A restart of the resource alone makes an UpToDate disk Consistent, and forgets what this process has seen.
  const wasCurrent = localDisk === "Consistent" && currentAtMs !== undefined;
  if (localDisk !== "UpToDate" && !wasCurrent) {
    const reason = `this node's disk is ${localDisk}: ${peer} may have newer data, even when it is off`;
    return { code: 1, reason, settled: true };
  }
  // Its data cannot be newer than ours while ours are current, and it does not write before it has asked us again.
  if (hasLeft === true && !wasCurrent)
    return { code: 4, reason: `${peer} has stopped its resources and left`, settled: true };
  if (powerOffConfirmedAtMs === undefined)
    return { code: 1, reason: `${peer} is not known to be powered off`, settled: false };
  if (heardAtMs !== undefined && heardAtMs > powerOffConfirmedAtMs)
    return { code: 1, reason: `${peer} was heard again after its power was off`, settled: false };
  if (connectedAtMs !== undefined && connectedAtMs > powerOffConfirmedAtMs)
    return { code: 1, reason: `${peer} has connected again after its power was off`, settled: false };
  return { code: 7, reason: `${peer} was fenced: its power was read as off`, settled: true };
}
