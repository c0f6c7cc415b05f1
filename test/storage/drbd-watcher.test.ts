/** The watcher on a stand-in for drbdsetup that plays a recorded stream. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { DrbdEvent, DrbdState } from "../../src/storage/core/drbd-events.ts";
import { watchDrbd } from "../../src/storage/edge/drbd-watcher.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), "gemel-drbd-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function standIn(stream: string, after: string): string {
  const file = path.join(directory, "drbdsetup");
  writeFileSync(path.join(directory, "stream"), stream);
  writeFileSync(file, `#!/bin/sh\n[ "$*" = "events2 --statistics" ] || exit 20\ncat ${directory}/stream\n${after}\n`);
  chmodSync(file, 0o755);
  return file;
}

function recorded(): string {
  const text = readFileSync(path.join(import.meta.dirname, "transcripts/25-fence-stonith-ok.txt"), "utf8");
  const from = text.indexOf("======== a: stream of drbdsetup events2 --timestamps --statistics\n");
  const body = text.slice(text.indexOf("\n", from) + 1);
  return body.slice(0, body.indexOf("========"));
}

test("the state follows the stream, and helpers are told", async () => {
  const events: DrbdEvent[] = [];
  const states: (DrbdState | undefined)[] = [];
  const listener = {
    onState: (state: DrbdState | undefined) => states.push(state),
    onEvent: (e: DrbdEvent) => events.push(e),
  };
  const watch = watchDrbd(listener, standIn(recorded(), "exec sleep 60"));
  await expect.poll(() => events.some(({ kind }) => kind === "helper-answered")).toBe(true);
  await expect.poll(() => watch.state()?.["r0"]?.suspended).toBe("no");
  expect(states.some((state) => state?.["r0"]?.suspended === "fencing")).toBe(true);
  expect(watch.state()?.["r0"]?.volumes["0"]?.sizeKib).toBe(65_496);
  watch.close();
});

test("when the stream ends the state is unknown, until a new stream has told it", async () => {
  const states: (DrbdState | undefined)[] = [];
  const watch = watchDrbd({ onState: (state) => states.push(state) }, standIn(recorded(), "exit 0"));
  const isKnown = () => states.map((state) => state !== undefined);
  // Told, unknown, and told by the next stream: every change is heard, however late this process looks.
  const changes = () => isKnown().filter((known, at, all) => known !== all[at - 1]);
  await expect.poll(() => changes().slice(0, 3)).toEqual([true, false, true]);
  watch.close();
});

test("a tool that is not there leaves the state unknown, quietly", async () => {
  const watch = watchDrbd({ onState: () => expect.unreachable() }, path.join(directory, "none"));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(watch.state()).toBeUndefined();
  watch.close();
});
