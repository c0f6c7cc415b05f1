/** The real terminal of the crm shell: files, the editor, and lines typed by a person with completion and history. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { inOperatorsLines } from "../japanese/translate.ts";
import type { Terminal } from "./session.ts";

const why = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** A person's lines are read raw, sign by sign; an editor that is none of the full screen would find no line's end. */
function withCookedInput<Value>(work: () => Value): Value {
  const { stdin } = process;
  if (!stdin.isTTY || !stdin.isRaw) return work();
  stdin.setRawMode(false);
  try {
    return work();
  } finally {
    stdin.setRawMode(true);
  }
}

function edit(text: string): string | undefined {
  const directory = mkdtempSync(path.join(tmpdir(), "gemel-edit-"));
  const file = path.join(directory, "configuration.crm");
  try {
    writeFileSync(file, text, { mode: 0o600 });
    const editor = process.env["EDITOR"] ?? process.env["VISUAL"] ?? "vi";
    // The word may be a command with arguments of its own: it is the shell that reads it.
    const { status, error } = withCookedInput(() =>
      spawnSync("/bin/sh", ["-c", `${editor} "$1"`, "crm", file], { stdio: "inherit" }),
    );
    if (error === undefined && status === 0) return readFileSync(file, "utf8");
    process.stderr.write(`crm: the editor ${editor} failed; nothing was changed\n`);
    return undefined;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export const terminal: Terminal = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(inOperatorsLines(text)),
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
