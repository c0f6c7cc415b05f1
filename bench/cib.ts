/**
 * How long a change of the configuration takes until it is acknowledged: on the disks of all three nodes, and confirmed
 * there (docs/protocols/cib.md). Three real nodes in namespaces; they share one disk, which is measured beside.
 * Bar: the middle one within 30 ms on an idle machine whose disk syncs a file within 3 ms.
 * Run: `npm run bench -- cib [--changes N]`, as root.
 */
import { mkdtempSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createChance } from "../src/base/chance.ts";
import { type Cluster, openCluster } from "../test/support/cts/cluster.ts";
import { NODES, type NodeName } from "../test/support/cts/configuration.ts";

const { values } = parseArgs({ options: { changes: { type: "string", default: "100" } } });
const count = Number(values.changes);
/** Of a cluster's configuration. */
const FILE_BYTES = 8_192;
const ANSWER_MS = 35_000;

function spread(name: string, durations: readonly number[]): string {
  const sorted = durations.toSorted((left, right) => left - right);
  const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1);
  return `${name}: median ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms, worst ${at(1)} ms (${sorted.length})\n`;
}

async function timed(what: () => Promise<void>): Promise<number> {
  const startedAtMs = performance.now();
  await what();
  return performance.now() - startedAtMs;
}

/** Written, synced, and nothing else: what the disk itself costs. */
async function syncDurations(): Promise<readonly number[]> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-sync-"));
  const durations: number[] = [];
  for (let index = 0; index < count; index += 1)
    durations.push(
      await timed(async () => {
        const handle = await open(path.join(folder, "file"), "w");
        await handle.writeFile("x".repeat(FILE_BYTES));
        await handle.sync();
        await handle.close();
      }),
    );
  await rm(folder, { recursive: true });
  return durations;
}

async function settled(cluster: Cluster): Promise<NodeName> {
  for (;;) {
    const status = await cluster.status(NODES[0]);
    const isUp = status?.nodes.every(({ state }) => state === "online") === true && status.hasQuorum;
    if (isUp && !status.transition.isRunning && status.dc !== undefined) return status.dc as NodeName;
    await sleep(200);
  }
}

async function changeDurations(cluster: Cluster, through: NodeName): Promise<readonly number[]> {
  const durations: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const value = String(index);
    const request = {
      kind: "attribute",
      node: NODES[0],
      name: `bench-${through}`,
      value,
      lifetime: "forever",
    } as const;
    durations.push(
      await timed(async () => {
        const reply = await cluster.ask(through, request, ANSWER_MS);
        if (reply.kind !== "answer" || reply.cautions !== undefined) throw new Error(JSON.stringify(reply));
      }),
    );
  }
  return durations;
}

/** Each node is asked for this many changes at the same time. */
const AT_ONCE = 8;
const BURSTS = 5;

/** From the first question to the last answer, and every change answered by itself. */
async function burstDurations(cluster: Cluster): Promise<readonly number[]> {
  const durations: number[] = [];
  for (let burst = 0; burst < BURSTS; burst += 1)
    durations.push(
      await timed(async () => {
        const asked = NODES.flatMap((through) =>
          Array.from({ length: AT_ONCE }, (_, index) => {
            const fixed = { kind: "attribute", node: NODES[0], lifetime: "forever" } as const;
            const name = `burst-${through}-${index}`;
            return cluster.ask(through, { ...fixed, name, value: String(burst) }, ANSWER_MS);
          }),
        );
        for (const reply of await Promise.all(asked))
          if (reply.kind !== "answer" || reply.cautions !== undefined) throw new Error(JSON.stringify(reply));
      }),
    );
  return durations;
}

const cluster = await openCluster(createChance(1).next);
try {
  for (const node of NODES) cluster.start(node);
  const dc = await settled(cluster);
  const other = NODES.find((node) => node !== dc) ?? dc;
  process.stdout.write(spread("a file of 8 KiB synced", await syncDurations()));
  process.stdout.write(spread("a change asked at the DC", await changeDurations(cluster, dc)));
  process.stdout.write(spread("a change asked at another node", await changeDurations(cluster, other)));
  const atOnce = AT_ONCE * NODES.length;
  process.stdout.write(
    spread(`${atOnce} changes asked at once at all nodes, all answered`, await burstDurations(cluster)),
  );
  process.stdout.write(
    `load ${os
      .loadavg()
      .map((value) => value.toFixed(1))
      .join(" ")}\n`,
  );
} finally {
  await cluster.close();
}
