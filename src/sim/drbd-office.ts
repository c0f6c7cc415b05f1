/**
 * DRBD as the manager of one virtual node sees it: the product's desk for fence-peer handlers, joined to the virtual
 * kernel and to the peer's manager, as src/app/manager/drbd-desk.ts joins it to the real ones.
 */
import { localDisk } from "../storage/core/drbd-events.ts";
import {
  EMPTY_DESK,
  type FenceDesk,
  type FenceDeskEffect,
  type FenceDeskEvent,
  fenceDeskWakeAtMs,
} from "../storage/core/fence-desk.ts";
import type { Drbd } from "./drbd.ts";
import { DATA, describeSide } from "./drbd-agent.ts";
import type { DrbdSide } from "./drbd-side.ts";
import type { Machine } from "./machine.ts";
import type { VirtualManager } from "./virtual-manager.ts";

export type OutdateWord = "outdated" | "primary" | "unknown";

/** Between the managers of the pair, beside the messages of the node cores. */
export type DrbdMessage =
  | { readonly room: "drbd"; readonly ask: number }
  | { readonly room: "drbd-answer"; readonly ask: number; readonly word: OutdateWord };

const TOOL_MS = 20;
/** As src/storage/edge/drbd-tools.ts: a node that has not yet noticed the cut refuses for a while. */
const OUTDATE_WAIT_MS = 8_000;
const OUTDATE_POLL_MS = 500;

export class DrbdOffice {
  readonly #manager: VirtualManager;
  readonly #drbd: Drbd;
  readonly #side: DrbdSide;
  #desk: FenceDesk = EMPTY_DESK;
  #nextId = 1;
  readonly #answers = new Map<number, (code: number) => void>();

  constructor(manager: VirtualManager, drbd: Drbd) {
    this.#manager = manager;
    this.#drbd = drbd;
    this.#side = drbd.of(manager.machine);
    this.changed();
  }

  /** The kernel's stream of events tells of a change, after a moment. */
  changed(): void {
    this.#manager.later(TOOL_MS, () => {
      const { isUp, role, isConnected, isFrozen } = this.#side;
      const isUpToDate = localDisk(describeSide(this.#drbd, this.#side)) === "UpToDate";
      const sight = { name: DATA, isPrimary: role === "Primary", isConnected, isUpToDate, isFrozen };
      this.#step({ kind: "resources", resources: isUp ? [sight] : [] });
      this.#manager.feed({ kind: "look", agentType: "drbd" });
    });
  }

  fencePeer(waitMs: number, done: (code: number) => void): void {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#answers.set(id, done);
    this.#step({ kind: "fence-peer", id, resource: DATA, peer: undefined, waitMs });
  }

  noteFenced(node: string): void {
    this.#step({ kind: "fenced", node });
  }

  takeMessage(from: string, message: DrbdMessage): void {
    if (message.room === "drbd-answer") this.#step({ kind: "word", id: message.ask, word: message.word });
    else
      this.#outdate(this.#manager.machine.nowMs + OUTDATE_WAIT_MS, (word) =>
        this.#manager.send(from, { room: "drbd-answer", ask: message.ask, word }),
      );
  }

  /** On behalf of the peer. */
  #outdate(endsAtMs: number, done: (word: OutdateWord) => void): void {
    const { role, isUp } = this.#side;
    if (isUp && role === "Primary") done("primary");
    else if (this.#drbd.outdate(this.#side)) done("outdated");
    else if (this.#manager.machine.nowMs >= endsAtMs) done("unknown");
    else this.#manager.later(OUTDATE_POLL_MS, () => this.#outdate(endsAtMs, done));
  }

  wakeAtMs(): number | undefined {
    return fenceDeskWakeAtMs(this.#desk);
  }

  tick(): void {
    this.#step({ kind: "tick" });
  }

  #take(event: FenceDeskEvent): void {
    const { nowMs, world } = this.#manager.machine;
    const stepped = world.cores.stepFenceDesk(this.#desk, event, nowMs);
    this.#desk = stepped.state;
    for (const effect of stepped.effects) this.#perform(effect);
  }

  #step(event: FenceDeskEvent): void {
    this.#take({ kind: "peers", peers: this.#manager.keeper.view.peers });
    this.#take(event);
    this.#manager.changed();
  }

  #perform(effect: FenceDeskEffect): void {
    const manager = this.#manager;
    switch (effect.kind) {
      case "look":
        manager.later(TOOL_MS, () => this.#step({ kind: "looked", resource: DATA, disk: this.#side.disk }));
        break;
      case "ask-peer":
        manager.send(effect.peer, { room: "drbd", ask: effect.id });
        break;
      case "answer":
        manager.machine.world.tell(manager.machine.name, `answers DRBD ${effect.code}: ${effect.reason}`);
        this.#answers.get(effect.id)?.(effect.code);
        this.#answers.delete(effect.id);
        break;
      case "resume":
        manager.machine.world.tell(manager.machine.name, `lets DRBD go on: ${effect.reason}`);
        manager.later(TOOL_MS, () => this.#drbd.resume(this.#side));
        break;
      case "wait":
        manager.feed({ kind: "disk", wait: effect.wait });
        break;
      default:
        effect satisfies never;
    }
  }
}

const UNSURE = 1;
/** As src/app/commands/drbd-handler.ts. */
const HANDLER_WAIT_MS = 120_000;
const HANDLER_RETRY_MS = 1_000;

/** `gemel drbd-handler fence-peer`, called by the kernel: asks whichever manager runs until one has answered. */
export function callHandler({ machine }: DrbdSide, done: (code: number) => void): void {
  const endsAtMs = machine.nowMs + HANDLER_WAIT_MS;
  let asked: VirtualManager | undefined;
  let isOver = false;
  const end = (code: number) => {
    if (isOver) return;
    isOver = true;
    done(code);
  };
  const look = () => {
    if (isOver) return;
    if (machine.nowMs >= endsAtMs) {
      end(UNSURE);
      return;
    }
    const manager = machine.keeper?.manager;
    if (manager !== undefined && manager !== asked) {
      asked = manager;
      askManager(machine, manager, endsAtMs, end);
    }
    machine.later(HANDLER_RETRY_MS, look);
  };
  machine.later(0, look);
}

function askManager(machine: Machine, manager: VirtualManager, endsAtMs: number, done: (code: number) => void): void {
  // A manager that hangs answers when it does not any more.
  manager.later(0, () => manager.drbd?.fencePeer(Math.max(0, endsAtMs - machine.nowMs), done));
}
