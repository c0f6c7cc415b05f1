/** The crm shell with a person: their lines with completion and with the history of earlier days. */
import { readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import process from "node:process";
import { createInterface } from "node:readline/promises";
import { everyElement } from "../../cib/schema/finding.ts";
import { completions } from "./levels.ts";
import { fetchRunning } from "./session.ts";
import { promptOf, runLine, type Shell } from "./shell.ts";

const HISTORY_FILE = path.join(homedir(), ".gemel_crm_history");
const HISTORY_MAX = 500;

function readHistory(): string[] {
  try {
    return readFileSync(HISTORY_FILE, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  } catch {
    return [];
  }
}

/** Lines of a person until they leave. Ctrl-C drops the line, Ctrl-D leaves. */
export async function converse(open: (confirm: (question: string) => Promise<boolean>) => Shell): Promise<number> {
  let shell: Shell | undefined;
  const history = readHistory().slice(-HISTORY_MAX);
  const lines = createInterface({
    input: process.stdin,
    output: process.stdout,
    history: [...history].reverse(),
    historySize: HISTORY_MAX,
    completer: (line: string): [string[], string] => {
      const configuration = shell?.session.working;
      const ids =
        configuration === undefined ? [] : everyElement(configuration).map((seen) => seen.element.attributes["id"]);
      const found = completions(
        shell?.level ?? "",
        line,
        ids.filter((id) => id !== undefined),
      );
      // A word that can be no other is finished with a blank, an option's name waits for its value.
      const [only, ...more] = found;
      const finished = only !== undefined && more.length === 0 && !only.endsWith("=") ? [`${only} `] : [...found];
      return [finished, line.split(/\s+/).at(-1) ?? ""];
    },
  });
  const confirm = async (question: string) => /^y/i.test(await lines.question(question));
  shell = open(confirm);
  // Ids for completion; a node without a manager still has its help and its verify.
  await fetchRunning(shell.session);
  let code = 0;
  let isOpen = true;
  lines.on("close", () => {
    isOpen = false;
  });
  while (isOpen) {
    const line = await lines.question(promptOf(shell)).catch(() => undefined);
    if (line === undefined) break;
    if (line.trim() !== "") history.push(line);
    const result = await runLine(shell, line);
    if (result.kind === "quit") break;
    code = result.code;
  }
  lines.close();
  writeFileSync(HISTORY_FILE, `${history.slice(-HISTORY_MAX).join("\n")}\n`, { mode: 0o600 });
  return code;
}
