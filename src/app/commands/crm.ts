/**
 * `gemel crm`, also called as `crm`: the shell that operators know. With words it does one thing; without, it reads
 * lines from a terminal (completion, history), from a pipe, or from the file of `-f`.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { controlSocketPath } from "../control-client.ts";
import { configureOnce, quoteArgument } from "../crm/configure-level.ts";
import { EXIT, openSession } from "../crm/session.ts";
import { runBatch, runLine, type Shell } from "../crm/shell.ts";
import { converse, terminal } from "../crm/terminal.ts";

const OPTIONS = {
  file: { type: "string", short: "f" },
  force: { type: "boolean", short: "F" },
  wait: { type: "boolean", short: "w" },
  run: { type: "string" },
  // Accepted for scripts of the field; there is nothing here that they would change.
  display: { type: "string", short: "D" },
  "regression-tests": { type: "boolean", short: "R" },
  debug: { type: "boolean", short: "d" },
} as const;

/** Flags stand before the first word; what follows is the command's, whatever it looks like. */
function splitFlags(argv: readonly string[]): { flags: string[]; words: string[] } {
  let at = 0;
  while (at < argv.length && /^-./.test(argv[at] ?? ""))
    at += /^(?:-f|-D|--file|--run|--display)$/.test(argv[at] ?? "") ? 2 : 1;
  return { flags: argv.slice(0, at), words: argv.slice(at) };
}

/** Exit codes: 0; 1 refused or failed; 64 wrong call; 66 file not readable; 69 no manager. */
export async function run(argv: readonly string[]): Promise<number> {
  const { flags, words } = splitFlags(argv);
  let values: { file?: string; force?: boolean; wait?: boolean; run?: string };
  try {
    values = parseArgs({ args: flags, options: OPTIONS }).values;
  } catch (error) {
    process.stderr.write(`crm: ${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.usage;
  }
  const socket = controlSocketPath(values.run);
  const session = openSession(socket, terminal, {
    isForced: values.force === true,
    isWaiting: values.wait === true,
  });
  if (words[0] === "configure" && words.length > 1) return configureOnce(session, words.slice(1));
  const shell: Shell = { session, level: "", begun: "" };
  if (words.length === 1 && ["configure", "resource", "node", "ra", "cib"].includes(words[0] ?? "")) {
    await runLine(shell, words[0] ?? "");
  } else if (words.length > 0) {
    const result = await runLine(shell, words.map(quoteArgument).join(" "));
    return result.kind === "quit" ? EXIT.done : result.code;
  }
  if (values.file === undefined && process.stdin.isTTY)
    return converse((confirm) => ({ session, level: shell.level, begun: "", confirm }));
  const text = terminal.readText(values.file ?? "-");
  return text === undefined ? EXIT.noInput : runBatch(shell, text);
}
