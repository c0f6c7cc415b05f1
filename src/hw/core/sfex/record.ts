/**
 * The lock records of sfex on a shared disk, byte for byte as its tools write them: one sector for the control block,
 * then one for each lock. Numbers are decimal ASCII, NUL-padded. A record that is not exactly so is damaged, never
 * "free". Fact: dumps of the real tools (reference/storage.md, section 8; test/storage/sfex).
 */
export const LOCKS_MAX = 999;
/** After 999 comes 0. */
const COUNT_MODULUS = 1000;
const NODE_NAME_BYTES = 256;
const VERSION = "1";
const REVISION = "3";

export interface SfexControl {
  readonly sectorBytes: number;
  readonly lockCount: number;
}

export interface SfexLock {
  readonly held: boolean;
  /** Grows with every write but a release. */
  readonly count: number;
  /** The last writer; kept after a release. */
  readonly node: string;
}

export type SfexRead<Value> =
  | { readonly kind: "record"; readonly value: Value }
  | { readonly kind: "damaged"; readonly reason: string };

const damaged = (reason: string) => ({ kind: "damaged", reason }) as const;

/** Text up to its NUL; undefined when there is none within the field, or anything but text before it. */
function readText(bytes: Uint8Array, at: number, length: number): string | undefined {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  if (end < 0 || field.length < length) return undefined;
  const text = field.subarray(0, end);
  return text.every((byte) => byte > 0x20 && byte < 0x7f) ? String.fromCharCode(...text) : undefined;
}

function readNumber(bytes: Uint8Array, at: number, length: number): number | undefined {
  const text = readText(bytes, at, length);
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** `sectorBytes`: the device's logical sector size, which the record must agree with. */
export function readSfexControl(sector: Uint8Array, sectorBytes: number): SfexRead<SfexControl> {
  if (String.fromCharCode(...sector.subarray(0, 4)) !== "SFEX")
    return damaged("no sfex record: make it by gemel fence lock create");
  const version = readText(sector, 4, 4);
  if (version !== VERSION) return damaged(`sfex version ${version ?? "unreadable"} is not known`);
  const size = readNumber(sector, 12, 8);
  if (size !== sectorBytes) return damaged(`made for sectors of ${size ?? "?"} bytes, the disk has ${sectorBytes}`);
  const lockCount = readNumber(sector, 20, 4);
  if (lockCount === undefined || lockCount < 1 || lockCount > LOCKS_MAX) return damaged("the number of locks is wrong");
  return { kind: "record", value: { sectorBytes, lockCount } };
}

export function readSfexLock(sector: Uint8Array): SfexRead<SfexLock> {
  const status = String.fromCharCode(sector[0] ?? 0);
  if (status !== "u" && status !== "l") return damaged(`the status byte is ${sector[0] ?? "missing"}`);
  const count = readNumber(sector, 1, 4);
  if (count === undefined) return damaged("the count is no number");
  const node = readText(sector, 5, NODE_NAME_BYTES);
  if (node === undefined) return damaged("the node name is no text");
  return { kind: "record", value: { held: status === "l", count, node } };
}

function write(sector: Uint8Array, at: number, text: string): void {
  for (let index = 0; index < text.length; index += 1) sector[at + index] = text.charCodeAt(index);
}

export function printSfexControl({ sectorBytes, lockCount }: SfexControl): Uint8Array {
  const sector = new Uint8Array(sectorBytes);
  write(sector, 0, "SFEX");
  write(sector, 4, VERSION);
  write(sector, 8, REVISION);
  write(sector, 12, String(sectorBytes));
  write(sector, 20, String(lockCount));
  return sector;
}

/** The name must fit its field with the closing NUL; longer names were refused when the node was configured. */
export function printSfexLock({ held, count, node }: SfexLock, sectorBytes: number): Uint8Array {
  const sector = new Uint8Array(sectorBytes);
  write(sector, 0, held ? "l" : "u");
  write(sector, 1, String(count % COUNT_MODULUS));
  write(sector, 5, node.slice(0, NODE_NAME_BYTES - 1));
  return sector;
}

export function nextCount(count: number): number {
  return (count + 1) % COUNT_MODULUS;
}
