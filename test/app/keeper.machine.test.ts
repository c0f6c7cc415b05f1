/**
 * The keeper on an emulated machine, with watchdog, priority and a serial line; the peer is a keeper on the host,
 * at the other end of that line. A machine that stood still, or whose keeper died, must end before it can do harm.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildImage, makeNodeDisk } from "../../images/build.ts";
import { type Guest, startGuest } from "../images/guest.ts";

/** A boot takes 7 s on a quiet machine; under full load ten times as long has been seen. */
const BOOT_MAX_MS = 180_000;
const KEYS = "auth 1\n1 sha256 only-for-this-test-run\n";
const CLUSTER = "property stonith-enabled=false no-quorum-policy=ignore\n";

const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-keeper-"));
const peerLog = () => readFileSync(path.join(folder, "peer.log"), "utf8");
let guest: Guest | undefined;
let peer: ChildProcess | undefined;

const configuration = (peerPort: string, watchdog: string) => `cluster machine
node alpha id 1
node bravo id 2
keepalive 500ms
deadtime 5s
initdead 60s
link cable serial alpha=/dev/ttyS1 bravo=${peerPort} baud=115200
authkeys authkeys
watchdog ${watchdog}
configuration cluster.crm
`;

function running(): Guest {
  if (guest === undefined) throw new Error("no machine runs");
  return guest;
}

const output = async (script: string) => (await running().run(script)).output.trim();

async function until(what: string, condition: () => boolean | Promise<boolean>, limitMs: number): Promise<void> {
  const endAtMs = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > endAtMs) throw new Error(`not within ${limitMs} ms: ${what}\n${peerLog()}`);
    await sleep(200);
  }
}

const joins = () => peerLog().split("peer-joined: alpha").length - 1;
const boots = () => running().console().split("starting gemel node").length - 1;

beforeAll(async () => {
  const disk = path.join(folder, "alpha.img");
  await makeNodeDisk(await buildImage(), {
    file: disk,
    hostname: "alpha",
    dataFiles: {
      lab: { content: "" },
      "gemel/node.conf": { content: configuration("/dev/unused", "/dev/watchdog timeout 10s") },
      "gemel/authkeys": { content: KEYS, mode: 0o600 },
      "gemel/cluster.crm": { content: CLUSTER },
      "gemel/network": { content: "" },
    },
  });
  guest = startGuest(folder, disk, [], ["-chardev", "pty,id=cable", "-serial", "chardev:cable"]);
  await running().expectConsole(/appliance:/, BOOT_MAX_MS);
  const port = /pty:(\/dev\/pts\/\d+)/.exec(await running().qmp("query-chardev"))?.[1] ?? "";
  mkdirSync(path.join(folder, "run"));
  writeFileSync(path.join(folder, "node.conf"), configuration(port, "none"));
  writeFileSync(path.join(folder, "authkeys"), KEYS, { mode: 0o600 });
  const stub = path.resolve(import.meta.dirname, "../support/stub-node.ts");
  const options = [
    "--config",
    path.join(folder, "node.conf"),
    "--state",
    path.join(folder, "state"),
    "--name",
    "bravo",
  ];
  const shell = `exec "$@" 2>${path.join(folder, "peer.log")}`;
  const argv = [process.execPath, "--disable-warning=ExperimentalWarning", stub, "node", ...options];
  peer = spawn("sh", ["-c", shell, "sh", ...argv, "--run", path.join(folder, "run")], { stdio: "ignore" });
  await until("the peer writes its log", () => peerLogIsThere(), BOOT_MAX_MS);
});

function peerLogIsThere(): boolean {
  try {
    return peerLog() !== "";
  } catch {
    return false;
  }
}

afterAll(async () => {
  peer?.kill("SIGKILL");
  await guest?.kill();
  rmSync(folder, { recursive: true, force: true });
});

test("it joins over the serial line, armed, at real-time priority and protected", async () => {
  await until("alpha has joined", () => joins() > 0, BOOT_MAX_MS);
  const keeper = "P=$(cut -d' ' -f1 /data/gemel/state/keeper.pid)";
  expect(await output("cat /sys/class/watchdog/watchdog0/state /sys/class/watchdog/watchdog0/timeout")).toBe(
    "active\n10",
  );
  // Field 41 of proc(5): 2 is SCHED_RR.
  expect(await output(`${keeper}; cut -d' ' -f41 /proc/$P/stat; cat /proc/$P/oom_score_adj`)).toBe("2\n-1000");
  const lockedKb = Number(await output(`${keeper}; awk '/^Locked/ { print $2 }' /proc/$P/smaps_rollup`));
  expect(lockedKb).toBeGreaterThan(30_000);
  expect(lockedKb).toBeLessThan(120_000);
});

test("frozen for longer than deadtime, it fences itself at the first word of its peer, and comes back", async () => {
  const [before, joinsBefore] = [boots(), joins()];
  await running().qmp("stop");
  await until("alpha is lost", () => peerLog().includes("peer-lost: alpha"), BOOT_MAX_MS);
  await running().qmp("cont");
  await running().expectConsole(/self-fencing: bravo has declared this node lost/, BOOT_MAX_MS);
  await until("the machine has booted again", () => boots() > before, BOOT_MAX_MS);
  await until("alpha has joined again", () => joins() > joinsBefore, BOOT_MAX_MS);
});

test("without its keeper the machine is reset by the watchdog, and says so after the boot", async () => {
  const [before, joinsBefore] = [boots(), joins()];
  await running().run("kill -9 $(cut -d' ' -f1 /data/gemel/state/keeper.pid)");
  await until("the machine has booted again", () => boots() > before, BOOT_MAX_MS);
  await until("alpha has joined again", () => joins() > joinsBefore, BOOT_MAX_MS);
  expect(await output("cat /data/log/gemel.log")).toContain("the last boot was the watchdog's");
});
