/**
 * A bzImage whose kernel is not compressed: a start under emulation spends three seconds on unpacking xz, and reading
 * the whole takes less than one. The setup header of Debian's bzImage stays; the payload becomes the memory image of the
 * ELF kernel with a short entry behind it (images/base/boot/enter-kernel.s) instead of the decompressor. A start by
 * UEFI, when it comes, must take Debian's own signed file. Facts: Linux, Documentation/arch/x86/boot.rst; elf(5).
 */
import path from "node:path";
import { BASE, ImageError, run } from "./work.ts";

/** Where a bzImage's protected-mode code is said to start; the boot loader moves it to the preferred address. */
const CODE32_BASE = 0x100000;
const ALIGNMENT_LOG2 = 21;
const ALIGNMENT = 2 ** ALIGNMENT_LOG2;
const PAGE = 4096;
const PT_LOAD = 1;

export interface MemoryImage {
  readonly bytes: Buffer;
  /** Physical address of the first byte, and of the entry. */
  readonly startAddress: number;
  readonly entryAddress: number;
}

/** The loadable segments of an ELF-64 file as they lie in memory, zeroed parts included. */
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
  const bytes = Buffer.alloc(endAddress - startAddress);
  for (const { offset, address, fileBytes } of segments) {
    elf.copy(bytes, address - startAddress, offset, offset + fileBytes);
  }
  return { bytes, startAddress, entryAddress: Number(elf.readBigUInt64LE(24)) };
}

/** Length without the zeros at the end, in whole pages. */
function usedBytes(bytes: Buffer): number {
  const zeros = Buffer.alloc(PAGE);
  let end = Math.ceil(bytes.length / PAGE) * PAGE;
  while (
    end > 0 &&
    bytes.subarray(end - PAGE, end).equals(zeros.subarray(0, Math.min(PAGE, bytes.length - end + PAGE)))
  ) {
    end -= PAGE;
  }
  return end;
}

/** Joins header, memory image without the zeros at its end, and the entry code, which clears what was left out. */
export function rawKernel(bzImage: Buffer, elf: Buffer, entryCode: Buffer): Buffer {
  const image = memoryImageOf(elf);
  if (image.startAddress % ALIGNMENT !== 0) throw new ImageError("the kernel does not start on a 2 MiB boundary");
  const codeOffset = usedBytes(image.bytes);
  const size = Math.max(codeOffset + entryCode.length, image.bytes.length);
  const code = Buffer.from(entryCode);
  const hereOffset = codeOffset + code.readUInt32LE(code.length - 12);
  code.writeUInt32LE(hereOffset - (image.entryAddress - image.startAddress), code.length - 8);
  code.writeUInt32LE(size - codeOffset - code.length, code.length - 4);

  const setup = Buffer.from(bzImage.subarray(0, ((bzImage.readUInt8(0x1f1) || 4) + 1) * 512));
  setup.writeUInt32LE(Math.ceil((codeOffset + code.length) / 16), 0x1f4); // syssize
  setup.writeUInt32LE(CODE32_BASE + codeOffset, 0x214); // code32_start
  setup.writeUInt32LE(ALIGNMENT, 0x230); // kernel_alignment
  setup.writeUInt8(1, 0x234); // relocatable_kernel
  setup.writeUInt8(ALIGNMENT_LOG2, 0x235); // min_alignment
  setup.writeUInt16LE(0, 0x236); // xloadflags: no 64-bit and no EFI entry
  setup.writeUInt32LE(0, 0x248); // payload_offset and _length: there is none
  setup.writeUInt32LE(0, 0x24c);
  setup.writeBigUInt64LE(BigInt(image.startAddress), 0x258); // pref_address
  setup.writeUInt32LE(Math.ceil(size / ALIGNMENT) * ALIGNMENT, 0x260); // init_size
  setup.writeUInt32LE(0, 0x264); // handover_offset
  const body = Buffer.concat([image.bytes.subarray(0, codeOffset), code]);
  return Buffer.concat([setup, body, Buffer.alloc((16 - (body.length % 16)) % 16)]);
}

/** The entry code as a flat binary; `directory` takes what the assembler leaves. */
export function assembleEntry(directory: string): string {
  const [object, file] = [path.join(directory, "entry.o"), path.join(directory, "entry.bin")];
  run("as", ["--32", "-o", object, path.join(BASE, "boot/enter-kernel.s")]);
  run("objcopy", ["-O", "binary", "-j", ".text", object, file]);
  return file;
}
