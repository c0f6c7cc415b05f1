/** The language that a command's words, else its environment, ask for. */
import process from "node:process";
import { type Language, languageOf } from "../base/language.ts";

let asked: Language | undefined;

/** `--lang` among the words of a command holds for all that it says, errors too. */
export function heedLanguage(argv: readonly string[]): void {
  const at = argv.findIndex((word) => word === "--lang" || word.startsWith("--lang="));
  const named = at < 0 ? undefined : argv[at] === "--lang" ? argv[at + 1] : argv[at]?.slice("--lang=".length);
  asked = named === undefined ? undefined : languageOf(named);
}

/** By locale(7): LC_ALL goes before LC_MESSAGES, and that before LANG; an empty one is as none. */
export function operatorsLanguage(): Language {
  if (asked !== undefined) return asked;
  const { LC_ALL, LC_MESSAGES, LANG } = process.env;
  return languageOf([LC_ALL, LC_MESSAGES, LANG].find((name) => name !== undefined && name !== ""));
}
