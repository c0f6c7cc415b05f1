/**
 * The table of troubles on a real pair in network namespaces: each row is provoked, the diagnosis and its command must
 * stand in the status of the node that is asked, and the trouble is healed by it. Bar: every row, within its bound (one
 * monitor of 3 s, or deadtime, and the work before it).
 * Run: `npm run bench -- advice [--rows 4,11,...]`, as root.
 */
import os from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { playRow } from "../test/support/advice/play.ts";
import { ROWS, restoreFromBackup } from "../test/support/advice/rows.ts";
import { openStage } from "../test/support/advice/stage.ts";

const { values } = parseArgs({ options: { rows: { type: "string" } } });
const wanted = values.rows?.split(",").map(Number);
const isWanted = (row: number) => wanted === undefined || wanted.includes(row);
const say = (line: string) => process.stdout.write(`${line}\n`);

const stage = await openStage();
const close = () => void stage.close().then(() => process.exit(130));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, close);
let faults = 0;
try {
  say("| row | code | provoked by | told after | what is told | what to do |\n| --- | --- | --- | --- | --- | --- |");
  for (const row of ROWS.filter((one) => isWanted(one.row))) {
    const played = await playRow(stage, row);
    const after = played.tookMs === undefined ? "never" : `${(played.tookMs / 1000).toFixed(1)} s`;
    say(`| ${row.row} | \`${row.code}\` | ${row.how} | ${after} | ${played.what} | ${played.doNow} |`);
    for (const fault of played.faults) say(`FAILED row ${row.row}: ${fault}`);
    faults += played.faults.length;
  }
  if (isWanted(14)) {
    const startedAtMs = performance.now();
    await restoreFromBackup(stage, "bravo");
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
    say(`| 14 | | a node is restored from a backup of its memory | | it comes in by itself, ${seconds} s | nothing |`);
  }
} finally {
  await stage.close();
}
say(
  `load ${os
    .loadavg()
    .map((value) => value.toFixed(1))
    .join(" ")}, ${faults} faults`,
);
process.exitCode = faults === 0 ? 0 : 1;
