/**
 * Watchdog fencing with three real keepers: who loses quorum is ended by its watchdog, and the others count on it only
 * afterwards. A stand-in for the hardware ends the processes (test/support/watchdog-stand-in.ts). Needs root.
 */
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { afterEach, expect, test } from "vitest";
import { type NamespacePair, openNamespacePair } from "../support/namespace-pair.ts";
import { skips } from "../support/skip.ts";

const isSkipped = skips(process.getuid?.() !== 0, "it needs root for its network namespaces");
const NODES = ["alpha", "bravo", "charlie"];
/** Never `reboot`: these nodes are processes on a machine that others use. */
const LINES = [
  ...["keepalive 200ms", "deadtime 5s", "initdead 60s", "realtime off"],
  ...["quorum-lease 8s", "self-fencing watchdog"],
];
/** Longer than this machine stands still: the watchdogs of the two others must not fire. */
const WATCHDOG_MS = 5_000;
const LEASE_MS = 8_000;
/** Lease, watchdog, a keepalive, half a second. */
const PROMISED_MS = LEASE_MS + WATCHDOG_MS + 200 + 500;

let site: NamespacePair | undefined;
afterEach(async () => {
  await site?.close();
  site = undefined;
});

async function start(): Promise<NamespacePair> {
  const watchdog = `/dev/watchdog timeout ${WATCHDOG_MS / 1_000}s`;
  const opened = openNamespacePair(LINES, { nodes: NODES, watchdog, isWatched: true });
  site = opened;
  for (const node of NODES) opened.start(node);
  await opened.until("all three have quorum, and everybody has promised", () =>
    NODES.every((node) => {
      const view = opened.view(node);
      const promises = view?.peers.filter(({ promise }) => promise?.endsWithinMs === PROMISED_MS) ?? [];
      return view?.quorate === true && view.members.length === 3 && promises.length === 2;
    }),
  );
  return opened;
}

const fedAtWallMs = (opened: NamespacePair, node: string) =>
  statSync(path.join(opened.runFolder(node), "watchdog")).mtimeMs;
const firedOf = (opened: NamespacePair, node: string) => path.join(opened.runFolder(node), "watchdog.fired");
const endedOf = (opened: NamespacePair, by: string, node: string) =>
  opened.view(by)?.peers.find(({ name }) => name === node)?.promise?.endedAfterMs;

/**
 * Waits until both others take charlie for ended; by then its watchdog must have ended it. The stand-in is a process,
 * which may stand still as all others: when the hardware would have fired is told by when it was fed last.
 */
async function provenAfterItsEnd(opened: NamespacePair): Promise<void> {
  for (const by of ["alpha", "bravo"]) {
    await opened.until(`${by} takes charlie for ended`, () => endedOf(opened, by, "charlie") !== undefined);
    await opened.until("its watchdog has fired", () => existsSync(firedOf(opened, "charlie")));
    expect(endedOf(opened, by, "charlie")).toBeGreaterThanOrEqual(PROMISED_MS * 1.01);
    expect(opened.view(by)).toMatchObject({ members: ["alpha", "bravo"], quorate: true });
  }
  expect(["alpha", "bravo"].filter((node) => existsSync(firedOf(opened, node)))).toEqual([]);
}

test.skipIf(isSkipped)(
  "who is cut off is ended by its watchdog, then taken for ended, and stays out in that boot",
  async () => {
    const opened = await start();
    const cutAtMs = Date.now();
    for (const cable of ["one", "two"] as const) opened.cable(cable, "down", "charlie");
    await opened.until("its watchdog fires", () => existsSync(firedOf(opened, "charlie")));
    expect(opened.log("charlie")).toContain("self-fencing: no majority of the nodes has heard this one");
    // The others count longer than that from when they heard it last, as is looked at below.
    expect(fedAtWallMs(opened, "charlie") + WATCHDOG_MS - cutAtMs).toBeLessThan(PROMISED_MS);
    await provenAfterItsEnd(opened);
    await opened.ended("charlie");
    opened.start("charlie");
    expect(await opened.ended("charlie")).toBe(71);
    expect(opened.log("charlie")).toContain("an earlier start in this boot has promised its peers to end");
  },
);
