/**
 * A pair whose wall clocks differ, and are set while it runs: an hour ahead from the start, a day back, two hours
 * ahead.
 * Bar: both come up, move, take over and come back as with clocks that agree, nobody is taken for dead for it, no
 * resource fails, and status and doctor tell of it. Needs root and libfaketime (bravo's processes alone see the time).
 * Run: `npm run bench -- clock`.
 */
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { ADDRESS, LOSING_TIMES, openNodePair } from "../test/app/node-pair.ts";

const FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
const MAIN = path.resolve(import.meta.dirname, "../src/app/main.ts");
/** Clocks are looked at once a minute. */
const TOLD_MS = 90_000;

if (!existsSync(FAKETIME)) throw new Error("the package libfaketime is missing: apt-get install libfaketime");
const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-clock-"));
const offset = path.join(folder, "offset");
const program = path.join(folder, "gemel");
const setClock = (text: string) => writeFileSync(offset, `${text}\n`);
const faked = `FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_TIMESTAMP_FILE=${offset} FAKETIME_NO_CACHE=1`;
const environment = `LD_PRELOAD=${FAKETIME} ${faked}`;
writeFileSync(program, `#!/bin/sh\nexec env ${environment} ${process.execPath} --no-warnings ${MAIN} "$@"\n`);
chmodSync(program, 0o755);

const TIMES = "op monitor interval=3s timeout=60s op start timeout=60s op stop timeout=60s";
const pair = openNodePair({
  times: LOSING_TIMES,
  configuration: `primitive ip ocf:gemel:IPaddr2 params ip=${ADDRESS} cidr_netmask=24 nic=service ${TIMES}
location l ip 10: alpha
property stonith-enabled=false no-quorum-policy=ignore\n`,
});
let faults = 0;

function tell(what: string, isWell: boolean, figure: string): void {
  process.stdout.write(`${isWell ? "ok    " : "FAILED"}  ${what}: ${figure}\n`);
  if (!isWell) faults += 1;
}

const seconds = (fromMs: number) => `${((performance.now() - fromMs) / 1000).toFixed(1)} s`;

const untilQuiet = () =>
  pair.until("both are online and at rest", async () => {
    const status = await pair.status("alpha");
    return status?.nodes.every(({ state }) => state === "online") === true && !status.transition.isRunning;
  });

/** By status in time, by doctor at once. */
async function isTold(what: string, words: string): Promise<void> {
  const fromMs = performance.now();
  const doctor = pair.gemel("alpha", "doctor").output.includes(words);
  const isInStatus = async () =>
    (await pair.status("alpha"))?.problems.some((problem) => problem.what.includes(words)) === true;
  await pair.until(`status says: ${words}`, isInStatus, TOLD_MS);
  tell(`${what} is told`, doctor, `by doctor ${doctor ? "at once" : "not"}, by status after ${seconds(fromMs)}`);
}

/** The address goes to bravo and comes back. */
async function moves(what: string): Promise<void> {
  const fromMs = performance.now();
  pair.gemel("alpha", "crm", "node", "standby", "alpha");
  await pair.until("bravo has it", () => pair.hasAddress("bravo"));
  pair.gemel("bravo", "crm", "node", "online", "alpha");
  await pair.until("alpha has it again", () => pair.hasAddress("alpha") && !pair.hasAddress("bravo"));
  await untilQuiet();
  tell(`a move there and back ${what}`, true, seconds(fromMs));
}

try {
  setClock("+1h");
  pair.start("alpha");
  pair.start("bravo", program);
  await untilQuiet();
  await isTold("an hour ahead", "the clock of bravo is 3600");
  await moves("with an hour between them");
  setClock("-1d");
  await isTold("a day back", "the clock of bravo is 86400");
  await moves("with a day between them");
  pair.powerOff("alpha");
  const diedAtMs = performance.now();
  await pair.until("bravo takes over", () => pair.hasAddress("bravo"));
  tell("a takeover by the node with the wrong clock", true, seconds(diedAtMs));
  setClock("+2h");
  pair.start("alpha");
  await untilQuiet();
  await pair.until("alpha has it again", () => pair.hasAddress("alpha"));
  const failures = (await pair.status("alpha"))?.failures ?? [];
  const losses = pair.log("alpha").match(/peer-lost/g)?.length ?? 0;
  tell(
    "nothing failed, nobody was lost",
    failures.length + losses === 0,
    `${failures.length} failures, ${losses} losses`,
  );
  const steps = pair.log("bravo").match(/clock-step/g)?.length ?? 0;
  tell("each step stands in the log of its node", steps === 2, `${steps} of 2`);
} finally {
  await pair.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = faults === 0 ? 0 : 1;
