/**
 * The part of `gemel fence` that asks the running cluster: `history`, `confirm NODE` and `off|on|reboot NODE`.
 * Exit codes: 0 done or confirmed; 1 refused or not done; 2 unknown (assume that the node still runs); 69 no manager.
 */
import process from "node:process";
import { createInterface } from "node:readline/promises";
import { readCommandLine } from "../control-client.ts";
import type { FencingRecord } from "../control-protocol.ts";
import { askAndPrint, askOrTell, EXIT, wrongCall } from "./ask.ts";

export const CLUSTER_USAGE =
  "gemel fence history [--json] | confirm NODE [--yes NODE] | off|on|reboot NODE   (all with [--run DIR])";

/** A topology with retries may take minutes; the fencer bounds itself. */
const FENCE_WAIT_MS = 20 * 60_000;
const UNKNOWN = 2;

export function isClusterWord(word: string | undefined): boolean {
  return ["history", "confirm", "off", "on", "reboot"].includes(word ?? "");
}

function printRecord({ target, action, outcome, device, atWallMs, by, evidence }: FencingRecord): string {
  const how = device === "" ? "" : ` by ${device}`;
  const at = new Date(atWallMs).toISOString();
  return `${at}  ${action} of ${target}: ${outcome}${how}, asked by ${by}\n    ${evidence}\n`;
}

async function confirm(socketPath: string, target: string, yes: unknown): Promise<number> {
  let typed = yes;
  if (typed === undefined) {
    process.stdout.write(
      `You are about to say that ${target} has no power. Its resources will then be started elsewhere; if it still\n` +
        "runs, two nodes will write to the shared data and destroy it. Go and look at the machine.\n",
    );
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    // Where nobody can type (a script, a closed terminal) the question is never answered; that is no success.
    const closed = new Promise<string>((resolve) => terminal.once("close", () => resolve("nothing")));
    typed = await Promise.race([terminal.question("Type the exact name of the node that has no power: "), closed]);
    terminal.close();
  }
  if (typed !== target) {
    process.stderr.write(`gemel fence: ${String(typed)} is not ${target}: nothing was done\n`);
    return EXIT.refused;
  }
  return await askAndPrint("gemel fence", socketPath, { kind: "fence-confirm", target });
}

export async function runCluster(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(argv, { json: { type: "boolean" }, yes: { type: "string" } });
  if (called.kind === "wrong") return wrongCall("gemel fence", called.reason, CLUSTER_USAGE);
  const { socketPath, words, flags } = called;
  const [word, target] = words;
  if (word === "history") {
    const asked = await askOrTell("gemel fence", socketPath, { kind: "fence-history" });
    if (asked.kind === "failed") return asked.exitCode;
    const { history } = asked.value;
    process.stdout.write(
      flags.json === true ? `${JSON.stringify(history, null, 2)}\n` : history.map(printRecord).join(""),
    );
    return EXIT.done;
  }
  if (target === undefined || words.length !== 2) return wrongCall("gemel fence", "say which node", CLUSTER_USAGE);
  if (word === "confirm") return await confirm(socketPath, target, flags.yes);
  if (word !== "off" && word !== "on" && word !== "reboot")
    return wrongCall("gemel fence", `there is no ${word}`, CLUSTER_USAGE);
  const asked = await askOrTell("gemel fence", socketPath, { kind: "fence", target, action: word }, FENCE_WAIT_MS);
  if (asked.kind === "failed") return asked.exitCode;
  process.stdout.write(printRecord(asked.value));
  if (asked.value.outcome === "confirmed") return EXIT.done;
  return asked.value.outcome === "unknown" ? UNKNOWN : EXIT.refused;
}
