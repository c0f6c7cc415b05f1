/** What the log says of each effect of the membership core, in the field's words. */
import type { NodeTimes } from "../../cib/node-times.ts";
import type { MembershipEffect } from "../../cluster/core/membership/state.ts";
import type { Level } from "./log.ts";

interface Said {
  readonly level: Level;
  readonly text: string;
}

/** In ha.cf's words, so that a log tells by itself what was too long. */
export function describeTimes({ keepaliveMs, warntimeMs, deadtimeMs, initdeadMs, takeoverGoalMs }: NodeTimes): string {
  const goal = takeoverGoalMs === undefined ? "" : `, from takeover-goal ${takeoverGoalMs} ms`;
  const times = `keepalive ${keepaliveMs} ms, warntime ${warntimeMs} ms, deadtime ${deadtimeMs} ms`;
  return `${times}, initdead ${initdeadMs} ms${goal}`;
}

/** Undefined for what is not worth a line. */
export function describeEffect(effect: MembershipEffect): Said | undefined {
  switch (effect.kind) {
    case "send-heartbeat":
    case "persist":
      return undefined;
    case "peer-joined":
      return { level: "notice", text: `peer-joined: ${effect.name}, start ${effect.generation}` };
    case "peer-restarted":
      return { level: "warning", text: `peer-restarted: ${effect.name}, start ${effect.generation}` };
    case "peer-returned":
      return {
        level: "critical",
        text: `peer-returned: ${effect.name} ran on while it was lost; it stays lost until it is fenced or accepted`,
      };
    case "peer-left":
      return { level: "notice", text: `peer-left: ${effect.name}` };
    case "peer-lost":
      return { level: "critical", text: `peer-lost: ${effect.name}, silent for ${Math.round(effect.silentMs)} ms` };
    case "given-up":
      return {
        level: "critical",
        text: `given-up: ${effect.name} does not hear ${effect.unheard.join(", ")} nor is heard; this node hears both`,
      };
    case "held-out":
      return {
        level: "error",
        text:
          `held-out: ${effect.name} is heard and not taken in: it, or this node, or who is counted by one of both, ` +
          `and ${effect.unheard.join(", ")} do not hear each other`,
      };
    case "kept-out":
      return {
        level: "error",
        text:
          effect.unheard.length === 0
            ? `kept-out: ${effect.name} does not take this node in: some of those counted do not hear each other`
            : `kept-out: ${effect.name} does not take this node in, which is not heard by ${effect.unheard.join(", ")}`,
      };
    case "late-heartbeat":
      return { level: "warning", text: `late-heartbeat: ${effect.name}, interval ${Math.round(effect.silentMs)} ms` };
    case "link-up":
      return { level: "notice", text: `link-up: ${effect.link} to ${effect.peer}` };
    case "link-late":
      return { level: "warning", text: `link-late: ${effect.link} to ${effect.peer}` };
    case "link-down":
      return { level: "error", text: `link-down: ${effect.link} to ${effect.peer}` };
    case "settled":
      return { level: "info", text: "settled: every node was heard, or initdead has passed" };
    case "self-late":
      return { level: "warning", text: `self-late: this node was late by ${Math.round(effect.lateMs)} ms` };
    case "held":
      return { level: "critical", text: `held: ${effect.reason}; nothing is decided before every member has answered` };
    case "released":
      return { level: "notice", text: `released: ${effect.reason}` };
    case "generation-raised":
      return { level: "warning", text: `generation-raised to ${effect.to}: ${effect.reason}` };
    case "self-fence":
      return { level: "critical", text: `self-fence: ${effect.reason}` };
    case "gone":
      return { level: "notice", text: "gone: goodbye is said" };
  }
}
