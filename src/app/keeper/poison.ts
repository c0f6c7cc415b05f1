/**
 * The keeper's ear for poison pills: joins the watch over the mailboxes to the disks. It holds no rule.
 * Reads run on libuv's threads and are begun anew only when the last one has come back, so a disk that hangs holds one
 * thread and never the loop.
 */
import type { NodeConfig } from "../../cib/node-config.ts";
import {
  createPoisonWatch,
  objectToPromise,
  type PoisonWatchEffect,
  type PoisonWatchEvent,
  poisonWakeAtMs,
  stepPoisonWatch,
} from "../../fencing/core/poison-watch.ts";
import { majorityOf } from "../../hw/core/poison/disks.ts";
import { isKill, type PoisonHeader } from "../../hw/core/poison/format.ts";
import type { PoisonDisk } from "../../hw/edge/poison-disk.ts";
import type { Log } from "./log.ts";

export interface PoisonEars {
  /** Reads from now on. */
  begin(hears: {
    readonly onEnd: (how: "reset" | "off", reason: string) => void;
    readonly onLeave: (reason: string) => void;
  }): void;
  close(): void;
}

/** As sbd's own (-I): a shared disk that needs longer for one sector is as good as gone. */
const ACCESS_MS = 3_000;

interface Ear {
  readonly disk: PoisonDisk;
  readonly slot: number;
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/**
 * Opens a disk and clears our mailbox, as sbd does at its start. A kill that stands there has been obeyed, or was
 * written to a start of this node that is over: nobody has heard this start yet. On a disk that comes later it binds
 * nobody either, for a kill counts only on a majority, and that is being read.
 */
async function openEar(path: string, self: string, log: Log): Promise<Ear> {
  const { openPoisonDisk } = await import("../../hw/edge/poison-disk.ts");
  const disk = await openPoisonDisk(path, ACCESS_MS);
  const slot = await disk.allocateSlot(self);
  const { command, from } = await disk.read(slot);
  if (isKill(command)) log.say("notice", `${path}: the last message to this node was ${command}, from ${from}`);
  await disk.write(slot, { command: "clear", from: "" });
  return { disk, slot };
}

/** Throws when a majority of the disks cannot be read: then a peer that counts on our obedience would be deceived. */
export async function openPoisonEars(config: NodeConfig, self: string, log: Log): Promise<PoisonEars | undefined> {
  const { fencingDisks: paths, watchdog } = config;
  if (paths.length === 0) return undefined;
  const ears: (Ear | undefined)[] = await Promise.all(
    paths.map((path) =>
      openEar(path, self, log).catch((error: unknown) => {
        log.say("error", `fencing disk: ${reasonOf(error)}`);
        return undefined;
      }),
    ),
  );
  const headers: readonly PoisonHeader[] = ears.flatMap((ear) => (ear === undefined ? [] : [ear.disk.header]));
  if (headers.length < majorityOf(paths.length)) throw new Error("no majority of the fencing disks can be read");
  const objection = watchdog.kind === "none" ? undefined : objectToPromise(headers, watchdog.timeoutMs);
  if (objection !== undefined) throw new Error(objection);
  log.say("info", `${headers.length} of ${paths.length} fencing disks are read for messages to ${self}`);

  let state = createPoisonWatch(paths, headers, performance.now());
  let timer: NodeJS.Timeout | undefined;
  let perform: (effect: PoisonWatchEffect) => void = () => {};

  function step(event: PoisonWatchEvent): void {
    const stepped = stepPoisonWatch(state, event, performance.now());
    state = stepped.state;
    for (const effect of stepped.effects) perform(effect);
    clearTimeout(timer);
    const wakeAtMs = poisonWakeAtMs(state);
    if (wakeAtMs === undefined) return;
    timer = setTimeout(step, Math.max(1, Math.ceil(wakeAtMs - performance.now())), { kind: "tick" });
  }

  async function access(index: number, clears: boolean): Promise<PoisonWatchEvent> {
    const ear = ears[index] ?? (await openEar(paths[index] ?? "", self, log));
    ears[index] = ear;
    if (!clears) return { kind: "read", disk: index, mailbox: await ear.disk.read(ear.slot) };
    await ear.disk.write(ear.slot, { command: "clear", from: "" });
    return { kind: "cleared", disk: index };
  }

  function start(index: number, clears: boolean): void {
    void access(index, clears).then(step, (error: unknown) =>
      step({ kind: "failed", disk: index, reason: `fencing disk: ${reasonOf(error)}` }),
    );
  }

  return {
    begin({ onEnd, onLeave }) {
      perform = (effect) => {
        switch (effect.kind) {
          case "read":
            start(effect.disk, false);
            break;
          case "clear":
            start(effect.disk, true);
            break;
          case "end-machine":
            onEnd(effect.how, effect.reason);
            break;
          case "leave":
            onLeave(effect.reason);
            break;
          case "log":
            log.say(effect.severity, effect.text);
            break;
          default:
            effect satisfies never;
        }
      };
      // The start may have taken long since the mailboxes were cleared.
      state = createPoisonWatch(paths, headers, performance.now());
      step({ kind: "tick" });
    },
    close() {
      clearTimeout(timer);
      state = { ...state, isOver: true };
      for (const ear of ears) void ear?.disk.close().catch(() => {});
    },
  };
}
