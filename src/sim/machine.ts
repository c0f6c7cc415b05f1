/**
 * One machine of the virtual world: supply, power, clocks, watchdog, disk, and the two processes of its node. It
 * decides nothing: what decides are the cores within the processes.
 * Frozen is a paused VM: its clocks stand still, too. Stopped is SIGSTOP of both processes: the clocks run on.
 */
import type { Chance } from "../base/chance.ts";
import type { StoredCib } from "../cluster/core/cib-store/types.ts";
import type { Begun } from "../cluster/core/executor/runs-with.ts";
import { Disk } from "./disk.ts";
import { VirtualKeeper } from "./virtual-keeper.ts";
import type { World } from "./world.ts";

/** What a socket's buffer holds for a process that does not read. */
const BACKLOG_MAX = 200;
/** A machine's clock does not start with the world's. */
const CLOCK_BEGIN_MS = 10_000;
/** The mark of a boot that has promised its peers to end: see src/app/keeper/boot-bond.ts. */
const BOUND = "bound";

export type Sleep = "awake" | "stopped" | "frozen";

export class Machine {
  readonly name: string;
  readonly id: number;
  readonly world: World;
  readonly disk: Disk;
  readonly chance: Chance;
  /** Electricity at the plugs of host and board. */
  hasMains = true;
  power: "off" | "on" = "off";
  /** When its power was last switched off. */
  offAtMs = Number.NEGATIVE_INFINITY;
  isBooted = false;
  /** The kernel has stopped for good: nothing runs, but what is written to the outside stays as it is. */
  isHung = false;
  sleep: Sleep = "awake";
  /** Timers of its processes fire late by up to so much. */
  loadMs = 0;
  /** Grows with each loss of power: what belonged to an earlier life is gone. */
  life = 0;
  wallOffsetMs = 0;
  keeper: VirtualKeeper | undefined;
  /** Resources that really run there, as instance ids. */
  readonly running = new Set<string>();
  /** Resources whose agents fail, with the exit code; by `RESOURCE OPERATION`. */
  readonly failing = new Map<string, number>();
  /** What stands in /run until the next boot: resources that a process of ours holds, and the bond of the boot. */
  readonly marks = new Set<string>();
  /** There, too: what managers have begun here and not ended, and how. */
  begun: Readonly<Record<string, Begun>> = {};
  bootMs = 20_000;
  #clockZeroMs = 0;
  #sleptSinceMs = 0;
  #backlog: (() => void)[] = [];
  #fedAtMs: number | undefined;
  #isWatched = false;

  constructor(world: World, name: string, id: number, cib: StoredCib, chance: Chance) {
    this.world = world;
    this.name = name;
    this.id = id;
    this.chance = chance;
    this.disk = new Disk(cib, chance);
  }

  /** Its own monotonic clock. */
  get nowMs(): number {
    const world = this.sleep === "frozen" ? this.#sleptSinceMs : this.world.agenda.nowMs;
    return world - this.#clockZeroMs;
  }

  get wallMs(): number {
    return this.world.startWallMs + this.world.agenda.nowMs + this.wallOffsetMs;
  }

  /** Whether its processes run now. */
  get isAwake(): boolean {
    return this.isBooted && !this.isHung && this.sleep === "awake";
  }

  get isAlive(): boolean {
    return this.isBooted && !this.isHung;
  }

  /** A packet has come; while the machine sleeps it waits in the socket. */
  receive(take: (keeper: VirtualKeeper) => void): void {
    if (!this.isAlive || this.keeper === undefined) return;
    if (this.sleep === "awake") take(this.keeper);
    else if (this.#backlog.length < BACKLOG_MAX)
      this.#backlog.push(() => {
        if (this.keeper !== undefined) take(this.keeper);
      });
  }

  /** Something of this life that waits while the machine sleeps. */
  later(delayMs: number, run: () => void): void {
    const { life } = this;
    this.world.agenda.after(delayMs, () => {
      if (this.life !== life || this.isHung) return;
      if (this.sleep === "awake") run();
      else if (this.#backlog.length < BACKLOG_MAX) this.#backlog.push(run);
    });
  }

  /** The same for a timer at an instant of its own clock; load makes timers late. */
  wakeAt(atMs: number, run: () => void): void {
    const lateMs = this.loadMs === 0 ? 0 : this.chance.below(this.loadMs);
    this.later(Math.max(0, Math.ceil(atMs - this.nowMs)) + lateMs, run);
  }

  // Power.

  switchOn(): void {
    if (this.power === "on" || !this.hasMains) return;
    this.power = "on";
    this.#boot();
  }

  #boot(): void {
    const { life } = this;
    this.world.agenda.after(this.bootMs, () => {
      if (this.life !== life || this.power !== "on" || this.isBooted) return;
      this.isBooted = true;
      this.#clockZeroMs = this.world.agenda.nowMs - CLOCK_BEGIN_MS;
      this.world.tell(this.name, "boots");
      this.startService();
    });
  }

  /** As the init system does. */
  startService(): void {
    if (!this.isAlive || this.keeper !== undefined) return;
    if (this.marks.has(BOUND)) {
      this.world.tell(this.name, "is bound by an earlier start: it is left to its watchdog");
      return;
    }
    this.world.watch.disturbedAtMs = this.world.agenda.nowMs;
    this.keeper = new VirtualKeeper(this);
    this.keeper.begin();
  }

  switchOff(): void {
    if (this.power === "off") return;
    this.#die();
    this.power = "off";
    this.offAtMs = this.world.agenda.nowMs;
  }

  /** The reset button, the watchdog's pin, a reboot without a shutdown: memory is gone, power stays. */
  reset(reason: string): void {
    if (this.power === "off") return;
    this.world.tell(this.name, `resets: ${reason}`);
    this.#die();
    this.#boot();
  }

  #die(): void {
    this.life += 1;
    this.isBooted = false;
    this.isHung = false;
    this.sleep = "awake";
    this.#backlog = [];
    this.#isWatched = false;
    this.#fedAtMs = undefined;
    this.keeper = undefined;
    this.failing.clear();
    this.disk.losePower();
    this.running.clear();
    this.marks.clear();
    this.begun = {};
    this.world.drbd?.machineDied(this);
    this.world.watch.machineDied(this);
    this.world.watch.diskChanged(this);
  }

  setMains(has: boolean): void {
    this.hasMains = has;
    if (!has) this.switchOff();
  }

  hang(): void {
    if (!this.isBooted) return;
    this.isHung = true;
    this.#backlog = [];
  }

  // Sleep.

  fallAsleep(how: "stopped" | "frozen"): void {
    if (!this.isAwake) return;
    this.sleep = how;
    this.#sleptSinceMs = this.world.agenda.nowMs;
  }

  wakeUp(): void {
    if (this.sleep === "awake") return;
    const sleptMs = this.world.agenda.nowMs - this.#sleptSinceMs;
    if (this.sleep === "frozen") {
      this.#clockZeroMs += sleptMs;
      if (this.#fedAtMs !== undefined) this.#fedAtMs += sleptMs;
    }
    this.sleep = "awake";
    // Timers run before sockets are read, as in libuv.
    this.keeper?.tick();
    for (const run of this.#backlog.splice(0)) run();
  }

  // Watchdog: it counts on while processes are stopped and the kernel hangs, but not in a frozen VM.

  feedWatchdog(): void {
    this.#fedAtMs = this.world.agenda.nowMs;
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#watchFrom(this.life);
  }

  /** Before the first promise to a peer. */
  bind(): void {
    this.marks.add(BOUND);
  }

  /** Nothing runs here any more: the bond is loosed, the watchdog disarmed. */
  leaveInOrder(): void {
    this.marks.delete(BOUND);
    this.#fedAtMs = undefined;
  }

  #watchFrom(life: number): void {
    const fedAtMs = this.#fedAtMs ?? this.world.agenda.nowMs;
    this.world.agenda.at(fedAtMs + this.world.setting.watchdogMs, () => {
      if (this.life !== life) return;
      const isOver =
        this.sleep !== "frozen" &&
        this.#fedAtMs !== undefined &&
        this.world.agenda.nowMs - this.#fedAtMs >= this.world.setting.watchdogMs;
      if (isOver) this.reset("the watchdog was not fed");
      else if (this.#fedAtMs === undefined) this.#isWatched = false;
      else if (this.sleep === "frozen")
        this.world.agenda.after(this.world.setting.watchdogMs, () => this.#watchFrom(life));
      else this.#watchFrom(life);
    });
  }
}
