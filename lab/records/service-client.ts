/** The lab's hold on the client of the service: starts it in the client's network, counts, reads back, verifies. */
import type { ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import type { Place } from "../place.ts";
import { killProcess, launch } from "../processes.ts";
import { type Acknowledged, readAcknowledged, type Verdict, verifyRecords } from "./ledger.ts";

const PROGRAM = path.join(import.meta.dirname, "client.ts");

export interface Progress {
  readonly isWriting: boolean;
  readonly acknowledgedCount: number;
  /** Why the last try failed; undefined after a success. */
  readonly failure?: string;
}

export interface ServiceClient {
  /** Starts writing; `onEnd` when `count` is reached or the client ends otherwise. Nothing if it writes already. */
  write(count: number | undefined, onEnd: () => void): void;
  stopWriting(): void;
  progress(): Progress;
  acknowledged(): readonly Acknowledged[];
  /** All that is stored; undefined when the service does not answer. */
  read(): Promise<string | undefined>;
  /** Undefined when the service does not answer. */
  verify(): Promise<Verdict | undefined>;
}

export function createServiceClient(place: Place): ServiceClient {
  let writer: ChildProcess | undefined;
  let failure: string | undefined;
  let acknowledgedCount = 0;
  const logFile = path.join(place.directory, "logs", "client.log");
  const start = (argv: readonly string[]) =>
    launch(place.directory, {
      command: process.execPath,
      argv: [PROGRAM, ...argv],
      logFile,
      output: "pipe",
      namespace: place.clientNamespace,
    });

  function acknowledged(): readonly Acknowledged[] {
    return existsSync(place.acknowledgedFile) ? readAcknowledged(readFileSync(place.acknowledgedFile, "utf8")) : [];
  }
  function note(line: string): void {
    const event: { readonly kind?: string; readonly reason?: string } = JSON.parse(line);
    if (event.kind === "acknowledged") acknowledgedCount += 1;
    failure = event.kind === "failed" ? event.reason : undefined;
  }
  async function read(): Promise<string | undefined> {
    const reader = start(["read"]);
    let text = "";
    reader.stdout?.setEncoding("utf8").on("data", (more: string) => {
      text += more;
    });
    const code = await new Promise((resolve) => reader.on("close", resolve));
    return code === 0 ? text : undefined;
  }
  return {
    write(count, onEnd) {
      if (writer !== undefined) return;
      acknowledgedCount = acknowledged().length;
      const child = start(["write", place.acknowledgedFile, ...(count === undefined ? [] : [`${count}`])]);
      writer = child;
      let waiting = "";
      child.stdout?.setEncoding("utf8").on("data", (more: string) => {
        const lines = (waiting + more).split("\n");
        waiting = lines.pop() ?? "";
        lines.forEach(note);
      });
      child.on("close", () => {
        if (writer === child) writer = undefined;
        onEnd();
      });
    },
    stopWriting() {
      if (writer?.pid !== undefined) killProcess(writer.pid);
      writer = undefined;
    },
    progress: () => ({
      isWriting: writer !== undefined,
      acknowledgedCount,
      ...(failure === undefined ? {} : { failure }),
    }),
    acknowledged,
    read,
    async verify() {
      // Taken first: the client may go on writing, and what it adds meanwhile was not asked for.
      const known = acknowledged();
      const stored = await read();
      return stored === undefined ? undefined : verifyRecords(known, stored);
    },
  };
}
