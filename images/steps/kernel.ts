/**
 * The kernel of Debian's package: its image, unpacked as an ELF file too, and the modules named in modules.list with
 * what they depend on. Facts: Linux, Documentation/arch/x86/boot.rst (setup header, fields payload_offset and
 * payload_length), modules.dep(5).
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { assembleEntry, rawKernel } from "./raw-kernel.ts";
import { BASE, cached, hashOf, hashOfFile, ImageError, readList, run } from "./work.ts";

export interface Kernel {
  /** The file that the boot loader starts: not compressed, see raw-kernel.ts. */
  readonly vmlinuz: string;
  /** The same kernel as an uncompressed ELF file, for QEMU's direct start. */
  readonly vmlinux: string;
  /** Trees with lib/modules: all modules of the list, and those of the initramfs. */
  readonly modules: string;
  readonly initramfsModules: string;
  readonly key: string;
}

/** Parses modules.dep: each module's path and those of all that it depends on, farthest last. */
export function parseDependencies(text: string): Map<string, readonly string[]> {
  const table = new Map<string, readonly string[]>();
  for (const line of text.split("\n")) {
    const [file, rest] = line.split(":");
    if (file === undefined || rest === undefined) continue;
    const name = path.basename(file).replace(/\.ko.*$/, "");
    table.set(name.replaceAll("-", "_"), [
      file,
      ...rest
        .trim()
        .split(/\s+/)
        .filter((each) => each !== ""),
    ]);
  }
  return table;
}

/** Paths of the named modules and of all they need; throws an ImageError that names every unknown module. */
export function pickModules(
  names: readonly string[],
  dependencies: ReadonlyMap<string, readonly string[]>,
  builtin: string,
): string[] {
  const picked = new Set<string>();
  const unknown: string[] = [];
  for (const name of names) {
    const normal = name.replaceAll("-", "_");
    const files = dependencies.get(normal);
    if (files !== undefined) for (const file of files) picked.add(file);
    else if (!builtin.replaceAll("-", "_").includes(`/${normal}.ko`)) unknown.push(name);
  }
  if (unknown.length > 0) throw new ImageError(`modules.list names modules that are not there: ${unknown.join(" ")}`);
  return [...picked].toSorted();
}

/** The compressed payload of a bzImage: offset counts from the end of the setup sectors. */
export function payloadOf(bzImage: Buffer): Buffer {
  if (bzImage.toString("latin1", 0x202, 0x206) !== "HdrS") throw new ImageError("the kernel is no bzImage");
  const setupSectors = bzImage.readUInt8(0x1f1) || 4;
  const start = (setupSectors + 1) * 512 + bzImage.readUInt32LE(0x248);
  // The payload ends with the length of what it unpacks to, four bytes that are no part of the xz stream.
  return bzImage.subarray(start, start + bzImage.readUInt32LE(0x24c) - 4);
}

function copyModules(files: readonly string[], from: string, to: string, release: string): void {
  const place = path.join("lib/modules", release);
  mkdirSync(path.join(to, place), { recursive: true });
  for (const file of [...files, "modules.builtin", "modules.builtin.modinfo", "modules.order"]) {
    cpSync(path.join(from, place, file), path.join(to, place, file), { recursive: true });
  }
  run("depmod", ["-b", to, release]);
}

export function unpackKernel(parts: string): Kernel {
  const packageDirectory = path.join(parts, "linux-image-amd64");
  const [deb] = readdirSync(packageDirectory);
  if (deb === undefined) throw new ImageError("the kernel package is missing");
  const list = path.join(BASE, "modules.list");
  const boot = path.join(BASE, "boot");
  const code = readFileSync(path.join(import.meta.dirname, "raw-kernel.ts"));
  const key = hashOf(deb, hashOfFile(list), hashOfFile(boot), code, readFileSync(import.meta.filename));
  const directory = cached("kernel", key, (temporary) => {
    const unpacked = path.join(temporary, "unpacked");
    run("dpkg-deb", ["-x", path.join(packageDirectory, deb), unpacked]);
    const [release] = readdirSync(path.join(unpacked, "lib/modules"));
    if (release === undefined) throw new ImageError("the kernel package holds no modules");
    run("depmod", ["-b", unpacked, release]);
    const modules = path.join(unpacked, "lib/modules", release);
    const dependencies = parseDependencies(readFileSync(path.join(modules, "modules.dep"), "utf8"));
    const builtin = readFileSync(path.join(modules, "modules.builtin"), "utf8");
    const lines = readList(list);
    const early = lines.filter(([first]) => first === "initramfs:").flatMap((line) => line.slice(1));
    const all = lines.flat().filter((word) => word !== "initramfs:");
    copyModules(pickModules(all, dependencies, builtin), unpacked, path.join(temporary, "modules"), release);
    copyModules(pickModules(early, dependencies, builtin), unpacked, path.join(temporary, "initramfs"), release);
    const bzImage = readFileSync(path.join(unpacked, "boot", `vmlinuz-${release}`));
    const elf = run("xz", ["-dc"], { input: payloadOf(bzImage) });
    const entry = readFileSync(assembleEntry(temporary));
    writeFileSync(path.join(temporary, "vmlinuz"), rawKernel(bzImage, elf, entry));
    writeFileSync(path.join(temporary, "vmlinux"), elf);
    rmSync(unpacked, { recursive: true });
  });
  const at = (name: string) => path.join(directory, name);
  return {
    vmlinuz: at("vmlinuz"),
    vmlinux: at("vmlinux"),
    modules: at("modules"),
    initramfsModules: at("initramfs"),
    key,
  };
}
