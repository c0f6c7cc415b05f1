/**
 * What managers of different versions may say to each other. Each tells in its `hello` which version of the managers'
 * messages it speaks; nodes are updated one after the other, so every version speaks with the one before it and the one
 * after it, and with no other.
 * Whoever says something new says it only where all members understand it (`lowestSpoken`), or says the same in older
 * words; and what a node does not understand it leaves alone and logs once, as the next version may say it.
 * The versions and what each has brought: docs/protocols/heartbeat.md, "Versions".
 */
import { entryOf } from "../../base/record.ts";
import type { CibMessage, StatusChange } from "./cib-store/types.ts";
import type { ControllerMessage } from "./controller/types.ts";
import type { Election, Hello } from "./election.ts";

/** Of this program. */
export const SPOKEN = 2;
/** From which on `end-lock` is understood. */
export const SPOKEN_END_LOCK = 2;
/** From which on `withdraw` is understood. */
export const SPOKEN_WITHDRAW = 2;
/** Managers from before there were versions tell none. */
const SPOKEN_UNTOLD = 1;

const spokenBy = (hello: Hello | undefined): number => hello?.speaks ?? SPOKEN_UNTOLD;

/** What every member understands; whoever has not said hello counts as the oldest. */
export function lowestSpoken({ self, members, hellos }: Election): number {
  return members.reduce((low, name) => (name === self ? low : Math.min(low, spokenBy(entryOf(hellos, name)))), SPOKEN);
}

/** Why its words cannot be followed; undefined where they can. */
export function strangeness(from: string, self: string, hello: Hello): string | undefined {
  const theirs = spokenBy(hello);
  if (Math.abs(theirs - SPOKEN) <= 1) return undefined;
  const [older, newer] = theirs < SPOKEN ? [from, self] : [self, from];
  return (
    `the manager of ${from} speaks version ${theirs}, this one ${SPOKEN}: they do not understand each other; ` +
    `update ${older}, or put ${newer} back, so that they are one version apart at most`
  );
}

const CONTROLLER_WORDS: Readonly<Record<ControllerMessage["kind"], true>> = {
  hello: true,
  "join-offer": true,
  joined: true,
  "join-wanted": true,
  perform: true,
  withdraw: true,
  result: true,
  unexpected: true,
  clear: true,
  "cleanup-request": true,
  "shutdown-request": true,
  leave: true,
  fenced: true,
  returned: true,
  accepted: true,
  "dc-report": true,
};

const CIB_WORDS: Readonly<Record<CibMessage["kind"], true>> = {
  "cib-ask": true,
  "cib-have": true,
  "cib-fetch": true,
  "cib-document": true,
  "cib-install": true,
  "cib-stored": true,
  "cib-confirmed": true,
  "cib-request": true,
  "cib-answer": true,
  "cib-report": true,
  "cib-report-taken": true,
  "cib-status": true,
  "cib-status-whole": true,
  "cib-status-ask": true,
};

const STATUS_WORDS: Readonly<Record<StatusChange["kind"], true>> = {
  "set-node-state": true,
  "replace-history": true,
  "set-operation": true,
  "end-lock": true,
  "delete-history": true,
  "set-attribute": true,
  "clear-node": true,
  "delete-node": true,
  "set-ticket": true,
  "set-cib": true,
};

export const isKnownChange = ({ kind }: StatusChange): boolean => Object.hasOwn(STATUS_WORDS, kind);

export const isKnownMessage = ({ kind }: ControllerMessage | CibMessage): boolean =>
  Object.hasOwn(CONTROLLER_WORDS, kind) || Object.hasOwn(CIB_WORDS, kind);

/** The first word in it of which this program does not know what it means. */
export function unknownWord(message: ControllerMessage | CibMessage): string | undefined {
  if (!isKnownMessage(message)) return message.kind;
  if (message.kind !== "cib-status" && message.kind !== "cib-report") return undefined;
  return message.changes.find((change) => !isKnownChange(change))?.kind;
}
