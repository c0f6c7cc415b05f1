/**
 * `npm run bench -- membership [PART...] [--short]`: the bars of membership, one after the other, at full length
 * (some 50 minutes) or shortened, which says so in its figures. Parts: detection, false-death, flood, pause, cables;
 * without a name all of them. Needs root, and a machine with nothing else to do. Exit code 1 when a bar is missed.
 */
import { spawnSync } from "node:child_process";
import path from "node:path";
import process from "node:process";

interface Part {
  /** What issue 4 asks for. */
  readonly full: readonly string[];
  readonly short: readonly string[];
}

const PARTS: Readonly<Record<string, Part>> = {
  /** Kills; deadtimes in milliseconds. */
  detection: { full: ["30", "300", "1000", "10000"], short: ["3", "300", "1000"] },
  /** Minutes, keepalive, deadtime. */
  "false-death": { full: ["30", "50", "300"], short: ["0.5", "50", "300"] },
  /** Millions of datagrams. */
  flood: { full: ["10"], short: ["0.2"] },
  /** Rounds. */
  pause: { full: ["5"], short: ["1"] },
  cables: { full: ["2"], short: ["1"] },
};
const WRONG_CALL = 64;

const words = process.argv.slice(2);
const names = words.filter((word) => !word.startsWith("-"));
const isShort = words.includes("--short");
const unknown = words.filter((word) => word !== "--short" && !Object.hasOwn(PARTS, word));
if (unknown.length > 0) {
  process.stderr.write(`membership: no part ${unknown.join(", ")}; there are ${Object.keys(PARTS).join(", ")}\n`);
  process.exitCode = WRONG_CALL;
} else {
  const missed = Object.entries(PARTS).filter(([name, { full, short }]) => {
    if (names.length > 0 && !names.includes(name)) return false;
    const argv = isShort ? short : full;
    process.stdout.write(`== ${name} ${argv.join(" ")}${isShort ? " (shortened)" : ""}\n`);
    const file = path.join(import.meta.dirname, `${name}.ts`);
    return spawnSync(process.execPath, [...process.execArgv, file, ...argv], { stdio: "inherit" }).status !== 0;
  });
  process.stdout.write(missed.length === 0 ? "all kept\n" : `MISSED: ${missed.map(([name]) => name).join(", ")}\n`);
  process.exitCode = missed.length === 0 ? 0 : 1;
}
