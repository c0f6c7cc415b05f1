/**
 * The partition table of a disk, as bytes. Pure. (sgdisk would do, but waits for a second after each table.)
 * Facts: UEFI Specification 2.10, §5.2.3 protective MBR, §5.3.2 GPT header, §5.3.3 partition entries.
 */
import { crc32 } from "node:zlib";
import { ImageError } from "./work.ts";

export const SECTOR_BYTES = 512;
const ENTRIES = 128;
const ENTRY_BYTES = 128;
const ENTRIES_SECTORS = (ENTRIES * ENTRY_BYTES) / SECTOR_BYTES;
const HEADER_BYTES = 92;
/** The boot code of the first sector ends here; what follows is the table's. */
export const BOOT_CODE_BYTES = 440;

export const PARTITION_TYPES = {
  "bios-boot": "21686148-6449-6e6f-744e-656564454649",
  "efi-system": "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
  "linux-data": "0fc63daf-8483-4772-8e79-3d69d8477de4",
  "linux-root-x86-64": "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
} as const;

export interface Partition {
  /** At most 36 characters. */
  readonly name: string;
  readonly type: keyof typeof PARTITION_TYPES;
  readonly guid: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

export interface PartitionTable {
  /** From byte BOOT_CODE_BYTES of the disk on. */
  readonly head: Buffer;
  /** The last bytes of the disk. */
  readonly tail: Buffer;
}

/** A GUID as stored: the first three groups have their bytes the other way round (§ appendix A). */
function guidBytes(guid: string): Buffer {
  const bytes = Buffer.from(guid.replaceAll("-", ""), "hex");
  if (bytes.length !== 16) throw new ImageError(`${guid} is no GUID`);
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

function protectiveRecord(sectors: number): Buffer {
  const record = Buffer.alloc(SECTOR_BYTES - BOOT_CODE_BYTES);
  const entry = record.subarray(446 - BOOT_CODE_BYTES);
  entry.writeUInt32LE(0x000200, 0); // not active; first cylinder, head, sector
  entry.writeUInt8(0xee, 4);
  entry.writeUIntLE(0xffffff, 5, 3);
  entry.writeUInt32LE(1, 8);
  entry.writeUInt32LE(Math.min(sectors - 1, 0xffffffff), 12);
  record.writeUInt16LE(0xaa55, record.length - 2);
  return record;
}

function entriesOf(partitions: readonly Partition[], sectors: number): Buffer {
  const entries = Buffer.alloc(ENTRIES * ENTRY_BYTES);
  let freeFrom = 2 + ENTRIES_SECTORS;
  for (const [index, { name, type, guid, offsetBytes, sizeBytes }] of partitions.entries()) {
    const [first, last] = [offsetBytes / SECTOR_BYTES, (offsetBytes + sizeBytes) / SECTOR_BYTES - 1];
    const fits = Number.isInteger(first) && Number.isInteger(last) && first >= freeFrom && last >= first;
    if (!fits || last > sectors - 2 - ENTRIES_SECTORS) throw new ImageError(`partition ${name} does not fit the disk`);
    freeFrom = last + 1;
    const at = index * ENTRY_BYTES;
    guidBytes(PARTITION_TYPES[type]).copy(entries, at);
    guidBytes(guid).copy(entries, at + 16);
    entries.writeBigUInt64LE(BigInt(first), at + 32);
    entries.writeBigUInt64LE(BigInt(last), at + 40);
    entries.write(name.slice(0, 36), at + 56, "utf16le");
  }
  return entries;
}

/** The table of a disk of `diskBytes` with the partitions in order; throws an ImageError when they do not fit. */
export function partitionTable(diskBytes: number, guid: string, partitions: readonly Partition[]): PartitionTable {
  const sectors = diskBytes / SECTOR_BYTES;
  const entries = entriesOf(partitions, sectors);
  const header = (own: number, other: number, entriesAt: number) => {
    const bytes = Buffer.alloc(SECTOR_BYTES);
    bytes.write("EFI PART", 0, "latin1");
    bytes.writeUInt32LE(0x00010000, 8);
    bytes.writeUInt32LE(HEADER_BYTES, 12);
    bytes.writeBigUInt64LE(BigInt(own), 24);
    bytes.writeBigUInt64LE(BigInt(other), 32);
    bytes.writeBigUInt64LE(BigInt(2 + ENTRIES_SECTORS), 40);
    bytes.writeBigUInt64LE(BigInt(sectors - 2 - ENTRIES_SECTORS), 48);
    guidBytes(guid).copy(bytes, 56);
    bytes.writeBigUInt64LE(BigInt(entriesAt), 72);
    bytes.writeUInt32LE(ENTRIES, 80);
    bytes.writeUInt32LE(ENTRY_BYTES, 84);
    bytes.writeUInt32LE(crc32(entries), 88);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, HEADER_BYTES)), 16);
    return bytes;
  };
  const last = sectors - 1;
  return {
    head: Buffer.concat([protectiveRecord(sectors), header(1, last, 2), entries]),
    tail: Buffer.concat([entries, header(last, 1, last - ENTRIES_SECTORS)]),
  };
}
