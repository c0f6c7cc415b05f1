/** What takes long is told, whatever it is: a manager that does not answer for seconds, and then does. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { CONTROL_SOCKET } from "../../src/app/control-protocol.ts";
import { withProgress } from "../../src/app/progress.ts";
import { runHere } from "../support/run-here.ts";

/** Two seconds and a look: the shortest wait that is told. */
const SLOW_MS = 2_800;

test("a manager that answers late: the command says what it waits for", async () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), "cmd-progress-"));
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", () => {
      const refused = {
        id: 1,
        kind: "refused",
        problems: [{ severity: "error", place: "x", reason: "r", remedy: "m" }],
      };
      setTimeout(() => socket.end(`${JSON.stringify(refused)}\n`), SLOW_MS);
    });
  });
  await new Promise<void>((resolve) => server.listen(path.join(directory, CONTROL_SOCKET), resolve));
  try {
    const { code, errors } = await runHere(["fence", "off", "node02", "--run", directory]);
    expect(errors).toMatch(/^gemel fence: \d s: waiting until node02 is proven off\n/);
    expect(code).not.toBe(0);
  } finally {
    server.close();
    rmSync(directory, { recursive: true });
  }
});

test("what is quick is not talked about, and its failure is handed on", async () => {
  const told: string[] = [];
  expect(await withProgress("x", "busy", Promise.resolve(7), (line) => told.push(line))).toBe(7);
  await expect(withProgress("x", "busy", Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(told).toEqual([]);
});
