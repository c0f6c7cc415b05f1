/**
 * The system disk as a file: GPT, GRUB for BIOS, environment block, slots; and the disk of one node, with its data.
 * All by user-space tools: no loop device, no mount. Facts: GRUB 2.06 boot.img and diskboot.img patch places as
 * grub-bios-setup fills them (GRUB manual, "BIOS installation"; offsets read from boot.img by `grub-bios-setup` runs).
 */
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { BOOT_CODE_BYTES, type Partition, partitionTable, SECTOR_BYTES } from "./gpt.ts";
import { makeFileSystem, SLOT_BYTES } from "./slot.ts";
import { BASE, CACHE, cached, hashOf, hashOfFile, ImageError, run } from "./work.ts";

const MIB = 2 ** 20;
/** Partitions in order; a node's data partition comes behind them and takes the rest of the disk. */
export const PARTITIONS = [
  { name: "bios-boot", type: "bios-boot", sizeBytes: MIB },
  { name: "esp", type: "efi-system", sizeBytes: 32 * MIB },
  { name: "environment", type: "linux-data", sizeBytes: MIB },
  { name: "slot-a", type: "linux-root-x86-64", sizeBytes: SLOT_BYTES },
  { name: "slot-b", type: "linux-root-x86-64", sizeBytes: SLOT_BYTES },
] as const;
type PartitionName = (typeof PARTITIONS)[number]["name"];
/** The first partition starts here, as every partitioning tool does. */
const START_BYTES = MIB;
/** Room of the second GPT at the end. */
const TAIL_BYTES = MIB;
const GRUB = "/usr/lib/grub/i386-pc";
const GRUB_MODULES =
  "biosdisk part_gpt fat ext2 loadenv linux normal test echo regexp serial terminal reboot sleep minicmd";
/** Chunk in which a disk is written; chunks of zeros are left as holes. */
const CHUNK_BYTES = MIB;

/** Where a partition starts, and where the data partition does (the end of all others). */
export function offsetOf(name: PartitionName | "data"): number {
  let offset = START_BYTES;
  for (const partition of PARTITIONS) {
    if (partition.name === name) return offset;
    offset += partition.sizeBytes;
  }
  return offset;
}

/** Copies `source` into the open file at `offsetBytes`, leaving holes for zeros. */
function place(target: number, offsetBytes: number, source: Buffer | string): void {
  const zeros = Buffer.alloc(CHUNK_BYTES);
  const write = (chunk: Buffer, at: number) => {
    if (!chunk.equals(zeros.subarray(0, chunk.length))) writeSync(target, chunk, 0, chunk.length, offsetBytes + at);
  };
  if (typeof source !== "string") {
    for (let at = 0; at < source.length; at += CHUNK_BYTES) write(source.subarray(at, at + CHUNK_BYTES), at);
    return;
  }
  const descriptor = openSync(source, "r");
  const buffer = Buffer.alloc(CHUNK_BYTES);
  try {
    for (let at = 0; ; ) {
      const length = readSync(descriptor, buffer, 0, CHUNK_BYTES, at);
      if (length === 0) break;
      write(buffer.subarray(0, length), at);
      at += length;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** GRUB's first sector and its core image, joined as grub-bios-setup does for a core at a fixed sector. */
export function bootCode(boot: Buffer, core: Buffer, coreSector: number): { mbr: Buffer; core: Buffer } {
  const mbr = Buffer.from(boot.subarray(0, BOOT_CODE_BYTES));
  mbr.writeBigUInt64LE(BigInt(coreSector), 0x5c);
  // The jump here serves floppy disks; without it GRUB takes the drive number that the BIOS hands over.
  mbr.fill(0x90, 0x66, 0x68);
  const patched = Buffer.from(core);
  // The last block-list entry of the core's first sector: start sector, count of sectors, segment of memory.
  patched.writeBigUInt64LE(BigInt(coreSector + 1), 0x1f4);
  patched.writeUInt16LE(Math.ceil(core.length / SECTOR_BYTES) - 1, 0x1fc);
  patched.writeUInt16LE(0x820, 0x1fe);
  return { mbr, core: patched };
}

/** The environment block of GRUB: 1024 bytes, padded with #. Only slot A is filled, and it is trusted. */
export function environmentBlock(values: Readonly<Record<string, string>>): string {
  const lines = Object.entries(values).map(([name, value]) => `${name}=${value}\n`);
  return `# GRUB Environment Block\n${lines.join("")}`.padEnd(1024, "#");
}

function makeFat(file: string, bits: 12 | 16, label: string, sizeBytes: number, files: Record<string, string>): void {
  writeFileSync(file, "");
  truncateSync(file, sizeBytes);
  run("mkfs.fat", ["-F", `${bits}`, "-n", label, "-i", "67656d65", "--invariant", file]);
  for (const [name, source] of Object.entries(files)) {
    const folder = path.dirname(name);
    if (folder !== ".") run("mmd", ["-D", "s", "-i", file, `::/${folder}`]);
    run("mcopy", ["-m", "-i", file, source, `::/${name}`]);
  }
}

/** A name for a disk or partition that is the same in every build. */
function guidOf(name: string): string {
  return `67656d65-6c00-4000-8000-${hashOf(name).slice(0, 12)}`;
}

/** Writes the partition table; with `dataBytes` there is a data partition of that size behind the others. */
function writeTable(descriptor: number, diskBytes: number, dataBytes: number | undefined): void {
  const partitions: Partition[] = PARTITIONS.map((each) => ({
    ...each,
    guid: guidOf(each.name),
    offsetBytes: offsetOf(each.name),
  }));
  if (dataBytes !== undefined) {
    const place = { guid: guidOf("data"), offsetBytes: offsetOf("data"), sizeBytes: dataBytes };
    partitions.push({ name: "data", type: "linux-data", ...place });
  }
  const { head, tail } = partitionTable(diskBytes, guidOf("disk"), partitions);
  writeSync(descriptor, head, 0, head.length, BOOT_CODE_BYTES);
  writeSync(descriptor, tail, 0, tail.length, diskBytes - tail.length);
}

/** The template that all node disks are copied from. */
export function makeSystemDisk(slot: string, kernelArguments: string, key: string): string {
  const grubConfiguration = path.join(BASE, "grub.cfg");
  const inputs = [key, kernelArguments, hashOfFile(grubConfiguration), readFileSync(import.meta.filename)];
  const directory = cached("disk", hashOf(...inputs), (temporary) => {
    const at = (name: string) => path.join(temporary, name);
    const text = readFileSync(grubConfiguration, "utf8").replace("@ARGUMENTS@", kernelArguments);
    writeFileSync(at("grub.cfg"), text);
    writeFileSync(at("env"), environmentBlock({ order: "A B", left_A: "-1", left_B: "0" }));
    makeFat(at("esp"), 16, "ESP", 32 * MIB, { "grub/grub.cfg": at("grub.cfg") });
    makeFat(at("environment"), 12, "ENVIRONMENT", MIB, { env: at("env") });
    const early =
      'regexp --set=1:disk "^\\(?([^,)]+)" "$root"\nset root=($disk,gpt2)\nset prefix=($root)/grub\n' +
      "configfile ($root)/grub/grub.cfg\n";
    writeFileSync(at("early.cfg"), early);
    const argv = ["-O", "i386-pc", "-p", "(,gpt2)/grub", "-c", at("early.cfg"), "-o", at("core.img")];
    run("grub-mkimage", [...argv, ...GRUB_MODULES.split(" ")]);
    const file = at("system.img");
    writeFileSync(file, "");
    const diskBytes = offsetOf("data") + TAIL_BYTES;
    truncateSync(file, diskBytes);
    const coreOffset = offsetOf("bios-boot");
    const code = bootCode(readFileSync(`${GRUB}/boot.img`), readFileSync(at("core.img")), coreOffset / SECTOR_BYTES);
    const descriptor = openSync(file, "r+");
    try {
      writeSync(descriptor, code.mbr, 0, code.mbr.length, 0);
      writeTable(descriptor, diskBytes, undefined);
      place(descriptor, coreOffset, code.core);
      place(descriptor, offsetOf("esp"), at("esp"));
      place(descriptor, offsetOf("environment"), at("environment"));
      place(descriptor, offsetOf("slot-a"), slot);
    } finally {
      closeSync(descriptor);
    }
    for (const name of ["esp", "environment", "core.img", "early.cfg", "grub.cfg", "env"]) rmSync(at(name));
  });
  return path.join(directory, "system.img");
}

/** One file of the data partition: its text, or the file it is copied from. `mode` is 0o644 unless given. */
export type DataFile =
  | { readonly content: string; readonly mode?: number }
  | { readonly source: string; readonly mode?: number };

export interface NodeDisk {
  /** The disk file to write (raw, sparse). It is made beside its place and renamed. */
  readonly file: string;
  readonly hostname: string;
  /**
   * Paths below /data, as `gemel/node.conf`, `gemel/authkeys`, `gemel/cluster.crm`, `gemel/drbd.d/r0.res`,
   * `gemel/network`, `lab` (its existence starts the lab agent). Owner root.
   */
  readonly dataFiles: Readonly<Record<string, DataFile>>;
  /** Size of the data partition, whole mebibytes; 96 MiB unless given. */
  readonly dataSizeBytes?: number;
}

const DATA_BYTES_DEFAULT = 96 * MIB;
/** Less leaves no room for ext4's journal. */
const DATA_BYTES_MIN = 8 * MIB;

function writeDataFiles(tree: string, disk: NodeDisk): void {
  mkdirSync(path.join(tree, "gemel/drbd.d"), { recursive: true });
  writeFileSync(path.join(tree, "gemel/hostname"), `${disk.hostname}\n`);
  for (const [name, file] of Object.entries(disk.dataFiles)) {
    const target = path.join(tree, name);
    if (path.relative(tree, target).startsWith("..")) throw new ImageError(`${name} lies outside of /data`);
    mkdirSync(path.dirname(target), { recursive: true });
    const content = "content" in file ? file.content : readFileSync(file.source);
    writeFileSync(target, content, { mode: file.mode ?? 0o644 });
  }
}

/** Writes the disk of one node: the template's partitions and a data partition with its files. */
export function writeNodeDisk(systemDisk: string, disk: NodeDisk): void {
  const dataBytes = disk.dataSizeBytes ?? DATA_BYTES_DEFAULT;
  if (!(dataBytes % MIB === 0 && dataBytes >= DATA_BYTES_MIN)) {
    throw new ImageError(`a data partition of ${dataBytes} bytes: it needs whole mebibytes, at least 8`);
  }
  mkdirSync(CACHE, { recursive: true });
  mkdirSync(path.dirname(disk.file), { recursive: true });
  const work = mkdtempSync(path.join(CACHE, "node-"));
  const temporary = `${disk.file}.new`;
  try {
    const tree = path.join(work, "data");
    writeDataFiles(tree, disk);
    makeFileSystem(path.join(work, "data.img"), "ext4", dataBytes, tree);
    run("cp", ["--sparse=always", "--reflink=auto", systemDisk, temporary]);
    const descriptor = openSync(temporary, "r+");
    try {
      const diskBytes = offsetOf("data") + dataBytes + TAIL_BYTES;
      ftruncateSync(descriptor, diskBytes);
      writeTable(descriptor, diskBytes, dataBytes);
      place(descriptor, offsetOf("data"), path.join(work, "data.img"));
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, disk.file);
  } finally {
    rmSync(work, { recursive: true, force: true });
    rmSync(temporary, { force: true });
  }
}
