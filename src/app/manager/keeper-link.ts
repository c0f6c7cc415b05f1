/**
 * The manager's end of the pipe to its keeper (descriptor 3). When the keeper goes, the manager goes: without it there
 * is no watchdog and no membership, and a manager alone would be a writer that nobody watches.
 */
import { Socket } from "node:net";
import type { CibFiles } from "../../cluster/edge/cib-files.ts";
import { createFrameReader, encodeFrame, type ToKeeper, type ToManager } from "../keeper-pipe.ts";

export const KEEPER_DESCRIPTOR = 3;

export interface KeeperLink {
  readonly send: (message: ToKeeper) => void;
}

/** By its type complete: a kind that is missing here would be dropped in silence. */
const TO_MANAGER: Readonly<Record<ToManager["kind"], true>> = {
  start: true,
  view: true,
  report: true,
  datagram: true,
  ping: true,
  stop: true,
};

function isToManager(message: ToManager | ToKeeper): message is ToManager {
  return Object.hasOwn(TO_MANAGER, message.kind);
}

/** `onGone` is called once, when the keeper has closed its end. */
export function openKeeperLink(onMessage: (message: ToManager) => void, onGone: () => void): KeeperLink {
  const socket = new Socket({ fd: KEEPER_DESCRIPTOR, readable: true, writable: true });
  const reader = createFrameReader();
  socket.on("data", (chunk: Buffer) => {
    for (const message of reader.push(chunk)) if (isToManager(message)) onMessage(message);
  });
  socket.on("error", () => socket.destroy());
  socket.on("close", onGone);
  return {
    send(message) {
      if (!socket.destroyed) socket.write(encodeFrame(message));
    },
  };
}

/**
 * A disk in trouble may retry for long; one that hangs for longer keeps the whole cluster waiting. Each file counts by
 * itself: on a starved machine each of five takes its seconds, and that is no reason to end it.
 */
const DISK_SILENT_MAX_MS = 30_000;

/** A loop that turns proves nothing for the work that waits for a disk. */
export function complaintOf(files: CibFiles): string | undefined {
  return files.silentMs() < DISK_SILENT_MAX_MS
    ? undefined
    : `its disk has not answered for ${DISK_SILENT_MAX_MS / 1000} s, with a file of the CIB to write`;
}
