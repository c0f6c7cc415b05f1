/** What the keeper remembers of its peers comes back for whatever name a peer has. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { readRemembered, writeRememberedSync } from "../../../src/app/keeper/state-file.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-remembered-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a start that was fenced is known again, also of a node that is called constructor", () => {
  const peers = Object.fromEntries(["bravo", "constructor", "__proto__", "prototype"].map((name) => [name, 7]));
  writeRememberedSync(folder, { generation: 3, peers });
  expect(JSON.stringify(readRemembered(folder))).toBe(JSON.stringify({ remembered: { generation: 3, peers } }));
});

test.each(['{"generation":3}', '{"generation":3,"peers":[]}', '{"generation":3,"peers":{"bravo":-1}}', "{"])(
  "%s is damaged",
  (text) => {
    writeFileSync(path.join(folder, "membership.json"), text);
    expect(readRemembered(folder)).toMatchObject({ remembered: { generation: 0 }, damaged: expect.any(String) });
  },
);
