/**
 * What every test of a driver over a real line needs: a secrets file, a runner, a board that is closed again, and the
 * judge: a packaged agent, not ours, that must be able to drive the board before the board may judge our driver.
 */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll } from "vitest";
import type { FencingAction } from "../../src/fencing/core/driver.ts";
import { createRunner, type DeviceRunner, type RunnableDevice } from "../../src/fencing/edge/runner.ts";

/** The one account of all boards here. */
export const LOGIN = { host: "127.0.0.1", user: "admin", secret: "board" } as const;
const SECRETS = "board=adminpw\nwrong=other\n";

/** A runner for the tests of this file (or block), with a directory of its own. */
export function useRunner(secrets: string = SECRETS) {
  // Made with the first test: where all are left out nobody would take it away again.
  const directory = path.join(os.tmpdir(), `gemel-line-${randomUUID()}`);
  let runner: DeviceRunner | undefined;
  beforeAll(() => {
    mkdirSync(directory);
    const secretsFile = path.join(directory, "secrets");
    writeFileSync(secretsFile, secrets, { mode: 0o600 });
    runner = createRunner({ secretsFile });
  });
  afterAll(() => {
    runner?.close();
    rmSync(directory, { recursive: true });
  });
  return {
    directory,
    run(device: RunnableDevice, action: FencingAction, timeoutMs = 20_000) {
      if (runner === undefined) throw new Error("asked before the tests began");
      return runner.run(device, action, timeoutMs);
    },
  };
}

interface Board {
  close(): Promise<void>;
}

/**
 * Keeps the boards of this file (or block), and closes them after its last test: not after their own, for tests that
 * wait for boards run side by side, and a hook does not know whose board it would close.
 */
export function useBoards<Kind extends Board>() {
  const boards: Kind[] = [];
  afterAll(() => Promise.all(boards.map((board) => board.close())));
  return {
    async keep(starting: Promise<Kind>): Promise<Kind> {
      const board = await starting;
      boards.push(board);
      return board;
    },
  };
}

/** On a busy machine the agents' own 5 s for a login are too short. */
const JUDGE_MS = 100_000;

/** A program of others: all that it prints, or what the shell says of it. `input`: what it reads. */
export function say(
  file: string,
  argv: readonly string[],
  input = "",
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve) => {
    const options = { timeout: JUDGE_MS, env: { ...process.env, ...env } };
    const child = execFile(file, [...argv], options, (_, stdout, stderr) => resolve(`${stdout}${stderr}`));
    // An agent that reads no input may be gone already.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

/** A packaged agent, logged in to a board of ours at `port`: what it says to an action. */
export function createJudge(agent: string, port: number, ...more: readonly string[]) {
  const login = ["-a", "127.0.0.1", "-u", String(port), "-l", "admin", "-p", "adminpw"];
  return (action: string) => say(`/usr/sbin/${agent}`, [...login, ...more, "-o", action]);
}
