/** What `gemel status` says of the keeper: its timing, how much is left before a false death, its watchdog. */
import type { KeeperReport, LinkQuality } from "../../cluster/core/keeper/report.ts";

/** Beats of a good day are late by parts of a millisecond. */
const round = (ms: number): number => Math.round(ms * 10) / 10;

/** `up, 97 % of beats, down 2 times lately`; empty for a link that the keeper has not told of. */
export function linkWords({ links }: Pick<KeeperReport, "links">, name: string, peer: string): string {
  const link = links.find((one) => one.name === name && one.peer === peer);
  if (link === undefined) return "";
  const { heardPercent, changes }: LinkQuality = link;
  const downs = changes.filter(({ state }) => state === "down").length;
  const words = [
    heardPercent === undefined || heardPercent === 100 ? "" : `${heardPercent} % of its beats`,
    downs === 0 ? "" : `was down ${downs === 1 ? "once" : `${downs} times`} lately`,
  ];
  return words.filter((word) => word !== "").join(", ");
}

export function keeperLines({
  lateness,
  silence,
  deadtimeMs,
  takeoverGoalMs,
  watchdog,
  ailment,
}: KeeperReport): string[] {
  const marginMs = Math.round(deadtimeMs - silence.worstMs);
  const goal = takeoverGoalMs === undefined ? "" : ` for a takeover within ${takeoverGoalMs} ms`;
  const lines = [
    `Timing: deadtime ${deadtimeMs} ms${goal}; longest silence of a living node ${Math.round(silence.worstMs)} ms, ` +
      `${marginMs} ms are left; own beats late by ${round(lateness.p99Ms)} ms (1 of 100), ` +
      `${Math.round(lateness.worstMs)} ms at worst`,
  ];
  if (watchdog !== undefined) {
    const marks = [
      watchdog.pretimeoutMs === undefined ? "" : `, alarm ${watchdog.pretimeoutMs} ms before`,
      watchdog.nowayout ? ", cannot be disarmed" : "",
      watchdog.causedBoot === true ? "; the last boot was its doing" : "",
    ];
    lines.push(`Watchdog: ${watchdog.identity}, ${watchdog.timeoutMs} ms${marks.join("")}`);
  }
  if (ailment !== undefined) lines.push(`SICK: ${ailment}; the watchdog is not fed`);
  return lines;
}
