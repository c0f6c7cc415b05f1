/**
 * The keeper of one node: the membership core joined to virtual links, disk, watchdog and manager, as
 * src/app/keeper/keeper.ts joins it to real ones.
 */
import { nodeKeptStatus } from "../cluster/core/controller/node-core.ts";
import { type LockLeases, marginOf, noteLease } from "../cluster/core/keeper/lock-leases.ts";
import {
  endsLately,
  NO_RESTARTS,
  noteEnd,
  noteSteady,
  sessionOf,
  silentMaxOf,
  vitalLimitsOf,
} from "../cluster/core/keeper/manager-care.ts";
import {
  createReachability,
  type Reachability,
  restartReachability,
  stepReachability,
} from "../cluster/core/keeper/reachability.ts";
import { type HealthState, stepHealth } from "../cluster/core/keeper/vitals.ts";
import { admitsDatagram, datagramRoutes } from "../cluster/core/membership/datagrams.ts";
import { wakeAtMs } from "../cluster/core/membership/membership.ts";
import { isTieSeeker } from "../cluster/core/membership/quorum.ts";
import { leaseEndAtMs } from "../cluster/core/membership/quorum-lease.ts";
import { showsSame } from "../cluster/core/membership/shows-same.ts";
import {
  createMembership,
  type MembershipEffect,
  type MembershipEvent,
  type MembershipState,
} from "../cluster/core/membership/state.ts";
import type { MembershipView } from "../cluster/core/membership/view.ts";
import { viewOf } from "../cluster/core/membership/view-of.ts";
import type { Heartbeat } from "../cluster/core/wire/heartbeat.ts";
import { acceptSequence, EMPTY_WINDOW, type ReplayWindow } from "../cluster/core/wire/replay-window.ts";
import { ofLink } from "./by-link.ts";
import type { Machine } from "./machine.ts";
import { PacedLines } from "./paced-line.ts";
import { TieSeeker } from "./tie-seeker.ts";
import { VirtualManager } from "./virtual-manager.ts";

/** A manager that has answered for so long has run for a while. */
const STEADY_MS = 20_000;
/** The one ping node of a site that has one. */
const ROUTER = "router";

type Content =
  | { readonly kind: "heartbeat"; readonly heartbeat: Heartbeat }
  | { readonly kind: "datagram"; readonly bytes: Uint8Array };

export class VirtualKeeper {
  readonly machine: Machine;
  readonly generation: number;
  state: MembershipState;
  manager: VirtualManager | undefined;
  view: MembershipView;
  /** Kept for later managers of this keeper. */
  fenced: Readonly<Record<string, number>> = {};
  /** What the manager before knew that nobody tells again. */
  kept: ReturnType<typeof nodeKeptStatus> | undefined;
  #isGone = false;
  #isStopping = false;
  #tickAtMs = Number.POSITIVE_INFINITY;
  #starts = 0;
  #restarts = NO_RESTARTS;
  #health: HealthState = {};
  #leases: LockLeases = [];
  #reach: Reachability | undefined;
  readonly #tie: TieSeeker | undefined;
  readonly #lines = new PacedLines(() => this.machine);
  readonly #sequences = new Map<string, Map<string, number>>();
  readonly #windows = new Map<string, Map<string, ReplayWindow>>();

  constructor(machine: Machine) {
    this.machine = machine;
    const { world, name, disk } = machine;
    const remembered = disk.readRemembered();
    this.generation = remembered.generation + 1;
    disk.writeRememberedNow({ generation: this.generation, peers: remembered.peers });
    const { keepaliveMs, warntimeMs, deadtimeMs, initdeadMs, links, waitForAll, tieBreaker } = world.setting;
    const { leaseMs, watchdogMs } = world.setting;
    const endsWithinMs = leaseMs + marginOf(watchdogMs, keepaliveMs);
    const others = world.names.filter((other) => other !== name);
    const config = {
      self: name,
      nodes: world.machines.map((one) => ({ name: one.name, id: one.id })),
      links: links.map((link) => ({ name: link.name, kind: link.kind, peers: others })),
      keepaliveMs,
      warntimeMs,
      deadtimeMs,
      initdeadMs,
      quorum: { waitForAll, tieBreaker },
      ...(leaseMs === 0 ? {} : { lease: { leaseMs, endsWithinMs } }),
    };
    this.state = createMembership(config, this.generation, remembered.peers, machine.nowMs);
    this.view = viewOf(this.state, machine.nowMs);
    const later = (delayMs: number, run: () => void) =>
      machine.later(delayMs, () => {
        if (!this.isGone) run();
      });
    const onHeld = (held: boolean) => this.#breakTie(held);
    if (world.tieDisk !== undefined) this.#tie = new TieSeeker(machine, world.tieDisk, later, onHeld);
  }

  #breakTie(held: boolean): void {
    this.machine.world.tell(this.machine.name, `${held ? "has" : "has not"} the tie-breaker`);
    this.dispatch({ kind: "tie-breaker", held });
  }

  begin(): void {
    if (this.state.config.lease !== undefined) this.machine.bind();
    this.machine.feedWatchdog();
    if (this.machine.world.setting.hasPing) {
      this.#reach = createReachability([ROUTER], this.state.config.deadtimeMs, this.machine.nowMs);
      this.#ping();
    }
    this.#startManager();
    this.dispatch({ kind: "tick" });
  }

  /** As src/app/keeper/outlook.ts: once in a keepalive, and what has not answered is judged by the next one. */
  #ping(): void {
    if (this.isGone) return;
    const { machine } = this;
    // The answer to the one before; that it took a moment makes no difference.
    this.#judgePings(machine.world.network.isCutOff(machine.name) ? undefined : ROUTER);
    machine.wakeAt(machine.nowMs + this.state.config.keepaliveMs, () => this.#ping());
  }

  #judgePings(name: string | undefined): void {
    if (this.isGone || this.#reach === undefined) return;
    const stepped = stepReachability(this.#reach, name, this.machine.nowMs);
    this.#reach = stepped.state;
    for (const effect of stepped.effects) {
      if (effect.kind === "reachable") this.dispatch(effect);
      else {
        this.machine.world.tell(this.machine.name, `${effect.kind} ${effect.name}`);
        if (this.machine.world.setting.tieBreaker === "ping") this.#breakTie(effect.kind === "ping-node-alive");
      }
    }
  }

  get isGone(): boolean {
    return this.#isGone || this.machine.keeper !== this;
  }

  tick(): void {
    this.dispatch({ kind: "tick" });
  }

  dispatch(event: MembershipEvent): void {
    if (this.isGone) return;
    const { nowMs } = this.machine;
    const before = this.state;
    const stepped = this.machine.world.cores.stepMembership(before, event, nowMs);
    this.state = stepped.state;
    // The sessions of its manager must lie above those that the peers know.
    if (this.state.generation > before.generation) this.#startManager();
    for (const effect of stepped.effects) this.#perform(effect);
    if (this.isGone) return;
    this.#tie?.seek(isTieSeeker(this.state));
    if (!showsSame(before, this.state)) {
      this.view = viewOf(this.state, nowMs);
      this.manager?.takeView(this.view);
    }
    this.#arm();
  }

  #arm(): void {
    const wakeMs = wakeAtMs(this.state);
    if (wakeMs >= this.#tickAtMs) return;
    this.#tickAtMs = wakeMs;
    this.machine.wakeAt(wakeMs, () => {
      if (this.isGone || this.#tickAtMs !== wakeMs) return;
      this.#tickAtMs = Number.POSITIVE_INFINITY;
      if (wakeAtMs(this.state) <= this.machine.nowMs) this.tick();
      else this.#arm();
    });
  }

  #perform(effect: MembershipEffect): void {
    const { machine } = this;
    const { world, name } = machine;
    switch (effect.kind) {
      case "send-heartbeat":
        this.#beat(effect.generation, effect.heartbeat);
        break;
      case "persist": {
        if (machine.disk.mode === "full") {
          machine.later(2_000, () => {
            if (!this.isGone) this.#perform(effect);
          });
          break;
        }
        const { generation, peers } = effect;
        const written = machine.disk.beginRemembered({ generation, peers });
        machine.later(machine.disk.writeMs, () => {
          written();
          this.dispatch({ kind: "persisted", generation });
        });
        break;
      }
      case "self-fence":
        this.#endSelf(effect.reason);
        break;
      case "gone":
        this.#end();
        break;
      case "peer-lost":
        world.tell(name, `lost ${effect.name}`);
        break;
      case "peer-joined":
        world.tell(name, `hears ${effect.name}`);
        break;
      case "given-up":
        world.tell(name, `gives up ${effect.name}, which does not hear ${effect.unheard.join(", ")}`);
        break;
      case "held-out":
        world.tell(name, `does not take ${effect.name} in, which does not hear ${effect.unheard.join(", ")}`);
        break;
      case "kept-out":
        world.tell(
          name,
          `is not taken in by ${effect.name}: it is not heard by ${effect.unheard.join(", ") || "others"}`,
        );
        break;
      case "held":
      case "released":
      case "generation-raised":
        world.tell(name, `${effect.kind}: ${effect.reason}`);
        break;
      case "peer-restarted":
      case "peer-returned":
      case "peer-left":
        world.tell(name, `${effect.kind} ${effect.name}`);
        break;
      case "self-late":
        // Nobody listened for a while.
        if (this.#reach !== undefined) this.#reach = restartReachability(this.#reach, machine.nowMs);
        world.trace(name, effect.kind);
        break;
      case "late-heartbeat":
      case "link-up":
      case "link-late":
      case "link-down":
      case "settled":
        world.trace(name, effect.kind);
        break;
      default:
        effect satisfies never;
    }
  }

  #beat(generation: number, heartbeat: Heartbeat): void {
    const content: Content = { kind: "heartbeat", heartbeat };
    for (const link of this.state.config.links)
      for (const peer of link.peers) this.#send(link.name, peer, generation, content);
    this.#feel();
  }

  #send(link: string, to: string, generation: number, content: Content): void {
    const { machine } = this;
    const sequences = ofLink(this.#sequences, link);
    const sequence = (sequences.get(to) ?? 0) + 1;
    sequences.set(to, sequence);
    const target = machine.world.machine(to);
    const leave = () =>
      machine.world.network.send(link, machine.name, to, () =>
        target.receive((keeper) => keeper.#hear(machine, link, generation, sequence, content)),
      );
    this.#lines.send(link, { to, bytes: content.kind === "datagram" ? content.bytes : undefined, leave });
  }

  #hear(from: Machine, link: string, generation: number, sequence: number, content: Content): void {
    const windows = ofLink(this.#windows, link);
    const window = acceptSequence(windows.get(from.name) ?? EMPTY_WINDOW, generation, sequence);
    if (window === undefined) return;
    windows.set(from.name, window);
    if (content.kind === "heartbeat") {
      this.dispatch({ kind: "heartbeat", from: from.id, link, generation, heartbeat: content.heartbeat });
      return;
    }
    const peer = admitsDatagram(this.state, from.id, generation);
    if (peer !== undefined) this.manager?.takeDatagram(peer, content.bytes);
  }

  // The manager and its pipe.

  /** Whether the watchdog may be fed; see core/keeper/vitals.ts. */
  #feel(): void {
    const { machine, manager } = this;
    const { nowMs, world } = machine;
    const { deadtimeMs } = this.state.config;
    const vitals = {
      loopedAtMs: nowMs,
      managerAnsweredAtMs: manager?.isHung === true ? manager.hungAtMs : nowMs,
      managerComplaint: manager?.complaint,
      managerEnds: endsLately(this.#restarts, nowMs),
      storage: [],
      leases: this.#leases,
      quorumEndAtMs: leaseEndAtMs(this.state),
    };
    const limits = vitalLimitsOf(deadtimeMs, world.setting.watchdogMs);
    const stepped = stepHealth(this.#health, vitals, limits, nowMs);
    this.#health = stepped.state;
    for (const effect of stepped.effects) {
      if (effect.kind !== "feed") world.watch.unwell(machine);
      if (effect.kind === "feed") machine.feedWatchdog();
      else if (effect.kind === "end") this.#endSelf(effect.reason);
      else world.tell(machine.name, effect.kind === "sick" ? `is sick: ${effect.text}` : "is well again");
    }
  }

  /** Of its manager: until when another node may not take this lock. */
  noteLease(lock: string, untilMs: number | undefined): void {
    const { setting } = this.machine.world;
    if (untilMs !== undefined) this.machine.bind();
    const marginMs = marginOf(setting.watchdogMs, setting.keepaliveMs);
    this.#leases = noteLease(this.#leases, lock, untilMs, marginMs, this.machine.nowMs).leases;
  }

  get silentMaxMs(): number {
    return silentMaxOf(this.state.config.deadtimeMs);
  }

  #startManager(): void {
    this.#starts += 1;
    const manager = new VirtualManager(this, sessionOf(this.state.generation, this.#starts), this.#starts > 1);
    this.manager = manager;
    manager.takeView(this.view);
    if (this.#isStopping) manager.stop();
  }

  /** It was killed, or hung for too long, or fell over. */
  managerEnded(): void {
    if (this.manager === undefined) return;
    this.kept = nodeKeptStatus(this.manager.node);
    this.manager = undefined;
    const { backoffMs } = this.#restarts;
    this.#restarts = noteEnd(this.#restarts, this.machine.nowMs);
    this.machine.later(backoffMs, () => {
      if (!this.isGone && this.manager === undefined) this.#startManager();
    });
    this.machine.later(STEADY_MS, () => {
      this.#restarts = noteSteady(this.#restarts);
    });
  }

  sendDatagram(to: string, bytes: Uint8Array): void {
    const content: Content = { kind: "datagram", bytes };
    for (const { link, peer } of datagramRoutes(this.state, to)) this.#send(link, peer, this.state.generation, content);
  }

  stop(): void {
    this.#isStopping = true;
    this.manager?.stop();
  }

  managerLeft(isClean: boolean): void {
    if (!isClean) {
      this.#endSelf("the resources of this node could not be stopped");
      return;
    }
    this.manager = undefined;
    this.dispatch({ kind: "leave" });
  }

  #endSelf(reason: string): void {
    if (this.isGone) return;
    this.#isGone = true;
    this.machine.world.watch.selfFenced(this.machine);
    if (this.machine.world.setting.selfFencing === "reboot") this.machine.reset(`self-fencing: ${reason}`);
    else this.machine.world.tell(this.machine.name, `stops feeding the watchdog: ${reason}`);
  }

  /** All goodbyes are said. */
  #end(): void {
    const { machine } = this;
    this.#isGone = true;
    machine.keeper = undefined;
    machine.leaveInOrder();
    machine.world.watch.nodeLeft(machine);
    machine.world.tell(machine.name, "has left the cluster");
  }

  /** kill -9: the manager goes with its keeper, the resources run on until the watchdog acts. */
  kill(): void {
    this.#isGone = true;
    this.manager = undefined;
    this.machine.keeper = undefined;
  }
}
