/**
 * A slot: one ext2 file system with the kernel, the initramfs, the root as a squashfs file and the program as it is.
 * The program is not in the root, so that a change of src/ does not pack the root again; not compressed, because it
 * starts in half the time so and its pages are cached once. A and B stay one partition each. ext2, because GRUB reads
 * it and mke2fs writes it without mounting anything.
 */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { COMMANDS } from "../../src/app/commands/index.ts";
import type { Kernel } from "./kernel.ts";
import type { Packages } from "./packages.ts";
import { BASE, cached, EPOCH_SECONDS, hashOf, hashOfFile, ImageError, readList, run } from "./work.ts";

/** Both slots have this size. The root, kernel and program take about half: room for what later issues add. */
export const SLOT_BYTES = 256 * 2 ** 20;
const BUSYBOX = "/usr/bin/busybox";
/** Fast to unpack above all: a boot under emulation is bound by the processor (docs/operations/image.md). */
const SQUASHFS = ["-noappend", "-quiet", "-no-progress", "-no-xattrs", "-all-root", "-reproducible"];

const LINKS: Readonly<Record<string, string>> = {
  "etc/gemel": "/data/gemel",
  "etc/drbd.d": "/data/gemel/drbd.d",
  "etc/mtab": "/proc/self/mounts",
  "etc/hosts": "/run/hosts",
  "etc/resolv.conf": "/run/resolv.conf",
  "usr/bin/gemel": "../lib/gemel/gemel",
  "usr/sbin/init": "../bin/busybox",
};
const DIRECTORIES = ["data", "run", "tmp", "proc", "sys", "dev", "mnt", "srv", "root", "var", "usr/lib/gemel"];

function touchAll(directory: string): void {
  run("find", [directory, "-exec", "touch", "-h", "-d", `@${EPOCH_SECONDS}`, "{}", "+"]);
}

function squash(from: string, to: string, compression: readonly string[]): void {
  run("mksquashfs", [from, to, ...SQUASHFS, ...compression], { env: {} });
}

/** Busybox stands in for every command that no package brings (acpid, vi ...); all of it is in usr/lib/busybox. */
function linkApplets(root: string): void {
  const has = (name: string) => ["usr/bin", "usr/sbin"].some((place) => existsSync(path.join(root, place, name)));
  mkdirSync(path.join(root, "usr/lib/busybox"));
  for (const applet of run(BUSYBOX, ["--list"]).toString().split("\n")) {
    if (applet === "") continue;
    symlinkSync("../../bin/busybox", path.join(root, "usr/lib/busybox", applet));
    if (!has(applet)) symlinkSync("busybox", path.join(root, "usr/bin", applet));
  }
}

/** The root: packages, less what is pruned, plus modules and our files. Also the initramfs, which shares its inputs. */
export function makeRoot(packages: Packages, kernel: Kernel): { readonly squashfs: string; readonly key: string } {
  const key = hashOf(packages.key, kernel.key, hashOfFile(BASE), readFileSync(import.meta.filename));
  const directory = cached("root", key, (temporary) => {
    const root = path.join(temporary, "root");
    mkdirSync(root);
    run("tar", ["-C", root, "-xf", packages.rootTar]);
    for (const glob of readList(path.join(BASE, "prune.list")).flat()) {
      for (const name of globSync(glob, { cwd: root })) rmSync(path.join(root, name), { recursive: true, force: true });
    }
    for (const [name = "", ...places] of readList(path.join(BASE, "parts.list"))) {
      if (name.startsWith("linux-image")) continue;
      const [deb = ""] = readdirSync(path.join(packages.parts, name));
      const unpacked = path.join(temporary, name);
      run("dpkg-deb", ["-x", path.join(packages.parts, name, deb), unpacked]);
      for (const place of places) cpSync(path.join(unpacked, place), path.join(root, place), { recursive: true });
      rmSync(unpacked, { recursive: true });
    }
    // usr/lib: lib is a link to it in the root.
    cpSync(path.join(kernel.modules, "lib/modules"), path.join(root, "usr/lib/modules"), { recursive: true });
    run("cp", ["-a", "--no-preserve=ownership", `${path.join(BASE, "overlay")}/.`, root]);
    for (const name of DIRECTORIES) mkdirSync(path.join(root, name), { recursive: true });
    for (const [link, target] of Object.entries(LINKS)) {
      rmSync(path.join(root, link), { recursive: true, force: true });
      symlinkSync(target, path.join(root, link));
    }
    linkApplets(root);
    run("ldconfig", ["-r", root]);
    touchAll(root);
    squash(root, path.join(temporary, "root.squashfs"), ["-comp", "lz4", "-Xhc", "-b", "128K"]);
    rmSync(root, { recursive: true });
  });
  return { squashfs: path.join(directory, "root.squashfs"), key };
}

/** Busybox, our init and the drivers of the disks. Not compressed: unpacking costs more than reading it. */
export function makeInitramfs(kernel: Kernel): { readonly cpio: string; readonly key: string } {
  const init = path.join(BASE, "initramfs/init");
  const key = hashOf(kernel.key, hashOfFile(init), hashOfFile(BUSYBOX), readFileSync(import.meta.filename));
  const directory = cached("initramfs", key, (temporary) => {
    const tree = path.join(temporary, "tree");
    for (const name of ["bin", "dev", "proc", "sys", "run", "new"])
      mkdirSync(path.join(tree, name), { recursive: true });
    cpSync(kernel.initramfsModules, tree, { recursive: true });
    copyFileSync(BUSYBOX, path.join(tree, "bin/busybox"));
    for (const name of ["sh", "mount", "modprobe"]) symlinkSync("busybox", path.join(tree, "bin", name));
    copyFileSync(init, path.join(tree, "init"));
    chmodSync(path.join(tree, "init"), 0o755);
    touchAll(tree);
    const names = run("find", [".", "-mindepth", "1"], { cwd: tree }).toString().trim().split("\n").toSorted();
    const argv = ["--quiet", "--reproducible", "-R", "0:0", "-o", "-H", "newc"];
    const archive = run("cpio", argv, { cwd: tree, input: Buffer.from(`${names.join("\n")}\n`) });
    writeFileSync(path.join(temporary, "initramfs"), archive);
    rmSync(tree, { recursive: true });
  });
  return { cpio: path.join(directory, "initramfs"), key };
}

/** The names under which operators call the program, each a link to it. */
function linkNames(): string[] {
  return Object.values(COMMANDS)
    .flatMap(({ names }) => names ?? [])
    .toSorted();
}

/** The program's directory: the binary and its links. */
export function makeProgram(binary: string): { readonly directory: string; readonly key: string } {
  const code = readFileSync(import.meta.filename);
  const key = hashOf(hashOfFile(binary), linkNames().join(), code);
  const directory = cached("program", key, (temporary) => {
    const tree = path.join(temporary, "program");
    mkdirSync(tree);
    copyFileSync(binary, path.join(tree, "gemel"));
    chmodSync(path.join(tree, "gemel"), 0o755);
    for (const name of linkNames()) symlinkSync("gemel", path.join(tree, name));
    touchAll(tree);
  });
  return { directory: path.join(directory, "program"), key };
}

/** Writes an ext2 or ext4 file system of `sizeBytes` that holds the files of `tree`, without mounting it. */
export function makeFileSystem(file: string, type: "ext2" | "ext4", sizeBytes: number, tree: string): void {
  writeFileSync(file, "");
  truncateSync(file, sizeBytes);
  const label = type === "ext2" ? "slot" : "data";
  run("mke2fs", [
    "-q",
    "-F",
    "-t",
    type,
    "-b",
    "4096",
    "-L",
    label,
    "-m",
    "0",
    "-E",
    "root_owner=0:0",
    "-d",
    tree,
    file,
  ]);
}

export interface SlotFiles {
  readonly kernel: string;
  readonly initramfs: string;
  readonly root: string;
  /** Directory. */
  readonly program: string;
}

/** One slot's file system. `manifest` says what it was made of; a later update checks and signs it. */
export function makeSlot(files: SlotFiles, manifest: string, key: string): string {
  const directory = cached("slot", hashOf(key, readFileSync(import.meta.filename)), (temporary) => {
    const tree = path.join(temporary, "tree");
    mkdirSync(tree);
    linkSync(files.kernel, path.join(tree, "vmlinuz"));
    linkSync(files.initramfs, path.join(tree, "initramfs"));
    linkSync(files.root, path.join(tree, "root.squashfs"));
    run("cp", ["-al", files.program, path.join(tree, "program")]);
    writeFileSync(path.join(tree, "manifest.json"), manifest);
    const bytes = Number(run("du", ["-sb", tree]).toString().split("\t")[0]);
    // The file system itself takes a few percent.
    if (bytes > SLOT_BYTES * 0.95) throw new ImageError(`the slot's files take ${bytes} of ${SLOT_BYTES} bytes`);
    makeFileSystem(path.join(temporary, "slot.img"), "ext2", SLOT_BYTES, tree);
    rmSync(tree, { recursive: true });
  });
  return path.join(directory, "slot.img");
}
