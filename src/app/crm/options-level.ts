/**
 * The options level of the crm shell: what of it there is to choose. Words of old for colours, skill levels and checks
 * are taken and have no effect: there is one way here. Facts: crm(8), level options.
 */
import process from "node:process";
import { EXIT, type Session } from "./session.ts";

const IDLE = [
  ...[
    "skill-level",
    "pager",
    "user",
    "output",
    "colorscheme",
    "check-frequency",
    "check-mode",
    "sort-elements",
    "wait",
  ],
  ...["add-quotes", "manage-children", "debug", "save", "set", "reset"],
];
export const OPTION_WORDS: readonly string[] = ["editor", "show", ...IDLE];

/** The exit code; -1 for a wrong call. */
export function runOptions({ terminal }: Session, [name = "", value]: readonly string[]): number {
  if (name === "show") {
    terminal.out(`editor "${process.env["EDITOR"] ?? process.env["VISUAL"] ?? "vi"}"\n`);
    return EXIT.done;
  }
  if (name === "editor" && value !== undefined) {
    process.env["EDITOR"] = value;
    return EXIT.done;
  }
  if (!IDLE.includes(name)) return -1;
  const instead = name === "wait" ? "; start the shell as crm -w" : "";
  terminal.err(`crm: ${name} has no effect here${instead}\n`);
  return EXIT.done;
}
