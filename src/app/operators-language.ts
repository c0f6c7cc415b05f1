/** The language that the environment of a command asks for. */
import process from "node:process";
import { type Language, languageOf } from "../base/language.ts";

/** By locale(7): LC_ALL goes before LC_MESSAGES, and that before LANG; an empty one is as none. */
export function operatorsLanguage(): Language {
  const { LC_ALL, LC_MESSAGES, LANG } = process.env;
  return languageOf([LC_ALL, LC_MESSAGES, LANG].find((name) => name !== undefined && name !== ""));
}
