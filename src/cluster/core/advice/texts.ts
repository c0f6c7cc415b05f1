/** The texts of an advice in the language of whoever reads. */
import type { Code } from "./codes.ts";
import { ENGLISH } from "./texts-en.ts";
import { JAPANESE } from "./texts-ja.ts";

export type Values = Readonly<Record<string, string>>;

export interface AdviceText {
  /** The symptom with its proof, one sentence. */
  readonly what: string;
  /** The commands or deeds, in their order. */
  readonly doNow: string;
}

export type Texts = Readonly<Record<Code, (values: Values) => AdviceText>>;
export type Language = "en" | "ja";

const LANGUAGES: Readonly<Record<Language, Texts>> = { en: ENGLISH, ja: JAPANESE };

export function textOf(language: Language, code: Code, values: Values): AdviceText {
  return LANGUAGES[language][code](values);
}

/** From `--lang` or LANG: `ja_JP.UTF-8` is Japanese; whatever is not known is English. */
export function languageOf(name: string | undefined): Language {
  return name?.toLowerCase().startsWith("ja") === true ? "ja" : "en";
}
