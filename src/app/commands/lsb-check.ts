/**
 * `gemel lsb-check SCRIPT`: tries an init script against the rules that a cluster needs. It starts and stops the
 * service, so it refuses when the service runs, unless told --stop-it.
 */
import { accessSync, constants } from "node:fs";
import path from "node:path";
import process from "node:process";
import { formatFinding, isKept, LSB_STEPS, type LsbFinding } from "../../cluster/core/lsb-check.ts";
import { runProcess } from "../../hw/edge/child-process.ts";
import { parseArgs } from "../arguments.ts";
import { withProgress } from "../progress.ts";

const INIT_DIRECTORY = "/etc/init.d";
const TIMEOUT_MS = 60_000;
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", HOME: "/" };

async function call(file: string, argument: string): Promise<number | undefined> {
  const called = runProcess({ file, argv: [argument], environment: ENVIRONMENT, timeoutMs: TIMEOUT_MS }).done;
  const { end } = await withProgress("gemel lsb-check", `${path.basename(file)} ${argument} has not ended yet`, called);
  return end.kind === "exit" ? end.code : undefined;
}

/** The findings in the order of trying; the script is left stopped. */
export async function checkLsbScript(
  file: string,
  onFinding: (finding: LsbFinding) => void,
): Promise<readonly LsbFinding[]> {
  const findings: LsbFinding[] = [];
  for (const step of LSB_STEPS) {
    const finding = { step, code: await call(file, step.argument) };
    findings.push(finding);
    onFinding(finding);
  }
  return findings;
}

function refuse(reason: string, code: number): number {
  process.stderr.write(`gemel lsb-check: ${reason}\n`);
  return code;
}

/** Exit codes: 0 all rules kept; 1 some broken; 2 not tried; 64 for a wrong call. */
export async function run(argv: readonly string[]): Promise<number> {
  let words: string[] = [];
  let mayStop = false;
  try {
    const parsed = parseArgs({
      args: [...argv],
      options: { "stop-it": { type: "boolean" } },
      allowPositionals: true,
    });
    words = parsed.positionals;
    mayStop = parsed.values["stop-it"] === true;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error), 64);
  }
  const [name] = words;
  if (name === undefined || words.length > 1) return refuse("name one script, as in: gemel lsb-check nginx", 64);
  const file = name.includes("/") ? path.resolve(name) : path.join(INIT_DIRECTORY, name);
  try {
    accessSync(file, constants.X_OK);
  } catch {
    return refuse(`there is no executable ${file}`, 2);
  }
  if ((await call(file, "status")) === 0) {
    if (!mayStop) return refuse(`${name} runs; the check stops and starts it: say --stop-it, or stop it first`, 2);
    await call(file, "stop");
  }
  const findings = await checkLsbScript(file, (finding) => process.stdout.write(`${formatFinding(finding)}\n`));
  const isFit = findings.every(isKept);
  const verdict = isFit
    ? "fit for a cluster, as far as can be tried: what it says of a start or stop that a fault has broken, nobody tried"
    : "not fit for a cluster: mend the script, or use an OCF agent";
  process.stdout.write(`${name}: ${verdict}\n`);
  return isFit ? 0 : 1;
}
