/**
 * A bzImage whose kernel is not compressed: a start under emulation spends three seconds on unpacking xz, and reading
 * the whole takes two. The setup header of Debian's bzImage stays; the payload becomes the memory image of the ELF
 * kernel, with a page of code before it (images/base/boot/enter-kernel.s) instead of the decompressor. A start by UEFI,
 * when it comes, must take Debian's own signed file. Facts: Linux, Documentation/arch/x86/boot.rst; elf(5).
 */
import path from "node:path";
import { BASE, ImageError, run } from "./work.ts";

/** Where a boot loader puts a kernel that is not relocatable. */
const LOAD_ADDRESS = 0x100000;
/** The kernel's own place must be aligned so. */
const ALIGNMENT = 2 ** 21;
const PAGE = 4096;
/** The entry page and its page tables. */
const ENTRY_PAGES = 7;
/** Where the entry page keeps the numbers that are filled in here. */
const PARAMETERS_OFFSET = 8;
const PT_LOAD = 1;

export interface MemoryImage {
  readonly bytes: Buffer;
  /** Physical address of the first byte, and of the entry. */
  readonly startAddress: number;
  readonly entryAddress: number;
}

/** The loadable segments of an ELF-64 file as they lie in memory, zeroed parts included, in whole pages. */
export function memoryImageOf(elf: Buffer): MemoryImage {
  if (elf.readUInt32BE(0) !== 0x7f454c46 || elf.readUInt8(4) !== 2)
    throw new ImageError("the kernel is no ELF-64 file");
  const [tableOffset, entrySize, count] = [Number(elf.readBigUInt64LE(32)), elf.readUInt16LE(54), elf.readUInt16LE(56)];
  const segments = Array.from({ length: count }, (_, index) => tableOffset + index * entrySize)
    .filter((at) => elf.readUInt32LE(at) === PT_LOAD)
    .map((at) => ({
      offset: Number(elf.readBigUInt64LE(at + 8)),
      address: Number(elf.readBigUInt64LE(at + 24)),
      fileBytes: Number(elf.readBigUInt64LE(at + 32)),
      memoryBytes: Number(elf.readBigUInt64LE(at + 40)),
    }));
  const startAddress = Math.min(...segments.map(({ address }) => address));
  const endAddress = Math.max(...segments.map(({ address, memoryBytes }) => address + memoryBytes));
  const bytes = Buffer.alloc(Math.ceil((endAddress - startAddress) / PAGE) * PAGE);
  for (const { offset, address, fileBytes } of segments) {
    elf.copy(bytes, address - startAddress, offset, offset + fileBytes);
  }
  return { bytes, startAddress, entryAddress: Number(elf.readBigUInt64LE(24)) };
}

/** Length without the pages of zeros at the end, in whole pages. */
function usedBytes(bytes: Buffer): number {
  let pages = bytes.length / PAGE;
  const zeros = Buffer.alloc(PAGE);
  while (pages > 0 && bytes.subarray((pages - 1) * PAGE, pages * PAGE).equals(zeros)) pages -= 1;
  return pages * PAGE;
}

/** Joins header, entry page and memory image; the zeros at the image's end are left to the entry page. */
export function rawKernel(bzImage: Buffer, elf: Buffer, entryCode: Buffer): Buffer {
  const image = memoryImageOf(elf);
  if (image.startAddress % ALIGNMENT !== 0) throw new ImageError("the kernel does not start on a 2 MiB boundary");
  if (entryCode.length !== PAGE) throw new ImageError(`the entry code takes ${entryCode.length} bytes, not a page`);
  const used = image.bytes.subarray(0, usedBytes(image.bytes));
  const ownPlace = image.startAddress + image.bytes.length;
  const parameters = [
    ownPlace,
    LOAD_ADDRESS + PAGE + used.length,
    image.startAddress + used.length,
    used.length / 8,
    (image.bytes.length - used.length) / 8,
    image.entryAddress,
  ];
  const entry = Buffer.from(entryCode);
  for (const [index, value] of parameters.entries()) entry.writeUInt32LE(value, PARAMETERS_OFFSET + index * 4);

  const setup = Buffer.from(bzImage.subarray(0, ((bzImage.readUInt8(0x1f1) || 4) + 1) * 512));
  setup.writeUInt32LE((PAGE + used.length) / 16, 0x1f4); // syssize
  setup.writeUInt32LE(LOAD_ADDRESS, 0x214); // code32_start
  setup.writeUInt8(0, 0x234); // relocatable_kernel
  setup.writeUInt16LE(0, 0x236); // xloadflags: no 64-bit and no EFI entry
  setup.writeUInt32LE(0, 0x248); // payload_offset and _length: there is none
  setup.writeUInt32LE(0, 0x24c);
  setup.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 0x258); // pref_address
  setup.writeUInt32LE(ownPlace + ENTRY_PAGES * PAGE - LOAD_ADDRESS, 0x260); // init_size
  setup.writeUInt32LE(0, 0x264); // handover_offset
  return Buffer.concat([setup, entry, used]);
}

/** The entry code as a flat binary of one page; `directory` takes what the assembler leaves. */
export function assembleEntry(directory: string): string {
  const [object, file] = [path.join(directory, "entry.o"), path.join(directory, "entry.bin")];
  run("as", ["--32", "-o", object, path.join(BASE, "boot/enter-kernel.s")]);
  run("objcopy", ["-O", "binary", "-j", ".text", object, file]);
  return file;
}
