/**
 * A real libvirtd with one small machine of QEMU that boots from nothing: no emulator of ours. It runs without
 * privileges in a directory of its own, and touches no other libvirtd of this machine.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const execute = promisify(execFile);
const NOBODY = 65_534;
/** Starting it is the work of two seconds on a quiet machine. */
const UP_MS = 60_000;

export const MACHINE_UUID = "67656d65-6c00-4000-8000-0000000000f2";

export interface LibvirtHost {
  readonly socket: string;
  readonly uri: string;
  /** What `virsh` says to this, on this host. */
  virsh(...argv: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

const domain = (name: string) => `<domain type='qemu'>
  <name>${name}</name>
  <uuid>${MACHINE_UUID}</uuid>
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
</domain>
`;

/** With one persistent machine of that name, which is on. */
export async function startLibvirtHost(name: string): Promise<LibvirtHost> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-virt-"));
  chmodSync(folder, 0o755);
  const isRoot = process.getuid?.() === 0;
  for (const part of ["run", "home"]) {
    mkdirSync(path.join(folder, part), { mode: 0o700 });
    if (isRoot) chownSync(path.join(folder, part), NOBODY, NOBODY);
  }
  const home = path.join(folder, "home");
  const env = {
    PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: home,
    XDG_RUNTIME_DIR: path.join(folder, "run"),
    XDG_CONFIG_HOME: path.join(home, "config"),
    XDG_CACHE_HOME: path.join(home, "cache"),
  };
  const drop = isRoot ? ["setpriv", "--reuid", String(NOBODY), "--regid", String(NOBODY), "--clear-groups"] : ["env"];
  const [file, ...argv] = [...drop, "libvirtd"];
  const log: string[] = [];
  const daemon: ChildProcess = spawn(file, argv, { env, cwd: "/", stdio: ["ignore", "ignore", "pipe"] });
  daemon.stderr?.on("data", (bytes: Buffer) => log.push(bytes.toString()));
  const ended = new Promise<void>((resolve) => daemon.once("exit", () => resolve()));
  const socket = path.join(folder, "run/libvirt/libvirt-sock");
  const uri = "qemu:///session";

  async function virsh(...words: readonly string[]): Promise<string> {
    const { stdout } = await execute("virsh", ["-c", `qemu+unix:///session?socket=${socket}`, ...words]);
    return stdout;
  }
  async function close(): Promise<void> {
    if (existsSync(socket)) await virsh("destroy", name).catch(() => undefined);
    daemon.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }

  const xml = path.join(folder, "machine.xml");
  writeFileSync(xml, domain(name));
  const untilMs = performance.now() + UP_MS;
  while (!existsSync(socket)) {
    if (performance.now() > untilMs || daemon.exitCode !== null) {
      await close();
      throw new Error(`libvirtd does not come up: ${log.join("")}`);
    }
    await sleep(50);
  }
  await virsh("define", xml);
  await virsh("start", name);
  return { socket, uri, virsh, close };
}

/** What this machine lacks to run one. */
export function missingForLibvirt(): readonly string[] {
  const files = ["/usr/sbin/libvirtd", "/usr/bin/virsh", "/usr/bin/qemu-system-x86_64"];
  const driver = "/usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so";
  return [...files, driver].filter((file) => !existsSync(file));
}
