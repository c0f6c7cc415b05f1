/**
 * `npm run bench -- false-death [MINUTES] [KEEPALIVE_MS DEADTIME_MS]`: two real nodes while every core is
 * busy with computing, with allocating and collecting, and with writing to disk. The bar: nobody is lost. The promise
 * is for 30 minutes at 50 and 300 ms; shorter runs say so. Prints the longest silence, the lateness and the load.
 * Needs root.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { NODES, openNamespacePair } from "../test/support/namespace-pair.ts";

const [minutes = "30", keepalive = "50", deadtime = "300"] = process.argv.slice(2);

interface Report {
  readonly silence: { readonly worstMs: number; readonly p99Ms: number };
  readonly lateness: { readonly worstMs: number; readonly p99Ms: number };
}

function isReport(value: unknown): value is Report {
  return typeof value === "object" && value !== null && "silence" in value && "lateness" in value;
}

const COMPUTE = "for (;;) Math.sqrt(Math.random())";
/** Grows to 200 MB and drops it, so that the collector of a big heap runs again and again. */
const ALLOCATE =
  "let kept = []; for (;;) { kept.push(new Array(1000).fill({ n: Math.random() })); " +
  "if (kept.length > 25000) kept = [] }";
const WRITE =
  'const fs = require("node:fs"); const block = Buffer.alloc(1 << 20); ' +
  'for (;;) { const fd = fs.openSync(process.argv[1], "w"); ' +
  "for (let n = 0; n < 64; n += 1) fs.writeSync(fd, block); fs.fsyncSync(fd); fs.closeSync(fd) }";

/** At ordinary priority, as any load of a machine. */
function startLoad(folder: string): ChildProcess[] {
  const run = (script: string, ...argv: string[]) =>
    spawn(process.execPath, ["-e", script, ...argv], { stdio: "ignore" });
  const computing = Array.from({ length: os.availableParallelism() }, () => run(COMPUTE));
  return [...computing, run(ALLOCATE), run(WRITE, path.join(folder, "load"))];
}

const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-load-"));
const pair = openNamespacePair([`keepalive ${keepalive}ms`, `deadtime ${deadtime}ms`]);
let load: ChildProcess[] = [];
try {
  for (const node of NODES) pair.start(node);
  await pair.until("both are members", () => NODES.every((node) => pair.view(node)?.members.length === 2), 60_000);
  load = startLoad(folder);
  const endAtMs = performance.now() + Number(minutes) * 60_000;
  let worst = { silence: 0, late: 0 };
  let lost: readonly string[] = [];
  while (performance.now() < endAtMs && lost.length === 0) {
    await sleep(1000);
    lost = NODES.filter((node) => /peer-lost|self-fencing/.test(pair.log(node)));
    for (const node of NODES) {
      const told = pair.records(node).findLast(({ kind }) => kind === "report")?.["report"];
      if (isReport(told))
        worst = {
          silence: Math.max(worst.silence, told.silence.worstMs),
          late: Math.max(worst.late, told.lateness.worstMs),
        };
    }
  }
  const kept = lost.length === 0;
  process.stdout.write(
    `${minutes} min at keepalive ${keepalive} ms, deadtime ${deadtime} ms, load ${os.loadavg()[0]?.toFixed(1)}: ` +
      `longest silence of a living node ${Math.round(worst.silence)} ms, own beats late by ` +
      `${Math.round(worst.late)} ms at worst; ${kept ? "nobody lost: kept" : `lost on ${lost.join(", ")}: MISSED`}\n`,
  );
  process.exitCode = kept ? 0 : 1;
} finally {
  for (const child of load) child.kill("SIGKILL");
  await pair.close();
  rmSync(folder, { recursive: true, force: true });
}
