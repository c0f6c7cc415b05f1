/**
 * Which of the managers' messages say how something stands, so that only the newest word of them counts (channel.ts,
 * `topic`): on a serial line alone the same would be said again and again before it was said once. What is to be done
 * once, or counts on from the word before, has no topic.
 */
import type { NodeMessage } from "./controller/node-core.ts";

type Kind = NodeMessage["message"]["kind"];

/** All that was asked for and has no answer; all that has happened and was not taken; the newest content, ... */
const STANDING: readonly Kind[] = ["hello", "dc-report", "cib-request", "cib-report", "cib-install"];

/** Of which the newest counts within one round. */
const ROUND: readonly Kind[] = [
  "join-offer",
  "cib-ask",
  "cib-have",
  "cib-fetch",
  "cib-document",
  "cib-stored",
  "cib-status-ask",
];

export function topicOf({ message }: NodeMessage): string | undefined {
  if (STANDING.includes(message.kind)) return message.kind;
  const isOfRound = ROUND.includes(message.kind) && "round" in message;
  return isOfRound ? `${message.kind} ${message.round}` : undefined;
}
