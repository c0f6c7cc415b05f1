/** A small world for the CIB store: nodes with disks, a network that loses, doubles and reorders, crashes by seed. */
import { xml } from "../../../src/base/xml.ts";
import type { CibStore } from "../../../src/cluster/core/cib-store/state.ts";
import { cibTree, createCibStore, stepCibStore, wakeCibStoreAtMs } from "../../../src/cluster/core/cib-store/store.ts";
import type {
  Answer,
  CibConflict,
  CibMessage,
  CibStoreEvent,
  ConfigurationOperation,
  StoredCib,
} from "../../../src/cluster/core/cib-store/types.ts";

export interface TestNode {
  readonly name: string;
  generation: number;
  store: CibStore | undefined;
  disk: StoredCib | undefined;
  writes: { token: number; stored: StoredCib }[];
  /** As the keeper has it: false after a start, until all were heard or initdead has passed. Each node by itself. */
  settled: boolean;
}

interface Flying {
  readonly from: string;
  readonly fromGeneration: number;
  readonly to: string;
  readonly toGeneration: number;
  readonly text: string;
}

/** Numbers from 0 to below 1 by seed (mulberry32). */
export function createChance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** More than any test has to say; stores that talk for ever are found by it. */
const DELIVERIES_MAX = 20_000;

export class World {
  readonly nodes: TestNode[];
  nowMs = 0;
  wire: Flying[] = [];
  readonly answers: Answer[] = [];
  readonly conflicts: CibConflict[] = [];
  /** Groups of nodes that hear each other. */
  groups: string[][];
  #number = 0;

  constructor(names: readonly string[]) {
    this.nodes = names.map((name) => ({
      name,
      generation: 0,
      store: undefined,
      disk: undefined,
      writes: [],
      settled: true,
    }));
    this.groups = [[...names]];
    for (const node of this.nodes) this.start(node);
  }

  node(name: string): TestNode {
    const found = this.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  }

  alive(): TestNode[] {
    return this.nodes.filter(({ store }) => store !== undefined);
  }

  start(node: TestNode, settled = true): void {
    node.settled = settled;
    node.generation += 1;
    node.store = createCibStore(node.name, node.generation, node.disk);
    this.views();
  }

  /** A write that was under way may have reached the disk or not. */
  crash(node: TestNode, reached: number): void {
    for (const { stored } of node.writes.slice(0, reached)) node.disk = stored;
    node.writes = [];
    node.store = undefined;
    this.wire = this.wire.filter(({ to }) => to !== node.name);
    this.views();
  }

  /** Members are the living of one's group, and the DC is the first of them. */
  views(): void {
    for (const group of this.groups) {
      const members = group.filter((name) => this.node(name).store !== undefined).sort();
      for (const name of members)
        this.step(this.node(name), {
          kind: "view",
          members,
          dc: members[0],
          quorate: this.#isQuorate(name, members),
          tied: 2 * members.length === this.nodes.length,
        });
    }
  }

  /** As quorum.ts has it: a majority; of a pair each half. */
  #isQuorate(name: string, members: readonly string[]): boolean {
    if (!this.node(name).settled) return false;
    return 2 * members.length > this.nodes.length || this.nodes.length === 2;
  }

  split(groups: string[][]): void {
    this.groups = groups;
    this.views();
  }

  step(node: TestNode, event: CibStoreEvent): void {
    if (node.store === undefined) return;
    const before = JSON.stringify(node.store);
    const { state, effects } = stepCibStore(node.store, event, this.nowMs);
    if (JSON.stringify(node.store) !== before) throw new Error("the core changed its old state");
    node.store = state;
    for (const effect of effects) {
      if (effect.kind === "persist") node.writes.push({ token: effect.token, stored: effect.stored });
      else if (effect.kind === "answer") this.answers.push(effect.answer);
      else if (effect.kind === "synchronised") this.#checkNewest(node);
      else if (effect.kind === "conflict") this.conflicts.push(effect.conflict);
      else if (effect.kind === "send") {
        const to = this.node(effect.to);
        this.wire.push({
          from: node.name,
          fromGeneration: node.generation,
          to: effect.to,
          toGeneration: to.generation,
          text: JSON.stringify(effect.message),
        });
      }
    }
  }

  /** A DC that begins to schedule must stand on everything that any member of its group knows. */
  #checkNewest(node: TestNode): void {
    const group = this.groups.find((names) => names.includes(node.name)) ?? [];
    for (const name of group) {
      const { store } = this.node(name);
      if (store !== undefined && node.store?.stored.lineage.includes(store.stored.head) !== true)
        throw new Error(`${node.name} schedules without what ${name} knows`);
    }
  }

  deliver(at: number, keep: boolean): void {
    const flying = this.wire[at];
    if (flying === undefined) return;
    if (!keep) this.wire.splice(at, 1);
    const to = this.node(flying.to);
    const together = this.groups.some((group) => group.includes(flying.from) && group.includes(flying.to));
    // The channel drops what was meant for an earlier start, or comes from one.
    if (!together || to.generation !== flying.toGeneration) return;
    if (this.node(flying.from).generation !== flying.fromGeneration) return;
    const message = JSON.parse(flying.text) as CibMessage;
    this.step(to, { kind: "from-peer", from: flying.from, message });
  }

  write(node: TestNode): void {
    const done = node.writes.shift();
    if (done === undefined) return;
    node.disk = done.stored;
    this.step(node, { kind: "persisted", token: done.token });
  }

  tick(stepMs: number): void {
    this.nowMs += stepMs;
    for (const node of this.alive()) {
      const wakeAtMs = node.store === undefined ? undefined : wakeCibStoreAtMs(node.store);
      if (wakeAtMs !== undefined && wakeAtMs <= this.nowMs) this.step(node, { kind: "tick" });
    }
  }

  /** Everything that can happen, happens, without any loss. */
  settle(): void {
    for (let round = 0; round < 200; round += 1) {
      for (let count = 0; this.wire.length > 0; count += 1) {
        if (count > DELIVERIES_MAX) throw new Error("the nodes never stop talking");
        this.deliver(0, false);
      }
      for (const node of this.nodes) while (node.writes.length > 0) this.write(node);
      this.tick(500);
    }
  }

  /** Asks for an option of a name of its own; that name says later whether the change is in force. */
  submit(name: string, operations?: readonly ConfigurationOperation[]): string {
    this.#number += 1;
    const requestId = `${name}-${this.node(name).generation}-r${this.#number}`;
    const option: ConfigurationOperation = {
      kind: "set-option",
      target: "crm_config",
      setName: "cluster_property_set",
      name: `x-${requestId}`,
      value: "1",
    };
    const origin = { who: "root", from: `${name}: test`, wallMs: this.nowMs };
    this.step(this.node(name), {
      kind: "submit",
      request: { requestId, operations: operations ?? [option], origin },
    });
    return requestId;
  }

  accepted(): string[] {
    return this.answers.flatMap((answer) => (answer.kind === "accepted" ? [answer.requestId] : []));
  }

  /** Told without a caution: whatever comes, it stays. */
  acceptedWithQuorum(): string[] {
    return this.answers.flatMap((answer) => (answer.kind === "accepted" && answer.quorate ? [answer.requestId] : []));
  }

  tree(name: string): string {
    const { store } = this.node(name);
    return store === undefined ? "" : JSON.stringify(cibTree(store));
  }
}

export const operationOf = (id: string, rc: string) => xml("lrm_rsc_op", { id, "rc-code": rc });
