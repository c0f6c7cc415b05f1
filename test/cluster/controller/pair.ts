/**
 * Several nodes' real cores in one process: a virtual clock, messages that take a millisecond, agents and fencing
 * that answer as the test says. What the simulator of issue 4 grows from.
 */
import { createHash } from "node:crypto";
import { parseXml, type XmlElement } from "../../../src/base/xml.ts";
import {
  createNode,
  type NodeEffect,
  type NodeEvent,
  type NodeMessage,
  type NodeState,
  nodeCib,
  nodeKeptStatus,
  stepNode,
} from "../../../src/cluster/core/controller/node-core.ts";
import { nodeWakeAtMs } from "../../../src/cluster/core/controller/node-inputs.ts";
import type { FencingResult } from "../../../src/cluster/core/controller/types.ts";
import type { OperationRun } from "../../../src/cluster/core/executor/types.ts";
import type { MembershipView, PeerPhase } from "../../../src/cluster/core/membership/view.ts";
import type { Decision } from "../../../src/cluster/core/scheduler/decision.ts";

export type Schedule = (cib: XmlElement, nowWallMs: number, options: { quorate: boolean }) => Decision;

/** What the world does; every part can be replaced by a test. */
export interface World {
  schedule: Schedule;
  /** How long a decision takes. */
  scheduleMs?: number;
  /** Exit code of an operation; the default keeps account of what runs where. */
  agent: (node: string, run: OperationRun, cluster: Cluster) => { code: number; afterMs: number };
  /** A fencing that is not wanted any more is given up; else it goes on to its end, as one by a board does. */
  isWithdrawable?: boolean;
  /** What becomes of a message on its way: what a manager of another version would have sent. */
  say?: (from: string, message: NodeMessage) => NodeMessage;
  fence: (target: string, cluster: Cluster) => { result: FencingResult["outcome"]; afterMs: number; kills?: boolean };
}

interface Machine {
  state: NodeState;
  alive: boolean;
  generation: number;
  session: number;
  left: boolean;
  /** Resources that really run there. */
  readonly running: Set<string>;
}

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

const tools = { md5: (text: string) => createHash("md5").update(text).digest("hex") };
const MESSAGE_MS = 1;
const EVENTS_MAX = 200_000;
const WALL_MS = Date.UTC(2026, 0, 1);

function configuration(text: string): XmlElement {
  const read = parseXml(`<configuration>${text}</configuration>`);
  if (read.kind !== "xml") throw new Error(read.reason);
  return read.root;
}

export class Cluster {
  nowMs = 0;
  readonly log: string[] = [];
  readonly machines: Record<string, Machine> = {};
  /** Every operation that was begun: `1234 alpha ip_start_0`. */
  readonly operations: string[] = [];
  readonly fenced: string[] = [];
  /** Every message that arrived. */
  readonly sent: { readonly from: string; readonly to: string; readonly message: NodeMessage }[] = [];
  /** Peers that a keeper was told to forget, as `alpha bravo`. */
  readonly forgotten = new Set<string>();
  /** As `alpha bravo`: alpha's keeper holds bravo for lost until it is fenced or accepted again. */
  private readonly lost = new Set<string>();
  private readonly fencings: { target: string; action: "off" | "on" | "reboot"; isWithdrawn: boolean }[] = [];
  private readonly due: Due[] = [];
  private order = 0;
  private cut = false;
  private epoch = 1;
  private readonly names: readonly string[];
  private readonly text: string;
  readonly world: World;

  constructor(names: readonly string[], text: string, world: World) {
    this.names = names;
    this.text = text;
    this.world = world;
    for (const name of names) this.boot(name);
    this.tellViews();
  }

  private at(delayMs: number, run: () => void): void {
    this.due.push({ atMs: this.nowMs + delayMs, order: this.order++, run });
  }

  private create(name: string, session: number, kept?: XmlElement): NodeState {
    const nodes = this.names.map((node, index) => ({ id: String(index + 1), name: node }));
    const stored = {
      version: { adminEpoch: 0, epoch: 1 },
      head: "h1",
      lineage: ["h1"],
      quorateHead: "blank",
      quorateVersion: { adminEpoch: 0, epoch: 0 },
      confirmedHead: "h1",
      configuration: configuration(this.text),
      history: [],
    };
    const start = { self: name, incarnation: `${name}-${session}`, session, actionLimit: 4, stored, nodes, fenced: {} };
    return createNode({ ...start, begun: [], kept }, this.nowMs);
  }

  /** Power on, or the first start. */
  boot(name: string): void {
    const before = this.machines[name];
    const session = (before?.session ?? 0) + 1;
    const generation = (before?.generation ?? 0) + 1;
    const state = this.create(name, session);
    this.machines[name] = { state, alive: true, generation, session, left: false, running: new Set() };
    for (const other of this.names) {
      this.forgotten.delete(`${other} ${name}`);
      this.lost.delete(`${other} ${name}`);
      this.lost.delete(`${name} ${other}`);
    }
    this.tick(name);
  }

  machine(name: string): Machine {
    const machine = this.machines[name];
    if (machine === undefined) throw new Error(`no machine ${name}`);
    return machine;
  }

  /** The power is cut: nothing runs there any more, and nobody is told. */
  kill(name: string): void {
    const machine = this.machine(name);
    machine.alive = false;
    machine.running.clear();
  }

  /** kill -9 of the manager alone: resources and keeper live on. */
  restartManager(name: string): void {
    const machine = this.machine(name);
    machine.session += 1;
    machine.state = this.create(name, machine.session, nodeKeptStatus(machine.state));
    this.tick(name);
    this.at(0, () => this.feed(name, { kind: "view", view: this.view(name) }));
  }

  cutLinks(): void {
    this.cut = true;
  }

  joinLinks(): void {
    this.cut = false;
  }

  private reaches(from: string, to: string): boolean {
    const [left, right] = [this.machine(from), this.machine(to)];
    return (from === to || !this.cut) && left.alive && right.alive && !left.left && !right.left;
  }

  private phaseOf(self: string, peer: string): PeerPhase {
    if (this.machine(peer).left) return "left";
    if (this.forgotten.has(`${self} ${peer}`)) return "awaited";
    if (!this.reaches(self, peer)) this.lost.add(`${self} ${peer}`);
    return this.lost.has(`${self} ${peer}`) || this.lost.has(`${peer} ${self}`) ? "lost" : "member";
  }

  private view(self: string): MembershipView {
    const peers = this.names
      .filter((name) => name !== self)
      .map((name) => {
        const phase = this.phaseOf(self, name);
        const returned = phase === "lost" && this.reaches(self, name);
        return { name, phase, generation: this.machine(name).generation, returned };
      });
    const members = [self, ...peers.filter(({ phase }) => phase === "member").map(({ name }) => name)].sort();
    const { generation } = this.machine(self);
    const { epoch } = this;
    return { self, generation, epoch, members, agreed: true, peers, links: [], settled: true, quorate: true };
  }

  /** What the keepers find out after deadtime. */
  tellViews(): void {
    this.epoch += 1;
    for (const name of this.names) this.at(0, () => this.feed(name, { kind: "view", view: this.view(name) }));
  }

  feed(name: string, event: NodeEvent): void {
    const machine = this.machine(name);
    if (!machine.alive || machine.left) return;
    const now = { nowMs: this.nowMs, nowWallMs: WALL_MS + this.nowMs };
    const stepped = stepNode(machine.state, event, now, tools);
    // Replayable: the state is plain data.
    machine.state = JSON.parse(JSON.stringify(stepped.state)) as NodeState;
    for (const effect of stepped.effects) this.start(name, effect);
    this.tick(name);
  }

  private tick(name: string): void {
    const { session, state } = this.machine(name);
    const wake = nodeWakeAtMs(state);
    if (wake === undefined) return;
    const before = state;
    this.at(Math.max(0, wake - this.nowMs), () => {
      const machine = this.machine(name);
      if (machine.session === session && machine.state === before) this.feed(name, { kind: "tick" });
    });
  }

  private deliver(from: string, to: string, message: NodeMessage): void {
    this.at(MESSAGE_MS, () => {
      if (!this.reaches(from, to)) return;
      const said = this.world.say?.(from, message) ?? message;
      this.sent.push({ from, to, message: said });
      this.feed(to, { kind: "message", from, message: said });
    });
  }

  private runOperation(name: string, run: OperationRun): void {
    const machine = this.machine(name);
    const { session } = machine;
    this.operations.push(`${this.nowMs} ${name} ${run.resource.id}_${run.operation}_${run.intervalMs}`);
    const { code, afterMs } = this.world.agent(name, run, this);
    this.at(afterMs, () => {
      if (!this.machine(name).alive || this.machine(name).session !== session) return;
      this.feed(name, {
        kind: "finished",
        callId: run.callId,
        outcome: { kind: "exit", code },
        exitReason: "",
        output: "",
        attributes: [],
        execMs: afterMs,
        endedWallMs: WALL_MS + this.nowMs,
      });
    });
  }

  private start(name: string, effect: NodeEffect): void {
    switch (effect.kind) {
      case "send":
        this.deliver(name, effect.to, effect.message);
        break;
      case "run":
        this.runOperation(name, effect);
        break;
      case "persist":
        this.at(1, () => this.feed(name, { kind: "persisted", token: effect.token }));
        break;
      case "schedule": {
        const { number, quorate } = effect;
        const decision = this.world.schedule(nodeCib(this.machine(name).state), WALL_MS + this.nowMs, { quorate });
        this.at(this.world.scheduleMs ?? 0, () => this.feed(name, { kind: "decision", number, decision }));
        break;
      }
      case "fence":
        this.fence(name, effect.action.target, effect.action.operation);
        break;
      case "peer-fenced":
        this.forgotten.add(`${name} ${effect.node}`);
        this.at(0, () => this.feed(name, { kind: "view", view: this.view(name) }));
        break;
      case "peer-accepted":
        this.lost.delete(`${name} ${effect.node}`);
        this.tellViews();
        break;
      case "leave":
        this.machine(name).left = true;
        this.log.push(`${this.nowMs} ${name} left ${effect.clean}`);
        this.tellViews();
        break;
      case "log":
        this.log.push(`${this.nowMs} ${name} ${effect.level}: ${effect.text}`);
        break;
      case "withdraw-fence":
        this.withdraw(name, effect.node);
        break;
      case "kill":
      case "keep-begun":
      case "answer":
      case "conflict":
      case "cib-changed":
        break;
      default:
        effect satisfies never;
    }
  }

  /** As one that waits for a person: given up at once. */
  private withdraw(name: string, node: string): void {
    if (this.world.isWithdrawable !== true) return;
    for (const fencing of this.fencings.filter(({ target }) => target === node)) {
      fencing.isWithdrawn = true;
      this.fencings.splice(this.fencings.indexOf(fencing), 1);
      const result: FencingResult = { target: node, action: fencing.action, outcome: "not-done", reason: "given up" };
      this.at(0, () => this.feed(name, { kind: "fenced", result }));
    }
  }

  private fence(name: string, target: string, action: "off" | "on" | "reboot"): void {
    const { result, afterMs, kills = result === "confirmed" } = this.world.fence(target, this);
    const { session } = this.machine(name);
    const fencing = { target, action, isWithdrawn: false };
    this.fencings.push(fencing);
    this.at(afterMs, () => {
      if (fencing.isWithdrawn) return;
      this.fencings.splice(this.fencings.indexOf(fencing), 1);
      // Whoever was shot meanwhile shoots no more.
      if (!this.machine(name).alive || this.machine(name).session !== session) return;
      if (kills) this.kill(target);
      if (result === "confirmed") this.fenced.push(target);
      const reason = `the test says ${result}`;
      this.feed(name, { kind: "fenced", result: { target, action, outcome: result, reason } });
    });
  }

  run(durationMs: number): void {
    const endMs = this.nowMs + durationMs;
    for (let events = 0; events < EVENTS_MAX; events += 1) {
      this.due.sort((left, right) => left.atMs - right.atMs || left.order - right.order);
      const next = this.due[0];
      if (next === undefined || next.atMs > endMs) {
        this.nowMs = endMs;
        return;
      }
      this.due.shift();
      this.nowMs = next.atMs;
      next.run();
    }
    throw new Error(`the cluster never comes to rest:\n${this.log.slice(-40).join("\n")}`);
  }

  /** Where the resource really runs, now. */
  whereRuns(resource: string): readonly string[] {
    return this.names.filter((name) => this.machine(name).running.has(resource));
  }
}

/** An agent as Dummy is: start and stop work, monitor tells what really runs. */
export const honestAgent: World["agent"] = (node, run, cluster) => {
  const { running } = cluster.machine(node);
  const { id } = run.resource;
  if (run.operation === "start") running.add(id);
  if (run.operation === "stop") running.delete(id);
  const code = run.operation === "monitor" && !running.has(id) ? 7 : 0;
  return { code, afterMs: 5 };
};

export const obedientFence: World["fence"] = () => ({ result: "confirmed", afterMs: 500 });
