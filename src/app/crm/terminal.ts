/** The real terminal of the crm shell: files, the editor, and lines typed by a person with completion and history. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { createInterface } from "node:readline/promises";
import { everyElement } from "../../cib/schema/finding.ts";
import { completions } from "./levels.ts";
import { fetchRunning, type Terminal } from "./session.ts";
import { promptOf, runLine, type Shell } from "./shell.ts";

const why = (error: unknown) => (error instanceof Error ? error.message : String(error));

function edit(text: string): string | undefined {
  const directory = mkdtempSync(path.join(tmpdir(), "gemel-edit-"));
  const file = path.join(directory, "configuration.crm");
  try {
    writeFileSync(file, text, { mode: 0o600 });
    const editor = process.env["EDITOR"] ?? process.env["VISUAL"] ?? "vi";
    const { status, error } = spawnSync(`${editor} "$1"`, ["crm", file], { shell: "/bin/sh", stdio: "inherit" });
    if (error === undefined && status === 0) return readFileSync(file, "utf8");
    process.stderr.write(`crm: the editor ${editor} failed; nothing was changed\n`);
    return undefined;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export const terminal: Terminal = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  readText(file) {
    try {
      return readFileSync(file === "-" ? 0 : file, "utf8");
    } catch (error) {
      process.stderr.write(`crm: ${file} cannot be read: ${why(error)}\n`);
      return undefined;
    }
  },
  writeText(file, text) {
    try {
      // A configuration may hold passwords of fencing devices.
      if (file === "-") process.stdout.write(text);
      else writeFileSync(file, text, { mode: 0o600 });
      return true;
    } catch (error) {
      process.stderr.write(`crm: ${file} cannot be written: ${why(error)}\n`);
      return false;
    }
  },
  edit,
};

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
