/**
 * A virtual site: machines, links, boards and one clock, all from one seed. The same seed and the same faults give the
 * same run, byte for byte.
 */
import { type Chance, createChance } from "../base/chance.ts";
import { childOf } from "../base/xml.ts";
import { BLANK } from "../cluster/core/cib-store/lineage.ts";
import type { StoredCib } from "../cluster/core/cib-store/types.ts";
import { Agenda } from "./agenda.ts";
import { Board } from "./board.ts";
import { type Cores, REAL_CORES } from "./cores.ts";
import { Drbd } from "./drbd.ts";
import { callHandler } from "./drbd-office.ts";
import { Machine } from "./machine.ts";
import { Network } from "./network.ts";
import { Readings } from "./readings.ts";
import { configurationOf, nodesOf, type Setting, servicesOf } from "./setting.ts";
import { SharedDisk } from "./shared-lock.ts";
import { Watch } from "./watch.ts";

/** Any instant after the first appliance was sold; 2026-01-01 UTC. */
const START_WALL_MS = 1_767_225_600_000;

/** Between two looks at who counts whom. */
const LOOK_MS = 5_000;

export interface StoryLine {
  readonly atMs: number;
  readonly text: string;
}

export interface RunOptions {
  /** Called with each line of what happens, the cores' own words among them. */
  readonly onTrace?: ((line: string) => void) | undefined;
  readonly cores?: Cores;
}

export class World {
  readonly setting: Setting;
  readonly agenda = new Agenda();
  readonly chance: Chance;
  readonly network: Network;
  readonly watch: Watch;
  readonly readings = new Readings();
  readonly machines: readonly Machine[];
  readonly names: readonly string[];
  readonly boards = new Map<string, Board>();
  /** Where the file system lies on DRBD. */
  readonly drbd: Drbd | undefined;
  readonly lockDisk: SharedDisk | undefined;
  /** Where the lock of the tie-breaker lies. */
  readonly tieDisk: SharedDisk | undefined;
  readonly initialCib: StoredCib;
  readonly startWallMs = START_WALL_MS;
  /** What the people of the site would tell of it. */
  readonly story: StoryLine[] = [];
  /** How often a scheduler was asked. */
  decisions = 0;
  faults = 0;
  /** Somebody has moved or banned a service, and the constraint may still stand. */
  isConstrained = false;
  readonly cores: Cores;
  readonly #onTrace: ((line: string) => void) | undefined;

  constructor(seed: number, setting: Setting, { onTrace, cores = REAL_CORES }: RunOptions = {}) {
    this.setting = setting;
    this.cores = cores;
    this.#onTrace = onTrace;
    this.chance = createChance(seed);
    this.network = new Network(setting.links, this.agenda, this.chance);
    this.watch = new Watch(this);
    this.names = nodesOf(setting);
    this.initialCib = {
      version: { adminEpoch: 0, epoch: 1 },
      head: "initial",
      lineage: [BLANK, "initial"],
      confirmedHead: BLANK,
      quorateHead: BLANK,
      quorateVersion: { adminEpoch: 0, epoch: 0 },
      configuration: configurationOf(setting),
      history: [],
    };
    this.machines = this.names.map(
      (name, index) => new Machine(this, name, index + 1, this.initialCib, createChance(seed ^ ((index + 1) * 0x9e37))),
    );
    const [one, other] = this.machines;
    const link = setting.links.find(({ kind }) => kind === "udp");
    if (setting.storage === "drbd" && one !== undefined && other !== undefined && link !== undefined)
      this.drbd = new Drbd(this, [one, other], link.name, createChance(seed ^ 0x0d4b), callHandler);
    if (setting.storage === "sfex") this.lockDisk = new SharedDisk();
    if (setting.tieBreaker === "disk") this.tieDisk = new SharedDisk();
    for (const machine of this.machines) {
      const add = (name: string, dies: boolean) => this.boards.set(name, new Board(name, machine, dies));
      add(`board-${machine.name}`, setting.boardDiesWithHost);
      if (setting.second === "strip") add(`strip-${machine.name}`, false);
    }
  }

  machine(name: string): Machine {
    for (const machine of this.machines) if (machine.name === name) return machine;
    throw new Error(`no node ${name}; there are ${this.names.join(", ")}`);
  }

  /** Boards of one node, the strip's outlet among them. */
  boardsOf(name: string): readonly Board[] {
    return [...this.boards.values()].filter(({ target }) => target.name === name);
  }

  /** Whether the service may run on several nodes at once. */
  isEverywhere(service: string): boolean {
    return !servicesOf(this.setting).includes(service);
  }

  /** Services that run nowhere, or on more than one machine. */
  get misplaced(): readonly string[] {
    return servicesOf(this.setting).filter(
      (service) => this.machines.filter(({ running }) => running.has(service)).length !== 1,
    );
  }

  tell(who: string, text: string): void {
    const line = { atMs: this.agenda.nowMs, text: `${who} ${text}` };
    this.story.push(line);
    this.#onTrace?.(`${String(Math.round(line.atMs)).padStart(8)} ${line.text}`);
  }

  trace(who: string, text: string): void {
    this.#onTrace?.(`${String(Math.round(this.agenda.nowMs)).padStart(8)}   ${who} ${text}`);
  }

  run(durationMs: number): void {
    const { agenda, watch } = this;
    const endMs = agenda.nowMs + durationMs;
    while (agenda.nowMs < endMs) {
      agenda.runUntil(Math.min(endMs, agenda.nowMs + LOOK_MS));
      watch.lookAtViews();
    }
  }

  /** The CIB of the node that decides, or of any that runs. */
  get cib(): StoredCib | undefined {
    const managers = this.machines.flatMap(({ keeper }) => keeper?.manager ?? []);
    const dc = managers.find(({ node }) => node.controller.election.dc === node.self);
    return (dc ?? managers[0])?.node.store.stored;
  }

  /** Why the site is not at rest; undefined when it is. */
  get unrest(): string | undefined {
    for (const machine of this.machines) {
      const { keeper } = machine;
      if (!machine.isAwake || keeper === undefined) return `${machine.name} is not up`;
      if (keeper.manager === undefined) return `${machine.name} has no manager`;
      if (keeper.view.members.length !== this.names.length) return `${machine.name} does not see everybody`;
      const { controller } = keeper.manager.node;
      const { lead, election } = controller;
      if (election.dc === null) return `${machine.name} knows no DC`;
      if (lead === undefined) continue;
      if (lead.wanted !== undefined || lead.deciding !== undefined) return `${machine.name} is about to decide`;
      if (lead.run !== undefined && !lead.run.finished) return `${machine.name} carries out a transition`;
    }
    const dcs = new Set(this.machines.map(({ keeper }) => keeper?.manager?.node.controller.election.dc));
    if (dcs.size !== 1) return "there are two DCs";
    const state = childOf(this.machines[0]?.keeper?.manager?.node.controller.cib, "status");
    if (state === undefined) return "there is no status";
    if (this.misplaced.length > 0) return `not in their place: ${this.misplaced.join(", ")}`;
    return this.drbd?.unrest;
  }
}
