/**
 * The crm shell with a person: their lines with completion and with the history of earlier days. Lines that are pasted
 * while a command runs wait for their turn. Ctrl-C drops the line, or ends the waiting for what was asked; Ctrl-D
 * leaves, as `quit` does: what is not committed is asked about.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import { completions } from "./completions.ts";
import { namesOf } from "./names.ts";
import { fetchRunning } from "./session.ts";
import { type LineResult, promptOf, runLine, type Shell } from "./shell.ts";

const historyFile = () => path.join(homedir(), ".gemel_crm_history");
const HISTORY_MAX = 500;
/** As a shell has it for what Ctrl-C has ended. */
const INTERRUPTED = 130;

function readHistory(): string[] {
  try {
    return readFileSync(historyFile(), "utf8")
      .split("\n")
      .filter((line) => line !== "");
  } catch {
    return [];
  }
}

function writeHistory(history: readonly string[]): void {
  try {
    writeFileSync(historyFile(), `${history.slice(-HISTORY_MAX).join("\n")}\n`, { mode: 0o600 });
  } catch (error) {
    process.stderr.write(
      `crm: the history of lines is not kept: ${error instanceof Error ? error.message : String(error)}\n`,
    );
  }
}

export interface Streams {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/** Takes line by line what is typed or pasted; undefined at the end of input. */
function readLines(lines: Interface) {
  const waiting: string[] = [];
  let isClosed = false;
  let take: ((line: string | undefined) => void) | undefined;
  const hand = (line: string | undefined) => {
    const taker = take;
    take = undefined;
    if (taker !== undefined) taker(line);
    else if (line !== undefined) waiting.push(line);
  };
  lines.on("line", hand);
  lines.on("close", () => {
    isClosed = true;
    hand(undefined);
  });
  return {
    isAwaited: () => take !== undefined,
    next(prompt: string): Promise<string | undefined> {
      const pasted = waiting.shift();
      if (pasted !== undefined || isClosed) return Promise.resolve(pasted);
      lines.setPrompt(prompt);
      lines.prompt();
      return new Promise((resolve) => {
        take = resolve;
      });
    },
  };
}

/** Lines of a person until they leave; the exit code of the last command. */
export async function converse(
  open: (confirm: (question: string) => Promise<boolean>) => Shell,
  streams: Streams = { input: process.stdin, output: process.stdout },
): Promise<number> {
  const history = readHistory().slice(-HISTORY_MAX);
  const completer = (line: string): [string[], string] => {
    const found = completions(shell.level, line, namesOf(shell.session.working));
    // A word that can be no other is finished with a blank, an option's name waits for its value.
    const [only, ...more] = found;
    const finished = only !== undefined && more.length === 0 && !only.endsWith("=") ? [`${only} `] : [...found];
    return [finished, line.split(/\s+/).at(-1) ?? ""];
  };
  const begin = () =>
    createInterface({
      ...streams,
      terminal: true,
      history: [...history].reverse(),
      historySize: HISTORY_MAX,
      completer,
    });
  let lines = begin();
  let typed = readLines(lines);
  const shell = open(async (question) => /^y/i.test((await typed.next(question)) ?? ""));
  let abandon = () => {};
  lines.on("SIGINT", () => {
    const isTyping = typed.isAwaited();
    if (isTyping) {
      lines.write(null, { ctrl: true, name: "e" });
      lines.write(null, { ctrl: true, name: "u" });
    }
    streams.output.write("^C\n");
    if (!isTyping) return abandon();
    shell.begun = "";
    lines.setPrompt(promptOf(shell));
    return lines.prompt();
  });
  const interrupted = () =>
    new Promise<LineResult>((resolve) => {
      abandon = () => {
        shell.session.terminal.err("crm: not waited for any longer; what was asked of the cluster goes on there\n");
        resolve({ kind: "done", code: INTERRUPTED });
      };
    });
  // Names for completion; a node without a manager still has its help and its verify.
  await fetchRunning(shell.session);
  let code = 0;
  for (;;) {
    const line = await typed.next(promptOf(shell));
    if (line === undefined) {
      // Nothing more comes from there; whoever has typed Ctrl-D is asked what `quit` asks.
      streams.output.write("\n");
      lines = begin();
      typed = readLines(lines);
    } else if (line.trim() !== "") history.push(line);
    const result = await Promise.race([runLine(shell, line ?? "quit"), interrupted()]);
    if (line === undefined || result.kind === "quit") break;
    code = result.code;
  }
  lines.close();
  writeHistory(history);
  return code;
}
