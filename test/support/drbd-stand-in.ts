/**
 * A world with DRBD in it, for a machine without its module: stand-ins of drbdadm and drbdsetup that keep the state of
 * one resource in a file and answer as the tools of 8.4.11 were recorded to (shared/drbd-transcripts, 01 and 05), and
 * a /proc/drbd. Whatever agent asks them is really run; the kernel's share of the time is missing.
 * Seen and changed only in a mount namespace of the calling thread and what it starts.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { CLONE_NEWNS, unshare } from "../../src/hw/edge/native.ts";
import { printDrbdConfiguration } from "../../src/storage/core/drbd-configuration.ts";

const CONFIGURATION = printDrbdConfiguration({
  resource: "r0",
  minor: 0,
  nodes: [
    { name: "alpha", address: "10.9.0.1:7788", disk: "/dev/vda" },
    { name: "bravo", address: "10.9.0.2:7788", disk: "/dev/vda" },
  ],
  secret: "x",
  timeoutTenths: 30,
});

const head = (folder: string) => `#!/bin/sh
folder=${folder}
read up role < $folder/state
`;

/** By the shell itself: another program for each answer would cost more than DRBD's own tools take. */
const say = (text: string) =>
  `printf '%s\\n' ${text
    .trimEnd()
    .split("\n")
    .map((line) => (line.includes("$") ? `"${line}"` : `'${line}'`))
    .join(" ")};;`;

const VERSIONS = `DRBDADM_API_VERSION=1
DRBD_KERNEL_VERSION_CODE=0x08040b
DRBD_KERNEL_VERSION=8.4.11
DRBDADM_VERSION_CODE=0x091600
DRBDADM_VERSION=9.22.0`;

/** `device`: what stands for /dev/drbd0; agents look whether it is a block device. */
const drbdadm = (folder: string, device: string) => `${head(folder)}[ "$1" = -c ] && shift 2
case $1 in
  up|adjust) echo "1 Secondary" > $folder/state;;
  attach) echo "1 Secondary" > $folder/state;;
  primary) echo "1 Primary" > $folder/state;;
  secondary) echo "1 Secondary" > $folder/state;;
  down) echo "0 Secondary" > $folder/state;;
  dump) ${say(CONFIGURATION)}
  sh-dev) echo ${device};;
  --version) ${say(VERSIONS)}
esac
exit 0
`;

const EVENTS = `exists resource name:r0 role:$role suspended:no
exists connection name:r0 peer-node-id:0 conn-name:peer connection:Connected role:Secondary
exists device name:r0 volume:0 minor:0 disk:UpToDate
exists peer-device name:r0 peer-node-id:0 conn-name:peer volume:0 replication:Established peer-disk:UpToDate
exists -`;

const SH_STATUS = `_minor=0
_res_name=r0
_known=Configured
_cstate=Connected
_role=$role
_peer=Secondary
_disk=UpToDate
_pdsk=UpToDate
_flags_susp=
_sh_status_process`;

const drbdsetup = (folder: string) => `${head(folder)}case $1-$up in
  events2-1) ${say(EVENTS)}
  events2-0) echo "exists -";;
  sh-status-1) ${say(SH_STATUS)}
esac
exit 0
`;

/** Moves the calling thread into that world. `device`: any block device. */
export function enterDrbdWorld(folder: string, device: string): void {
  const [tools, real] = [path.join(folder, "tools"), path.join(folder, "proc")];
  for (const one of [tools, real]) mkdirSync(one, { recursive: true });
  const programs = { drbdadm: drbdadm(folder, device), drbdsetup: drbdsetup(folder) };
  const silent = Object.fromEntries(["crm_master", "crm_attribute"].map((name) => [name, "#!/bin/sh\nexit 0\n"]));
  for (const [name, text] of Object.entries({ ...programs, ...silent })) {
    writeFileSync(path.join(tools, name), text);
    chmodSync(path.join(tools, name), 0o755);
  }
  writeFileSync(path.join(folder, "dump"), CONFIGURATION);
  writeFileSync(path.join(folder, "state"), "0 Secondary\n");
  unshare(CLONE_NEWNS);
  const mount = (...argv: string[]) => execFileSync("mount", argv);
  mount("--make-rprivate", "/");
  mount("--bind", tools, "/usr/local/sbin");
  // No file can be made in /proc itself.
  const entries = readdirSync("/proc").filter((name) => !/^\d+$/.test(name));
  mount("--rbind", "/proc", real);
  mount("-t", "tmpfs", "none", "/proc");
  for (const name of entries) symlinkSync(path.join(real, name), path.join("/proc", name));
  writeFileSync("/proc/drbd", "version: 8.4.11 (api:1/proto:86-101)\n");
}
