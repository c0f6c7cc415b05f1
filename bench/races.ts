/**
 * Two nodes that lose each other on every link and keep their boards, again and again, the service now on the one and
 * now on the other: exactly one may survive, the active one, as both had announced before.
 * Run: `npm run bench -- races [ROUNDS]`, as root. Bar: every round.
 */
import os from "node:os";
import process from "node:process";
import { breachesOf, openPair, playSplit } from "../test/support/cts/split.ts";

const rounds = Number(process.argv[2] ?? 20);
const cluster = await openPair();
const interrupted = () => void cluster.close().then(() => process.exit(130));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, interrupted);
let good = 0;
try {
  for (let round = 1; round <= rounds; round += 1) {
    const split = await playSplit(cluster, round % 2 === 0);
    const breaches = breachesOf(split);
    if (breaches.length === 0) good += 1;
    const seconds = (split.decidedMs / 1_000).toFixed(1);
    const told = `active ${split.active}, announced ${split.announced.join(" and ")}`;
    const end = `survived ${split.survivors.join(", ")}; decided after ${seconds} s`;
    process.stdout.write(`${breaches.length === 0 ? "ok    " : "FAILED"} ${round}: ${told}, ${end}\n`);
    for (const breach of breaches) process.stdout.write(`       ${breach}\n`);
  }
} finally {
  await cluster.close();
}
process.stdout.write(
  `${good} of ${rounds}: exactly one survivor, the active one; load ${os.loadavg()[0]?.toFixed(1)}\n`,
);
process.exitCode = good === rounds ? 0 : 1;
