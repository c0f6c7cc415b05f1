/**
 * `gemel fence ipmi ... status|off|on`: drives one board without a cluster, for the first day and for the worst one.
 * The password is never an argument, for every user of the machine can read those: it comes from a secrets file.
 * Exit codes: 0 confirmed; 1 not done; 2 unknown (assume that the machine still runs); 64 a wrong call.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { formatProblem } from "../../base/problem.ts";
import type { DeviceReport, FencingAction } from "../../fencing/core/driver.ts";
import { CATALOGUE } from "../../fencing/drivers/index.ts";
import { createRunner } from "../../fencing/edge/runner.ts";

const USAGE =
  "gemel fence ipmi --host HOST --user USER --secrets FILE --secret NAME [--port PORT] [--cipher-suite 3|17]\n" +
  "                 [--privilege operator|administrator] [--board-guid GUID] [--timeout TIME] status|off|on\n";

const OPTIONS = {
  host: { type: "string" },
  port: { type: "string" },
  user: { type: "string" },
  secrets: { type: "string" },
  secret: { type: "string" },
  "kg-secret": { type: "string" },
  "cipher-suite": { type: "string" },
  privilege: { type: "string" },
  "board-guid": { type: "string" },
  timeout: { type: "string" },
} as const;

const EXIT_CODES = { confirmed: 0, "not-done": 1, unknown: 2 } as const;
const WRONG_CALL = 64;

function isAction(word: string | undefined): word is FencingAction {
  return word === "status" || word === "off" || word === "on";
}

function wrongCall(reason: string): number {
  process.stderr.write(`gemel fence: ${reason}\nusage: ${USAGE}`);
  return WRONG_CALL;
}

function print(host: string, action: FencingAction, { outcome, evidence }: DeviceReport): number {
  for (const { lastWallMs, asked, answered } of evidence) {
    process.stdout.write(`${new Date(lastWallMs).toISOString()}  ${asked}: ${answered}\n`);
  }
  if (outcome.kind === "confirmed") process.stdout.write(`${host}: ${action} confirmed, power is ${outcome.power}\n`);
  else process.stderr.write(`gemel fence: ${host}: ${action} ${outcome.kind}: ${outcome.reason}\n`);
  return EXIT_CODES[outcome.kind];
}

async function runIpmi(argv: readonly string[]): Promise<number> {
  let parsed: ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return wrongCall(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  const [action] = positionals;
  if (!isAction(action) || positionals.length !== 1) return wrongCall("say one of status, off and on");
  const { secrets, timeout, ...rest } = values;
  if (secrets === undefined) return wrongCall("say which file holds the password: --secrets FILE");
  const named = Object.entries({ ...rest, confirm_time: timeout }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name.replaceAll("-", "_"), value] as const],
  );
  const choice = CATALOGUE.choose("ipmi-lan", Object.fromEntries(named));
  if (choice === undefined || choice.complaints.length > 0) {
    for (const { parameter, reason, remedy } of choice?.complaints ?? []) {
      const place = `--${(parameter === "confirm_time" ? "timeout" : parameter).replaceAll("_", "-")}`;
      process.stderr.write(`${formatProblem({ severity: "error", place, reason, remedy })}\n`);
    }
    return WRONG_CALL;
  }
  const runner = createRunner({ secretsFile: secrets });
  try {
    const device = { id: "command-line", driver: choice.driver, parameters: choice.parameters };
    return print(values.host ?? "", action, await runner.run(device, action, choice.boundMs));
  } finally {
    runner.close();
  }
}

/** Runs `gemel fence ...`. */
export async function run(argv: readonly string[]): Promise<number> {
  const [dialect, ...rest] = argv;
  if (dialect === "ipmi") return runIpmi(rest);
  if (dialect === "--help" || dialect === "-h") {
    process.stdout.write(`usage: ${USAGE}`);
    return 0;
  }
  return wrongCall(dialect === undefined ? "say which dialect" : `there is no dialect ${dialect}`);
}
