/** hb_standby and hb_takeover during a transition: refused, as Heartbeat did; the manager is one that only answers. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readLines } from "../../../src/app/control-client.ts";
import { runHere } from "../../support/run-here.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-flux-"));
const CIB = `<cib><configuration><crm_config/><nodes><node id="1" uname="alpha"/><node id="2" uname="bravo"/></nodes>
  <resources><primitive id="web" class="ocf" provider="gemel" type="Dummy"/></resources>
  <constraints><rsc_location id="web_prefers_alpha" rsc="web" node="alpha" score="1"/></constraints></configuration>
  <status/></cib>`;

let isRunning = false;
const asked: string[] = [];
const ANSWERS: Readonly<Record<string, () => unknown>> = {
  status: () => ({ self: "alpha", nodes: [{ name: "alpha" }, { name: "bravo" }], transition: { isRunning } }),
  "cib-query": () => ({ xml: CIB }),
};

let server: Server;
beforeAll(async () => {
  server = createServer((socket) =>
    readLines(socket, (line) => {
      const { request } = JSON.parse(line) as { readonly request: { readonly kind: string } };
      asked.push(request.kind);
      const value = ANSWERS[request.kind]?.() ?? { text: "" };
      socket.write(`${JSON.stringify({ v: 1, id: 1, kind: "answer", value })}\n`);
    }),
  );
  await new Promise<void>((resolve) => server.listen(path.join(folder, "control.sock"), resolve));
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const HERE = { GEMEL_RUN: folder, LC_ALL: "C" };

test.each(["hb_standby", "hb_takeover"])("%s is refused while a transition runs, and not after it", async (tool) => {
  isRunning = true;
  const during = await runHere([tool, "all"], HERE);
  expect(during.code).toBe(1);
  expect(during.errors).toContain(`${tool}: refused: resources are in flux`);
  isRunning = false;
  expect(await runHere([tool, "all"], HERE)).toMatchObject({ code: 0, errors: "" });
  expect(asked).not.toContain("resource");
});

test("req_resource asks for one line, whatever else goes on", async () => {
  isRunning = true;
  expect(await runHere(["req_resource", "web"], HERE)).toMatchObject({ code: 0 });
  expect(asked).toContain("resource");
});
