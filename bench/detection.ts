/**
 * `npm run bench -- detection [ROUNDS] [DEADTIME_MS...]`: how long after a kill -9 of a keeper the other one says so.
 * Two real nodes in namespaces, real-time priority where it is allowed. Counted from the kill, which falls anywhere
 * between two beats; the bar is deadtime + 30 ms at worst. Needs root. Exit code 1 when the bar is missed.
 */
import os from "node:os";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { NODES, openNamespacePair } from "../test/support/namespace-pair.ts";

const [rounds = "10", ...deadtimes] = process.argv.slice(2);
const ALLOWED_MS = 30;
let missed = false;

/** Milliseconds from the kill to the line in the survivor's log. */
async function detect(pair: ReturnType<typeof openNamespacePair>): Promise<number> {
  const lostLines = () =>
    pair
      .log("alpha")
      .split("\n")
      .filter((line) => line.includes("peer-lost"));
  const before = lostLines().length;
  await sleep(Math.random() * 300);
  const killedAtMs = Date.now();
  pair.signal("bravo", "SIGKILL");
  await pair.until("bravo is lost", () => lostLines().length > before, 60_000);
  const at = /\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(lostLines().at(-1) ?? "")?.[0] ?? "";
  await pair.ended("bravo");
  return Date.parse(at) - killedAtMs;
}

for (const deadtime of deadtimes.length > 0 ? deadtimes : ["1000"]) {
  const deadtimeMs = Number(deadtime);
  const pair = openNamespacePair([`keepalive ${deadtimeMs / 10}ms`, `deadtime ${deadtimeMs}ms`]);
  try {
    const tookMs: number[] = [];
    pair.start("alpha");
    for (let round = 0; round < Number(rounds); round += 1) {
      pair.start("bravo");
      const joined = () => NODES.every((node) => pair.view(node)?.members.length === 2);
      await pair.until("both are members", joined, 60_000);
      tookMs.push(await detect(pair));
    }
    const sorted = tookMs.toSorted((left, right) => left - right);
    const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
    const worst = sorted.at(-1) ?? 0;
    const kept = worst <= deadtimeMs + ALLOWED_MS;
    missed ||= !kept;
    process.stdout.write(
      `deadtime ${deadtimeMs} ms, ${rounds} kills: median ${median} ms, worst ${worst} ms` +
        ` (bar ${deadtimeMs + ALLOWED_MS} ms: ${kept ? "kept" : "MISSED"}; load ${os.loadavg()[0]?.toFixed(1)})\n`,
    );
  } finally {
    await pair.close();
  }
}
process.exitCode = missed ? 1 : 0;
