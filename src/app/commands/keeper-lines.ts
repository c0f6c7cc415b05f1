/** What `gemel status` says of the keeper: its timing, how much is left before a false death, its watchdog. */
import type { KeeperReport, LinkQuality } from "../../cluster/core/keeper/report.ts";
import { STATUS_WORDS, type StatusWords } from "./status-words.ts";

/** Beats of a good day are late by parts of a millisecond. */
const round = (ms: number): number => Math.round(ms * 10) / 10;

/** `up, 97 % of beats, down 2 times lately`; empty for a link that the keeper has not told of. */
export function linkWords(
  { links }: Pick<KeeperReport, "links">,
  name: string,
  peer: string,
  words: StatusWords = STATUS_WORDS.en,
): string {
  const link = links.find((one) => one.name === name && one.peer === peer);
  if (link === undefined) return "";
  const { heardPercent, changes }: LinkQuality = link;
  const downs = changes.filter(({ state }) => state === "down").length;
  const told = [
    heardPercent === undefined || heardPercent === 100 ? "" : words.heard(heardPercent),
    downs === 0 ? "" : words.downs(downs),
  ];
  return told.filter((word) => word !== "").join(", ");
}

export function keeperLines(
  { lateness, silence, deadtimeMs, takeoverGoalMs, sealing, watchdog, ailment }: KeeperReport,
  words: StatusWords = STATUS_WORDS.en,
): string[] {
  const late = words.lateness(round(lateness.p99Ms), Math.round(lateness.worstMs));
  const lines = [`${words.timing(deadtimeMs, takeoverGoalMs, silence.worstMs)}; ${late}`];
  if (sealing !== undefined && (sealing.hides || sealing.unlike.length > 0))
    lines.push(words.sealing(sealing.hides, sealing.unlike.join(", ")));
  if (watchdog !== undefined) {
    const marks = [
      watchdog.pretimeoutMs === undefined ? "" : words.alarm(watchdog.pretimeoutMs),
      watchdog.nowayout ? words.nowayout : "",
      watchdog.causedBoot === true ? words.causedBoot : "",
    ];
    const driver = watchdog.module === undefined ? "" : ` (${watchdog.module})`;
    lines.push(`Watchdog: ${watchdog.identity}${driver}, ${watchdog.timeoutMs} ms${marks.join("")}`);
  }
  if (ailment !== undefined) lines.push(words.sick(ailment));
  return lines;
}
