/** The languages that operators read, and which of them a locale wants. */

export type Language = "en" | "ja";

/** From `--lang` or LANG: `ja_JP.UTF-8` is Japanese; whatever is not known is English. */
export function languageOf(name: string | undefined): Language {
  return name?.toLowerCase().startsWith("ja") === true ? "ja" : "en";
}
