/**
 * Sectors of a shared disk, past every cache: O_DIRECT and O_SYNC, from a buffer that is aligned as the disk wants.
 * Reads and writes run on the thread pool; a hung disk holds one thread of it, and nothing else, for as long as it
 * hangs. Fact: open(2), O_DIRECT; reference/toolchain.md, section 2 (measured).
 */
import { getRawPointer } from "node:ffi";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { ioctl } from "./native.ts";

/** linux/fs.h: the logical sector size of a block device. */
const BLKSSZGET = 0x1268;
const ALIGNMENT_BYTES = 4096;
const SECTOR_BYTES_MAX = 4096;

export interface BlockDevice {
  readonly sectorBytes: number;
  readonly read: (sector: number) => Promise<Uint8Array>;
  /** One sector, or several in a row. */
  readonly write: (sector: number, bytes: Uint8Array) => Promise<void>;
  readonly close: () => Promise<void>;
}

function alignedBuffer(length: number): Buffer {
  const whole = Buffer.alloc(length + ALIGNMENT_BYTES);
  const shift = (ALIGNMENT_BYTES - Number(getRawPointer(whole) % BigInt(ALIGNMENT_BYTES))) % ALIGNMENT_BYTES;
  return whole.subarray(shift, shift + length);
}

function sectorBytesOf(handle: FileHandle): number {
  const answer = Buffer.alloc(8);
  ioctl(handle.fd, BLKSSZGET, answer);
  return Math.min(answer.readInt32LE(0), SECTOR_BYTES_MAX);
}

/** Reads the first sector past every cache. Rejects with what the disk answers; a disk that hangs never answers. */
export async function askDisk(device: string): Promise<void> {
  const handle = await open(device, constants.O_RDONLY | constants.O_DIRECT | constants.O_NONBLOCK);
  try {
    await handle.read(alignedBuffer(SECTOR_BYTES_MAX), 0, SECTOR_BYTES_MAX, 0);
  } finally {
    await handle.close();
  }
}

/** Throws what open(2) throws: ENOENT, EACCES, ENXIO. */
export async function openBlockDevice(device: string): Promise<BlockDevice> {
  const handle = await open(device, constants.O_RDWR | constants.O_DIRECT | constants.O_SYNC);
  const status = await handle.stat();
  // A plain file serves for tests and for images; its sectors are those of the tools' default.
  const sectorBytes = status.isBlockDevice() ? sectorBytesOf(handle) : 512;
  const buffer = alignedBuffer(sectorBytes);
  return {
    sectorBytes,
    async read(sector) {
      const { bytesRead } = await handle.read(buffer, 0, sectorBytes, sector * sectorBytes);
      if (bytesRead !== sectorBytes) throw new Error(`sector ${sector} lies behind the end of ${device}`);
      return Uint8Array.from(buffer);
    },
    async write(sector, bytes) {
      const outgoing = bytes.length === sectorBytes ? buffer : alignedBuffer(bytes.length);
      outgoing.set(bytes);
      await handle.write(outgoing, 0, outgoing.length, sector * sectorBytes);
    },
    close: () => handle.close(),
  };
}
