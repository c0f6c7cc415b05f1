/**
 * What a link was like lately: which of the peer's last 32 beats came by it, and when its state changed.
 * Beats are numbered, so a beat that came by another link and not by this one is known to be lost here.
 */
import { elapsedMs } from "./peer-clock.ts";

export interface LinkHistory {
  /** The newest beat that came by this link, and how many up to it are known of. */
  readonly newestBeat: number;
  readonly known: number;
  /** Bit n: the beat `newestBeat - n` came. */
  readonly heard: number;
  /** Newest first. */
  readonly changes: readonly { readonly state: "up" | "late" | "down"; readonly atMs: number }[];
}

export const NO_HISTORY: LinkHistory = { newestBeat: 0, known: 0, heard: 0, changes: [] };

const BEATS = 32;
const CHANGES_MAX = 8;

const ahead = (from: number, to: number) => elapsedMs(from, to);

export function noteBeat(history: LinkHistory, beat: number): LinkHistory {
  const by = ahead(history.newestBeat, beat);
  // The first one, or the peer counts anew.
  const { newestBeat, changes } = history;
  if (history.known === 0 || Math.abs(by) >= BEATS) return { newestBeat: beat, known: 1, heard: 1, changes };
  // Overtaken on its way, or of a peer that has just started anew: so many are known of now.
  if (by <= 0) {
    const known = Math.max(history.known, 1 - by);
    return { newestBeat, known, heard: (history.heard | (1 << -by)) >>> 0, changes };
  }
  const heard = ((history.heard << by) | 1) >>> 0;
  return { newestBeat: beat, known: Math.min(BEATS, history.known + by), heard, changes };
}

export function noteChange(history: LinkHistory, state: "up" | "late" | "down", atMs: number): LinkHistory {
  return { ...history, changes: [{ state, atMs }, ...history.changes].slice(0, CHANGES_MAX) };
}

/** Of the peer's last beats, `newestBeat` being the newest on any link, in percent; undefined while none is known. */
export function heardPercent({ newestBeat: own, known, heard }: LinkHistory, newestBeat: number): number | undefined {
  if (known === 0) return undefined;
  const missed = Math.min(BEATS, Math.max(0, ahead(own, newestBeat)));
  const bits = missed >= BEATS ? 0 : (heard << missed) >>> 0;
  let count = 0;
  for (let bit = 0; bit < BEATS; bit += 1) count += (bits >>> bit) & 1;
  return Math.round((100 * count) / Math.min(BEATS, known + missed));
}
