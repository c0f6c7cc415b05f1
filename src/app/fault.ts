/**
 * The last words of a process over a fault of its own: one line that says what broke, where, and what happens next.
 * Without it Node prints the line of the source, and in the bundle all the program stands on one. Functions keep their
 * names there; of one that has none the column tells, for the same build.
 */
import { writeSync } from "node:fs";
import process from "node:process";
import { entryOf, isKeyOf } from "../base/record.ts";
import { operatorsLanguage } from "./operators-language.ts";
import { VERSION } from "./version.ts";

const MESSAGE_MAX = 160;
/** The function that broke, and enough of its callers to know on whose behalf. */
const FRAMES_MAX = 6;
const FRAME_MAX = 50;
/** EX_SOFTWARE of sysexits.h. */
const FAULT_CODE = 70;
/** What Node itself ends with. */
const DAEMON_FAULT_CODE = 1;

const clip = (text: string, max: number) => (text.length > max ? `${text.slice(0, max)}...` : text);

/** Of a line of a stack (`at Foo.run (FILE:LINE:COLUMN)`); undefined for Node's own, and what is no such line. */
function frameOf(line: string): string | undefined {
  const call = /^\s+at (?:async )?(?:(.+) \()?(.*?):(\d+):(\d+)\)?$/.exec(line);
  if (call === null) return undefined;
  const [, named, file = "", row = "", column = ""] = call;
  if (file.startsWith("node:")) return undefined;
  return clip(named?.replace(/^Object\./, "").replace(/ \[as .*$/, "") ?? `${row}:${column}`, FRAME_MAX);
}

/** `TypeError: no such thing, in inner < run < outer (1:737)`: a few hundred bytes at most, whatever was thrown. */
export function describeFault(error: unknown): string {
  if (!(error instanceof Error)) return clip(`${String(error)} was thrown`.replaceAll(/\s+/g, " "), MESSAGE_MAX);
  const what = clip(`${error.name}: ${error.message}`.replaceAll(/\s+/g, " "), MESSAGE_MAX);
  const lines = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  const frames = lines.flatMap((line) => frameOf(line) ?? []).slice(0, FRAMES_MAX);
  const place = /:(\d+:\d+)\)?$/.exec(lines[0] ?? "")?.[1];
  return frames.length === 0 ? what : `${what}, in ${frames.join(" < ")}${place === undefined ? "" : ` (${place})`}`;
}

const NEXT: Readonly<Record<string, string>> = {
  manager: "the keeper starts the manager anew, and resources run on; the black box has what led here (gemel replay)",
  node: "this node ends: where a watchdog is armed it resets the machine, and the peers take over",
};

/** What the line says after the fault, to whoever reads it. */
function nextOf(command: string): string {
  const daemon = entryOf(NEXT, command);
  if (daemon !== undefined) return daemon;
  return operatorsLanguage() === "ja"
    ? "これは gemel の不具合です: gemel report を添えて報告してください。受け付けられた変更はそのまま有効です"
    : "this is a fault of gemel: report it with gemel report; what was acknowledged before stands";
}

/** The line without its end. `nowWallMs` for daemons alone: their logs are read later. */
export function faultLine(command: string, error: unknown, nowWallMs: number): string {
  const words = `${describeFault(error)}, gemel ${VERSION}; ${nextOf(command)}`;
  const at = new Date(nowWallMs).toISOString();
  if (command === "manager") return `${at} ERROR: the manager ends by its own fault: ${words}`;
  if (command === "node") return `<2>${at} keeper: it ends by its own fault: ${words}`;
  return `gemel: ${words}`;
}

/** To be called once. `command`: the first word that the program was called with. */
export function tellFaults(command: string): void {
  process.on("uncaughtException", (error) => {
    try {
      writeSync(process.stderr.fd, `${faultLine(command, error, Date.now())}\n`);
    } catch {
      // A pipe that nobody reads, a full disk: the end is what matters.
    }
    process.exit(isKeyOf(NEXT, command) ? DAEMON_FAULT_CODE : FAULT_CODE);
  });
}
