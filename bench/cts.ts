/**
 * Rounds of faults and orders on three real nodes in network namespaces, at random by seed, with the audits after each:
 * what Pacemaker's cluster test suite does, and the deaths of our processes. Bar: no failed audit.
 * Run: `npm run bench -- cts [--rounds N] [--seed N] [--only NAME,...] [--go-on] [--keep DIR]`, as root. GEMEL_BINARY
 * names a built program to test in place of the source.
 */
import { cpSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { drawRounds, playRounds } from "../test/support/cts/play.ts";
import { ROUNDS } from "../test/support/cts/rounds.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    "go-on": { type: "boolean", default: false },
    keep: { type: "string" },
  },
});
const among = values.only?.split(",") ?? Object.keys(ROUNDS);
const startedAtMs = performance.now();
const line = (text: string) =>
  process.stdout.write(`${((performance.now() - startedAtMs) / 1000).toFixed(0).padStart(5)} s  ${text}\n`);
let kept = 0;
const { rounds, failures, changes } = await playRounds({
  seed: Number(values.seed),
  names: drawRounds(Number(values.seed), Number(values.rounds), among),
  say: line,
  stopsAtFailure: !values["go-on"],
  onFailure(cluster) {
    if (values.keep === undefined) return;
    kept += 1;
    // Sockets cannot be copied, and claims are links to names.
    const filter = (file: string) => !file.endsWith(".sock") && !file.endsWith("/claims");
    cpSync(cluster.folder, path.join(values.keep, `seed-${values.seed}-${kept}`), { recursive: true, filter });
  },
});
line(`${rounds} rounds by seed ${values.seed}, ${changes} changes of the configuration, ${failures.length} failures`);
process.exitCode = failures.length === 0 ? 0 : 1;
