/** The end of an orderly stop: the word that everything has stopped must reach the keeper, however late that one is. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import os from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { createFrameReader, encodeFrame, type ToKeeper, type ToManager } from "../../../src/app/keeper-pipe.ts";
import { PROGRAM } from "../../support/program.ts";

/** Sent when the manager has said its last word. */
const LATE_PING = 77;

const CONFIGURATION = `cluster last-word
node alpha id 1
node bravo id 2
link heart udp alpha=127.0.0.1:6941 bravo=127.0.0.2:6941
keepalive 200ms
deadtime 4s
authkeys keys
watchdog none
self-fencing exit
`;

test("a manager that has stopped everything stays until its keeper ends it", async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-last-word-"));
  const at = (name: string) => path.join(folder, name);
  writeFileSync(at("node.conf"), CONFIGURATION);
  writeFileSync(at("keys"), "auth 1\n1 sha256 only-for-this-test-run\n", { mode: 0o600 });
  const own = ["--config", at("node.conf"), "--state", at("state"), "--run", at("run"), "--name", "alpha"];
  const [file, ...words] = PROGRAM;
  const child = spawn(file, [...words, "manager", ...own], { stdio: ["ignore", "ignore", "inherit", "pipe"] });
  const pipe = child.stdio[3] as Socket;
  const ended = new Promise<string>((resolve) => child.on("exit", (code) => resolve(`it ended with ${code}`)));
  const put = (frame: ToManager) => pipe.write(encodeFrame(frame));
  const reader = createFrameReader();
  const answered = new Promise<string>((resolve) => {
    pipe.on("error", () => {});
    pipe.on("data", (chunk: Buffer) => {
      for (const frame of reader.push(chunk) as readonly (ToKeeper | ToManager)[]) {
        if (frame.kind === "stopped") put({ kind: "ping", number: LATE_PING });
        if (frame.kind === "pong" && frame.number === LATE_PING) resolve("it still answers");
      }
    });
  });
  try {
    const known = { self: "alpha", generation: 1, epoch: 1, members: ["alpha"], peers: [], links: [] };
    put({ kind: "start", session: 65_537, hasForerunner: false });
    put({ kind: "view", view: { ...known, agreed: true, settled: true, quorate: true } });
    put({ kind: "stop", alreadyMs: 0 });
    expect(await Promise.race([answered, ended])).toBe("it still answers");
  } finally {
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
});
