/** The image in an emulated machine: it boots from its disk to the service, and keeps what an appliance promises. */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildImage, makeNodeDisk } from "../../images/build.ts";
import { offsetOf } from "../../images/steps/disk.ts";
import { VERSION } from "../../src/app/version.ts";
import { type Guest, startGuest } from "./guest.ts";

/** A boot takes 9 s on a quiet machine; under full load ten times as long has been seen. */
const BOOT_MAX_MS = 180_000;
/** A node that waits for a peer; nothing runs on it. */
const NODE_CONFIGURATION = `cluster boot
node alpha id 1
node bravo id 2
keepalive 500ms
deadtime 5s
link private udp alpha=198.51.100.1:694 bravo=198.51.100.2:694
authkeys authkeys
watchdog /dev/watchdog timeout 10s
configuration cluster.crm
`;
const MACS = ["52:54:00:0a:00:01", "52:54:00:0a:00:02"] as const;

const directory = mkdtempSync(path.join(os.tmpdir(), "gemel-boot-"));
const disk = path.join(directory, "alpha.img");
let guest: Guest | undefined;

function running(): Guest {
  if (guest === undefined) throw new Error("no machine runs");
  return guest;
}

async function output(script: string): Promise<string> {
  const answer = await running().run(script);
  expect(answer.exitCode, answer.output).toBe(0);
  return answer.output.trim();
}

beforeAll(async () => {
  const image = await buildImage();
  await makeNodeDisk(image, {
    file: disk,
    hostname: "alpha",
    dataFiles: {
      lab: { content: "" },
      "gemel/node.conf": { content: NODE_CONFIGURATION },
      "gemel/authkeys": { content: "auth 1\n1 sha256 0123456789abcdef0123456789abcdef\n", mode: 0o600 },
      "gemel/cluster.crm": { content: "property stonith-enabled=true\n" },
      "gemel/network": { content: `service ${MACS[0]} 192.0.2.1/24\nprivate ${MACS[1]} 198.51.100.1/24\n` },
    },
  });
});

afterAll(async () => {
  await guest?.kill();
  rmSync(directory, { recursive: true, force: true });
});

describe("a machine with a node's disk", () => {
  test("boots by GRUB from slot A to the start of the service", async () => {
    guest = startGuest(directory, disk, MACS);
    await guest.expectConsole(/root of slot A mounted/, BOOT_MAX_MS);
    await guest.expectConsole(/alpha ready for the service/, BOOT_MAX_MS);
    await guest.expectConsole(/starting gemel node/, BOOT_MAX_MS);
  });

  test("runs the node, with its watchdog armed", async () => {
    const wanted = "grep -q 'manager of alpha is up' /data/log/gemel.log";
    await output(`for i in $(seq 100); do ${wanted} && break; sleep 0.5; done; ${wanted} || cat /data/log/gemel.log`);
    expect(await output("cat /sys/class/watchdog/watchdog0/state")).toBe("active");
    // A node that was set up anew writes itself down once it has waited for its peer. Its exit code is 1: there are
    // problems, as the peer and the fencing devices are missing.
    const online = "gemel status | grep -q 'alpha *online'";
    await output(`for i in $(seq 100); do ${online} && break; sleep 1; done; ${online} || gemel status`);
    expect((await running().run("gemel status")).output).toMatch(/alpha +online/);
  });

  test("runs the program without a Node", async () => {
    expect(await output("gemel --version")).toMatch(new RegExp(`^gemel ${VERSION.replaceAll(".", "\\.")} `));
    expect((await running().run("command -v node")).exitCode).not.toBe(0);
    expect(await output("readlink -f /usr/bin/gemel")).toBe("/usr/lib/gemel/gemel");
  });

  test("has a root that nobody can write, and data that stay", async () => {
    for (const place of ["/etc/x", "/usr/bin/x", "/usr/lib/gemel/x"]) {
      const answer = await running().run(`: > ${place}`);
      expect([place, answer.exitCode === 0, answer.output.includes("Read-only")]).toEqual([place, false, true]);
    }
    for (const place of ["/data/gemel/state/x", "/run/gemel/x", "/tmp/x", "/var/lib/x"]) await output(`: > ${place}`);
    expect(await output("stat -c '%a %U' /etc/gemel/authkeys")).toBe("600 root");
    expect(await output("findmnt -no FSTYPE,SOURCE /data")).toMatch(/^ext4/);
  });

  test("has its name, its networks and its devices", async () => {
    expect(await output("hostname")).toBe("alpha");
    expect(await output("ip -br -4 address show dev service")).toContain("192.0.2.1/24");
    expect(await output("ip -br -4 address show dev private")).toContain("198.51.100.1/24");
    expect(await output("readlink -f /dev/disk/by-id/virtio-system")).toBe("/dev/vda");
    expect(await output("cat /sys/class/watchdog/watchdog0/identity")).toContain("i6300ESB");
    expect(await output("cat /sys/module/drbd/parameters/usermode_helper")).toBe("/usr/sbin/drbdadm");
    expect(await output("drbdadm --version")).toContain("DRBDADM_VERSION");
  });

  test("answers the lab side by side, with the exit code and the bytes of a script", async () => {
    const [slow, quick] = await Promise.all([
      running().run("sleep 1; echo slow; exit 3"),
      running().run("head -c 100000 /dev/zero | tr '\\0' x; kill -9 $$"),
    ]);
    expect(slow).toEqual({ exitCode: 3, output: "slow\n" });
    expect([quick.exitCode, quick.output.length]).toEqual([137, 100_000]);
  });

  test("shuts down in order when its power button is pressed", async () => {
    await output("echo kept > /data/gemel/state/kept");
    running().pressPowerButton();
    await running().off;
    expect(running().console()).toMatch(/power button pressed[\s\S]*appliance: shutting down/);
  });

  test("finds its data again, and is reset by its watchdog when the keeper dies", async () => {
    guest = startGuest(directory, disk, MACS);
    await guest.expectConsole(/starting gemel node/, BOOT_MAX_MS);
    expect(await output("cat /data/gemel/state/kept")).toBe("kept");
    const armed = 'test "$(cat /sys/class/watchdog/watchdog0/state)" = active';
    await output(`for i in $(seq 100); do ${armed} && break; sleep 0.5; done; ${armed}`);
    await output("kill -9 $(cat /run/gemel-node.pid)");
    await guest.expectConsole(/armed and not fed any more: the machine will be reset/, BOOT_MAX_MS);
    await guest.expectConsole(/will be reset[\s\S]*root of slot A mounted[\s\S]*starting gemel node/, BOOT_MAX_MS);
    await guest.kill();
  });

  test("says so when its data cannot be used, and leaves the service down", async () => {
    const descriptor = openSync(disk, "r+");
    writeSync(descriptor, Buffer.alloc(96 * 2 ** 20, 0x5a), 0, 96 * 2 ** 20, offsetOf("data"));
    closeSync(descriptor);
    guest = startGuest(directory, disk, MACS);
    await guest.expectConsole(/THE DATA PARTITION CANNOT BE USED, the service stays down/, BOOT_MAX_MS);
    await guest.expectConsole(/ready for the service/, BOOT_MAX_MS);
    expect(guest.console()).not.toContain("starting gemel node");
  });
});
