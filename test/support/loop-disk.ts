/** Small shared disks for tests: loop devices, for Debian's sbd takes nothing but block devices. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

export interface LoopDisk {
  readonly path: string;
  detach(): void;
}

/** Why there are none here, or undefined. */
export function objectToLoopDisks(): string | undefined {
  if (process.getuid?.() !== 0) return "loop devices need root";
  if (!existsSync("/dev/loop-control")) return "this machine has no loop devices";
  return existsSync("/usr/sbin/sbd") ? undefined : "the package sbd is missing: node tools/setup.mjs test";
}

/** One MiB of zeros behind a block device. */
export function attachLoopDisk(): LoopDisk {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-disk-"));
  const file = path.join(folder, "disk");
  writeFileSync(file, "");
  truncateSync(file, 2 ** 20);
  const device = execFileSync("losetup", ["--find", "--show", file]).toString().trim();
  return {
    path: device,
    detach() {
      execFileSync("losetup", ["--detach", device]);
      rmSync(folder, { recursive: true });
    },
  };
}

/** Debian's sbd on these disks; returns what it prints. */
export function runSbd(disks: readonly LoopDisk[], ...argv: readonly string[]): string {
  return execFileSync("sbd", [...disks.flatMap((disk) => ["-d", disk.path]), ...argv]).toString();
}

export interface SbdDaemon {
  readonly started: Promise<void>;
  readonly ended: Promise<void>;
  stop(): void;
}

const LOOK_MS = 100;

function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (!condition()) return;
      clearInterval(timer);
      resolve();
    }, LOOK_MS);
    timer.unref();
  });
}

/**
 * A real sbd daemon that watches over `node`. Without a watchdog, and in its trace mode (`-Z -Z`): a kill only ends
 * the daemon, never this machine.
 */
export function watchWithSbd(disk: LoopDisk, node: string): SbdDaemon {
  const safe = ["-n", node, "-R", "-W", "-W", "-P", "-P", "-Z", "-Z", "-p", `/tmp/gemel-sbd-${process.pid}-${node}`];
  const env = { ...process.env, SBD_PACEMAKER: "no", SBD_SYNC_RESOURCE_STARTUP: "no" };
  spawn("sbd", ["-d", disk.path, ...safe, "watch"], { stdio: "ignore", detached: true, env });
  const watchers = (): readonly number[] => {
    try {
      const found = execFileSync("pgrep", ["-f", `^sbd: watcher: ${disk.path} `]).toString();
      return found.split("\n").filter(Boolean).map(Number);
    } catch {
      return []; // pgrep finds none
    }
  };
  const started = until(() => watchers().length > 0);
  return {
    started,
    ended: started.then(() => until(() => watchers().length === 0)),
    stop() {
      for (const watcher of watchers()) {
        // The inquisitor, its parent, would only start another watcher.
        const status = readFileSync(`/proc/${watcher}/status`, "utf8");
        process.kill(Number(/^PPid:\s*(\d+)/m.exec(status)?.[1]), "SIGKILL");
        process.kill(watcher, "SIGKILL");
      }
    },
  };
}
