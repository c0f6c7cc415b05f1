/**
 * The appliance image: `npm run image` builds the system disk template; the lab imports the functions below.
 * Everything made lies below .cache/image/, keyed by the hash of what it was made from. docs/operations/image.md tells
 * the layout of the disk and the flow of the boot.
 */
import { mkdirSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { VERSION } from "../src/app/version.ts";
import { buildProgram } from "../tools/build.ts";
import { type DataFile, makeSystemDisk, type NodeDisk, writeNodeDisk } from "./steps/disk.ts";
import { unpackKernel } from "./steps/kernel.ts";
import { unpackPackages } from "./steps/packages.ts";
import { makeInitramfs, makeProgram, makeRoot, makeSlot } from "./steps/slot.ts";
import { CACHE, hashOf, ImageError, say } from "./steps/work.ts";

export type { DataFile, NodeDisk } from "./steps/disk.ts";
export { ImageError } from "./steps/work.ts";

/**
 * The serial console last, so that it is /dev/console; no timer check, which fails at random on a loaded emulator;
 * a panic stops the machine, and the watchdog that the service has armed resets it.
 */
const KERNEL_ARGUMENTS = "console=ttyS0,115200 no_timer_check panic=0 oops=panic quiet loglevel=4";

/** What a boot needs. */
export interface Image {
  /** A whole GPT disk (boot loader, slot A, empty slot B) without a data partition; makeNodeDisk copies it. */
  readonly systemDisk: string;
  /** Uncompressed ELF kernel and its initramfs, for a start without the boot loader (`-kernel`, `-initrd`). */
  readonly kernel: string;
  readonly initramfs: string;
  /** Kernel arguments for that start. */
  readonly kernelArguments: string;
  /** Name of this very image: a hash over all inputs. */
  readonly hash: string;
}

/** Builds what is out of date, with progress on standard error. Throws an ImageError whose message is one line. */
export async function buildImage(): Promise<Image> {
  mkdirSync(CACHE, { recursive: true });
  const program = makeProgram(await buildProgram());
  const packages = unpackPackages();
  const kernel = unpackKernel(packages.parts);
  const root = makeRoot(packages, kernel);
  const initramfs = makeInitramfs(kernel);
  const files = {
    kernel: kernel.vmlinuz,
    initramfs: initramfs.cpio,
    root: root.squashfs,
    program: program.directory,
  };
  const key = hashOf(kernel.key, initramfs.key, root.key, program.key);
  const slot = makeSlot(files, `${JSON.stringify({ version: VERSION, image: key })}\n`, key);
  const systemDisk = makeSystemDisk(slot, KERNEL_ARGUMENTS, key);
  return {
    systemDisk,
    kernel: kernel.vmlinux,
    initramfs: initramfs.cpio,
    kernelArguments: `${KERNEL_ARGUMENTS} appliance.slot=A`,
    hash: key,
  };
}

/** Writes the bootable disk of one node. Throws an ImageError. */
export function makeNodeDisk(image: Image, disk: NodeDisk): Promise<void> {
  writeNodeDisk(image.systemDisk, disk);
  return Promise.resolve();
}

/** Every file below `directory`, with its mode, as it shall lie below /data. */
function dataFilesOf(directory: string): Record<string, DataFile> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const pairs = entries.map((entry): [string, DataFile] => {
    const source = path.join(entry.parentPath, entry.name);
    return [path.relative(directory, source), { source, mode: statSync(source).mode & 0o777 }];
  });
  return Object.fromEntries(pairs);
}

const USAGE = "npm run image [-- --output FILE --hostname NAME [--data DIRECTORY] [--data-size MEBIBYTES]]";

/** `npm run image`: builds the image; with --output also writes the disk of one node. */
async function main(argv: readonly string[]): Promise<void> {
  const string = { type: "string" } as const;
  const options = { output: string, hostname: string, data: string, "data-size": string };
  const { values } = parseArgs({ args: [...argv], options });
  const { output, hostname, data } = values;
  if (argv.length > 0 && (output === undefined || hostname === undefined)) throw new ImageError(`usage: ${USAGE}`);
  const startedAtMs = performance.now();
  const image = await buildImage();
  const file = output ?? image.systemDisk;
  if (output !== undefined && hostname !== undefined) {
    const dataSizeBytes = Number(values["data-size"] ?? 96) * 2 ** 20;
    const dataFiles = data === undefined ? {} : dataFilesOf(data);
    await makeNodeDisk(image, { file: output, hostname, dataFiles, dataSizeBytes });
  }
  const onDiskMb = ((statSync(file).blocks * 512) / 1e6).toFixed(0);
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  say(`${path.relative(process.cwd(), file)}: ${onDiskMb} MB on disk, ready after ${seconds} s`);
}

if (process.argv[1] === import.meta.filename) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    const wrongCall = error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
    if (!(error instanceof ImageError) && !wrongCall) throw error;
    say(wrongCall ? `${error.message}; usage: ${USAGE}` : error.message);
    process.exitCode = 1;
  }
}
