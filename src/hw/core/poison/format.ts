/**
 * The disk that carries poison pills, byte for byte as sbd writes it: a header, then for each node a slot with its name
 * and a mailbox with one command. One sector each. What is not exactly so is damaged, never "no message".
 * Fact: dumps of sbd 1.5.2, version 2.1 of the format (reference storage.md, section 8; test/hw/core/sbd).
 */
const MAGIC = "SBD_SBD_";
const VERSION = 2;
const MINOR_VERSION = 1;
export const POISON_SLOTS_MAX = 255;
/** Without the NUL behind it. */
const NAME_BYTES_MAX = 63;
const SECOND_MS = 1_000;

export interface PoisonHeader {
  /** 32 hex digits. */
  readonly uuid: string;
  readonly slotCount: number;
  readonly sectorBytes: number;
  /** A node that cannot read its mailbox, or hangs, ends within this time. */
  readonly watchdogMs: number;
  readonly allocateMs: number;
  readonly loopMs: number;
  /** So long after a kill was written, its node is dead. */
  readonly msgwaitMs: number;
}

/** The index is the byte on the disk. */
const COMMANDS = ["clear", "test", "reset", "off", "exit", "crashdump"] as const;
export type PoisonCommand = (typeof COMMANDS)[number];

export interface Mailbox {
  readonly command: PoisonCommand;
  /** Who wrote it; empty when the node itself has cleared it. */
  readonly from: string;
}

export type PoisonRead<Value> =
  | { readonly kind: "record"; readonly value: Value }
  | { readonly kind: "damaged"; readonly reason: string };

const damaged = (reason: string) => ({ kind: "damaged", reason }) as const;

/** Ends the machine, one way or another. */
export function isKill(command: PoisonCommand): boolean {
  return command === "reset" || command === "off" || command === "crashdump";
}

export const slotSector = (slot: number): number => 1 + 2 * slot;
export const mailboxSector = (slot: number): number => 2 + 2 * slot;

function readName(sector: Uint8Array): string | undefined {
  const field = sector.subarray(1, 2 + NAME_BYTES_MAX);
  const end = field.indexOf(0);
  if (end < 0) return undefined;
  const name = field.subarray(0, end);
  return name.every((byte) => byte > 0x20 && byte < 0x7f) ? String.fromCharCode(...name) : undefined;
}

/** `sectorBytes`: the logical sector size of the disk, which the header must agree with. */
export function readPoisonHeader(sector: Uint8Array, sectorBytes: number): PoisonRead<PoisonHeader> {
  const view = new DataView(sector.buffer, sector.byteOffset, sector.byteLength);
  if (String.fromCharCode(...sector.subarray(0, MAGIC.length)) !== MAGIC)
    return damaged("it has no header of sbd: run `sbd -d DISK create`, or `gemel fence disk create DISK`");
  if (sector[8] !== VERSION) return damaged(`its format has version ${sector[8] ?? "?"}, not ${VERSION}`);
  const slotCount = sector[9] ?? 0;
  if (slotCount === 0) return damaged("its header has no slots");
  const size = view.getUint32(12);
  if (size !== sectorBytes) return damaged(`it was made for sectors of ${size} bytes, the disk has ${sectorBytes}`);
  const [watchdog = 0, allocate = 0, loop = 0, msgwait = 0] = [16, 20, 24, 28].map((at) => view.getUint32(at));
  if (watchdog === 0 || msgwait < 2 * watchdog || msgwait > 3_600)
    return damaged(
      `its times are no proof: watchdog ${watchdog} s, msgwait ${msgwait} s (twice the watchdog at least)`,
    );
  const uuid = [...sector.subarray(33, 49)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const ms = (seconds: number) => seconds * SECOND_MS;
  return {
    kind: "record",
    value: {
      uuid,
      slotCount,
      sectorBytes,
      watchdogMs: ms(watchdog),
      allocateMs: ms(allocate),
      loopMs: Math.max(SECOND_MS, ms(loop)),
      msgwaitMs: ms(msgwait),
    },
  };
}

export function printPoisonHeader(header: PoisonHeader): Uint8Array {
  const sector = new Uint8Array(header.sectorBytes);
  const view = new DataView(sector.buffer);
  sector.set(new TextEncoder().encode(MAGIC));
  sector[8] = VERSION;
  sector[9] = header.slotCount;
  const { sectorBytes, watchdogMs, allocateMs, loopMs, msgwaitMs } = header;
  view.setUint32(12, sectorBytes);
  for (const [index, ms] of [watchdogMs, allocateMs, loopMs, msgwaitMs].entries())
    view.setUint32(16 + 4 * index, ms / SECOND_MS);
  sector[32] = MINOR_VERSION;
  for (let index = 0; index < 16; index++)
    sector[33 + index] = Number.parseInt(header.uuid.slice(2 * index, 2 * index + 2), 16);
  return sector;
}

/** The node that the slot belongs to; undefined: it is free. */
export function readSlot(sector: Uint8Array): PoisonRead<string | undefined> {
  if (sector[0] === 0) return { kind: "record", value: undefined };
  const name = readName(sector);
  if (sector[0] !== 1 || name === undefined || name === "") return damaged("a slot holds no readable name");
  return { kind: "record", value: name };
}

export function readMailbox(sector: Uint8Array): PoisonRead<Mailbox> {
  const command = COMMANDS[sector[0] ?? COMMANDS.length];
  const from = readName(sector);
  if (command === undefined || from === undefined) return damaged("a mailbox holds no message that is known");
  return { kind: "record", value: { command, from } };
}

function printNamed(first: number, name: string, sectorBytes: number): Uint8Array {
  const sector = new Uint8Array(sectorBytes);
  sector[0] = first;
  sector.set(new TextEncoder().encode(name).subarray(0, NAME_BYTES_MAX), 1);
  return sector;
}

export function printSlot(node: string, sectorBytes: number): Uint8Array {
  return printNamed(1, node, sectorBytes);
}

export function printMailbox({ command, from }: Mailbox, sectorBytes: number): Uint8Array {
  return printNamed(COMMANDS.indexOf(command), from, sectorBytes);
}
