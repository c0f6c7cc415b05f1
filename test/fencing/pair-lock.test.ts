/** Two real nodes and a lock on a shared disk as the only evidence of death. Needs root. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { afterEach, expect, test } from "vitest";
import { printSfexControl, printSfexLock, readSfexLock } from "../../src/hw/core/sfex/record.ts";
import { ADDRESS, NODES, type NodeName, type NodePair, openNodePair } from "../app/node-pair.ts";
import { skips } from "../support/skip.ts";

const TIMEOUT_MS = 180_000;
/** Short enough for a test, long enough for a disk on a busy machine. */
const LOCK_SECONDS = 8;
const isSkipped = skips(process.getuid?.() !== 0, "it needs root for its network namespaces");
const asRoot = (name: string, run: () => Promise<void>) => test.skipIf(isSkipped)(name, { timeout: TIMEOUT_MS }, run);

let pair: NodePair | undefined;
let directory = "";
afterEach(async () => {
  await pair?.close();
  pair = undefined;
  rmSync(directory, { recursive: true, force: true });
});

/** A running pair; `holder` has the lock and, behind it, the address. */
async function start(): Promise<{ opened: NodePair; disk: string; holder: NodeName; other: NodeName }> {
  // Not in tmpfs: it knows no O_DIRECT.
  directory = mkdtempSync(path.join(import.meta.dirname, ".sfex-"));
  const disk = path.join(directory, "disk");
  const record = printSfexLock({ held: false, count: 0, node: "" }, 512);
  const control = printSfexControl({ sectorBytes: 512, lockCount: 1 });
  writeFileSync(disk, Buffer.concat([control, record, Buffer.alloc(7 * 512)]));
  const times = `lock_timeout=${LOCK_SECONDS} collision_timeout=1 monitor_interval=1`;
  // The least above the lock's own times that the driver takes.
  const once = `confirm_time=${LOCK_SECONDS + 6}s poll_time=500ms pcmk_off_retries=1`;
  const operations = "op start timeout=60s op monitor interval=5s";
  const opened = openNodePair({
    times: ["keepalive 200ms", "deadtime 2s", "initdead 5s"],
    configuration: `primitive lock ocf:gemel:sfex params device=${disk} ${times} ${operations}
primitive ip ocf:gemel:IPaddr2 params ip=${ADDRESS} cidr_netmask=24 nic=service op monitor interval=5s
group g lock ip
primitive proof stonith:sfex params resource=lock ${once} pcmk_host_list="alpha bravo"
property no-quorum-policy=ignore stonith-enabled=true stonith-action=off
`,
  });
  pair = opened;
  for (const node of NODES) opened.start(node);
  await opened.until("the address is up on one node, and the pair is idle", async () => {
    const status = await opened.status("bravo");
    const isUp = NODES.filter((node) => opened.hasAddress(node)).length === 1;
    return isUp && status?.nodes.every(({ state }) => state === "online") === true && !status.transition.isRunning;
  });
  const [holder, other] = opened.hasAddress("alpha") ? (["alpha", "bravo"] as const) : (["bravo", "alpha"] as const);
  expect(readSfexLock(readFileSync(disk).subarray(512, 1_024))).toMatchObject({ value: { held: true, node: holder } });
  return { opened, disk, holder, other };
}

asRoot("a holder without power is proven dead by its lock, and only then its address is taken over", async () => {
  const { opened, disk, holder, other } = await start();
  opened.cut(holder);
  const cutAtMs = performance.now();
  await opened.until("the other has the address", () => opened.hasAddress(other), 60_000);
  expect(performance.now() - cutAtMs).toBeGreaterThan(LOCK_SECONDS * 1_000);
  expect(opened.gemel(other, "fence", "history").output).toContain(
    `off by its lock, not renewed for ${LOCK_SECONDS} s`,
  );
  expect(readSfexLock(readFileSync(disk).subarray(512, 1_024))).toMatchObject({ value: { held: true, node: other } });
});

asRoot("a holder behind a cut cable renews, and keeps all; once its manager hangs it is ended in time", async () => {
  const { opened, holder, other } = await start();
  opened.heart("down");
  const history = () => opened.gemel(other, "fence", "history").output;
  const renewed = "read power: on by its renewal of the lock";
  await opened.until("the lock is seen to be renewed", () => history().includes(renewed), 90_000);
  expect(history()).toMatch(new RegExp(`of ${holder}: unknown`));
  expect([opened.hasAddress(holder), opened.hasAddress(other)]).toEqual([true, false]);
  const frozenAtMs = performance.now();
  // One that hangs once is started anew, takes its lock up again, and nothing is lost.
  await opened.until("its keeper ends it", () => {
    opened.freezeManager(holder);
    return opened.log(holder).includes("self-fencing");
  });
  expect(performance.now() - frozenAtMs).toBeLessThan(LOCK_SECONDS * 1_000);
  expect(opened.log(holder)).toContain("was not renewed: another node may take it, and this one for dead");
  expect(await opened.ended(holder)).toBe(70);
});
