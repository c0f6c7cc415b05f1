/**
 * `--wait` means done: nothing is under way in the cluster any more, and nothing is about to begin. A decision follows
 * a change by as much as `transition-delay`, so the cluster has to be quiet for longer than that.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseXml } from "../base/xml.ts";
import { clusterOption } from "../cluster/core/controller/cib-read.ts";
import { parseDurationMs } from "../cluster/core/scheduler/facts/values.ts";
import { askCib } from "./cib-door.ts";
import type { ControlReply } from "./control-client.ts";
import type { StatusReport } from "./control-protocol.ts";
import { createProgress, transitionText } from "./progress.ts";

/** How often the status is looked at. */
const LOOK_MS = 300;
/** One transition may begin behind the last: a decision takes tens of milliseconds, its report arrives soon after. */
const QUIET_MS = 900;
export const SETTLE_MAX_MS = 600_000;
/** Not asked for, but promised by the name of the command. Fact: crm_resource(8) gives a reply a minute. */
export const CLEANUP_WAIT_MAX_MS = 60_000;

/** How the manager is asked; tests hand in their own. */
export type Transport = typeof askCib;

interface Waiting {
  readonly transport?: Transport;
  readonly tell?: (line: string) => void;
  readonly waitMaxMs?: number;
  readonly rest?: (ms: number) => Promise<unknown>;
  /** What is waited for may be there while the cluster is still at something else. */
  readonly isReached?: (status: StatusReport) => boolean;
}

export type Settled =
  | { readonly kind: "settled"; readonly status: StatusReport }
  | { readonly kind: "too-long"; readonly reason: string }
  | { readonly kind: "no-answer"; readonly reply: Exclude<ControlReply<never>, { kind: "answer" }> };

async function quietMsOf(transport: Transport, socketPath: string): Promise<number> {
  const reply = await transport<"cib-query">(socketPath, { kind: "cib-query" });
  if (reply.kind !== "answer") return QUIET_MS;
  const read = parseXml(reply.value.xml);
  const delay = read.kind === "xml" ? clusterOption(read.root, "transition-delay") : undefined;
  return QUIET_MS + (parseDurationMs(delay ?? "0") ?? 0);
}

/** What is under way is told while it takes long. */
export async function waitUntilSettled(
  tool: string,
  socketPath: string,
  { transport = askCib, tell, waitMaxMs = SETTLE_MAX_MS, rest = sleep, isReached = () => false }: Waiting,
): Promise<Settled> {
  const progress = createProgress(tool, undefined, tell);
  const quietMs = await quietMsOf(transport, socketPath);
  let quietSinceMs = 0;
  for (let waitedMs = 0; waitedMs <= waitMaxMs; waitedMs += LOOK_MS) {
    const reply = await transport<"status">(socketPath, { kind: "status" });
    if (reply.kind !== "answer") return { kind: "no-answer", reply };
    const { transition } = reply.value;
    if (isReached(reply.value)) return { kind: "settled", status: reply.value };
    if (transition.isRunning) {
      quietSinceMs = waitedMs + LOOK_MS;
      progress(transitionText(transition));
    } else progress("waiting whether more follows");
    if (waitedMs - quietSinceMs >= quietMs) return { kind: "settled", status: reply.value };
    await rest(LOOK_MS);
  }
  return { kind: "too-long", reason: `not settled after ${waitMaxMs / 1000} s; see gemel status` };
}
