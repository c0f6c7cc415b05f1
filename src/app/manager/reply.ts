/** Answers to requests of the control socket, as values. */
import type { ControlAnswers, RequestKind } from "../control-protocol.ts";
import { problem } from "./configuration-requests.ts";
import type { Reply } from "./control-server.ts";

export function answer<Kind extends RequestKind>(value: ControlAnswers[Kind]): Reply {
  return { kind: "answer", value };
}

/** Neither done nor refused: it may have come about, or come about yet. */
export function leaveOpen(place: string, reason: string, remedy: string): Reply {
  return { kind: "refused", problems: [problem(place, reason, remedy)], isOutcomeUnknown: true };
}

export function refuse(place: string, reason: string, remedy: string): Reply {
  return { kind: "refused", problems: [problem(place, reason, remedy)] };
}
