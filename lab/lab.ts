/**
 * A running lab: the pair on the appliance image, the watcher, the client, and the log of what happened.
 * `startLab` makes everything; `close` ends everything. demo, soak, the tests and the commands all stand on this.
 */
import { randomBytes } from "node:crypto";
import { appendFileSync, copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { buildImage, makeNodeDisk } from "../images/build.ts";
import { nodeFiles } from "./configuration/node-files.ts";
import type { Machine } from "./machine/machine.ts";
import { mirrorDisk } from "./mirror-disk.ts";
import { NODES, type NodeName, peerOf } from "./names.ts";
import { removeClientNetwork } from "./net/client-network.ts";
import type { Sender } from "./net/frames.ts";
import { openPair, type Pair } from "./pair.ts";
import { type Place, placeOf } from "./place.ts";
import { killProcessesOf } from "./processes.ts";
import { createServiceClient, type ServiceClient } from "./records/service-client.ts";
import { startWatcher, type Watcher } from "./watch/watcher.ts";

const MEMORY_MB = 512;
/** Both boots, and a first election, on a machine that does other work too. */
const READY_MAX_MS = 300_000;
const POLL_MS = 200;
/** A busy node tells its log within this; one that hangs does not hold up the end of the lab. */
const LAST_WORDS_MS = 5_000;
const KEY_BYTES = 24;
/** As many as the live view shows. */
const EVENTS_KEPT = 6;

export interface Lab {
  readonly place: Place;
  readonly pair: Pair;
  readonly watcher: Watcher;
  readonly client: ServiceClient;
  /** Writes a line into the log of events, with the time since the start, and shows it. */
  say(line: string): void;
  /** The last lines that were said, oldest first. */
  recentEvents(): readonly string[];
  /** Waits for `condition`; rejects after `maxMs` with what was waited for. */
  until(what: string, condition: () => boolean | Promise<boolean>, maxMs?: number): Promise<void>;
  /** Both nodes UpToDate and connected, one Primary, the service answering. */
  untilWhole(): Promise<void>;
  /** The node that is Primary, or a rejection. */
  active(): NodeName;
  close(): Promise<void>;
}

/** True when a lab answers on the place's control socket. */
export function isRunning(place: Place): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(place.controlSocket);
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

/** Where this lab makes the mirrored disk, if it must. */
function mirrorPlace(place: Place): Place {
  return placeOf(`${place.name}-mirror`, path.resolve(place.directory, "../.."));
}

/** Ends what a dead lab of this name left behind: processes, network, files. */
export async function clearLeftOvers(place: Place): Promise<number> {
  let count = 0;
  for (const one of [place, mirrorPlace(place)]) {
    count += killProcessesOf(one.directory);
    await removeClientNetwork(one);
    rmSync(one.directory, { recursive: true, force: true });
  }
  return count;
}

/** What the node has logged, as far as it still answers, and its serial console: the story of a lab that failed. */
async function keepLogs({ node, directory, ...machine }: Machine, logs: string): Promise<void> {
  const answer = machine.isFrozen() ? undefined : await machine.run("cat /data/log/gemel.log", LAST_WORDS_MS);
  if (answer !== undefined) writeFileSync(path.join(logs, `${node}-gemel.log`), answer.output);
  const console = path.join(directory, "console.log");
  if (existsSync(console)) copyFileSync(console, path.join(logs, `${node}-console.log`));
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** One Primary, one Secondary, both disks the same. */
export function isMirrorWhole(watcher: Watcher): boolean {
  const active = watcher.active();
  if (active === undefined) return false;
  const [here, there] = [watcher.latest(active)?.seen, watcher.latest(peerOf(active))?.seen];
  const both = here?.disk === "UpToDate" && here.peerDisk === "UpToDate" && there?.disk === "UpToDate";
  return both && there.connection === "Connected" && there.drbdRole === "Secondary";
}

export function isWhole(watcher: Watcher): boolean {
  const active = watcher.active();
  const hasAddress = active !== undefined && watcher.latest(active)?.seen?.hasVirtualAddress === true;
  return hasAddress && isMirrorWhole(watcher);
}

/**
 * Starts everything and resolves when the service answers; `onOpen` gets the lab as soon as its machines can be talked
 * to. Rejects, with nothing left behind, when the pair does not become whole.
 */
export async function startLab(
  place: Place,
  show: (line: string) => void,
  onOpen: (lab: Lab) => Promise<void> = () => Promise.resolve(),
): Promise<Lab> {
  const startedAtMs = performance.now();
  const left = await clearLeftOvers(place);
  mkdirSync(path.join(place.directory, "logs"), { recursive: true });
  const events: string[] = [];
  function say(line: string): void {
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1).padStart(7);
    const stamped = `${seconds} s  ${line}`;
    events.push(stamped);
    events.splice(0, events.length - EVENTS_KEPT);
    if (existsSync(place.directory)) appendFileSync(place.eventsFile, `${stamped}\n`);
    show(stamped);
  }
  if (left > 0) say(`ended ${left} processes that a dead lab of this name had left`);
  say("building the program and the image (20 s to 4 minutes the first time)");
  const image = await buildImage();
  const mirror = await mirrorDisk(image, mirrorPlace(place), say);

  const keys = { link: randomBytes(KEY_BYTES).toString("hex"), drbd: randomBytes(KEY_BYTES).toString("hex") };
  let see: (sender: Sender) => void = () => {};
  const pair = await openPair({
    place,
    memoryMb: MEMORY_MB,
    onEvent: (source, event) => say(`${source}: ${event}`),
    onSender: (sender) => see(sender),
    makeDisks: async (node, directory, bmcs) => {
      copyFileSync(mirror, path.join(directory, "mirror.img"));
      const file = path.join(directory, "system.img");
      await makeNodeDisk(image, { file, hostname: node, dataFiles: nodeFiles(node, bmcs, keys) });
    },
  });
  const watcher = startWatcher({ machines: pair.machines, onViolation: (what) => say(`TWO WRITERS: ${what}`) });
  see = (sender) => watcher.see(sender);
  const client = createServiceClient(place);

  async function until(what: string, condition: () => boolean | Promise<boolean>, maxMs = READY_MAX_MS): Promise<void> {
    const endsAtMs = performance.now() + maxMs;
    while (!(await condition())) {
      if (performance.now() > endsAtMs) throw new Error(`waited ${maxMs / 1000} s for this in vain: ${what}`);
      await sleep(POLL_MS);
    }
  }
  async function end(): Promise<void> {
    client.stopWriting();
    await Promise.all(NODES.map((node) => keepLogs(pair.machines[node], path.join(place.directory, "logs"))));
    await watcher.stop();
    await pair.down();
  }
  let closing: Promise<void> | undefined;
  const lab: Lab = {
    place,
    pair,
    watcher,
    client,
    say,
    recentEvents: () => events,
    until,
    async untilWhole() {
      await until("both disks UpToDate, one node Primary with the address", () => isWhole(watcher));
      await until("the service answers", async () => (await client.read()) !== undefined);
    },
    active() {
      const active = watcher.active();
      if (active === undefined) throw new Error("no node is Primary now");
      return active;
    },
    close: () => (closing ??= end()),
  };
  try {
    await onOpen(lab);
    say("powering on alpha and bravo");
    for (const node of NODES) await pair.machines[node].powerOn();
    await Promise.all(
      NODES.map(async (node) => {
        await until(`${node} boots`, () => watcher.latest(node)?.seen !== undefined);
        say(`${node} has booted`);
      }),
    );
    await lab.untilWhole();
    say(`the service answers; ${lab.active()} is active`);
    return lab;
  } catch (error) {
    await lab.close();
    throw error;
  }
}
