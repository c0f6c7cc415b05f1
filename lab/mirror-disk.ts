/**
 * The mirrored disk as a new pair gets it: DRBD metadata and an empty filesystem. It is made once, in one machine that
 * runs no service, and kept; both nodes start with copies. Copies have the same generation identifiers, so the two
 * connect as UpToDate without a first synchronisation; the bitmap is cleared, or the first real one would copy all.
 */
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Image, makeNodeDisk } from "../images/build.ts";
import { openPair } from "./pair.ts";
import { nodeDirectory, type Place, ROOT } from "./place.ts";

const SIZE_BYTES = 192 * 1024 * 1024;
const BOOT_MAX_MS = 180_000;
const BOOT_POLL_MS = 500;
const ANSWER_MAX_MS = 120_000;

const RESOURCE = `resource records {
  on alpha { device /dev/drbd0; disk /dev/disk/by-id/virtio-mirror; address 127.0.0.1:7788; meta-disk internal; }
  on bravo { device /dev/drbd0; disk /dev/disk/by-id/virtio-mirror; address 127.0.0.2:7788; meta-disk internal; }
}`;

/**
 * Each line must succeed. The filesystem is made through DRBD, so that its size leaves the metadata alone. At the end
 * the bitmap is cleared (StandAlone only): otherwise the first resync would copy the whole disk. Its UUID goes with it:
 * it says "the peer has been away since", and a Primary that believes so begins no new generation when it loses its
 * peer, so that nobody would see on a rejoin that the data differ.
 */
const SCRIPT = `set -e
printf '%s\\n' '${RESOURCE.replaceAll("\n", "' '")}' >/tmp/mirror.conf
drbdadm -c /tmp/mirror.conf create-md --force records
drbdadm -c /tmp/mirror.conf up records
drbdadm -c /tmp/mirror.conf disconnect records
drbdadm -c /tmp/mirror.conf primary --force records
mke2fs -q -t ext4 -E nodiscard -L records /dev/drbd0
drbdadm -c /tmp/mirror.conf -- --clear-bitmap new-current-uuid records
drbdadm -c /tmp/mirror.conf secondary records
drbdadm -c /tmp/mirror.conf down records
generation=$(drbdadm -c /tmp/mirror.conf get-gi records | awk -F: -v OFS=: '{ $2 = "0000000000000000"; print }')
drbdmeta --force 0 v08 /dev/disk/by-id/virtio-mirror internal set-gi "$generation"
case $(drbdadm -c /tmp/mirror.conf get-gi records) in *:0000000000000000:*:*:1:1:*) ;; *) exit 1 ;; esac
sync`;

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The path of the kept disk; makes it in a small lab at `place` when it is not there (half a minute). */
export async function mirrorDisk(image: Image, place: Place, say: (line: string) => void): Promise<string> {
  const key = createHash("sha256").update(`${SIZE_BYTES}\n${SCRIPT}`).digest("hex").slice(0, 16);
  const kept = path.join(ROOT, ".cache", "lab", `mirror-${key}.img`);
  if (existsSync(kept)) return kept;
  say("making the mirrored disk: DRBD metadata and an empty filesystem (once)");
  mkdirSync(path.dirname(kept), { recursive: true });
  rmSync(place.directory, { recursive: true, force: true });
  const pair = await openPair({
    place,
    memoryMb: 384,
    onEvent: () => {},
    makeDisks: async (node, directory) => {
      writeFileSync(path.join(directory, "mirror.img"), "");
      truncateSync(path.join(directory, "mirror.img"), SIZE_BYTES);
      if (node !== "alpha") return;
      const file = path.join(directory, "system.img");
      await makeNodeDisk(image, { file, hostname: node, dataFiles: { lab: { content: "" } } });
    },
  });
  try {
    const { alpha } = pair.machines;
    await alpha.powerOn();
    for (let waitedMs = 0; (await alpha.run("true", BOOT_POLL_MS)) === undefined; waitedMs += BOOT_POLL_MS) {
      if (waitedMs > BOOT_MAX_MS)
        throw new Error(`the machine does not boot; see ${place.directory}/alpha/console.log`);
      await sleep(BOOT_POLL_MS);
    }
    await alpha.must(SCRIPT, ANSWER_MAX_MS);
    // A stopped machine has all its writes flushed to the disk's file.
    await alpha.freeze();
    copyFileSync(path.join(nodeDirectory(place, "alpha"), "mirror.img"), `${kept}.new`);
    renameSync(`${kept}.new`, kept);
  } finally {
    await pair.down();
  }
  return kept;
}
