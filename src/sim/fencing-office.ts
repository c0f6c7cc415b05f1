/**
 * The fencing of one virtual node: the fencer core and the devices' table of the real one, with virtual boards behind.
 * What a device proves, it proves as src/fencing/drivers/prove-power.ts does: off counts when it was read twice.
 */
import { childOf, type XmlElement } from "../base/xml.ts";
import { fencedByProof, fencingAnswer } from "../cluster/core/controller/fencing-answers.ts";
import type { OperationRun } from "../cluster/core/executor/types.ts";
import { type FencingConfiguration, type FencingRequestAction, NO_FENCING } from "../fencing/core/configuration.ts";
import type { FencingOutcome } from "../fencing/core/driver.ts";
import {
  createFencer,
  type FencerEffect,
  type FencerEvent,
  type FencerState,
  type FencingOrigin,
  wakeAtMs,
} from "../fencing/core/fencer-state.ts";
import { readFencingConfiguration } from "../fencing/core/read-configuration.ts";
import { CATALOGUE } from "../fencing/drivers/index.ts";
import type { Board } from "./board.ts";
import type { VirtualManager } from "./virtual-manager.ts";

const POLL_MS = 500;
const SETTLE_MS = 1_000;
const CONFIRM_MS = 20_000;
const SILENT_MS = 5_000;
const NOT_RUNNING = 7;

type RunDevice = Extract<FencerEffect, { kind: "run-device" }>;

interface Proof {
  readonly board: Board;
  readonly wanted: "on" | "off";
  /** It was called off. */
  readonly isOver: () => boolean;
  readonly end: (outcome: FencingOutcome) => void;
}

/** Of every `<configuration>`, which never changes: all managers of a site start with the same one. */
const known = new WeakMap<XmlElement, FencingConfiguration>();

function readOnce(cib: XmlElement): FencingConfiguration {
  const section = childOf(cib, "configuration") ?? cib;
  const before = known.get(section);
  if (before !== undefined) return before;
  const { configuration } = readFencingConfiguration(section, CATALOGUE);
  known.set(section, configuration);
  return configuration;
}

export class FencingOffice {
  readonly #manager: VirtualManager;
  #state: FencerState;
  readonly #started = new Set<string>();
  /** Attempts that nobody has called off. */
  readonly #running = new Set<number>();
  readonly #asked = new Map<string, FencingRequestAction>();
  #nextRequest = 1;

  constructor(manager: VirtualManager) {
    this.#manager = manager;
    this.#state = createFencer(manager.machine.name, NO_FENCING);
  }

  get state(): FencerState {
    return this.#state;
  }

  configure(cib: XmlElement): void {
    const configuration = readOnce(cib);
    if (JSON.stringify(configuration) !== JSON.stringify(this.#state.configuration))
      this.#step({ kind: "configure", atWallMs: this.#wallMs, configuration });
  }

  request(target: string, action: FencingRequestAction, kind: FencingOrigin["kind"], isTargetPreferred = false): void {
    const { machine } = this.#manager;
    const requestId = `${machine.name}-${this.#nextRequest}`;
    this.#nextRequest += 1;
    this.#asked.set(requestId, action);
    const seed = machine.chance.below(2 ** 31);
    const origin = { kind, by: `${machine.name}: ${kind}` };
    this.#step({ kind: "request", atWallMs: this.#wallMs, requestId, target, action, origin, seed, isTargetPreferred });
  }

  /** An operator's word. */
  confirm(target: string, answersOn: readonly string[]): void {
    this.#step({ kind: "operator-confirmation", atWallMs: this.#wallMs, target, by: "operator", answersOn });
  }

  withdraw(target: string): void {
    this.#step({ kind: "withdraw", atWallMs: this.#wallMs, target });
  }

  wakeAtMs(): number | undefined {
    return wakeAtMs(this.#state);
  }

  tick(): void {
    this.#step({ kind: "tick", atWallMs: this.#wallMs });
  }

  /** Operations of resources of class stonith: the board is asked for the power. */
  operate({ instance, operation, intervalMs }: OperationRun, done: (code: number) => void): void {
    if (operation === "stop") this.#started.delete(instance);
    const isProbe = operation === "monitor" && intervalMs === 0;
    if (operation === "stop") done(0);
    else if (isProbe && !this.#started.has(instance)) done(NOT_RUNNING);
    else {
      const device = this.#state.configuration.devices.find(({ id }) => id === instance);
      const board = device === undefined ? undefined : this.#boardOf(device.parameters);
      const answers =
        device?.isManual === true || ["sfex", "watchdog"].includes(device?.driver ?? "") || board?.answers === true;
      if (answers && operation === "start") this.#started.add(instance);
      done(answers ? 0 : 1);
    }
  }

  get #wallMs(): number {
    return this.#manager.machine.wallMs;
  }

  #boardOf(parameters: Readonly<Record<string, string>>): Board | undefined {
    return this.#manager.machine.world.boards.get(parameters["host"] ?? "");
  }

  #step(event: FencerEvent): void {
    const stepped = this.#manager.machine.world.cores.stepFencer(this.#state, event, this.#manager.machine.nowMs);
    this.#state = stepped.state;
    for (const effect of stepped.effects) this.#start(effect);
    this.#manager.changed();
  }

  #start(effect: FencerEffect): void {
    const manager = this.#manager;
    const { world, name } = manager.machine;
    switch (effect.kind) {
      case "run-device":
        this.#runDevice(effect);
        break;
      case "stop-device":
        this.#running.delete(effect.attemptId);
        break;
      case "answer": {
        const action = this.#asked.get(effect.requestId) ?? "off";
        this.#asked.delete(effect.requestId);
        const result = fencingAnswer(effect.record, action);
        if (result !== undefined) manager.later(0, () => manager.feed({ kind: "fenced", result }));
        break;
      }
      case "fenced": {
        world.watch.proven(effect.target);
        world.tell(name, `has the proof that ${effect.target} is off`);
        manager.drbd?.noteFenced(effect.target);
        const result = fencedByProof(effect.record);
        manager.later(0, () => manager.feed({ kind: "fenced", result }));
        break;
      }
      case "log":
        world.trace(name, `fencer, ${effect.severity}: ${effect.text}`);
        break;
      case "confirmation-refused":
        world.tell(name, `refuses the word that ${effect.target} is off: ${effect.reason}`);
        break;
      case "ask-operator":
        world.tell(name, `asks for somebody who switches ${effect.target} off`);
        break;
      case "record":
        break;
      default:
        effect satisfies never;
    }
  }

  #runDevice({ attemptId, device, action, timeoutMs }: RunDevice): void {
    const manager = this.#manager;
    const { world, name } = manager.machine;
    const board = this.#boardOf(device.parameters);
    this.#running.add(attemptId);
    const isOver = () => !this.#running.has(attemptId);
    const end = (outcome: FencingOutcome) => {
      if (!this.#running.delete(attemptId)) return;
      const report = { outcome, evidence: [] };
      this.#step({ kind: "attempt-result", atWallMs: this.#wallMs, attemptId, report });
    };
    const notDone = (reason: string): FencingOutcome => ({ kind: "not-done", reason });
    if (device.driver === "sfex") {
      const target = device.parameters["node"] ?? "";
      if (action === "off" && manager.lock !== undefined) manager.lock.prove(target, end);
      else manager.later(0, () => end(notDone("a lock switches nothing on")));
      return;
    }
    if (device.driver === "watchdog") {
      this.#awaitEnd(device.parameters["node"] ?? "", action, timeoutMs, end);
      return;
    }
    manager.later(world.setting.boardMs, () => {
      if (isOver()) return;
      if (action === "status")
        end(board?.answers === true ? { kind: "confirmed", power: board.readPower() } : notDone("no answer"));
      else if (board === undefined || !board.answers) {
        // A board that acts and does not say so is the reason why silence is never a "no".
        const reason = "the board does not answer";
        const maybe = board?.switchPower(action, name) === true;
        const outcome: FencingOutcome = maybe ? { kind: "unknown", reason } : notDone(reason);
        manager.later(Math.min(SILENT_MS, timeoutMs), () => end(outcome));
      } else if (board.denies) end(notDone("the board refuses"));
      else {
        board.switchPower(action, name);
        this.#prove({ board, wanted: action, isOver, end }, Math.min(CONFIRM_MS, timeoutMs), undefined);
      }
    });
  }

  /** As src/fencing/drivers/watchdog.ts: what the membership has proven. */
  #awaitEnd(node: string, action: string, leftMs: number, end: (outcome: FencingOutcome) => void): void {
    const { view } = this.#manager.keeper;
    const peer = view.peers.find(({ name }) => name === node);
    const later = (outcome: FencingOutcome) => this.#manager.later(0, () => end(outcome));
    if (action === "status") later({ kind: "confirmed", power: "not-told" });
    else if (action === "on") later({ kind: "not-done", reason: "a watchdog switches nothing on" });
    else if (peer?.promise === undefined) later({ kind: "not-done", reason: `${node} has promised nothing` });
    else if (peer.promise.endedAfterMs !== undefined) later({ kind: "confirmed", power: "off" });
    else if (leftMs <= 0) later({ kind: "unknown", reason: "its time is not over" });
    else {
      if (peer.phase === "member") this.#manager.keeper.dispatch({ kind: "peer-declared-lost", name: node });
      this.#manager.later(POLL_MS, () => this.#awaitEnd(node, action, leftMs - POLL_MS, end));
    }
  }

  /** Looks until the power was read as wanted for long enough, or the time is over; asks again if it turned back. */
  #prove(proof: Proof, leftMs: number, readForMs: number | undefined): void {
    const { board, wanted, isOver, end } = proof;
    if (isOver()) return;
    const isRead = board.answers && board.readPower() === wanted;
    if (isRead && (wanted === "on" || (readForMs ?? 0) >= SETTLE_MS)) end({ kind: "confirmed", power: wanted });
    else if (leftMs <= 0) end({ kind: "unknown", reason: `the power was not read back as ${wanted}` });
    else {
      if (!isRead && readForMs !== undefined) board.switchPower(wanted, this.#manager.machine.name);
      const forMs = isRead ? (readForMs ?? 0) + POLL_MS : undefined;
      this.#manager.later(POLL_MS, () => this.#prove(proof, leftMs - POLL_MS, forMs));
    }
  }
}
