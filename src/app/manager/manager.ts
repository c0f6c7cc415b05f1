/**
 * The manager's loop: joins the node core (controller, executor, CIB store) to the keeper, the channel, the disk, the
 * agents, the fencing devices, DRBD and the control socket. It holds no rule. Effects are started in their order and
 * none is waited for; each result comes back as an event.
 */
import { createHash } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { AlertTrouble } from "../../cluster/core/alerts/dispatch.ts";
import {
  type AttributesState,
  type AttributeUpdate,
  attributesWakeAtMs,
  stepAttributes,
} from "../../cluster/core/attributes.ts";
import type { Answer, ConfigurationOperation, StatusChange } from "../../cluster/core/cib-store/types.ts";
import type { ClockReading } from "../../cluster/core/clock-skew.ts";
import { fencedByProof, fencingAnswer } from "../../cluster/core/controller/fencing-answers.ts";
import {
  type NodeEffect,
  type NodeEvent,
  type NodeState,
  nodeCib,
  stepNode,
} from "../../cluster/core/controller/node-core.ts";
import { nodeWakeAtMs } from "../../cluster/core/controller/node-inputs.ts";
import type { FencingResult } from "../../cluster/core/controller/types.ts";
import type { Instant } from "../../cluster/core/journal/journal.ts";
import {
  PING_ATTRIBUTE,
  type PingScores,
  pingScoresWakeAtMs,
  pingSight,
  stepPingScores,
} from "../../cluster/core/keeper/ping-scores.ts";
import type { KeeperReport } from "../../cluster/core/keeper/report.ts";
import type { MembershipView } from "../../cluster/core/membership/view.ts";
import {
  type ChannelEvent,
  type ChannelState,
  channelWakeAtMs,
  stepChannel,
  unpacks,
} from "../../cluster/core/messaging/channel.ts";
import { topicOf } from "../../cluster/core/topics.ts";
import type { FenceAction } from "../../cluster/core/transition/graph.ts";
import type { CibFiles } from "../../cluster/edge/cib-files.ts";
import type { AgentRunner } from "../../cluster/edge/resource-agent.ts";
import { TOLD_MAX } from "../../fencing/core/archive.ts";
import type { FencingRecord } from "../../fencing/core/fencer-state.ts";
import type { ProofReport } from "../../fencing/core/proofs.ts";
import type { ToKeeper } from "../keeper-pipe.ts";
import { zoneAt } from "../zone.ts";
import type { AlertDesk } from "./alert-desk.ts";
import type { BegunNotes } from "./begun-notes.ts";
import type { BlackBox } from "./black-box.ts";
import type { ControlServer } from "./control-server.ts";
import type { DrbdDesk } from "./drbd-desk.ts";
import type { FencingDesk } from "./fencing-desk.ts";
import type { KeeperMemo } from "./keeper-memo.ts";
import type { Log, LogBook } from "./log.ts";
import { type ManagerMessage, readManagerMessage } from "./messages.ts";
import { packText, unpackText } from "./packed-text.ts";
import { endQuestions, type Question } from "./questions.ts";
import type { Rehearsal } from "./rehearsal.ts";
import type { createReader, Decider } from "./schedule.ts";

/** Everything that the manager of one node is made of. Made by start.ts; changed by the functions below only. */
export interface Manager {
  readonly self: string;
  /** Another manager has worked before it since the node has booted. */
  readonly hasForerunner: boolean;
  node: NodeState;
  channel: ChannelState;
  view: MembershipView | undefined;
  /** What the DC tells of ping nodes, and for how long it must have been the same. */
  pings: PingScores;
  readonly dampenMs: number;
  /** Transient attributes on their way. */
  attributes: AttributesState;
  /** How the keeper is, by its last word. */
  keeper: KeeperReport | undefined;
  readonly files: CibFiles;
  readonly agents: AgentRunner;
  readonly fencing: FencingDesk;
  /** As the DC: lets a node in before anything starts on it. */
  readonly unfence: (target: string) => Promise<FencingResult>;
  readonly drbd: DrbdDesk;
  readonly alerts: AlertDesk;
  readonly decider: Decider;
  /** For displays: what the CIB means. */
  readonly read: ReturnType<typeof createReader>;
  readonly rehearsal: Rehearsal;
  readonly blackBox: BlackBox;
  readonly book: LogBook;
  readonly log: Log;
  readonly toKeeper: (message: ToKeeper) => void;
  readonly memo: KeeperMemo;
  readonly keepBegun: BegunNotes["keep"];
  /** Opened last: whoever asks finds a manager that can answer. */
  control: ControlServer | undefined;
  /** Every round of fencing that any node has told of, oldest first; on disk as well. */
  records: readonly FencingRecord[];
  readonly keepRecords: (records: readonly FencingRecord[]) => void;
  /** How well the fencing devices of other nodes are proven, by node. */
  readonly peerProofs: Map<string, ProofReport>;
  /** Their alerts that do not arrive, as each of them told last. */
  readonly peerAlerts: Map<string, readonly AlertTrouble[]>;
  /** Wall clocks of the other members beside ours. */
  clocks: readonly ClockReading[];
  readonly answers: Map<string, (answer: Answer) => void>;
  /** Questions to other nodes by number. */
  readonly asked: Map<number, Question>;
  readonly onMessage: (manager: Manager, from: string, message: ManagerMessage) => void;
  readonly onLeft: (clean: boolean) => void;
  nextAsk: number;
  timer: NodeJS.Timeout | undefined;
}

/** What the node core is handed; a replay hands it the same. */
export const NODE_TOOLS = { md5: (text: string) => createHash("md5").update(text).digest("hex") };
/** A timer that is due now and one that fires early by a fraction must not spin. */
const TIMER_MIN_MS = 1;

export function nowMs(): number {
  return performance.now();
}

export function sendMessage(manager: Manager, to: string, message: ManagerMessage): void {
  const plain = JSON.stringify(message);
  const text = unpacks(manager.channel, to) ? packText(plain) : plain;
  const topic = message.room === "controller" || message.room === "cib" ? topicOf(message) : undefined;
  feedChannel(manager, { kind: "submit", to, text, topic });
}

/** Also to ourselves when `to` is this node, so that whoever asks the DC need not know where it is. */
export function sendAnywhere(manager: Manager, to: string, message: ManagerMessage): void {
  if (to === manager.self) setImmediate(() => manager.onMessage(manager, to, message));
  else sendMessage(manager, to, message);
}

export function feedChannel(manager: Manager, event: ChannelEvent): void {
  const stepped = stepChannel(manager.channel, event, nowMs());
  manager.channel = stepped.state;
  for (const effect of stepped.effects) {
    switch (effect.kind) {
      case "send":
        manager.toKeeper({ kind: "send", to: effect.to, bytes: effect.bytes });
        break;
      case "deliver":
        manager.onMessage(manager, effect.from, readManagerMessage(unpackText(effect.text)));
        break;
      case "peer-started":
        manager.log("info", `the manager of ${effect.peer} is heard (session ${effect.session})`);
        tellNews(manager, effect.peer);
        feed(manager, { kind: "messages-lost", peer: effect.peer });
        break;
      case "overflow":
        manager.log("error", `too much waits for ${effect.peer}: it was dropped`);
        feed(manager, { kind: "messages-lost", peer: effect.peer });
        break;
      default:
        effect satisfies never;
    }
  }
  setTimer(manager);
}

/** What breaks the core ends the manager, or is refused where a person asked for it; the black box has it. */
function stepJournaled({ node, blackBox }: Manager, event: NodeEvent, now: Instant) {
  try {
    return stepNode(node, event, now, NODE_TOOLS);
  } catch (error) {
    blackBox.noteFault(node, event, now);
    throw error;
  }
}

/** One event for the node core, and everything that follows from it. */
export function feed(manager: Manager, event: NodeEvent): void {
  const now = { nowMs: nowMs(), nowWallMs: Date.now() };
  const before = manager.node;
  const stepped = stepJournaled(manager, event, now);
  manager.node = stepped.state;
  manager.memo.keepStatus(stepped.state);
  manager.blackBox.note(before, event, now, stepped.effects);
  manager.alerts.note(before, event, stepped.state);
  if (event.kind === "messages-lost") endQuestions(manager.asked, event.peer);
  for (const effect of stepped.effects) start(manager, effect);
  refresh(manager);
}

/** The DC tells the attribute of all members at once; see core/keeper/ping-scores.ts. */
export function scorePings(manager: Manager): void {
  const { view, node, self, dampenMs } = manager;
  const sight = pingSight(view, nodeCib(node), self, node.controller.election.dc);
  const stepped = stepPingScores(manager.pings, sight, nowMs(), dampenMs);
  manager.pings = stepped.state;
  const changes = stepped.changes.map(
    (change) => ({ kind: "set-attribute", name: PING_ATTRIBUTE, ...change }) as const,
  );
  if (changes.length > 0) feed(manager, { kind: "report", changes });
}

function setTimer(manager: Manager): void {
  clearTimeout(manager.timer);
  const waits = [
    nodeWakeAtMs(manager.node),
    channelWakeAtMs(manager.channel),
    manager.fencing.wakeAtMs(),
    wakePings(manager),
    attributesWakeAtMs(manager.attributes),
  ];
  const known = waits.filter((atMs) => atMs !== undefined);
  if (known.length === 0) return;
  const delayMs = Math.max(TIMER_MIN_MS, Math.ceil(Math.min(...known) - nowMs()));
  manager.timer = setTimeout(() => tick(manager), delayMs);
}

const wakePings = ({ pings, dampenMs }: Manager) => pingScoresWakeAtMs(pings, dampenMs);

function tick(manager: Manager): void {
  const atMs = nowMs();
  const isDue = (wake: number | undefined) => wake !== undefined && wake <= atMs;
  if (isDue(channelWakeAtMs(manager.channel))) feedChannel(manager, { kind: "tick" });
  if (isDue(manager.fencing.wakeAtMs())) manager.fencing.tick();
  if (isDue(wakePings(manager))) scorePings(manager);
  if (isDue(attributesWakeAtMs(manager.attributes))) feedAttributes(manager, { kind: "tick" });
  if (isDue(nodeWakeAtMs(manager.node))) feed(manager, { kind: "tick" });
  setTimer(manager);
}

/** What is due goes into the status section at once. */
export function feedAttributes(manager: Manager, event: AttributeUpdate | { readonly kind: "tick" }): void {
  const { state, effects } = stepAttributes(manager.attributes, event, nowMs());
  manager.attributes = state;
  const changes = effects.map(({ node, name, value }) => ({ kind: "set-attribute", node, name, value }) as const);
  if (changes.length > 0) report(manager, changes);
  setTimer(manager);
}

/** For desks that have changed something by themselves. */
export function refresh(manager: Manager): void {
  manager.control?.changed();
  setTimer(manager);
}

/** Beyond this the takeover itself is late. */
const SLOW_DECISION_MS = 500;

function schedule(manager: Manager, number: number, quorate: boolean): void {
  const cib = nodeCib(manager.node);
  const startedAtMs = nowMs();
  const wallMs = Date.now();
  const asked = { quorate, ...zoneAt(wallMs) };
  manager.blackBox.noteSchedule(manager.node, number, wallMs, asked);
  void manager.decider.decide(cib, wallMs, asked).then((decision) => {
    const ms = Math.round(nowMs() - startedAtMs);
    if (ms > SLOW_DECISION_MS) manager.log("warning", `decision ${number} took ${ms} ms`);
    feed(manager, { kind: "decision", number, decision });
  });
}

function fence(manager: Manager, { target, operation }: FenceAction, isTargetPreferred: boolean): void {
  if (operation === "on") {
    void manager.unfence(target).then((result) => feed(manager, { kind: "fenced", result }));
    return;
  }
  const isAwaited = manager.view?.peers.some(({ name, phase }) => name === target && phase === "awaited");
  const met = isAwaited === true ? ({ hasNotMet: true } as const) : {};
  const origin = { kind: "scheduler", by: `${manager.self}: the cluster`, ...met } as const;
  void manager.fencing.request(target, operation, origin, { isTargetPreferred }).then((record) => {
    const result = fencingAnswer(record, operation);
    if (result !== undefined) feed(manager, { kind: "fenced", result });
  });
}

/** Off is proven, whoever had asked: the cluster may take over now, whatever is still to be done to the node. */
export function takeFenced(manager: Manager, record: FencingRecord): void {
  manager.drbd.noteFenced(record.target);
  feed(manager, { kind: "fenced", result: fencedByProof(record) });
}

/** To a peer whose manager was just heard: what was fenced while it was away, itself perhaps, and how we stand. */
function tellNews(manager: Manager, peer: string): void {
  sendMessage(manager, peer, { room: "fencing", records: manager.records.slice(-TOLD_MAX) });
  sendMessage(manager, peer, { room: "proofs", report: manager.fencing.proofs() });
  sendMessage(manager, peer, { room: "alerts", troubles: manager.alerts.troubles() });
}

function cibChanged(manager: Manager, what: "configuration" | "status"): void {
  if (what !== "configuration") return;
  const cib = nodeCib(manager.node);
  manager.fencing.configure(cib);
  if (JSON.stringify(cib.children[0]).includes('"type":"drbd"')) manager.drbd.watch();
  if ((manager.view?.members.length ?? 0) > 1) manager.rehearsal.changed();
}

function start(manager: Manager, effect: NodeEffect): void {
  const { log, files } = manager;
  switch (effect.kind) {
    case "send":
      sendMessage(manager, effect.to, effect.message);
      break;
    case "keep-begun":
      manager.keepBegun(effect.resourceId, effect.begun);
      break;
    case "run":
      manager.agents.run(effect);
      break;
    case "kill":
      manager.agents.kill(effect.callId);
      break;
    case "persist":
      // A disk that refuses is told in status and tried again: changes wait for it, and what runs here does not.
      void files.write(effect.stored).then(() => {
        feed(manager, { kind: "persisted", token: effect.token });
      });
      break;
    case "conflict":
      log("error", `the configurations of both sides had changed: that of ${effect.conflict.loserNode} is set aside`);
      void files.keepConflict(effect.conflict).then((file) => log("error", `what was set aside is kept in ${file}`));
      break;
    case "answer":
      manager.answers.get(effect.answer.requestId)?.(effect.answer);
      manager.answers.delete(effect.answer.requestId);
      break;
    case "schedule":
      schedule(manager, effect.number, effect.quorate);
      break;
    case "fence":
      fence(manager, effect.action, effect.isTargetPreferred);
      break;
    case "withdraw-fence":
      manager.fencing.withdraw(effect.node);
      break;
    case "peer-fenced":
      manager.drbd.noteFenced(effect.node);
      manager.memo.keepFenced(manager.node.controller.fenced);
      manager.toKeeper({ kind: "peer-fenced", name: effect.node, generation: effect.generation });
      break;
    case "peer-accepted":
      manager.toKeeper({ kind: "peer-accepted", name: effect.node });
      break;
    case "leave":
      manager.onLeft(effect.clean);
      break;
    case "log":
      log(effect.level, effect.text);
      break;
    case "cib-changed":
      cibChanged(manager, effect.what);
      break;
    default:
      effect satisfies never;
  }
}

/** A change of the configuration; resolves with what became of it. */
export function submit(
  manager: Manager,
  who: string,
  door: string,
  operations: readonly ConfigurationOperation[],
): Promise<Answer> {
  const requestId = `${manager.node.requestPrefix}-r${manager.nextAsk}`;
  manager.nextAsk += 1;
  const origin = { who, from: `${manager.self}: ${door}`, wallMs: Date.now() };
  return new Promise((resolve) => {
    manager.answers.set(requestId, resolve);
    feed(manager, { kind: "submit", request: { requestId, operations, origin } });
  });
}

export function report(manager: Manager, changes: readonly StatusChange[]): void {
  feed(manager, { kind: "report", changes });
}
