/**
 * The invariants, checked whenever something happens that could break one. The watch knows the truth of the virtual
 * world, which no node knows, and judges the nodes by it.
 */
import type { Answer, CibConflict, StoredCib } from "../cluster/core/cib-store/types.ts";
import { contains, type DrbdSide, type Version } from "./drbd-side.ts";
import type { Machine } from "./machine.ts";
import type { World } from "./world.ts";

export type Invariant =
  | "one-writer"
  | "fencing-before-takeover"
  | "no-lost-write"
  | "no-healthy-node-fenced"
  | "one-view"
  | "service-after-faults"
  | "no-crash";

/** Thrown by the run that breaks an invariant. */
export class Violation extends Error {
  readonly invariant: Invariant;
  readonly atMs: number;

  constructor(invariant: Invariant, text: string, atMs: number) {
    super(`${invariant}: ${text}`);
    this.invariant = invariant;
    this.atMs = atMs;
  }
}

/** Where a service was last begun, and whether that is known to be over. */
interface Holding {
  readonly machine: Machine;
  /** The machine's life in which it was begun. */
  readonly life: number;
  isReleased: boolean;
}

interface Accepted {
  readonly option: string;
  readonly atMs: number;
  /** Disks that hold it. */
  readonly holders: Set<string>;
  /** With quorum, by the word of whoever acknowledged it. */
  readonly quorate: boolean;
  /** A majority has it, with quorum: no conflict may take it away. */
  isForGood: boolean;
}

/** From the reading of the power to the proof in the hands of the cluster. */
const PROOF_OLD_MS = 10_000;
/** Late packets and jitter beside the times of the site. */
const CALM_MS = 10_000;
/** A node that had a fault of its own is not called healthy for so long after it: its manager must join anew. */
const RECOVERY_MS = 150_000;

export class Watch {
  readonly #world: World;
  readonly #holdings = new Map<string, Holding>();
  readonly #accepted: Accepted[] = [];
  /** Every request that was acknowledged with quorum, or was about to be, whoever made it. */
  readonly #quorate = new Set<string>();
  readonly #excused = new Set<string>();
  /** When each node was last known to be less than well. */
  readonly #unwellAtMs = new Map<string, number>();
  /** Nodes that have a standing reason to be fenced. */
  readonly #condemned = new Map<string, string>();
  /** The last write to DRBD's data that was acknowledged. */
  #lastWrite: Version | undefined;
  /** People have taken services out of the cluster's hands: those run on when their node leaves. */
  isHandsOff = false;
  /** When something was last done to the site. */
  disturbedAtMs = 0;
  checks = 0;
  fencings = 0;

  constructor(world: World) {
    this.#world = world;
  }

  #fail(invariant: Invariant, text: string): never {
    throw new Violation(invariant, text, this.#world.agenda.nowMs);
  }

  // Services.

  activated(machine: Machine, service: string): void {
    this.checks += 2;
    if (this.#world.isEverywhere(service)) return;
    const other = this.#world.machines.find((one) => one !== machine && one.running.has(service));
    if (other !== undefined)
      this.#fail("one-writer", `${machine.name} starts ${service}, which still runs on ${other.name}`);
    const holding = this.#holdings.get(service);
    if (holding !== undefined && holding.machine !== machine && !holding.isReleased)
      this.#fail(
        "fencing-before-takeover",
        `${machine.name} starts ${service}, and nothing proves that ${holding.machine.name} does not run it`,
      );
    this.#holdings.set(service, { machine, life: machine.life, isReleased: false });
  }

  stopped(machine: Machine, service: string): void {
    this.#release(service, machine);
  }

  /** A probe or a monitor has looked. */
  seenStopped(machine: Machine, service: string): void {
    this.#release(service, machine);
  }

  #release(service: string, machine: Machine): void {
    const holding = this.#holdings.get(service);
    if (holding?.machine === machine) holding.isReleased = true;
  }

  /** A node has the proof that the machine is off. */
  proven(name: string): void {
    this.checks += 1;
    const machine = this.#world.machine(name);
    this.fencings += 1;
    this.#condemned.delete(name);
    // A lock that was not renewed, or a watchdog, proves that what ran there is gone, whatever the machine is.
    const isByTime = ["lock", "watchdog"].includes(this.#world.setting.second);
    const isGone = isByTime && machine.running.size === 0;
    const isOff = machine.power === "off" || this.#world.agenda.nowMs - machine.offAtMs <= PROOF_OLD_MS;
    if (!isOff && !isGone) this.#fail("fencing-before-takeover", `${name} is called off, and its power is on`);
    for (const holding of this.#holdings.values())
      if (holding.machine === machine && (holding.life !== machine.life || machine.power === "off" || isGone))
        holding.isReleased = true;
  }

  // Data.

  /** A side has become Primary. */
  promoted(side: DrbdSide): void {
    const { drbd } = this.#world;
    if (drbd === undefined) return;
    this.checks += 2;
    const peer = drbd.peerOf(side);
    if (drbd.canAcknowledge(peer))
      this.#fail("one-writer", `${side.machine.name} is Primary while ${peer.machine.name} is, and writes`);
    const { version } = side.disk === "UpToDate" ? side : peer;
    this.#expectAll(side, version);
  }

  /** The file system on this side has the word that its write is safe. */
  dataAcknowledged(side: DrbdSide, version: Version): void {
    const { drbd } = this.#world;
    this.checks += 2;
    const peer = drbd?.peerOf(side);
    if (peer !== undefined && drbd?.canAcknowledge(peer) === true)
      this.#fail("one-writer", `${side.machine.name} and ${peer.machine.name} both write to the data`);
    this.#expectAll(side, version);
    this.#lastWrite = version;
  }

  #expectAll({ machine }: DrbdSide, version: Version): void {
    if (this.#lastWrite !== undefined && !contains(version, this.#lastWrite))
      this.#fail("no-lost-write", `the data of ${machine.name} lack writes that were acknowledged`);
  }

  splitBrain(one: DrbdSide, other: DrbdSide): never {
    const names = `${one.machine.name} and ${other.machine.name}`;
    this.#fail("no-lost-write", `${names} have both written since their data parted`);
  }

  /** A file system begins to be used. */
  mounted(machine: Machine): void {
    this.checks += 1;
    if (this.#world.drbd?.of(machine).role === "Secondary")
      this.#fail("one-writer", `${machine.name} starts fs on data that are not Primary there`);
  }

  nodeLeft(machine: Machine): void {
    this.checks += 1;
    this.unwell(machine);
    const left = [...machine.running].filter((service) => !this.#world.isEverywhere(service));
    if (left.length > 0 && !this.isHandsOff)
      this.#fail("one-writer", `${machine.name} says goodbye while it runs ${left.join(", ")}`);
  }

  // Health.

  unwell(machine: Machine): void {
    this.#unwellAtMs.set(machine.name, this.#world.agenda.nowMs);
  }

  condemn(name: string, reason: string): void {
    this.#condemned.set(name, reason);
  }

  pardon(name: string): void {
    this.#condemned.delete(name);
  }

  handsOff(): void {
    this.isHandsOff = true;
  }

  machineDied(machine: Machine): void {
    this.unwell(machine);
    this.#condemned.delete(machine.name);
  }

  selfFenced(machine: Machine): void {
    this.unwell(machine);
  }

  /** A machine on which the service does not run says nothing: whoever has not heard it leave may have it fenced. */
  #isWell(machine: Machine): boolean {
    if (machine.keeper === undefined) return false;
    const since = this.#unwellAtMs.get(machine.name) ?? Number.NEGATIVE_INFINITY;
    return machine.isAwake && machine.loadMs === 0 && this.#world.agenda.nowMs - since >= RECOVERY_MS;
  }

  /** A node has the power of a machine cut that runs. */
  shot(target: Machine, by: string): void {
    this.checks += 1;
    const shooter = this.#world.machine(by);
    const { deadtimeMs } = this.#world.setting;
    if (this.#condemned.has(target.name) || !this.#isWell(target) || !this.#isWell(shooter)) return;
    // Of three and more nodes one that some other does not hear cannot stay.
    const others = this.#world.machines.filter((one) => one !== target && (one === shooter || one.isAwake));
    if (!others.every(({ name }) => this.#world.network.hasBeenFair(name, target.name, 2 * deadtimeMs + 30_000)))
      return;
    this.#fail("no-healthy-node-fenced", `${by} has ${target.name} fenced, which is healthy and heard`);
  }

  // Membership.

  /**
   * Once all is calm whoever counts another one is counted by it, and both count the same ones: on a view that is not
   * everybody's nobody decides.
   */
  lookAtViews(): void {
    const { machines, agenda, network, setting } = this.#world;
    const { deadtimeMs, keepaliveMs } = setting;
    const calmMs = 2 * deadtimeMs + 5 * keepaliveMs + CALM_MS;
    const lastMs = Math.max(this.disturbedAtMs, ...this.#unwellAtMs.values());
    if (agenda.nowMs - lastMs < calmMs || network.isLossy) return;
    const awake = machines.filter(({ isAwake, keeper, loadMs }) => isAwake && keeper !== undefined && loadMs === 0);
    for (const { name, keeper } of awake)
      for (const other of awake) {
        if (keeper?.view.members.includes(other.name) !== true) continue;
        this.checks += 1;
        const [ours, theirs] = [keeper.view.members, other.keeper?.view.members ?? []];
        if (!areSame(ours, theirs))
          this.#fail(
            "one-view",
            `${name} counts ${ours.join(", ")}; ${other.name}, which is one of them, counts ${theirs.join(", ")}`,
          );
      }
  }

  // Configuration.

  answered(answer: Answer): void {
    if (answer.kind === "accepted" && answer.quorate) this.#quorate.add(answer.requestId);
  }

  /** What a node with quorum writes: a power cut may leave it on the disk with nobody told. */
  marked({ history }: StoredCib): void {
    for (const { requestId } of history) this.#quorate.add(requestId);
  }

  accepted(option: string, quorate: boolean): void {
    const holders = this.#world.machines.filter((machine) => holds(machine.disk.content.cib, option));
    const names = new Set(holders.map(({ name }) => name));
    this.checks += 1;
    if (names.size === 0) this.#fail("no-lost-write", `${option} is acknowledged and on no disk`);
    const isForGood = quorate && 2 * names.size > this.#world.setting.nodeCount;
    this.#accepted.push({ option, atMs: this.#world.agenda.nowMs, holders: names, quorate, isForGood });
  }

  /**
   * What was acknowledged without quorum may lose. What half of the nodes acknowledged with quorum, and nobody else has
   * met, loses to nothing but what another half acknowledged with quorum. What is lost may stand on no disk of whoever
   * tells it: of three that meet one hands on what it had from the second a moment ago.
   */
  conflicted({ diff, lost, loserNode }: CibConflict): void {
    const text = diff.join("\n");
    const loser = this.#world.machine(loserNode).disk.content.cib;
    const hasRival = this.#world.machines.some(({ disk }) => this.#isRival(disk.content.cib, loser));
    for (const { option, quorate, isForGood } of this.#accepted)
      if (!isForGood && (!quorate || hasRival) && text.includes(option) && holds({ configuration: lost }, option))
        this.#excused.add(option);
  }

  /** Whether it has changes made with quorum, acknowledged or about to be, of which that loser never heard. */
  #isRival(cib: StoredCib | undefined, loser: StoredCib | undefined): boolean {
    const known = new Set(loser?.history.map(({ requestId }) => requestId));
    return cib?.history.some(({ requestId }) => this.#quorate.has(requestId) && !known.has(requestId)) === true;
  }

  /** A disk has lost something that it had confirmed: what stood on no other one is excused. */
  diskChanged(machine: Machine): void {
    for (const accepted of this.#accepted) {
      const { option, holders } = accepted;
      for (const other of this.#world.machines) if (holds(other.disk.content.cib, option)) holders.add(other.name);
      // A majority of which a disk has forgotten is none any more.
      if (!holds(machine.disk.content.cib, option) && holders.delete(machine.name)) accepted.isForGood = false;
      if (holders.size === 0) this.#excused.add(option);
    }
  }

  /** At rest: everything that was acknowledged is in force, or was kept as a conflict. */
  checkConfiguration(cib: StoredCib): void {
    for (const { option, atMs } of this.#accepted) {
      this.checks += 1;
      if (!this.#excused.has(option) && !holds(cib, option))
        this.#fail(
          "no-lost-write",
          `${option}, acknowledged at ${atMs} ms, is not in force and was never told as lost`,
        );
    }
  }
}

const areSame = (left: readonly string[], right: readonly string[]): boolean =>
  left === right || (left.length === right.length && left.every((name, at) => name === right[at]));

/** Options that operators set have names that stand nowhere else. */
function holds(cib: Pick<StoredCib, "configuration"> | undefined, option: string): boolean {
  return cib?.configuration.children.some((section) => mentions(section, option)) === true;
}

function mentions(element: StoredCib["configuration"], name: string): boolean {
  return element.attributes["name"] === name || element.children.some((child) => mentions(child, name));
}
