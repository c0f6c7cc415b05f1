/**
 * One disk with poison pills, past every cache, each access within its time. A disk that hangs keeps one access and
 * fails every other one until that has come back: two would share a buffer, and each holds a thread.
 */
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { DiskLook, PoisonDisks } from "../core/poison/disks.ts";
import {
  type Mailbox,
  mailboxSector,
  POISON_SLOTS_MAX,
  type PoisonHeader,
  printMailbox,
  printPoisonHeader,
  printSlot,
  readMailbox,
  readPoisonHeader,
  readSlot,
  slotSector,
} from "../core/poison/format.ts";
import { createGate } from "./access-gate.ts";
import { type BlockDevice, openBlockDevice } from "./block-device.ts";

export interface PoisonDisk {
  readonly path: string;
  readonly header: PoisonHeader;
  /** The slot of `node`; undefined: it has none. Throws as every access does when the disk fails or is late. */
  findSlot(node: string): Promise<number | undefined>;
  /** Takes a free slot for `node`, as sbd does: write, wait, look whether it is still ours. */
  allocateSlot(node: string): Promise<number>;
  read(slot: number): Promise<Mailbox>;
  write(slot: number, mailbox: Mailbox): Promise<void>;
  /** All slots that belong to a node. */
  list(): Promise<readonly { readonly slot: number; readonly node: string; readonly mailbox: Mailbox }[]>;
  close(): Promise<void>;
}

/** Two nodes that allocate at the same moment may take the same slot; after so many losses something else is wrong. */
const ALLOCATIONS_MAX = 5;

/** Throws when there is no such disk, or its header cannot be used. */
export async function openPoisonDisk(path: string, accessMs: number): Promise<PoisonDisk> {
  const gate = createGate(path, accessMs);
  const device: BlockDevice = await gate(() => openBlockDevice(path));
  const { sectorBytes } = device;
  const readSector = (sector: number) => gate(() => device.read(sector));
  const writeSector = (sector: number, bytes: Uint8Array) => gate(() => device.write(sector, bytes));
  const fail = async (reason: string): Promise<never> => {
    await device.close();
    throw new Error(`${path}: ${reason}`);
  };
  const read = readPoisonHeader(await readSector(0), sectorBytes);
  if (read.kind === "damaged") return await fail(read.reason);
  const header = read.value;

  async function ownerOf(slot: number): Promise<string | undefined> {
    const owner = readSlot(await readSector(slotSector(slot)));
    if (owner.kind === "damaged") throw new Error(`${path}: slot ${slot}: ${owner.reason}`);
    return owner.value;
  }

  /** sbd compares names without regard to case. */
  const isSame = (left: string | undefined, right: string) => left?.toLowerCase() === right.toLowerCase();

  /** Slots are taken in order and never given back, so the first free one ends the list. */
  async function owners(): Promise<readonly string[]> {
    const taken: string[] = [];
    for (let slot = 0; slot < header.slotCount; slot++) {
      const owner = await ownerOf(slot);
      if (owner === undefined) break;
      taken.push(owner);
    }
    return taken;
  }

  const disk: PoisonDisk = {
    path,
    header,
    async findSlot(node) {
      const taken = await owners();
      const slot = taken.findIndex((owner) => isSame(owner, node));
      return slot < 0 ? undefined : slot;
    },
    async allocateSlot(node) {
      for (let round = 0; round < ALLOCATIONS_MAX; round++) {
        const taken = await owners();
        const known = taken.findIndex((owner) => isSame(owner, node));
        if (known >= 0) return known;
        const free = taken.length;
        if (free === header.slotCount) throw new Error(`${path}: all ${header.slotCount} slots are taken`);
        await writeSector(slotSector(free), printSlot(node, sectorBytes));
        await new Promise((resolve) => setTimeout(resolve, header.allocateMs));
        if (isSame(await ownerOf(free), node)) return free;
      }
      throw new Error(`${path}: no slot could be taken for ${node}`);
    },
    async read(slot) {
      const mailbox = readMailbox(await readSector(mailboxSector(slot)));
      if (mailbox.kind === "damaged") throw new Error(`${path}: slot ${slot}: ${mailbox.reason}`);
      return mailbox.value;
    },
    write: (slot, mailbox) => writeSector(mailboxSector(slot), printMailbox(mailbox, sectorBytes)),
    async list() {
      const found: { slot: number; node: string; mailbox: Mailbox }[] = [];
      for (const [slot, node] of (await owners()).entries()) found.push({ slot, node, mailbox: await disk.read(slot) });
      return found;
    },
    close: () => device.close(),
  };
  return disk;
}

/** Makes an empty disk of `path`: whatever stood in its first sectors is gone. `watchdogMs`: whole seconds. */
export async function createPoisonDisk(path: string, watchdogMs: number): Promise<PoisonHeader> {
  const device = await openBlockDevice(path);
  try {
    const header: PoisonHeader = {
      uuid: randomBytes(16).toString("hex"),
      slotCount: POISON_SLOTS_MAX,
      sectorBytes: device.sectorBytes,
      watchdogMs,
      allocateMs: 2_000,
      loopMs: 1_000,
      msgwaitMs: 2 * watchdogMs,
    };
    // The header comes last: a disk whose making was broken off has none.
    await device.write(1, new Uint8Array(2 * POISON_SLOTS_MAX * device.sectorBytes));
    await device.write(0, printPoisonHeader(header));
    return header;
  } finally {
    await device.close();
  }
}

export interface DisksTarget {
  readonly paths: readonly string[];
  /** The name that the target's log shows. */
  readonly from: string;
  readonly accessMs: number;
}

export interface OpenPoisonDisks extends PoisonDisks {
  close(): void;
}

/** Opens each disk with the first access; one that cannot be opened is tried anew with the next. */
export function createPoisonDisks({ paths, from, accessMs }: DisksTarget): OpenPoisonDisks {
  const open = new Map<string, PoisonDisk>();

  async function diskAt(path: string): Promise<PoisonDisk> {
    const disk = open.get(path) ?? (await openPoisonDisk(path, accessMs));
    open.set(path, disk);
    return disk;
  }

  async function lookAt(path: string, node: string): Promise<DiskLook> {
    try {
      const disk = await diskAt(path);
      const slot = await disk.findSlot(node);
      if (slot === undefined) return { kind: "no-slot", disk: path, header: disk.header };
      return { kind: "slot", disk: path, header: disk.header, mailbox: await disk.read(slot) };
    } catch (error) {
      return { kind: "failed", disk: path, reason: error instanceof Error ? error.message : String(error) };
    }
  }

  return {
    nowMs: () => performance.now(),
    look: (node) => Promise.all(paths.map((path) => lookAt(path, node))),
    async write(node, command) {
      const writes = paths.map(async (path) => {
        const disk = await diskAt(path);
        const slot = await disk.findSlot(node);
        if (slot !== undefined) await disk.write(slot, { command, from });
      });
      // Whether it arrived is told by the next look alone.
      await Promise.allSettled(writes);
    },
    close() {
      for (const disk of open.values()) void disk.close().catch(() => {});
      open.clear();
    },
  };
}
