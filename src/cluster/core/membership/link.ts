/**
 * One peer on one link: up, late or down, judged by itself and healed by itself.
 * A link that was down counts as up again only after several heartbeats in time, so that a loose plug does not flap;
 * membership does not wait for that: any heartbeat on any link counts.
 */
import { noteBeat, noteChange } from "./link-history.ts";
import type { LinkState, MembershipConfig, MembershipEffect } from "./state.ts";

/** Heartbeats in time before a link that was down is up again: two might be the two halves of one flap. */
const HEAL_BEATS = 3;

const NONE: readonly MembershipEffect[] = [];

export interface JudgedLink {
  readonly link: LinkState;
  readonly effects: readonly MembershipEffect[];
}

/** After the peer's beat of this number. */
export function hearLink(
  link: LinkState,
  name: string,
  peer: string,
  beat: number,
  nowMs: number,
  { keepaliveMs, warntimeMs }: MembershipConfig,
): JudgedLink {
  const heard = noteBeat(link.history, beat);
  const gapMs = nowMs - (link.heardAtMs ?? Number.NEGATIVE_INFINITY);
  // News is told by beats out of turn: several in a moment prove no more than one.
  const inTurn = gapMs >= keepaliveMs / 2 ? 1 : 0;
  const goodBeats = gapMs > warntimeMs ? 1 : link.goodBeats + inTurn;
  const up = link.state !== "down" || link.heardAtMs === undefined || goodBeats >= HEAL_BEATS;
  const state = up ? "up" : "down";
  const isNews = up && link.state !== "up";
  const next: LinkState = {
    state,
    heardAtMs: nowMs,
    silentFromMs: nowMs,
    goodBeats: up ? HEAL_BEATS : goodBeats,
    history: isNews ? noteChange(heard, "up", nowMs) : heard,
  };
  return { link: next, effects: isNews ? [{ kind: "link-up", link: name, peer }] : NONE };
}

/** `sinceMs`: silence before it does not count, because nobody listened. */
export function judgeLink(
  link: LinkState,
  name: string,
  peer: string,
  nowMs: number,
  sinceMs: number,
  { warntimeMs, deadtimeMs }: MembershipConfig,
): JudgedLink {
  const silentMs = nowMs - Math.max(link.silentFromMs ?? 0, sinceMs);
  if (link.state !== "down" && silentMs >= deadtimeMs) {
    const history = noteChange(link.history, "down", nowMs);
    return {
      link: { ...link, state: "down", goodBeats: 0, history },
      effects: [{ kind: "link-down", link: name, peer }],
    };
  }
  if (link.state === "up" && silentMs >= warntimeMs) {
    const history = noteChange(link.history, "late", nowMs);
    return { link: { ...link, state: "late", history }, effects: [{ kind: "link-late", link: name, peer }] };
  }
  return { link, effects: NONE };
}
