/**
 * A real systemd (its user instance) on a real dbus-daemon of its own, for the class `systemd`: nothing is played. It
 * runs in a mount namespace where /run is empty but for what says that systemd has booted, and in a cgroup of its own.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

export interface UserSystemd {
  /** The socket of its bus. */
  readonly bus: string;
  /** Its drop-ins for the time until the next boot. */
  readonly dropIns: string;
  readonly systemctl: (...argv: readonly string[]) => string;
  /** The same beside what else goes on; resolves when the command has ended, however. */
  readonly systemctlLater: (...argv: readonly string[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

export const SYSTEMD = "/lib/systemd/systemd";
const READY_MAX_MS = 60_000;

const busConfiguration = (
  socket: string,
) => `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=${socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow own="*"/></policy></busconfig>
`;

const START = `set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system
umount -l /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/"$1"
echo $$ > /sys/fs/cgroup/"$1"/cgroup.procs
dbus-daemon --config-file="$2/bus.conf" --nofork --nopidfile 2>/dev/null &
bus=$!
${SYSTEMD} --user --log-target=null --unit=basic.target >/dev/null 2>&1 &
systemd=$!
# Ends when its standard input does, also when whoever started it was killed.
cat > /dev/null
kill $systemd; wait $systemd || true
kill $bus; wait $bus || true
echo $$ > /sys/fs/cgroup/cgroup.procs
find /sys/fs/cgroup/"$1" -depth -type d -exec rmdir {} + || true
`;

/** `units`: name and text of unit files. Needs root, systemd and dbus-daemon. */
export async function startUserSystemd(units: Readonly<Record<string, string>>): Promise<UserSystemd> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-systemd-"));
  const at = (name: string) => path.join(folder, name);
  mkdirSync(at("home/.config/systemd/user"), { recursive: true });
  mkdirSync(at("run"), { mode: 0o700 });
  for (const [name, text] of Object.entries(units)) writeFileSync(at(`home/.config/systemd/user/${name}`), text);
  const bus = at("run/bus");
  writeFileSync(at("bus.conf"), busConfiguration(bus));
  const env = {
    PATH: process.env.PATH,
    HOME: at("home"),
    XDG_RUNTIME_DIR: at("run"),
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${bus}`,
  };
  const argv = ["-m", "sh", "-c", START, "sh", path.basename(folder), folder];
  const child = spawn("unshare", argv, { env, stdio: ["pipe", "ignore", "inherit"] });
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  // systemctl must find the same world as systemd.
  const inside = (words: readonly string[]) => ["-t", String(child.pid), "-m", "systemctl", "--user", ...words];
  const systemctl = (...words: readonly string[]) =>
    execFileSync("nsenter", inside(words), { env, stdio: ["ignore", "pipe", "pipe"] }).toString();
  const systemctlLater = (...words: readonly string[]) =>
    new Promise<void>((resolve) => {
      spawn("nsenter", inside(words), { env, stdio: "ignore" }).on("close", () => resolve());
    });
  const close = async () => {
    child.stdin.end();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  for (const startedAtMs = performance.now(); ; ) {
    try {
      if (existsSync(bus) && systemctl("is-active", "basic.target").trim() === "active") break;
    } catch {
      // Not yet.
    }
    if (performance.now() - startedAtMs > READY_MAX_MS) {
      const mounts = readFileSync("/proc/self/mountinfo", "utf8").includes("cgroup2");
      await close();
      throw new Error(`systemd does not come up (cgroup version 2 mounted: ${mounts})`);
    }
    await sleep(50);
  }
  return { bus, dropIns: at("run/systemd/user"), systemctl, systemctlLater, close };
}
