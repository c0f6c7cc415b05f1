/**
 * The appliance image: `npm run image` builds the system disk template; the lab imports the functions below.
 * Everything made lies below .cache/image/, keyed by the hash of what it was made from. docs/operations/image.md tells
 * the layout of the disk and the flow of the boot.
 */
import { mkdirSync, statSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { VERSION } from "../src/app/version.ts";
import { buildProgram } from "../tools/build.ts";
import { makeSystemDisk, type NodeDisk, writeNodeDisk } from "./steps/disk.ts";
import { unpackKernel } from "./steps/kernel.ts";
import { unpackPackages } from "./steps/packages.ts";
import { makeInitramfs, makeProgram, makeRoot, makeSlot } from "./steps/slot.ts";
import { CACHE, hashOf, ImageError, ROOT, say } from "./steps/work.ts";

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

if (process.argv[1] === import.meta.filename) {
  try {
    const startedAtMs = performance.now();
    const { systemDisk } = await buildImage();
    const onDiskMb = ((statSync(systemDisk).blocks * 512) / 1e6).toFixed(0);
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
    say(`${path.relative(ROOT, systemDisk)}: ${onDiskMb} MB on disk, ready after ${seconds} s`);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}
