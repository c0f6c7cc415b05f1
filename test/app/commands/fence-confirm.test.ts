/** What is refused before anybody is asked to look at a machine, or a status is shown that was not asked for. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CONTROL_SOCKET } from "../../../src/app/control-protocol.ts";
import { runHere } from "../../support/run-here.ts";

let run = "";
let server: Server;
let asked: string[] = [];
/** A manager that knows two nodes. */
beforeEach(async () => {
  run = mkdtempSync(path.join(os.tmpdir(), "fence-confirm-"));
  asked = [];
  server = createServer((socket) => {
    socket.on("data", (chunk) => {
      const { id, request }: { id: number; request: { kind: string } } = JSON.parse(String(chunk));
      asked.push(request.kind);
      const value = request.kind === "status" ? { nodes: [{ name: "alpha" }, { name: "bravo" }] } : { text: "done" };
      socket.write(`${JSON.stringify({ id, kind: "answer", value })}\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(path.join(run, CONTROL_SOCKET), resolve));
});
afterEach(() => {
  server.close();
  rmSync(run, { recursive: true });
});

test("a name that no node has is refused before it is to be typed", async () => {
  const { code, output, errors } = await runHere(["fence", "confirm", "charlie", "--run", run]);
  expect([code, output]).toEqual([1, ""]);
  expect(errors).toBe("gemel fence: there is no node charlie; give one of alpha, bravo\n");
  expect(asked).toEqual(["status"]);
});

test("status takes no words: whoever names a node is told so, and shown nothing", async () => {
  const { code, output, errors } = await runHere(["status", "alpha", "--run", run]);
  expect([code, output]).toEqual([64, ""]);
  expect(errors).toContain('gemel status: "alpha" is not expected here');
  expect(asked).toEqual([]);
});
