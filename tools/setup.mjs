/**
 * Makes a fresh Debian 12 machine ready: checks what cannot be installed, then installs npm's and Debian's packages.
 * Plain JavaScript, since it runs before anything is installed; all else runs on the Node that it brings. An old Node
 * must get as far as being told so: no name is imported from a module that Node 14 might lack, and no import.meta but url.
 * Usage: node tools/setup.mjs build | test | image | lab     (each includes what it needs of the others)
 */
import { execFileSync, spawnSync } from "node:child_process";
import fs, { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const SELF = fileURLToPath(import.meta.url);
const root = path.resolve(path.dirname(SELF), "..");
const NODE_MAJOR_MIN = 20;
/** The image build unpacks a root tree, two disks and the caches; measured at 2.2 GB. */
const DISK_MIN_BYTES = 4e9;
/** Two guests, two BMCs, the lab and the build, with room for the page cache. */
const MEMORY_MIN_BYTES = 2.5e9;

/** Debian packages by purpose, each with the command or file that proves it is there. */
const PACKAGES = {
  build: { binutils: "/usr/bin/strip", libatomic1: "/usr/lib/x86_64-linux-gnu/libatomic.so.1" },
  quick: {
    iproute2: "/usr/sbin/ip",
    "iputils-ping": "/usr/bin/ping",
    procps: "/usr/bin/pgrep",
    e2fsprogs: "/usr/sbin/mkfs.ext4",
    systemd: "/lib/systemd/systemd",
    "dbus-daemon": "/usr/bin/dbus-daemon",
    openipmi: "/usr/bin/ipmi_sim",
    ipmitool: "/usr/bin/ipmitool",
    "fence-agents": "/usr/sbin/fence_redfish",
    "inetutils-telnet": "/usr/bin/telnet",
    "gnutls-bin": "/usr/bin/gnutls-cli",
    "openssh-client": "/usr/bin/ssh",
    sbd: "/usr/sbin/sbd",
    snmp: "/usr/bin/snmpget",
    snmpd: "/usr/sbin/snmpd",
    "nut-server": "/lib/nut/dummy-ups",
    "nut-snmp": "/lib/nut/snmp-ups",
    "libvirt-daemon": "/usr/sbin/libvirtd",
    "libvirt-clients": "/usr/bin/virsh",
    "libvirt-daemon-driver-qemu": "/usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so",
    "cluster-glue": "/usr/lib/stonith/plugins/external/ipmi",
    "resource-agents": "/usr/lib/ocf/resource.d/heartbeat/Dummy",
    "pacemaker-resource-agents": "/usr/lib/ocf/resource.d/pacemaker/Stateful",
    "apache2-bin": "/usr/sbin/apache2",
    "nginx-light": "/usr/sbin/nginx",
  },
  image: {
    mmdebstrap: "/usr/bin/mmdebstrap",
    "squashfs-tools": "/usr/bin/mksquashfs",
    "busybox-static": "/usr/bin/busybox",
    mtools: "/usr/bin/mcopy",
    dosfstools: "/usr/sbin/mkfs.fat",
    e2fsprogs: "/usr/sbin/mke2fs",
    cpio: "/usr/bin/cpio",
    kmod: "/usr/sbin/depmod",
    "xz-utils": "/usr/bin/xz",
    zstd: "/usr/bin/zstd",
    "grub-pc-bin": "/usr/lib/grub/i386-pc/boot.img",
    "grub-common": "/usr/bin/grub-mkimage",
  },
  machines: {
    "qemu-system-x86": "/usr/bin/qemu-system-x86_64",
    openipmi: "/usr/bin/ipmi_sim",
    iproute2: "/usr/sbin/ip",
    ipmitool: "/usr/bin/ipmitool",
    nbdkit: "/usr/bin/nbdkit",
    "apache2-bin": "/usr/sbin/apache2",
    "resource-agents": "/usr/lib/ocf/resource.d/heartbeat/apache",
    wget: "/usr/bin/wget",
  },
};
const PURPOSES = {
  build: ["build"],
  quick: ["build", "quick"],
  test: ["build", "quick", "image", "machines"],
  image: ["build", "image"],
  lab: ["build", "image", "machines"],
};

/** Ends with one clear line: what is missing and what to do. */
function refuse(reason, remedy) {
  process.stderr.write(`gemel set-up: ${reason}; ${remedy}\n`);
  process.exit(1);
}

function say(line) {
  process.stderr.write(`gemel set-up: ${line}\n`);
}

function checkMachine(purpose) {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < NODE_MAJOR_MIN) {
    refuse(`Node ${process.versions.node} is too old`, `install Node ${NODE_MAJOR_MIN} or newer`);
  }
  if (process.platform !== "linux" || process.arch !== "x64") {
    refuse(`this is ${process.platform} on ${process.arch}`, "use a Debian 12 machine on x86-64");
  }
  if (purpose === "build" || purpose === "quick") return;
  if (process.getuid?.() !== 0)
    refuse("not running as root", "run it as root: it installs packages and makes networks");
  const disk = fs.statfsSync(root);
  const freeBytes = disk.bavail * disk.bsize;
  if (freeBytes < DISK_MIN_BYTES) {
    refuse(`only ${(freeBytes / 1e9).toFixed(1)} GB free below ${root}`, `make room for ${DISK_MIN_BYTES / 1e9} GB`);
  }
  const available = /MemAvailable:\s+(\d+) kB/.exec(readFileSync("/proc/meminfo", "utf8"));
  const memoryBytes = available === null ? os.freemem() : Number(available[1]) * 1024;
  if (memoryBytes < MEMORY_MIN_BYTES) {
    refuse(`only ${(memoryBytes / 1e9).toFixed(1)} GB of memory available`, `free ${MEMORY_MIN_BYTES / 1e9} GB`);
  }
}

/** Installs npm's packages when the lock has changed since the last time. `npm ci` misses foreign platforms here. */
function installNodePackages() {
  const stamp = path.join(root, "node_modules", ".gemel-lock");
  const lock = readFileSync(path.join(root, "package-lock.json"), "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  say("installing npm packages (about 15 s)");
  const argv = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const result = spawnSync("npm", argv, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  if (result.status !== 0) refuse("npm install failed, see above", "check that the npm registry is reachable");
  writeFileSync(stamp, readFileSync(path.join(root, "package-lock.json"), "utf8"));
}

function installDebianPackages(purpose) {
  const wanted = new Map(PURPOSES[purpose].flatMap((group) => Object.entries(PACKAGES[group])));
  const missing = [...wanted].filter(([, proof]) => !existsSync(proof)).map(([name]) => name);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) refuse(`packages are missing: ${missing.join(" ")}`, "run it as root, or install them");
  say(`installing Debian packages: ${missing.join(" ")}`);
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (...argv) => spawnSync("apt-get", argv, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  const lockWait = "DPkg::Lock::Timeout=300";
  let result = apt("-o", lockWait, "-q", "update");
  if (result.status === 0) result = apt("-o", lockWait, "-q", "install", "-y", "--no-install-recommends", ...missing);
  if (result.status !== 0) {
    process.stderr.write(String(result.stderr).split("\n").slice(-8).join("\n"));
    refuse("apt-get failed, see above", "check that Debian's package registry is reachable");
  }
  const absent = [...wanted].filter(([, proof]) => !existsSync(proof)).map(([name, proof]) => `${name} (${proof})`);
  if (absent.length > 0) refuse(`installed, but not found: ${absent.join(", ")}`, "use Debian 12");
}

/** Readies the machine for `purpose` and returns the path of the Node to go on with. */
export function setUp(purpose) {
  checkMachine(purpose);
  installNodePackages();
  installDebianPackages(purpose);
  mkdirSync(path.join(root, ".cache"), { recursive: true });
  return path.join(root, "node_modules/.bin/node");
}

/** Goes on as `file` on the Node of the project, with its exit code; signals go to the whole foreground group. */
export function goOnAs(node, file, argv) {
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {});
  const env = {
    ...process.env,
    PATH: `${path.dirname(node)}:${process.env["PATH"] ?? ""}`,
    // Tests and benches start our program some hundred times; compiled once, a start costs a fifth.
    NODE_COMPILE_CACHE: path.join(root, ".cache/compile"),
  };
  try {
    execFileSync(node, [file, ...argv], { cwd: root, stdio: "inherit", env });
  } catch (error) {
    process.exit(typeof error.status === "number" ? error.status : 1);
  }
}

if (process.argv[1] === SELF) {
  const purpose = process.argv[2] ?? "build";
  if (!(purpose in PURPOSES)) refuse(`unknown purpose ${purpose}`, `use one of: ${Object.keys(PURPOSES).join(" ")}`);
  setUp(purpose);
}
