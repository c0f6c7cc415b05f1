/** Answers to requests of the control socket, as values. */
import type { ControlAnswers, RequestKind } from "../control-protocol.ts";
import { problem } from "./configuration-requests.ts";
import type { Reply } from "./control-server.ts";

export function answer<Kind extends RequestKind>(value: ControlAnswers[Kind]): Reply {
  return { kind: "answer", value };
}

export function refuse(place: string, reason: string, remedy: string): Reply {
  return { kind: "refused", problems: [problem(place, reason, remedy)] };
}
