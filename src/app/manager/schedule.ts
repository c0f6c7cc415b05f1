/**
 * Where the scheduler runs: a small decision here in the manager's own loop, a large one in a worker thread, so that
 * the loop goes on serving the peer, the agents and DRBD. Measurements and reasons: docs/decisions/scheduler-worker.md.
 * The heartbeat is the keeper's, another process, and never waits for either.
 */
import { getAsset, isSea } from "node:sea";
import { isDeepStrictEqual } from "node:util";
import { Worker } from "node:worker_threads";
import type { XmlElement } from "../../base/xml.ts";
import type { Decision, ScheduleOptions } from "../../cluster/core/scheduler/decision.ts";
import { schedule } from "../../cluster/core/scheduler/schedule.ts";
import type { Log } from "./log.ts";
import type { WorkerAnswer, WorkerQuestion } from "./scheduler-worker.ts";

export interface Decider {
  readonly decide: (cib: XmlElement, nowWallMs: number, options: ScheduleOptions) => Promise<Decision>;
  /** Whether a decision is being worked out in the worker. */
  readonly isBusy: () => boolean;
  /** Ends the worker; what it was asked is not answered any more. */
  readonly close: () => void;
}

/** Some 9 µs an element when warm, three times that when cold: below this the loop is held for 15 to 40 ms. */
const ELEMENTS_IN_LOOP_MAX = 1_500;
/** No decision of this size exists; a worker that takes longer is lost, and so is this manager. */
const DECISION_MAX_MS = 120_000;
/** Ten times what 1,000 resources need. */
const WORKER_HEAP_MAX_MB = 256;
/** A small young generation, as in the binary's own start (docs/decisions/one-binary.md). */
const WORKER_YOUNG_MAX_MB = 4;
/** The name of the asset in the binary: tools/build.ts. */
const ASSET = "scheduler-worker";

/** Elements of the CIB, counted no further than needed. */
function isLarge(cib: XmlElement, max: number): boolean {
  let count = 0;
  const open: XmlElement[] = [cib];
  for (let element = open.pop(); element !== undefined; element = open.pop()) {
    count += 1;
    if (count > max) return true;
    open.push(...element.children);
  }
  return false;
}

interface Waiting {
  readonly resolve: (decision: Decision) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
  /** For when the worker is lost: the same question, answered in the loop. */
  readonly here: () => Decision;
}

function openWorker(heapMaxMb: number): Worker {
  const options = {
    resourceLimits: { maxOldGenerationSizeMb: heapMaxMb, maxYoungGenerationSizeMb: WORKER_YOUNG_MAX_MB },
    name: ASSET,
  };
  if (isSea()) return new Worker(getAsset(ASSET, "utf8"), { ...options, eval: true });
  return new Worker(new URL("./scheduler-worker.ts", import.meta.url), options);
}

export interface DeciderLimits {
  /** Beyond so many elements of the CIB the worker decides; it lives as long as the CIB is that large. */
  readonly elementsInLoopMax: number;
  readonly workerHeapMaxMb: number;
}

export const DECIDER_LIMITS: DeciderLimits = {
  elementsInLoopMax: ELEMENTS_IN_LOOP_MAX,
  workerHeapMaxMb: WORKER_HEAP_MAX_MB,
};

export function createDecider(log: Log, limits: DeciderLimits = DECIDER_LIMITS): Decider {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let next = 1;

  const take = (number: number): Waiting | undefined => {
    const known = waiting.get(number);
    waiting.delete(number);
    clearTimeout(known?.timer);
    // An idle thread keeps no process alive.
    if (waiting.size === 0) worker?.unref();
    return known;
  };
  /** A thread that died, of memory or otherwise, holds nobody up: its questions are answered here. */
  const lose = (lost: Worker, reason: string) => {
    if (worker !== lost) return;
    worker = undefined;
    void lost.terminate();
    log("error", `the scheduler's thread is lost (${reason}); deciding in the manager's loop`);
    for (const number of [...waiting.keys()]) {
      const one = take(number);
      if (one !== undefined) one.resolve(one.here());
    }
  };
  const start = (): Worker | undefined => {
    try {
      const opened = openWorker(limits.workerHeapMaxMb);
      opened.on("error", (error: Error) => lose(opened, error.message));
      opened.on("exit", (code) => lose(opened, `exit code ${code}`));
      opened.on("message", (answer: WorkerAnswer) => {
        const asked = take(answer.number);
        if (answer.kind === "decision") asked?.resolve(JSON.parse(answer.decision));
        else asked?.reject(new Error(`the scheduler failed: ${answer.reason}`));
      });
      return opened;
    } catch (error) {
      log("error", `no thread for the scheduler: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };
  const close = () => {
    const closed = worker;
    worker = undefined;
    for (const number of [...waiting.keys()]) take(number);
    void closed?.terminate();
  };
  return {
    decide(cib, nowWallMs, options) {
      if (!isLarge(cib, limits.elementsInLoopMax)) {
        // The thread's memory is worth having back once the configuration is small again.
        if (waiting.size === 0) close();
        return Promise.resolve(schedule(cib, nowWallMs, options));
      }
      worker ??= start();
      if (worker === undefined) return Promise.resolve(schedule(cib, nowWallMs, options));
      const number = next;
      next += 1;
      const question: WorkerQuestion = { number, cib: JSON.stringify(cib), nowWallMs, options };
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          take(number)?.reject(new Error(`the scheduler has not answered within ${DECISION_MAX_MS / 1000} s`));
        }, DECISION_MAX_MS);
        waiting.set(number, { resolve, reject, timer, here: () => schedule(cib, nowWallMs, options) });
        worker?.ref();
        worker?.postMessage(question);
      });
    },
    isBusy: () => waiting.size > 0,
    close,
  };
}

/** The store makes the `<cib>` anew for whoever asks, of parts that are never changed in place. */
function isSameCib(left: XmlElement, right: XmlElement): boolean {
  const sameParts = left.children.every((child, index) => child === right.children[index]);
  return (
    sameParts && left.children.length === right.children.length && isDeepStrictEqual(left.attributes, right.attributes)
  );
}

/**
 * For displays: what the status of this CIB means. Kept for as long as the CIB stays the same and time alone changes
 * nothing: a display or a monitor that asks every second must not cost a decision each time.
 */
export function createReader(decide: Decider["decide"]): (cib: XmlElement, nowWallMs: number) => Promise<Decision> {
  let last: { readonly cib: XmlElement; readonly atWallMs: number; readonly decision: Promise<Decision> } | undefined;
  return async (cib, nowWallMs) => {
    if (last !== undefined && isSameCib(last.cib, cib) && nowWallMs >= last.atWallMs) {
      const known = await last.decision;
      const untilWallMs = known.transition.recheckAtWallMs ?? Number.POSITIVE_INFINITY;
      if (nowWallMs < untilWallMs) return known;
    }
    last = { cib, atWallMs: nowWallMs, decision: decide(cib, nowWallMs, {}) };
    return await last.decision;
  };
}
