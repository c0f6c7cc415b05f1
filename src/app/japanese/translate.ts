/**
 * What the commands say of errors, in the language of the operator (LC_ALL, LC_MESSAGES, LANG). The texts are made in
 * English, here or by a manager on another machine, and are translated where they are shown: `{1}` of an English text
 * stands for what was filled in, and is found again in the Japanese one. What has no entry stays English; the test of
 * this file reads the sources and holds that nothing of the rooms that it names is missing.
 */
import type { Language } from "../../base/language.ts";
import { formatProblem, type Problem, printable } from "../../base/problem.ts";
import { reasonPhrases } from "../../cluster/core/scheduler/reason-text.ts";
import { operatorsLanguage } from "../operators-language.ts";
import { CONFIGURATION_JA } from "./configuration.ts";
import { REQUESTS_JA } from "./requests.ts";
import { SHELL_JA } from "./shell.ts";
import { SHELL_LEVELS_JA } from "./shell-levels.ts";
import { STORY_JA } from "./story.ts";

/** English text and Japanese text, with `{1}`, `{2}`, ... in both. */
export type Phrases = readonly (readonly [english: string, japanese: string])[];

interface Pattern {
  readonly expression: RegExp;
  readonly japanese: string;
  /** How much of it is fixed text: the most specific goes first. */
  readonly weight: number;
}

const PLACE = /\{\d\}/g;

function compile([english, japanese]: readonly [string, string]): Pattern {
  const fixed = english.split(PLACE);
  const escaped = fixed.map((text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const expression = new RegExp(`^${escaped.join("([^]*?)")}$`);
  return { expression, japanese, weight: fixed.join("").length };
}

let patterns: readonly Pattern[] | undefined;

function allPatterns(): readonly Pattern[] {
  patterns ??= [...REQUESTS_JA, ...SHELL_JA, ...SHELL_LEVELS_JA, ...CONFIGURATION_JA, ...STORY_JA, ...reasonPhrases()]
    .map(compile)
    .toSorted((left, right) => right.weight - left.weight);
  return patterns;
}

/** A text is put together from at most so many others. */
const DEPTH_MAX = 4;

/** The Japanese text; undefined when there is none for it. */
export function toJapanese(text: string, depth = 0): string | undefined {
  if (depth > DEPTH_MAX) return undefined;
  for (const { expression, japanese } of allPatterns()) {
    const match = expression.exec(text);
    if (match === null) continue;
    const filled = match.slice(1).map((part) => toJapanese(part, depth + 1) ?? part);
    return japanese.replaceAll(PLACE, (place) => filled[Number(place.slice(1, -1)) - 1] ?? "");
  }
  return undefined;
}

/** In that language, as far as there are words. */
export function inLanguage(text: string, language: Language): string {
  return language === "ja" ? (toJapanese(text) ?? text) : text;
}

export const inOperatorsWords = (text: string): string => inLanguage(text, operatorsLanguage());

/** The same of each line of a text. */
export function inOperatorsLines(text: string): string {
  return text.split("\n").map(inOperatorsWords).join("\n");
}

const SEVERITIES = { error: "エラー", warning: "警告" } as const;

/** `formatProblem` for people. */
export function tellProblem(problem: Problem): string {
  if (operatorsLanguage() === "en") return formatProblem(problem);
  const [place, reason, remedy] = [problem.place, problem.reason, problem.remedy].map(inOperatorsWords);
  return printable(`${place}: ${SEVERITIES[problem.severity]}: ${reason}。対処: ${remedy}`);
}
