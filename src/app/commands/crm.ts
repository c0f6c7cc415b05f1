/**
 * `gemel crm`, also called as `crm`: the shell that operators know. With words it does one thing; without, it reads
 * lines from a terminal (completion, history), from a pipe, or from the file of `-f`.
 */
import process from "node:process";
import { isKeyOf } from "../../base/record.ts";
import { parseArgs } from "../arguments.ts";
import { controlSocketPath } from "../control-client.ts";
import { configureOnce, quoteArgument } from "../crm/configure-level.ts";
import { converse } from "../crm/conversation.ts";
import { LEVELS } from "../crm/levels.ts";
import { runOptions } from "../crm/options-level.ts";
import { EXIT, openSession } from "../crm/session.ts";
import { runBatch, runLine, type Shell } from "../crm/shell.ts";
import { spelledOut } from "../crm/shorthand.ts";
import { terminal } from "../crm/terminal.ts";

const OPTIONS = {
  file: { type: "string", short: "f" },
  force: { type: "boolean", short: "F" },
  wait: { type: "boolean", short: "w" },
  "regression-tests": { type: "boolean", short: "R" },
  cib: { type: "string", short: "c" },
  run: { type: "string" },
  history: { type: "string", short: "H" },
  opt: { type: "string", short: "o", multiple: true },
  // Ready configurations are our own here; a directory of crmsh's is told to be passed over.
  scriptdir: { type: "string" },
  help: { type: "boolean", short: "h" },
  // Text is plain here, whatever is displayed; accepted for scripts of the field.
  display: { type: "string", short: "D" },
  debug: { type: "boolean", short: "d" },
} as const;

const DISPLAYS = ["plain", "color", "color-always", "uppercase", "fancy"];
const USAGE =
  "usage: crm [-F] [-w] [-R] [-D plain|color|uppercase] [-c SHADOW] [-H REPORT] [-o OPTION=VALUE]\n" +
  "           [-f FILE | LEVEL [COMMAND...]]\n" +
  "-F: in spite of others' changes; -w: come back when it is done; -R: tell the field's commands for the same;\n" +
  "-H: the history level looks at a report, its directory, or a black box.\n" +
  "Without words: interactive; help lists the commands of each level, the tabulator completes.\n";

/** Flags stand before the first word; what follows is the command's, whatever it looks like. */
function splitFlags(argv: readonly string[]): { flags: string[]; words: string[] } {
  let at = 0;
  while (at < argv.length && /^-./.test(argv[at] ?? ""))
    at += /^(?:-[fDcHo]|--(?:file|run|display|cib|history|opt|scriptdir))$/.test(argv[at] ?? "") ? 2 : 1;
  return { flags: argv.slice(0, at), words: argv.slice(at) };
}

function readFlags(args: string[]) {
  const { values } = parseArgs({ args, options: OPTIONS });
  if (values.display !== undefined && !DISPLAYS.includes(values.display))
    throw new Error(`-D ${values.display} is none of ${DISPLAYS.join(", ")}`);
  return values;
}

/** Exit codes: 0; 1 refused or failed; 64 wrong call; 66 file not readable; 69 no manager. */
export async function run(argv: readonly string[]): Promise<number> {
  const { flags, words: typed } = splitFlags(argv);
  const words = typed.map((word, at) => (at === 0 ? spelledOut("", word) : word));
  let values: ReturnType<typeof readFlags>;
  try {
    values = readFlags(flags);
  } catch (error) {
    process.stderr.write(`crm: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return EXIT.usage;
  }
  if (values.help === true) {
    process.stdout.write(USAGE);
    return EXIT.done;
  }
  if (values.cib !== undefined) process.env["CIB_shadow"] = values.cib;
  const socket = controlSocketPath(values.run);
  const session = openSession(socket, terminal, {
    isForced: values.force === true,
    isWaiting: values.wait === true,
    isEchoing: values["regression-tests"] === true,
  });
  session.history.source = values.history;
  if (values.scriptdir !== undefined) terminal.err("crm: --scriptdir has no effect here: crm script list\n");
  for (const pair of values.opt ?? []) {
    if (runOptions(session, pair.split(/=(.*)/s)) === EXIT.done) continue;
    terminal.err(`crm: -o ${pair}: there is no such option; crm help options lists them\n`);
    return EXIT.usage;
  }
  if (words[0] === "configure" && words.length > 1 && words[1] !== "help")
    return configureOnce(session, words.slice(1));
  const shell: Shell = { session, level: "", begun: "" };
  if (words.length === 1 && words[0] !== "" && isKeyOf(LEVELS, words[0] ?? "")) {
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
