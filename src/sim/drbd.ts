/**
 * A DRBD resource on a pair, as the kernels of both machines have it: roles, disk states, generations, the freeze until
 * the peer's fate is known, resync. Protocol C, fencing resource-and-stonith. It lives as long as a kernel runs, beside
 * all processes; what stands in the metadata lives on the disk.
 * Facts: reference/storage.md, sections 3 to 5. Guessed, and drawn by chance where it matters: how long until a loss is
 * noticed, until a connection is tried again, and a resync.
 */
import type { Chance } from "../base/chance.ts";
import { contains, DrbdSide, type Version } from "./drbd-side.ts";
import type { Machine } from "./machine.ts";
import type { World } from "./world.ts";

/** The file system above writes so often, and the kernel's own timers look as often. */
const BEAT_MS = 2_000;
/** `timeout` and `ping-int`: until a side takes the other for lost. */
const NOTICE_MAX_MS = 6_000;
const CONNECT_MAX_MS = 5_000;
const RESYNC_MIN_MS = 500;
const RESYNC_MAX_MS = 20_000;

/** The kernel asks its fence-peer handler; the answer is the handler's exit code. */
export type CallHandler = (side: DrbdSide, done: (code: number) => void) => void;

export class Drbd {
  readonly world: World;
  readonly sides: readonly [DrbdSide, DrbdSide];
  readonly #chance: Chance;
  readonly #link: string;
  readonly #callHandler: CallHandler;
  #generations = 0;

  constructor(world: World, pair: readonly [Machine, Machine], link: string, chance: Chance, callHandler: CallHandler) {
    this.world = world;
    this.#link = link;
    this.#chance = chance;
    this.#callHandler = callHandler;
    const first: Version = { parent: undefined, depth: 0 };
    this.sides = [new DrbdSide(pair[0], first), new DrbdSide(pair[1], first)];
    world.agenda.after(BEAT_MS, () => this.#beat());
  }

  of(machine: Machine): DrbdSide {
    return this.sides[0].machine === machine ? this.sides[0] : this.sides[1];
  }

  peerOf(side: DrbdSide): DrbdSide {
    return this.sides[0] === side ? this.sides[1] : this.sides[0];
  }

  get #nowMs(): number {
    return this.world.agenda.nowMs;
  }

  #reaches(side: DrbdSide): boolean {
    const peer = this.peerOf(side);
    if (!side.isRunning || !peer.isRunning) return false;
    return this.world.network.carries(this.#link, side.machine.name, peer.machine.name);
  }

  /** Both sides have the other's word. */
  #isLinked(side: DrbdSide): boolean {
    return side.isConnected && this.peerOf(side).isConnected && this.#reaches(side);
  }

  /** Whether a write on this side would be acknowledged now. */
  canAcknowledge(side: DrbdSide): boolean {
    if (!side.isRunning || side.role !== "Primary" || side.isFrozen) return false;
    return side.isConnected ? this.#isLinked(side) : side.isPeerOutdated;
  }

  /** Whether good data are to be had on this side: its own, or the peer's. */
  hasGoodData(side: DrbdSide): boolean {
    return side.disk === "UpToDate" || (this.#isLinked(side) && this.peerOf(side).disk === "UpToDate");
  }

  #changed(side: DrbdSide): void {
    side.machine.keeper?.manager?.drbd?.changed();
  }

  #bothChanged(): void {
    for (const side of this.sides) this.#changed(side);
  }

  // What the tools order.

  up(side: DrbdSide): void {
    if (side.isUp) return;
    side.isUp = true;
    side.role = "Secondary";
    // A disk that was current proves nothing after a while away, unless the peer was outdated first.
    side.isCurrent = side.isPeerOutdated;
    side.connectAtMs = this.#nowMs;
    this.#changed(side);
  }

  /** False while it is in use. */
  down(side: DrbdSide): boolean {
    if (side.role === "Primary" && side.machine.running.has("fs")) return false;
    if (side.role === "Primary") this.secondary(side);
    const peer = this.peerOf(side);
    const isTold = this.#isLinked(side);
    this.#forget(side);
    // An orderly end is told, and whoever leaves a Primary outdates itself: that one need not ask.
    if (isTold && peer.role === "Primary") {
      side.isOutdated = true;
      this.#drop(peer);
      this.#goAlone(peer);
    } else if (isTold) this.#lose(peer);
    this.#bothChanged();
    return true;
  }

  secondary(side: DrbdSide): boolean {
    if (side.machine.running.has("fs")) return false;
    side.role = "Secondary";
    side.wasPrimary = false;
    side.isFrozen = false;
    side.pending = undefined;
    this.#bothChanged();
    return true;
  }

  /** As drbdadm primary: `done` gets whether it was granted. */
  primary(side: DrbdSide, done: (isGranted: boolean) => void): void {
    const peer = this.peerOf(side);
    if (side.role === "Primary") done(true);
    else if (!side.isUp || !this.hasGoodData(side)) done(false);
    else if (side.isConnected && !this.#isLinked(side)) {
      // It pings the peer itself, and finds that it is gone.
      this.#lose(side);
      done(false);
    } else if (side.isConnected) {
      if (peer.role === "Primary") done(false);
      else done(this.#becomePrimary(side));
    } else if (side.isPeerOutdated) done(this.#becomePrimary(side));
    else {
      const { losses } = side;
      this.#callHandler(side, (code) => {
        if (!side.isUp || side.losses !== losses || side.isConnected || side.disk !== "UpToDate") done(false);
        else if (code === 3 || code === 4 || code === 7) {
          this.#goAlone(side);
          done(this.#becomePrimary(side));
        } else {
          if (code === 6) side.isOutdated = true;
          done(false);
        }
      });
    }
  }

  #becomePrimary(side: DrbdSide): true {
    side.role = "Primary";
    side.wasPrimary = true;
    this.world.tell(side.machine.name, "is Primary");
    this.world.watch.promoted(side);
    this.#bothChanged();
    return true;
  }

  /** True when the disk is outdated afterwards; a side that is Primary, or still connected, refuses. */
  outdate(side: DrbdSide): boolean {
    if (side.isUp && (side.role === "Primary" || side.isConnected)) return false;
    if (!side.isConsistent) return false;
    side.isOutdated = true;
    side.isPeerOutdated = false;
    this.#changed(side);
    return true;
  }

  /** resume-io. */
  resume(side: DrbdSide): void {
    if (!side.isUp || side.role !== "Primary" || !side.isFrozen) return;
    this.#goAlone(side);
  }

  // What befalls it.

  /** The kernel is gone, with everything that was not on the disk. */
  machineDied(machine: Machine): void {
    const side = this.of(machine);
    const { pending } = side;
    // Whether the last write has reached the platters, nobody knows.
    if (pending !== undefined && side.version === pending && this.#chance.happens(50))
      side.version = pending.parent ?? side.version;
    this.#forget(side);
  }

  #forget(side: DrbdSide): void {
    side.isUp = false;
    side.role = "Secondary";
    side.isConnected = false;
    side.isFrozen = false;
    side.pending = undefined;
    side.lostAtMs = undefined;
    side.resyncEndsAtMs = undefined;
    side.losses += 1;
  }

  #beat(): void {
    this.world.agenda.after(BEAT_MS, () => this.#beat());
    for (const side of this.sides) if (side.isRunning) this.#look(side);
    this.#connect();
    for (const side of this.sides) this.#endResync(side);
    for (const side of this.sides) if (side.machine.running.has("fs")) this.#write(side);
  }

  #look(side: DrbdSide): void {
    if (!side.isConnected) return;
    if (this.#reaches(side)) {
      side.lostAtMs = undefined;
      // The peer had given us up: our connection is reset with its first packet.
      if (!this.peerOf(side).isConnected) this.#lose(side);
      return;
    }
    side.lostAtMs ??= this.#nowMs + this.#chance.below(NOTICE_MAX_MS);
    if (this.#nowMs >= side.lostAtMs) this.#lose(side);
  }

  #drop(side: DrbdSide): void {
    side.isConnected = false;
    side.lostAtMs = undefined;
    side.resyncEndsAtMs = undefined;
    side.losses += 1;
    side.connectAtMs = this.#nowMs + this.#chance.below(CONNECT_MAX_MS);
  }

  #lose(side: DrbdSide): void {
    this.#drop(side);
    if (side.role === "Primary") {
      side.isFrozen = true;
      const { losses } = side;
      this.#callHandler(side, (code) => {
        if (!side.isUp || side.losses !== losses || side.isConnected || side.role !== "Primary") return;
        if (code === 3 || code === 4 || code === 7) this.#goAlone(side);
      });
    }
    this.#changed(side);
  }

  /** The peer's data are out of date from here on. */
  #goAlone(side: DrbdSide): void {
    side.isPeerOutdated = true;
    side.isFrozen = false;
    side.history = [...side.history, side.generation];
    this.#generations += 1;
    side.generation = this.#generations;
    this.#acknowledge(side);
    this.#changed(side);
  }

  #write(side: DrbdSide): void {
    if (!side.isRunning || side.role !== "Primary" || side.pending !== undefined) return;
    if (side.isFrozen || !this.hasGoodData(side)) return;
    const peer = this.peerOf(side);
    const base = side.disk === "UpToDate" ? side.version : peer.version;
    const version: Version = { parent: base, depth: base.depth + 1 };
    side.version = version;
    side.pending = version;
    if (this.canAcknowledge(side)) this.#acknowledge(side);
  }

  #acknowledge(side: DrbdSide): void {
    const { pending } = side;
    side.pending = undefined;
    if (this.#isLinked(side) && this.peerOf(side).isConsistent) this.peerOf(side).version = side.version;
    if (pending !== undefined) this.world.watch.dataAcknowledged(side, pending);
  }

  // Handshake and resync.

  #connect(): void {
    const [one, other] = this.sides;
    if (this.#isLinked(one)) {
      for (const side of this.sides) if (side.pending !== undefined) this.#acknowledge(side);
      return;
    }
    if (one.isConnected || other.isConnected || !this.#reaches(one)) return;
    if (this.#nowMs < Math.max(one.connectAtMs, other.connectAtMs)) return;
    // allow-two-primaries no: they try again and again.
    if (one.role === "Primary" && other.role === "Primary") return;
    this.#shakeHands(one, other);
  }

  #shakeHands(one: DrbdSide, other: DrbdSide): void {
    const source = this.#newer(one, other);
    if (source === undefined) this.world.watch.splitBrain(one, other);
    const target = this.peerOf(source);
    // Who is Primary does not become a target: it drops the connection, and both try again.
    if (target.role === "Primary") return;
    for (const side of this.sides) {
      side.isConnected = true;
      side.lostAtMs = undefined;
      side.isFrozen = false;
      side.losses += 1;
      side.isPeerOutdated = false;
    }
    this.world.trace(source.machine.name, `DRBD: connected, generation ${source.generation}`);
    source.isCurrent = true;
    source.isOutdated = false;
    source.wasPrimary = source.role === "Primary";
    target.wasPrimary = false;
    if (source.version === target.version && target.isConsistent) this.#adopt(target, source);
    else {
      target.isConsistent = false;
      target.resyncEndsAtMs = this.#nowMs + this.#chance.between(RESYNC_MIN_MS, RESYNC_MAX_MS);
    }
    this.#bothChanged();
  }

  /** Whose data are to be taken by the other; undefined: both have written since they parted. */
  #newer(one: DrbdSide, other: DrbdSide): DrbdSide | undefined {
    if (!one.isConsistent) return other;
    if (!other.isConsistent) return one;
    if (one.generation !== other.generation) {
      if (one.history.includes(other.generation)) return one;
      if (other.history.includes(one.generation)) return other;
      // discard-zero-changes: one of them has written nothing.
      if (contains(one.version, other.version)) return one;
      return contains(other.version, one.version) ? other : undefined;
    }
    if (one.role === "Primary" || other.role === "Primary") return one.role === "Primary" ? one : other;
    if (one.isOutdated !== other.isOutdated) return one.isOutdated ? other : one;
    return other.wasPrimary ? other : one;
  }

  #adopt(target: DrbdSide, source: DrbdSide): void {
    target.version = source.version;
    target.generation = source.generation;
    target.history = source.history;
    target.isConsistent = true;
    target.isCurrent = true;
    target.isOutdated = false;
    target.resyncEndsAtMs = undefined;
  }

  #endResync(target: DrbdSide): void {
    if (target.resyncEndsAtMs === undefined || this.#nowMs < target.resyncEndsAtMs || !this.#isLinked(target)) return;
    this.#adopt(target, this.peerOf(target));
    this.#bothChanged();
  }

  /** Why the data are not as they should be; undefined when they are. */
  get unrest(): string | undefined {
    const [one, other] = this.sides;
    const primaries = this.sides.filter(({ role }) => role === "Primary").length;
    if (primaries !== 1) return `${primaries} Primaries`;
    const isGood = this.#isLinked(one) && one.disk === "UpToDate" && other.disk === "UpToDate";
    return isGood ? undefined : `DRBD: ${one.disk} and ${other.disk}, ${one.isConnected ? "" : "not "}connected`;
  }
}
