/**
 * What keeps a DC from deciding, and whether that has lasted so long that people must know. Each of these obstacles is
 * an ordinary moment of a change; one that stays means that nothing is taken over, and then the log and every node's
 * status say which.
 */
import { entryOf } from "../../../base/record.ts";
import { nodeState, underPromotion } from "./cib-read.ts";
import { missingJoins } from "./reign.ts";
import { log, setLead, type Turn } from "./turn.ts";
import type { Lead } from "./types.ts";

/** A manager that joins, and a configuration that goes over a serial line, need less. */
const HELD_UP_MS = 30_000;

/** Why nothing may be decided now; undefined also while it is too early to judge anybody. */
function obstacle(turn: Turn, lead: Lead): string | undefined {
  const { view } = turn.state;
  if (view === undefined || !view.settled) return undefined;
  if (!view.agreed) return `the members do not agree who is there: ${(view.dissenting ?? []).join(", ")}`;
  // A node that slept must not act before it has heard what its peers think of it.
  if (view.hold !== undefined) return view.hold;
  if (!lead.synchronised) return "the configuration is not known to every member yet";
  const missing = missingJoins(turn);
  return missing.length === 0 ? unfinishedPromotion(turn, lead) : `not joined: ${missing.join(", ")}`;
}

/**
 * A promotion that an earlier DC has ordered. The scheduler takes it for done, as crm_simulate does: what stands on it
 * would be started beside it, and fail. Its end is news, at its timeout at the latest; but where somebody is lost
 * nothing is waited for, since the promotion itself may wait for the proof of that one's death.
 */
function unfinishedPromotion({ state }: Turn, { wanted, run, joins }: Lead): string | undefined {
  if (wanted === undefined || run?.finished === false) return undefined;
  if (state.view?.peers.some(({ phase }) => phase === "lost") === true) return undefined;
  for (const node in joins) {
    const [resource] = entryOf(joins, node)?.phase === "joined" ? underPromotion(nodeState(state.cib, node)) : [];
    if (resource !== undefined) return `the promotion of ${resource} on ${node}, ordered before, has not ended`;
  }
  return undefined;
}

/** Whether members, configuration and joins let a decision be made; its time is another matter. */
export function mayDecide(turn: Turn, lead: Lead): boolean {
  return turn.state.view?.settled === true && obstacle(turn, lead) === undefined;
}

/** When what holds the DC up is to be told. */
export function heldUpWakeAtMs({ heldUp }: Lead): number | undefined {
  return heldUp === null || heldUp.isTold ? undefined : heldUp.sinceMs + HELD_UP_MS;
}

/** Notes what holds the DC up; tells it once it has lasted, and that it is over. */
export function noteHeldUp(turn: Turn): void {
  const { lead } = turn.state;
  if (lead === undefined) return;
  const before = lead.heldUp;
  const why = obstacle(turn, lead);
  if (why === undefined) {
    if (before === null) return;
    setLead(turn, before.isTold ? { heldUp: null, reportDue: true } : { heldUp: null });
    if (before.isTold) log(turn, "info", "decisions are made again");
    return;
  }
  const sinceMs = before?.sinceMs ?? turn.now.nowMs;
  const isTold = turn.now.nowMs - sinceMs >= HELD_UP_MS;
  if (before?.why === why && before.isTold === isTold) return;
  setLead(turn, { heldUp: { sinceMs, why, isTold } });
  if (!isTold) return;
  setLead(turn, { reportDue: true });
  if (before?.isTold !== true) log(turn, "error", `nothing is decided: ${why}`);
}
