/**
 * The node's own pulse: each beat goes out by a socket of our own and comes back through the event loop, and only what
 * came back feeds the watchdog. Here the vitals are gathered; what they mean is judged in core/keeper/vitals.ts.
 * Also measured here: how late our beats are, and what the machine's clocks say of each other.
 */
import type { NodeConfig, NodeEntry } from "../../cib/node-config.ts";
import { type ClockReading, compareClocks } from "../../cluster/core/keeper/clocks.ts";
import { type LockLeases, marginOf, noteLease } from "../../cluster/core/keeper/lock-leases.ts";
import { vitalLimitsOf } from "../../cluster/core/keeper/manager-care.ts";
import type { KeeperReport } from "../../cluster/core/keeper/report.ts";
import { addToSpread, readSpread, startSpread } from "../../cluster/core/keeper/spread.ts";
import { type HealthState, type StorageVital, stepHealth } from "../../cluster/core/keeper/vitals.ts";
import { decodePacket, encodePacket, type Signer } from "../../cluster/core/wire/packet.ts";
import { packetFilter } from "../../cluster/core/wire/packet-filter.ts";
import { askDisk } from "../../hw/edge/block-device.ts";
import { sinceBootMs } from "../../hw/edge/native.ts";
import { openUdpSocket, socketAddress, type UdpSocket } from "../../hw/edge/udp-socket.ts";
import type { Watchdog } from "../../hw/edge/watchdog-device.ts";
import { shoutOnConsole } from "./guard.ts";
import type { Log } from "./log.ts";
import type { ManagerVitals } from "./manager-process.ts";

export interface PulseSetting {
  readonly config: NodeConfig;
  readonly self: NodeEntry;
  readonly signer: Signer;
  readonly generation: number;
  readonly watchdog: Watchdog | undefined;
  readonly managerVitals: () => ManagerVitals;
  /** On `performance`'s clock. */
  readonly quorumEndAtMs: () => number | undefined;
  readonly log: Log;
  /** This node is sick and must end. */
  readonly onEnd: (reason: string) => void;
}

export interface Pulse {
  /** Our heartbeat of this number has been handed to the links, so late after it was due. */
  beat(number: number, lateMs: number): void;
  /** How long the machine was suspended since the last call, if at all. To be asked before every step. */
  suspendedMs(): number | undefined;
  /** A lock on a shared disk is ours until then, on `performance`'s clock; undefined: no longer. */
  noteLease(lock: string, untilMs: number | undefined): void;
  /** A member that lived was not heard for so long. */
  noteSilence(silentMs: number): void;
  report(): Pick<KeeperReport, "lateness" | "silence" | "ailment" | "watchdog">;
  close(): void;
}

/** No link of the configuration stands at this place. */
const LOOP_LINK = 255;
const LOOPBACK = "127.0.0.1";
const STORAGE_EVERY_MS = 1000;
/** A lateness of this share of deadtime leaves too little for the network and the peer. */
const LATE_SHARE = 0.25;
const LATE_COUNT_MIN = 100;
const SHOUT_EVERY_MS = 1000;

/** Who is put off the processor between two clocks would take the wait for a sleep: then they are read again. */
const READING_MAX_MS = 1;
const READINGS_MAX = 5;

function readClocks(): ClockReading {
  for (let reading = 1; ; reading += 1) {
    const monotonicMs = performance.now();
    const clocks = { monotonicMs, bootMs: sinceBootMs(), wallMs: Date.now() };
    if (performance.now() - monotonicMs <= READING_MAX_MS || reading === READINGS_MAX) return clocks;
  }
}

/** Asks each disk once a second, and never twice at the same time: a hung one holds one thread. */
function watchStorage({ config, log }: PulseSetting) {
  const disks = config.storageChecks.map(({ path, timeoutMs }) => ({
    path,
    maxMs: timeoutMs,
    askedAtMs: undefined as number | undefined,
    said: "",
  }));
  async function ask(disk: (typeof disks)[number]): Promise<void> {
    disk.askedAtMs = performance.now();
    // An error is an answer: what it means for a resource is the business of that resource's monitor.
    const answer = await askDisk(disk.path).then(
      () => "",
      (error: unknown) => String(error),
    );
    disk.askedAtMs = undefined;
    if (answer !== disk.said)
      log.say("warning", answer === "" ? `${disk.path} can be read again` : `storage-check ${disk.path}: ${answer}`);
    disk.said = answer;
  }
  const askAll = () => {
    for (const disk of disks) if (disk.askedAtMs === undefined) void ask(disk);
  };
  // A node without disks to ask is not woken for them.
  const timer = disks.length === 0 ? undefined : setInterval(askAll, STORAGE_EVERY_MS);
  return {
    vitals: (): readonly StorageVital[] => disks.map(({ path, maxMs, askedAtMs }) => ({ path, maxMs, askedAtMs })),
    close: () => clearInterval(timer),
  };
}

export function startPulse(setting: PulseSetting): Pulse {
  const { self, signer, generation, watchdog, log } = setting;
  const limits = vitalLimitsOf(setting.config.deadtimeMs, watchdog?.timeoutMs ?? 0);
  const storage = watchStorage(setting);
  let health: HealthState = {};
  let leases: LockLeases = [];
  const leaseMarginMs = marginOf(watchdog?.timeoutMs ?? 0, setting.config.keepaliveMs);
  let clocks = readClocks();
  let lateness = startSpread(performance.now());
  let silence = startSpread(performance.now());
  let newest = 0;
  let loopedAtMs: number | undefined;
  let saidLate = false;
  let shoutedAtMs = Number.NEGATIVE_INFINITY;
  let ended = false;

  let loop: { readonly socket: UdpSocket; readonly address: Uint8Array } | undefined;
  try {
    const socket = openUdpSocket(
      { address: LOOPBACK, port: 0, filter: packetFilter([self.id]) },
      {
        onData: onLooped,
        onClosed(reason) {
          if (!ended) log.say("critical", `the loop of our own heartbeat is gone: ${reason}`);
        },
      },
    );
    loop = { socket, address: socketAddress(LOOPBACK, socket.port) };
    loopedAtMs = performance.now();
  } catch (error) {
    log.say("critical", `our own heartbeat has no loop to come back by (${String(error)}): is lo up?`);
  }

  function onLooped(bytes: Uint8Array): void {
    const read = decodePacket(bytes, signer);
    if (read.kind !== "packet") return;
    const { from, link, sequence } = read.packet;
    if (from !== self.id || link !== LOOP_LINK || read.packet.generation !== generation || sequence !== newest) return;
    loopedAtMs = performance.now();
    look(true);
  }

  function look(mayFeed: boolean): void {
    if (ended) return;
    const quorumEndAtMs = setting.quorumEndAtMs();
    const vitals = { loopedAtMs, ...setting.managerVitals(), storage: storage.vitals(), leases, quorumEndAtMs };
    const stepped = stepHealth(health, vitals, limits, performance.now());
    health = stepped.state;
    for (const effect of stepped.effects) {
      if (effect.kind === "feed" && mayFeed) watchdog?.feed();
      else if (effect.kind === "sick") tellSick(effect.text);
      else if (effect.kind === "well")
        log.limited("well", "notice", `well again after ${Math.round(effect.sickMs)} ms`);
      else if (effect.kind === "end") setting.onEnd(effect.reason);
    }
  }

  /** A reset may be the next that happens, and the log's disk may be what ails us: the console has it, too. */
  function tellSick(ailment: string): void {
    const text = `sick: ${ailment}; the watchdog is not fed`;
    // A node at its limit may be sick and well by turns, at every beat.
    const nowMs = performance.now();
    if (watchdog !== undefined && nowMs - shoutedAtMs >= SHOUT_EVERY_MS) {
      shoutOnConsole(text);
      shoutedAtMs = nowMs;
    }
    log.limited("sick", "critical", text);
  }

  function suspendedMs(): number | undefined {
    const now = readClocks();
    const events = compareClocks(clocks, now);
    clocks = now;
    for (const event of events)
      if (event.kind === "clock-step")
        log.say("warning", `clock-step: the wall clock was set by ${Math.round(event.stepMs)} ms; no timer follows it`);
    return events.find((event) => event.kind === "suspended")?.sleptMs;
  }

  function noteLateness(lateMs: number): void {
    lateness = addToSpread(lateness, Math.max(0, lateMs), performance.now());
    const { p99Ms, count } = readSpread(lateness);
    const isLate = count >= LATE_COUNT_MIN && p99Ms > LATE_SHARE * setting.config.deadtimeMs;
    if (isLate && !saidLate)
      log.say(
        "warning",
        `beats are late: 1 of 100 by ${Math.round(p99Ms)} ms or more, deadtime is ${setting.config.deadtimeMs} ms`,
      );
    saidLate = isLate;
  }

  return {
    beat(number, lateMs) {
      newest = number;
      noteLateness(lateMs);
      if (loop === undefined) {
        look(true);
        return;
      }
      const header = { kind: "heartbeat", from: self.id, to: self.id, link: LOOP_LINK, generation } as const;
      loop.socket.send(encodePacket({ ...header, sequence: number }, new Uint8Array(0), signer), loop.address);
      look(false);
    },
    suspendedMs,
    noteLease(lock, untilMs) {
      const noted = noteLease(leases, lock, untilMs, leaseMarginMs, performance.now());
      leases = noted.leases;
      const remedy = "give it a longer lock_timeout, or the watchdog a shorter time";
      if (noted.isTooShort)
        log.limited("lease", "error", `a hang of this node may outlive its lock on ${lock}: ${remedy}`);
    },
    noteSilence(silentMs) {
      silence = addToSpread(silence, silentMs, performance.now());
    },
    report: () => ({
      lateness: readSpread(lateness),
      silence: readSpread(silence),
      ...(health.ailment === undefined ? {} : { ailment: health.ailment.text }),
      ...(watchdog === undefined ? {} : { watchdog: describeWatchdog(watchdog) }),
    }),
    close() {
      ended = true;
      storage.close();
      loop?.socket.close();
    },
  };
}

function describeWatchdog(watchdog: Watchdog): NonNullable<KeeperReport["watchdog"]> {
  const { identity, module, timeoutMs, pretimeoutMs, nowayout, causedBoot } = watchdog;
  return {
    identity,
    timeoutMs,
    nowayout,
    ...(module === undefined ? {} : { module }),
    ...(pretimeoutMs === undefined ? {} : { pretimeoutMs }),
    ...(causedBoot === undefined ? {} : { causedBoot }),
  };
}
