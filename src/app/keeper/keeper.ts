/**
 * The keeper's loop: joins the membership core to links, timer, watchdog, state file and manager. It holds no rule.
 * It never waits: whatever could block is left to libuv's threads or dropped. Beats are scheduled by absolute time.
 */
import process from "node:process";
import { present } from "../../base/check.ts";
import type { NodeConfig, NodeEntry } from "../../cib/node-config.ts";
import { joinedNodes } from "../../cib/node-links.ts";
import { slowLines } from "../../cib/node-serial.ts";
import { marginOf } from "../../cluster/core/keeper/lock-leases.ts";
import { sessionOf, silentMaxOf } from "../../cluster/core/keeper/manager-care.ts";
import { admitsDatagram, datagramRoutes } from "../../cluster/core/membership/datagrams.ts";
import { stepMembership, wakeAtMs } from "../../cluster/core/membership/membership.ts";
import { leaseEndAtMs } from "../../cluster/core/membership/quorum-lease.ts";
import { showsSame } from "../../cluster/core/membership/shows-same.ts";
import {
  createMembership,
  type MembershipEffect,
  type MembershipEvent,
  type MembershipState,
} from "../../cluster/core/membership/state.ts";
import { qualityOf, viewOf } from "../../cluster/core/membership/view-of.ts";
import { decodeHeartbeat, encodeHeartbeat } from "../../cluster/core/wire/heartbeat.ts";
import type { Packet } from "../../cluster/core/wire/packet.ts";
import { openLinks } from "../../cluster/edge/links.ts";
import type { Watchdog } from "../../hw/edge/watchdog-device.ts";
import { machineMs, type ToKeeper } from "../keeper-pipe.ts";
import type { BootBond } from "./boot-bond.ts";
import { describeEffect, describeTimes } from "./describe.ts";
import { fenceSelf, shoutOnConsole } from "./guard.ts";
import type { Keyring } from "./keyring.ts";
import type { Log } from "./log.ts";
import { startManager } from "./manager-process.ts";
import { openOutlook } from "./outlook.ts";
import type { PoisonEars } from "./poison.ts";
import { startPulse } from "./pulse.ts";
import { readRemembered, writeRemembered, writeRememberedSync } from "./state-file.ts";

export interface KeeperSetting {
  readonly config: NodeConfig;
  readonly self: NodeEntry;
  readonly signer: Keyring;
  readonly stateFolder: string;
  readonly watchdog: Watchdog | undefined;
  readonly bond: BootBond;
  /** Undefined: no disk is configured on which this node could be told to end. */
  readonly poison: PoisonEars | undefined;
  /** Program and arguments of the manager. */
  readonly manager: { readonly file: string; readonly argv: readonly string[] };
  readonly log: Log;
}

/** For those who look, not for anything that decides. */
const REPORT_MS = 2000;
/** EX_CONFIG of sysexits.h. */
const WRONG_CONFIGURATION = 78;
/** A full disk may get room again; until then a node that has to raise its number of starts stays out. */
const PERSIST_RETRY_MS = 2000;

function membershipConfig({ config, self, watchdog }: KeeperSetting) {
  const names = config.nodes.map(({ name }) => name);
  const links = config.links.flatMap((link) => {
    const joined = joinedNodes(link, names);
    if (!joined.includes(self.name)) return [];
    return [{ name: link.name, kind: link.kind, peers: joined.filter((name) => name !== self.name) }];
  });
  const { nodes, keepaliveMs, warntimeMs, deadtimeMs, initdeadMs, quorumLeaseMs: leaseMs } = config;
  const quorum = { waitForAll: config.quorum.waitForAll, tieBreaker: config.quorum.tieBreaker.kind };
  const times = { keepaliveMs, warntimeMs, deadtimeMs, initdeadMs };
  // By what the driver really set: it may have rounded up.
  const endsWithinMs = (leaseMs ?? 0) + marginOf(watchdog?.timeoutMs ?? 0, keepaliveMs);
  return {
    self: self.name,
    nodes,
    links,
    ...times,
    quorum,
    ...(leaseMs === undefined ? {} : { lease: { leaseMs, endsWithinMs } }),
  };
}

function nextStart({ stateFolder, log }: KeeperSetting) {
  const { remembered, damaged } = readRemembered(stateFolder);
  if (damaged !== undefined)
    log.say("error", `membership.json cannot be read (${damaged}): the peers will tell our number of starts`);
  const started = { generation: remembered.generation + 1, peers: remembered.peers };
  writeRememberedSync(stateFolder, started);
  return started;
}

/** Runs until the node has left the cluster in order; resolves with the exit code. */
export function runKeeper(setting: KeeperSetting): Promise<number> {
  const { config, self, signer, stateFolder, watchdog, poison, log } = setting;
  const start = nextStart(setting);
  let state: MembershipState = createMembership(
    membershipConfig(setting),
    start.generation,
    start.peers,
    performance.now(),
  );
  let timer: NodeJS.Timeout | undefined;
  let shown: MembershipState | undefined;
  let fenced = false;
  let exitCode = 0;
  let finish: (code: number) => void = () => undefined;
  const finished = new Promise<number>((resolve) => {
    finish = resolve;
  });
  log.say("notice", `start ${start.generation} of node ${self.name} in cluster ${config.cluster}`);
  log.say("info", describeTimes(config));

  const links = openLinks(config, self, signer, {
    onPacket,
    onRefused(link, refusal, detail) {
      const why = detail === undefined ? "" : `: ${detail}`;
      log.limited("refused", "warning", `link ${link}: a ${refusal} packet is not heard${why}`);
    },
    onTrouble: (link, reason) => log.say("warning", `link ${link} cannot be opened: ${reason}`),
    onOpened: (link) => log.say("info", `link ${link} is open`),
  });
  const silentMaxMs = silentMaxOf(config.deadtimeMs);
  const manager = startManager(
    { ...setting.manager, silentMaxMs, sessionOf: (count) => sessionOf(state.generation, count) },
    {
      onFrame,
      onRefused() {
        log.say("critical", "the manager refuses this configuration");
        leave(WRONG_CONFIGURATION);
      },
      onStopFailed() {
        log.say("critical", "the manager cannot stop everything: this node goes without a goodbye, to be fenced");
        exitCode = 1;
        end();
      },
    },
    log,
  );

  const pulse = startPulse({
    config,
    self,
    signer,
    generation: start.generation,
    watchdog,
    managerVitals: () => manager.vitals(),
    quorumEndAtMs: () => leaseEndAtMs(state),
    log,
    onEnd: (reason) => endSelf(reason),
  });
  const outlook = openOutlook({ config, self, log, onEvent: dispatch });
  const lines = slowLines(
    config.links,
    config.nodes.map(({ name }) => name),
    {
      ...config,
      promises: config.quorumLeaseMs !== undefined,
    },
  );
  const reporting = setInterval(() => {
    const { takeoverGoalMs } = config;
    const goal = takeoverGoalMs === undefined ? {} : { takeoverGoalMs };
    const quality = qualityOf(state, performance.now());
    const tieTrouble = outlook.tieTrouble();
    const tie = tieTrouble === undefined ? {} : { tieTrouble };
    manager.report({ ...pulse.report(), ...quality, ...goal, slowLines: lines, ...tie, sealing: signer.sealing() });
  }, REPORT_MS);

  function leave(code: number): void {
    exitCode = code;
    dispatch({ kind: "leave" });
  }

  function onPacket(link: string, packet: Packet): void {
    if (packet.kind === "heartbeat") {
      const heartbeat = decodeHeartbeat(packet.payload);
      if (heartbeat === undefined) {
        log.limited(
          "unreadable",
          "error",
          `link ${link}: a heartbeat of node ${packet.from} cannot be read: update the older one`,
        );
        return;
      }
      noteSilence(packet.from);
      dispatch({ kind: "heartbeat", from: packet.from, link, generation: packet.generation, heartbeat });
      return;
    }
    const peer = admitsDatagram(state, packet.from, packet.generation);
    if (peer !== undefined) manager.passDatagram(peer, packet.payload);
  }

  function noteSilence(from: number): void {
    const peer = state.peers.find(({ id }) => id === from);
    if (peer?.phase === "member" && peer.heardAtMs !== undefined) pulse.noteSilence(performance.now() - peer.heardAtMs);
  }

  function onFrame(frame: ToKeeper): void {
    switch (frame.kind) {
      case "pong":
        return;
      case "send":
        sendDatagram(frame.to, frame.bytes);
        return;
      case "peer-fenced":
        log.say("notice", `fencing of ${frame.name} is confirmed, start ${frame.generation}`);
        dispatch({ kind: "fencing-confirmed", name: frame.name, generation: frame.generation });
        return;
      case "peer-accepted":
        log.say("notice", `${frame.name} is accepted again without fencing`);
        dispatch({ kind: "peer-accepted", name: frame.name });
        return;
      case "peer-declared-lost":
        log.say("critical", `${frame.name} is declared lost: it has to end itself`);
        dispatch({ kind: "peer-declared-lost", name: frame.name });
        return;
      case "self-fence":
        endSelf(frame.reason);
        return;
      case "lock-lease": {
        const { lock, untilMs } = frame;
        if (untilMs !== null) setting.bond.bind();
        pulse.noteLease(lock, untilMs === null ? undefined : performance.now() + untilMs - machineMs());
        return;
      }
      case "stopped":
        log.say("info", "the manager has stopped everything");
        leave(0);
    }
  }

  function sendDatagram(to: string, bytes: Uint8Array): void {
    for (const { link, peer, id } of datagramRoutes(state, to))
      links.send(link, "datagram", state.generation, bytes, { name: peer, id });
  }

  function endSelf(reason: string, wanted: "reset" | "off" = "reset"): void {
    if (fenced) return;
    fenced = true;
    clearTimeout(timer);
    clearInterval(reporting);
    outlook.close();
    pulse.close();
    if (config.selfFencing !== "exit") shoutOnConsole(`self-fencing: ${reason}`);
    log.say("critical", `self-fencing: ${reason}`);
    manager.kill();
    void fenceSelf(config.selfFencing, log, wanted);
  }

  function beat(effect: MembershipEffect & { kind: "send-heartbeat" }, lateMs: number): void {
    const payload = encodeHeartbeat(effect.heartbeat);
    for (const { name } of config.links) links.send(name, "heartbeat", effect.generation, payload);
    pulse.beat(effect.heartbeat.beat, lateMs);
  }

  function persist(effect: MembershipEffect & { kind: "persist" }): void {
    const { generation, peers } = effect;
    writing = writing
      .then(() => writeRemembered(stateFolder, { generation, peers }))
      .then(
        () => dispatch({ kind: "persisted", generation }),
        (error: unknown) => {
          log.say("error", `membership.json cannot be written: ${String(error)}`);
          setTimeout(persist, PERSIST_RETRY_MS, effect).unref();
        },
      );
  }
  let writing: Promise<void> = Promise.resolve();

  function perform(effect: MembershipEffect, lateMs: number): void {
    const said = describeEffect(effect);
    if (said !== undefined) log.say(said.level, said.text);
    if (effect.kind === "send-heartbeat") beat(effect, lateMs);
    else if (effect.kind === "persist") persist(effect);
    else if (effect.kind === "self-fence") endSelf(effect.reason);
    else if (effect.kind === "gone") end();
  }

  function end(): void {
    fenced = true;
    clearTimeout(timer);
    clearInterval(reporting);
    outlook.close();
    pulse.close();
    links.close();
    poison?.close();
    manager.kill();
    // Only where nothing runs on this node any more, or never ran.
    if (exitCode === 0 || exitCode === WRONG_CONFIGURATION) {
      watchdog?.disarm();
      setting.bond.release();
    }
    void writing.then(() => finish(exitCode));
  }

  /** The silence of peers grows all the time; it is part of what is shown, but no reason to show it. */
  function showView(nowMs: number): void {
    if (shown !== undefined && showsSame(shown, state)) return;
    shown = state;
    manager.showView(viewOf(state, nowMs));
  }

  function dispatch(event: MembershipEvent): void {
    const sleptMs = pulse.suspendedMs();
    if (sleptMs !== undefined) {
      log.say("critical", `suspended: this machine slept for ${Math.round(sleptMs)} ms`);
      step({ kind: "suspended", sleptMs });
    }
    step(event);
  }

  function step(event: MembershipEvent): void {
    if (fenced) return;
    const nowMs = performance.now();
    const lateMs = nowMs - state.nextBeatAtMs;
    const stepped = stepMembership(state, event, nowMs);
    // A manager's session below one that the peers know would never be heard: it begins anew above it.
    const isRaised = stepped.state.generation > state.generation;
    state = stepped.state;
    if (isRaised) manager.renew();
    for (const effect of stepped.effects) perform(effect, lateMs);
    if (fenced) return;
    if (stepped.effects.some(({ kind }) => kind === "self-late")) outlook.restart();
    outlook.look(state);
    showView(nowMs);
    clearTimeout(timer);
    // A fractional delay may fire a millisecond early; the tick then finds nothing due and comes again.
    timer = setTimeout(dispatch, Math.max(0, Math.ceil(wakeAtMs(state) - performance.now())), { kind: "tick" });
  }

  function stop(reason: string): void {
    log.say("notice", `${reason}: the manager is asked to stop everything`);
    present(manager, "the manager was never started").stop();
  }

  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop(signal));
  poison?.begin({ onEnd: (wanted, reason) => endSelf(reason, wanted), onLeave: stop });
  dispatch({ kind: "tick" });
  return finished;
}
