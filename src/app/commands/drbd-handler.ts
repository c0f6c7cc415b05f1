/**
 * `gemel drbd-handler NAME`: what DRBD's kernel module calls through drbdadm, with the resource in its environment.
 * fence-peer asks the manager of this node, which waits for a proof; DRBD's I/O or promotion waits meanwhile, without
 * a bound of its own, so ours is here. Everything that is no clear answer is 1: "unsure", on which DRBD stays frozen.
 * The other handlers only tell the log of the kernel: the manager sees them in DRBD's event stream anyway.
 * Facts: reference/storage.md, sections 4 and 5 (environment and exit codes).
 */
import { appendFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { askControl, type ControlReply, readCommandLine } from "../control-client.ts";
import type { FencePeerAnswer } from "../control-protocol.ts";

const UNSURE = 1;
const CODES: readonly number[] = [UNSURE, 4, 6, 7];
/** Longer than deadtime and a whole topology of fencing devices with their retries. */
const WAIT_MS = 120_000;
/** A manager that is being restarted by the keeper is back within seconds. */
const RETRY_MS = 1_000;

/** Handlers that DRBD only tells something with; their exit code is not used (before-resync-* must be 0). */
const TOLD = new Set([
  "unfence-peer",
  "initial-split-brain",
  "split-brain",
  "pri-lost",
  "pri-lost-after-sb",
  "pri-on-incon-degr",
  "local-io-error",
  "before-resync-target",
  "after-resync-target",
  "before-resync-source",
  "out-of-sync",
  "quorum-lost",
]);

export interface Handler {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly ask: (resource: string, peer: string | undefined, waitMs: number) => Promise<ControlReply<FencePeerAnswer>>;
  readonly say: (line: string) => void;
  readonly nowMs: () => number;
  readonly waitMs: number;
}

/** The exit code for DRBD, after at most `waitMs` and one answer's grace. */
export async function answerFencePeer({ environment, ask, say, nowMs, waitMs }: Handler): Promise<number> {
  const resource = environment["DRBD_RESOURCE"];
  if (resource === undefined || resource === "") {
    say("fence-peer: DRBD_RESOURCE is not set; DRBD calls this, not a person");
    return UNSURE;
  }
  const peer = environment["DRBD_PEER"];
  const endsAtMs = nowMs() + waitMs;
  for (;;) {
    const reply = await ask(resource, peer, Math.max(0, endsAtMs - nowMs()));
    if (reply.kind === "answer") {
      const { exitCode, reason } = reply.value;
      // Whatever a manager of another version may say: 5 would make DRBD go on without any proof.
      const code = CODES.includes(exitCode) ? exitCode : UNSURE;
      say(`fence-peer ${resource}: ${code}, ${reason}`);
      return code;
    }
    if (reply.kind === "refused" || nowMs() + RETRY_MS > endsAtMs) {
      const why = reply.kind === "refused" ? reply.problems.map(({ reason }) => reason).join("; ") : reply.reason;
      say(`fence-peer ${resource}: ${UNSURE}, ${why}`);
      return UNSURE;
    }
    await sleep(RETRY_MS);
  }
}

/** To standard error, and to the kernel's log: where somebody looks who finds I/O frozen. */
function say(line: string): void {
  process.stderr.write(`gemel drbd-handler: ${line}\n`);
  try {
    appendFileSync("/dev/kmsg", `gemel drbd-handler: ${line}\n`);
  } catch {
    // Not root, or no kernel log here: standard error has it.
  }
}

/** Exit codes: for fence-peer those of DRBD (4, 6, 7, 1), else 0; 64 for a wrong call. */
export async function run(argv: readonly string[]): Promise<number> {
  const line = readCommandLine(argv);
  const name = line.kind === "called" ? line.words[0] : undefined;
  if (line.kind === "called" && name === "fence-peer") {
    const grace = 5_000;
    return answerFencePeer({
      environment: process.env,
      ask: (resource, peer, waitMs) =>
        askControl(
          line.socketPath,
          { kind: "fence-peer", resource, ...(peer === undefined ? {} : { peer }), waitMs, by: "drbd" },
          waitMs + grace,
        ),
      say,
      nowMs: () => performance.now(),
      waitMs: WAIT_MS,
    });
  }
  if (name !== undefined && TOLD.has(name)) {
    say(`${name} ${process.env["DRBD_RESOURCE"] ?? "?"}`);
    return 0;
  }
  process.stderr.write(`gemel drbd-handler: name one of: fence-peer ${[...TOLD].join(" ")}\n`);
  return 64;
}
