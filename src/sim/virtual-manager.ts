/**
 * The manager of one node: node core, channel and fencer joined to the virtual world, as src/app/manager joins them to
 * the real one. Effects are started in their order; each result comes back as an event.
 */
import { without } from "../base/record.ts";
import type { Answer, ConfigurationOperation } from "../cluster/core/cib-store/types.ts";
import {
  createNode,
  type NodeEffect,
  type NodeEvent,
  type NodeMessage,
  type NodeState,
  nodeCib,
} from "../cluster/core/controller/node-core.ts";
import { nodeWakeAtMs } from "../cluster/core/controller/node-inputs.ts";
import type { OperationRun } from "../cluster/core/executor/types.ts";
import {
  createPingScores,
  dampenOf,
  PING_ATTRIBUTE,
  type PingScores,
  pingSight,
  stepPingScores,
} from "../cluster/core/keeper/ping-scores.ts";
import { slowPeers } from "../cluster/core/membership/datagrams.ts";
import type { MembershipView } from "../cluster/core/membership/view.ts";
import { type ChannelEvent, channelWakeAtMs, createChannel, stepChannel } from "../cluster/core/messaging/channel.ts";
import type { Decision } from "../cluster/core/scheduler/decision.ts";
import { topicOf } from "../cluster/core/topics.ts";
import type { FenceAction } from "../cluster/core/transition/graph.ts";
import { type DrbdMessage, DrbdOffice } from "./drbd-office.ts";
import { FencingOffice } from "./fencing-office.ts";
import type { Machine } from "./machine.ts";
import { type AgentDone, runAgent } from "./services.ts";
import { LockOffice } from "./shared-lock.ts";
import { TOOLS } from "./tools.ts";
import type { VirtualKeeper } from "./virtual-keeper.ts";

type Message = NodeMessage | DrbdMessage;
type Finished = Extract<NodeEvent, { kind: "finished" }>;

const ACTION_LIMIT = 4;
/** As in src/app/manager. */
const WRITE_MAX_MS = 30_000;
/** As the keeper's reports come. */
const REPORT_MS = 2_000;
/** From the question to the scheduler's answer. */
const DECISION_MS = 2;

export class VirtualManager {
  readonly keeper: VirtualKeeper;
  readonly machine: Machine;
  readonly fencing: FencingOffice;
  readonly drbd: DrbdOffice | undefined;
  readonly lock: LockOffice | undefined;
  readonly session: number;
  readonly hasForerunner: boolean;
  node: NodeState;
  #channel;
  #view: MembershipView | undefined;
  #isHung = false;
  hungAtMs = 0;
  #pings: PingScores;
  readonly #dampenMs: number;
  #writesSinceMs: number | undefined;
  #missed: (() => void)[] = [];
  #tickAtMs = Number.POSITIVE_INFINITY;
  #nextRequest = 1;
  #isStopping = false;
  #askedNode: NodeState | undefined;
  #knownWakeMs = 0;
  readonly #answers = new Map<string, (answer: Answer) => void>();

  constructor(keeper: VirtualKeeper, session: number, hasForerunner: boolean) {
    const { machine } = keeper;
    const { world, name } = machine;
    this.keeper = keeper;
    this.machine = machine;
    this.session = session;
    this.hasForerunner = hasForerunner;
    const start = {
      self: name,
      incarnation: `${name}-${session}`,
      session,
      actionLimit: ACTION_LIMIT,
      stored: machine.disk.content.cib ?? world.initialCib,
      nodes: world.machines.map((one) => ({ id: String(one.id), name: one.name })),
      fenced: keeper.fenced,
      begun: Object.values(machine.begun),
      kept: keeper.kept,
    };
    this.node = createNode(start, machine.nowMs);
    this.#channel = createChannel(session);
    this.#pings = createPingScores(machine.nowMs);
    this.#dampenMs = dampenOf(world.setting.keepaliveMs);
    this.fencing = new FencingOffice(this);
    this.fencing.configure(nodeCib(this.node));
    if (world.setting.hasPing) this.later(REPORT_MS, () => this.#takeReports());
    this.drbd = world.drbd === undefined ? undefined : new DrbdOffice(this, world.drbd);
    this.lock = world.lockDisk === undefined ? undefined : new LockOffice(this, world.lockDisk);
  }

  get isGone(): boolean {
    return this.keeper.manager !== this || this.keeper.isGone;
  }

  get isHung(): boolean {
    return this.#isHung;
  }

  /** Whatever comes waits while the process hangs. */
  #turn(run: () => void): void {
    if (this.isGone) return;
    if (this.#isHung) this.#missed.push(run);
    else run();
  }

  /** Something that ends later, unless the process has. */
  later(delayMs: number, run: () => void): void {
    this.machine.later(delayMs, () => this.#turn(run));
  }

  /** What it tells its keeper that it cannot do. */
  get complaint(): string | undefined {
    const sinceMs = this.#writesSinceMs;
    const isLong = sinceMs !== undefined && this.machine.nowMs - sinceMs > WRITE_MAX_MS;
    return isLong ? "its disk does not take what it writes" : undefined;
  }

  hang(): void {
    this.#isHung = true;
    this.hungAtMs = this.machine.nowMs;
    this.machine.later(this.keeper.silentMaxMs, () => {
      if (this.isGone || !this.#isHung) return;
      this.machine.world.tell(this.machine.name, "kills its manager, which does not answer");
      this.keeper.managerEnded();
    });
  }

  unhang(): void {
    if (!this.#isHung) return;
    this.#isHung = false;
    for (const run of this.#missed.splice(0)) this.#turn(run);
  }

  takeView(view: MembershipView): void {
    this.later(0, () => {
      const gone = this.#view?.members.filter((name) => !view.members.includes(name)) ?? [];
      this.#view = view;
      this.#feedChannel({ kind: "slow-peers", peers: slowPeers(view) });
      for (const peer of gone) this.#feedChannel({ kind: "forget", peer });
      this.feed({ kind: "view", view });
      this.#scorePings();
    });
  }

  #scorePings(): void {
    if (this.isGone || !this.machine.world.setting.hasPing) return;
    const sight = pingSight(this.#view, nodeCib(this.node), this.machine.name, this.node.controller.election.dc);
    const stepped = stepPingScores(this.#pings, sight, this.machine.nowMs, this.#dampenMs);
    this.#pings = stepped.state;
    const changes = stepped.changes.map(
      (change) => ({ kind: "set-attribute", name: PING_ATTRIBUTE, ...change }) as const,
    );
    if (changes.length > 0) this.feed({ kind: "report", changes });
  }

  /** Who leads may have changed since the last view: the keeper's reports come all the time. */
  #takeReports(): void {
    this.#scorePings();
    this.later(REPORT_MS, () => this.#takeReports());
  }

  takeDatagram(from: string, bytes: Uint8Array): void {
    this.#turn(() => this.#feedChannel({ kind: "datagram", from, bytes }));
  }

  stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.later(0, () => this.feed({ kind: "stop", hasForerunner: this.hasForerunner }));
  }

  #feedChannel(event: ChannelEvent): void {
    const stepped = stepChannel(this.#channel, event, this.machine.nowMs);
    this.#channel = stepped.state;
    for (const effect of stepped.effects) {
      if (effect.kind === "send") this.keeper.sendDatagram(effect.to, effect.bytes);
      else if (effect.kind === "deliver")
        this.#takeMessage(effect.from, this.machine.world.readings.read(effect.text) as Message);
      else this.feed({ kind: "messages-lost", peer: effect.peer });
      if (this.isGone) return;
    }
    this.#arm();
  }

  #takeMessage(from: string, message: Message): void {
    if (message.room === "drbd" || message.room === "drbd-answer") this.drbd?.takeMessage(from, message);
    else this.feed({ kind: "message", from, message });
  }

  send(to: string, message: Message): void {
    const topic = message.room === "controller" || message.room === "cib" ? topicOf(message) : undefined;
    this.#feedChannel({ kind: "submit", to, text: JSON.stringify(message), topic });
  }

  feed(event: NodeEvent): void {
    if (this.isGone) return;
    const { nowMs, wallMs } = this.machine;
    const stepped = this.machine.world.cores.stepNode(this.node, event, { nowMs, nowWallMs: wallMs }, TOOLS);
    this.node = stepped.state;
    for (const effect of stepped.effects) {
      this.#start(effect);
      if (this.isGone) return;
    }
    this.#arm();
  }

  /** Timers are set anew after every turn. */
  changed(): void {
    if (!this.isGone) this.#arm();
  }

  /** Asked after every turn: what has not changed is not asked again. */
  #nodeWakeMs(): number {
    if (this.#askedNode !== this.node) {
      this.#askedNode = this.node;
      this.#knownWakeMs = nodeWakeAtMs(this.node) ?? Number.POSITIVE_INFINITY;
    }
    return this.#knownWakeMs;
  }

  #wakeAtMs(): number {
    const far = Number.POSITIVE_INFINITY;
    const desksMs = Math.min(this.fencing.wakeAtMs() ?? far, this.drbd?.wakeAtMs() ?? far);
    return Math.min(this.#nodeWakeMs(), channelWakeAtMs(this.#channel) ?? far, desksMs);
  }

  #arm(): void {
    const wakeMs = this.#wakeAtMs();
    if (wakeMs >= this.#tickAtMs || wakeMs === Number.POSITIVE_INFINITY) return;
    this.#tickAtMs = wakeMs;
    this.machine.wakeAt(Math.max(wakeMs, this.machine.nowMs + 1), () => {
      if (this.#tickAtMs !== wakeMs) return;
      this.#turn(() => this.#tick());
    });
  }

  #tick(): void {
    this.#tickAtMs = Number.POSITIVE_INFINITY;
    const { nowMs } = this.machine;
    if ((channelWakeAtMs(this.#channel) ?? Number.POSITIVE_INFINITY) <= nowMs) this.#feedChannel({ kind: "tick" });
    if (!this.isGone && (this.fencing.wakeAtMs() ?? Number.POSITIVE_INFINITY) <= nowMs) this.fencing.tick();
    if (!this.isGone && (this.drbd?.wakeAtMs() ?? Number.POSITIVE_INFINITY) <= nowMs) this.drbd?.tick();
    if (!this.isGone && this.#nodeWakeMs() <= nowMs) this.feed({ kind: "tick" });
    if (!this.isGone) this.#arm();
  }

  #start(effect: NodeEffect): void {
    const { machine, keeper } = this;
    const { world, name } = machine;
    switch (effect.kind) {
      case "send":
        this.send(effect.to, effect.message);
        break;
      case "keep-begun": {
        const others = without(machine.begun, effect.resourceId);
        machine.begun = effect.begun === null ? others : { ...others, [effect.resourceId]: effect.begun };
        break;
      }
      case "run":
        this.#runAgent(effect);
        break;
      case "kill":
        this.#finished(effect.callId, { kind: "killed" }, 0);
        break;
      case "persist":
        this.#persist(effect);
        break;
      case "conflict":
        world.watch.conflicted(effect.conflict);
        world.tell(name, `keeps the configuration of ${effect.conflict.loserNode} as a conflict`);
        break;
      case "answer":
        world.watch.answered(effect.answer);
        this.#answers.get(effect.answer.requestId)?.(effect.answer);
        this.#answers.delete(effect.answer.requestId);
        break;
      case "schedule": {
        const { number, quorate } = effect;
        world.decisions += 1;
        const decision: Decision = world.cores.schedule(nodeCib(this.node), machine.wallMs, { quorate });
        this.later(DECISION_MS, () => this.feed({ kind: "decision", number, decision }));
        break;
      }
      case "fence":
        this.#fence(effect.action, effect.isTargetPreferred);
        break;
      case "withdraw-fence":
        this.fencing.withdraw(effect.node);
        break;
      case "peer-fenced":
        this.drbd?.noteFenced(effect.node);
        keeper.fenced = this.node.controller.fenced;
        this.later(0, () =>
          keeper.dispatch({ kind: "fencing-confirmed", name: effect.node, generation: effect.generation }),
        );
        break;
      case "peer-accepted":
        this.later(0, () => keeper.dispatch({ kind: "peer-accepted", name: effect.node }));
        break;
      case "leave":
        keeper.managerLeft(effect.clean);
        break;
      case "log":
        // What no operator may miss belongs to the story.
        if (effect.level === "error") world.tell(name, `says: ${effect.text}`);
        else world.trace(name, `${effect.level}: ${effect.text}`);
        break;
      case "cib-changed":
        if (effect.what === "configuration") this.fencing.configure(nodeCib(this.node));
        break;
      default:
        effect satisfies never;
    }
  }

  #persist(effect: Extract<NodeEffect, { kind: "persist" }>): void {
    const { machine } = this;
    this.#writesSinceMs ??= machine.nowMs;
    if (machine.disk.mode === "full") {
      this.later(1_000, () => this.#persist(effect));
      return;
    }
    const { head, quorateHead } = effect.stored;
    if (this.keeper.view.quorate && head === quorateHead) machine.world.watch.marked(effect.stored);
    const written = machine.disk.beginCib(effect.stored);
    // The disk ends what it has begun, whatever becomes of the process.
    machine.later(machine.disk.writeMs, () => {
      written();
      this.#writesSinceMs = undefined;
      this.#turn(() => this.feed({ kind: "persisted", token: effect.token }));
    });
  }

  #runAgent(run: OperationRun): void {
    if (run.resource.class === "stonith") {
      this.fencing.operate(run, (code) => this.#finished(run.callId, { kind: "exit", code }, 5));
      return;
    }
    const ended: AgentDone = (code, execMs, attributes) => {
      const outcome = code === undefined ? ({ kind: "timeout" } as const) : ({ kind: "exit", code } as const);
      this.#turn(() => this.#finished(run.callId, outcome, execMs, attributes));
    };
    if (run.resource.type === "sfex") this.lock?.operate(run, ended);
    else runAgent(this.machine, run, ended);
  }

  #finished(
    callId: number,
    outcome: Finished["outcome"],
    execMs: number,
    attributes: Finished["attributes"] = [],
  ): void {
    const endedWallMs = this.machine.wallMs;
    const what = { exitReason: "", output: "", attributes, execMs, endedWallMs };
    this.later(0, () => this.feed({ kind: "finished", callId, outcome, ...what }));
  }

  #fence({ target, operation }: FenceAction, isTargetPreferred: boolean): void {
    this.fencing.request(target, operation, "scheduler", isTargetPreferred);
  }

  submit(operations: readonly ConfigurationOperation[], onAnswer: (answer: Answer) => void): string {
    const requestId = `${this.node.requestPrefix}-r${this.#nextRequest}`;
    this.#nextRequest += 1;
    this.#answers.set(requestId, onAnswer);
    const origin = { who: "operator", from: `${this.machine.name}: sim`, wallMs: this.machine.wallMs };
    this.feed({ kind: "submit", request: { requestId, operations, origin } });
    return requestId;
  }
}
