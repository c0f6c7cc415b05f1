/**
 * `npm run bench -- membership [PART...] [--short]`: the bars of membership, one after the other, at full length or
 * shortened, which says so in its figures; at the end one table with each bar, what was measured, and whether it was
 * kept. Parts: detection (10 min), false-death (31 min), flood (5 min), pause (2 min), cables (3 min); without a name
 * all of them. Needs root, and a machine with nothing else to do. Exit code 1 when a bar is missed.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import process from "node:process";

interface Part {
  /** What issue 4 asks for. */
  readonly bar: string;
  readonly full: readonly string[];
  readonly short: readonly string[];
}

const PARTS: Readonly<Record<string, Part>> = {
  /** Kills; deadtimes in milliseconds. */
  detection: {
    bar: "a killed node is found at deadtime + at most 30 ms (median and worst of 30; 300 ms, 1 s, 10 s)",
    full: ["30", "300", "1000", "10000"],
    short: ["3", "300", "1000"],
  },
  /** Minutes, keepalive, deadtime. */
  "false-death": {
    bar: "no false death in 30 minutes at keepalive 50 ms, deadtime 300 ms, both cores busy",
    full: ["30", "50", "300"],
    short: ["0.5", "50", "300"],
  },
  /** Millions of datagrams. */
  flood: {
    bar: "10 million datagrams and serial noise: no crash, at most 1 line of log a second, nobody late or lost",
    full: ["10"],
    short: ["0.2"],
  },
  /** Rounds. */
  pause: { bar: "SIGSTOP of 1.5 deadtimes, then SIGCONT: never two writers", full: ["5"], short: ["1"] },
  /** Times that all combinations are pulled. */
  cables: {
    bar: "every cable, all combinations, twice: no takeover while one lives, one winner when none does, all heal",
    full: ["2"],
    short: ["1"],
  },
};
const WRONG_CALL = 64;

interface Result {
  readonly name: string;
  readonly bar: string;
  readonly isKept: boolean;
  readonly tookMs: number;
  /** What the part said of its figures. */
  readonly figures: readonly string[];
}

const isFigure = (line: string) => /kept|MISSED/.test(line);

async function run(name: string, { bar, full, short }: Part, isShort: boolean): Promise<Result> {
  const argv = isShort ? short : full;
  process.stdout.write(`== ${name} ${argv.join(" ")}${isShort ? " (shortened)" : ""}\n`);
  const startedAtMs = performance.now();
  const file = path.join(import.meta.dirname, `${name}.ts`);
  const child = spawn(process.execPath, [...process.execArgv, file, ...argv], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    process.stdout.write(chunk);
  });
  const [code] = await once(child, "close");
  const figures = said.split("\n").filter(isFigure);
  return { name, bar, isKept: code === 0, tookMs: performance.now() - startedAtMs, figures };
}

function table(results: readonly Result[], isShort: boolean): string {
  const rows = results.map(({ name, bar, isKept, tookMs, figures }) => {
    const minutes = (tookMs / 60_000).toFixed(1).padStart(5);
    const head = `${isKept ? "kept  " : "MISSED"} ${name.padEnd(12)} ${minutes} min  ${bar}`;
    // Of many rounds the last line is the sum; detection has one for each deadtime.
    const shown = name === "cables" ? figures.slice(-1) : figures;
    return [head, ...shown.map((line) => `       ${line}`)].join("\n");
  });
  const isAllKept = results.every(({ isKept }) => isKept);
  const sum = `${isAllKept ? "all kept" : "MISSED"}${isShort ? ", but shortened: no bar is proven by this" : ""}`;
  return ["", "bars of membership (issue 4)", ...rows, sum, ""].join("\n");
}

const words = process.argv.slice(2);
const names = words.filter((word) => !word.startsWith("-"));
const isShort = words.includes("--short");
const unknown = words.filter((word) => word !== "--short" && !Object.hasOwn(PARTS, word));
if (unknown.length > 0) {
  process.stderr.write(`membership: no part ${unknown.join(", ")}; there are ${Object.keys(PARTS).join(", ")}\n`);
  process.exitCode = WRONG_CALL;
} else {
  const results: Result[] = [];
  for (const [name, part] of Object.entries(PARTS))
    if (names.length === 0 || names.includes(name)) results.push(await run(name, part, isShort));
  process.stdout.write(table(results, isShort));
  process.exitCode = results.every(({ isKept }) => isKept) ? 0 : 1;
}
