/** The texts of an advice in the language of whoever reads. */
import type { Language } from "../../../base/language.ts";
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

const LANGUAGES: Readonly<Record<Language, Texts>> = { en: ENGLISH, ja: JAPANESE };

export function textOf(language: Language, code: Code, values: Values): AdviceText {
  return LANGUAGES[language][code](values);
}
