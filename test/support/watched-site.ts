/**
 * Machines with membership cores, keepers that feed watchdogs, and a bad network between them: one-way cuts, packets
 * that come seconds late, hangs, pauses of the processes, clocks of different speed, a shared lock that breaks ties.
 * For what must hold whatever happens: nobody is taken for ended that runs. A run is named by its seed.
 */
import { type Chance, createChance } from "../../src/base/chance.ts";
import { marginOf } from "../../src/cluster/core/keeper/lock-leases.ts";
import { stepMembership, wakeAtMs } from "../../src/cluster/core/membership/membership.ts";
import { isTieSeeker } from "../../src/cluster/core/membership/quorum.ts";
import { leaseEndAtMs } from "../../src/cluster/core/membership/quorum-lease.ts";
import {
  createMembership,
  type MembershipConfig,
  type MembershipEvent,
  type MembershipState,
} from "../../src/cluster/core/membership/state.ts";

const STEP_MS = 25;
const [KEEPALIVE_MS, DEADTIME_MS, LEASE_MS, WATCHDOG_MS] = [500, 3_000, 4_000, 3_000];
/** The lock may be taken when it stood still for so long; its holder lets go by its own clock before. */
const [LOCK_MS, LET_GO_MS, RENEW_MS] = [10_000, 8_000, 2_000];
const BOOT_MS = 5_000;

interface Machine {
  readonly id: number;
  readonly name: string;
  /** Its clock against the world's. */
  readonly rate: number;
  state: MembershipState;
  generation: number;
  runs: boolean;
  /** Until then its processes stand still; the watchdog does not. */
  asleepUntilMs: number;
  fedAtMs: number;
  bootsAtMs: number;
  lockTriedAtMs: number;
  seesDisk: boolean;
}

export interface Site {
  readonly machines: readonly Machine[];
  nowMs: number;
  /** What happened when somebody was taken for ended. */
  readonly ends: string[];
  run(ms: number): void;
  kill(id: number): void;
  cut(from: number, to: number, isCut: boolean): void;
  /** Something that a bad day brings. */
  befall(): void;
}

export function createSite(seed: number, count: number, tieBreaker: "none" | "disk"): Site {
  const chance: Chance = createChance(seed);
  const ids = Array.from({ length: count }, (_, index) => index + 1);
  const nameOf = (id: number) => `n${id}`;
  const cuts = new Set<string>();
  const delays = new Map<string, number>();
  let flights: { readonly atMs: number; readonly to: number; readonly event: MembershipEvent }[] = [];
  let lock: { readonly holder: string; readonly atMs: number } | undefined;

  function configOf(id: number): MembershipConfig {
    const peers = ids.filter((other) => other !== id).map(nameOf);
    return {
      self: nameOf(id),
      nodes: ids.map((one) => ({ name: nameOf(one), id: one })),
      links: [{ name: "net", kind: "broadcast", peers }],
      keepaliveMs: KEEPALIVE_MS,
      warntimeMs: 1_500,
      deadtimeMs: DEADTIME_MS,
      initdeadMs: 6_000,
      quorum: { waitForAll: false, tieBreaker },
      lease: { leaseMs: LEASE_MS, endsWithinMs: LEASE_MS + marginOf(WATCHDOG_MS, KEEPALIVE_MS) },
    };
  }

  const machines: Machine[] = ids.map((id) => ({
    id,
    name: nameOf(id),
    // Worse than any clock that NTP still follows.
    rate: 1 + (chance.next() - 0.5) * 0.008,
    state: createMembership(configOf(id), 1, {}, 0),
    generation: 1,
    runs: true,
    asleepUntilMs: 0,
    fedAtMs: 0,
    bootsAtMs: 0,
    lockTriedAtMs: 0,
    seesDisk: true,
  }));

  const site: Site = {
    machines,
    nowMs: 0,
    ends: [],
    run(ms) {
      for (const untilMs = site.nowMs + ms; site.nowMs < untilMs; site.nowMs += STEP_MS) turn();
    },
    kill(id) {
      const machine = machines[id - 1];
      if (machine !== undefined) machine.runs = false;
    },
    cut(from, to, isCut) {
      if (isCut) cuts.add(`${from} ${to}`);
      else cuts.delete(`${from} ${to}`);
    },
    befall() {
      const one = machines[chance.below(count)];
      if (one === undefined) return;
      const other = machines[chance.below(count)] ?? one;
      switch (chance.pick(["cut", "cut", "heal", "isolate", "late", "hang", "pause", "kill", "boot", "disk"])) {
        case "cut":
          site.cut(one.id, other.id, true);
          break;
        case "heal":
          if (chance.happens(50)) cuts.clear();
          else site.cut(one.id, other.id, false);
          break;
        case "isolate":
          for (const { id } of machines) for (const ends of [`${id} ${one.id}`, `${one.id} ${id}`]) cuts.add(ends);
          break;
        case "late":
          delays.set(`${one.id} ${other.id}`, chance.happens(50) ? 1 : chance.between(100, 4_000));
          break;
        case "hang":
          one.asleepUntilMs = Number.POSITIVE_INFINITY;
          break;
        case "pause":
          one.asleepUntilMs = site.nowMs + chance.between(500, 6_000);
          break;
        case "kill":
          one.runs = false;
          one.bootsAtMs = site.nowMs + chance.between(BOOT_MS, 4 * BOOT_MS);
          break;
        case "boot":
          for (const each of machines) if (!each.runs) each.bootsAtMs = site.nowMs;
          break;
        case "disk":
          one.seesDisk = chance.happens(50);
      }
    },
  };

  const clockOf = ({ rate }: Machine) => site.nowMs * rate;

  function end(machine: Machine): void {
    machine.runs = false;
    machine.bootsAtMs = site.nowMs + BOOT_MS;
  }

  function boot(machine: Machine): void {
    machine.generation += 1;
    machine.state = createMembership(configOf(machine.id), machine.generation, {}, clockOf(machine));
    machine.runs = true;
    machine.asleepUntilMs = 0;
    machine.fedAtMs = site.nowMs;
  }

  function step(machine: Machine, event: MembershipEvent): void {
    const stepped = stepMembership(machine.state, event, clockOf(machine));
    machine.state = stepped.state;
    for (const effect of stepped.effects) {
      if (effect.kind === "self-fence") end(machine);
      if (effect.kind === "persist" && machine.state.raisingTo !== undefined)
        machine.generation = machine.state.raisingTo;
      if (effect.kind !== "send-heartbeat") continue;
      const endAtMs = leaseEndAtMs(machine.state);
      if (endAtMs !== undefined && clockOf(machine) >= endAtMs) {
        end(machine);
        return;
      }
      machine.fedAtMs = site.nowMs;
      const { heartbeat, generation } = effect;
      const sent: MembershipEvent = { kind: "heartbeat", from: machine.id, link: "net", generation, heartbeat };
      for (const { id: to } of machines) {
        const way = `${machine.id} ${to}`;
        if (to !== machine.id && !cuts.has(way))
          flights.push({ atMs: site.nowMs + (delays.get(way) ?? 1), to, event: sent });
      }
    }
    if (machine.runs) judge(machine);
  }

  /**
   * The one rule: who is taken for ended does not run, or has held nothing since its start, for it never had quorum.
   */
  function judge({ name, state }: Machine): void {
    for (const { name: of, quiet, generation } of state.peers) {
      if (quiet?.endedAfterMs === undefined) continue;
      const peer = machines.find((each) => each.name === of);
      const mayWrite = peer?.runs === true && peer.state.quorumAtMs !== undefined && !isReset(peer);
      if (mayWrite && peer.generation === generation)
        throw new Error(`seed ${seed}, ${site.nowMs} ms: ${name} takes ${of} for ended, and it runs`);
      site.ends.push(`${name} ${of} ${generation} ${site.nowMs}`);
    }
  }

  const isReset = ({ fedAtMs }: Machine) => site.nowMs - fedAtMs > WATCHDOG_MS;

  function mindLock(machine: Machine): void {
    if (tieBreaker !== "disk" || site.nowMs - machine.lockTriedAtMs < RENEW_MS / 2) return;
    machine.lockTriedAtMs = site.nowMs;
    const { name, state, seesDisk } = machine;
    const isMine = lock?.holder === name;
    if (!state.tieHeld) {
      const isFree = lock === undefined || isMine || site.nowMs - lock.atMs > LOCK_MS;
      if (!isTieSeeker(state) || !seesDisk || !isFree) return;
      lock = { holder: name, atMs: site.nowMs };
      step(machine, { kind: "tie-breaker", held: true });
    } else if (lock === undefined || !isMine || site.nowMs - lock.atMs > LET_GO_MS)
      step(machine, { kind: "tie-breaker", held: false });
    else if (!isTieSeeker(state)) {
      lock = undefined;
      step(machine, { kind: "tie-breaker", held: false });
    } else if (seesDisk && site.nowMs - lock.atMs >= RENEW_MS) lock = { holder: name, atMs: site.nowMs };
  }

  function turn(): void {
    const due = flights.filter(({ atMs }) => atMs <= site.nowMs);
    flights = flights.filter(({ atMs }) => atMs > site.nowMs);
    for (const machine of machines) {
      if (machine.runs && isReset(machine)) end(machine);
      if (!machine.runs && machine.bootsAtMs > 0 && site.nowMs >= machine.bootsAtMs) boot(machine);
      if (!machine.runs) continue;
      const own = due.filter(({ to }) => to === machine.id);
      if (site.nowMs < machine.asleepUntilMs) {
        // What comes meanwhile waits in the socket.
        flights.push(...own);
        continue;
      }
      if (wakeAtMs(machine.state) <= clockOf(machine)) step(machine, { kind: "tick" });
      for (const { event } of own) if (machine.runs) step(machine, event);
      if (machine.runs && machine.state.raisingTo !== undefined)
        step(machine, { kind: "persisted", generation: machine.state.raisingTo });
      if (machine.runs) mindLock(machine);
    }
  }
  return site;
}
