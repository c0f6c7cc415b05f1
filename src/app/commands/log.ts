/** `gemel log [--lines N] [--node NODE]`: the last lines of a node's manager, oldest first. */
import process from "node:process";
import { readCommandLine } from "../control-client.ts";
import { askOrTell, EXIT, wrongCall } from "./ask.ts";

const USAGE = "gemel log [--lines N] [--node NODE] [--run DIR]";
const LINES = 200;

export async function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(argv, { lines: { type: "string" }, node: { type: "string", short: "N" } }, 0);
  if (called.kind === "wrong") return wrongCall("gemel log", called.reason, USAGE);
  const { lines: written = String(LINES), node } = called.flags;
  const lines = Number(written);
  if (!Number.isSafeInteger(lines) || lines < 1) return wrongCall("gemel log", "--lines wants a number from 1", USAGE);
  const asked = await askOrTell("gemel log", called.socketPath, {
    kind: "log",
    lines,
    ...(typeof node === "string" ? { node } : {}),
  });
  if (asked.kind === "failed") return asked.exitCode;
  for (const line of asked.value.lines) process.stdout.write(`${line}\n`);
  return EXIT.done;
}
