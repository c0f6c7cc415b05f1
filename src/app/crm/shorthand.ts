/**
 * Words of the crm shell as they are typed in a hurry: `crm st`, `crm cf show`, `crm rsc stop web`. The beginning of a
 * word stands for it where it can be no other, but for those that destroy. Fact: crm(8), "Shorthand syntax".
 */
import { entryOf } from "../../base/record.ts";
import { NOT_HERE } from "./borrowed.ts";
import { EVERYWHERE, LEVELS, type LevelName } from "./levels.ts";

const ALIASES: Readonly<Record<string, string>> = {
  cf: "configure",
  cfg: "configure",
  rsc: "resource",
  res: "resource",
  st: "status",
  stat: "status",
};

/** Whoever means these has to say so. */
const WHOLE = ["delete", "erase", "fence", "new", "reset", "replace"];

const BEGINNING_MIN = 2;

/** The word as it stands when it is one, or is none, or several begin so. */
export function spelledOut(level: LevelName, word: string): string {
  const isKnown =
    LEVELS[level].includes(word) || EVERYWHERE.includes(word) || entryOf(NOT_HERE[level] ?? {}, word) !== undefined;
  // Statements of configure are looked at as they were typed.
  if (isKnown || level === "configure" || word.length < BEGINNING_MIN) return word;
  const alias = level === "" ? entryOf(ALIASES, word) : undefined;
  if (alias !== undefined) return alias;
  const meant = [...new Set([...LEVELS[level], ...EVERYWHERE])].filter((known) => known.startsWith(word));
  const [only, second] = meant;
  return only === undefined || second !== undefined || WHOLE.includes(only) ? word : only;
}
