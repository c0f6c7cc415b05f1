/** What one manager hands to the next of the same keeper: on disk, torn, of another keeper, on a disk that refuses. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openKeeperMemo } from "../../../src/app/manager/keeper-memo.ts";
import { printXml } from "../../../src/base/xml.ts";
import { createNode, type NodeState } from "../../../src/cluster/core/controller/node-core.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "gemel-memo-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const KEEPER = 65_536;
const said: string[] = [];
const open = (session: number) => openKeeperMemo(folder, session, (level, text) => said.push(`${level}: ${text}`));

/** A DC whose status says this of a ticket. */
function nodeWith(granted: string, dc: "alpha" | "nobody" = "alpha"): NodeState {
  const nodes = [{ id: "1", name: "alpha" }];
  const node = createNode(
    {
      self: "alpha",
      incarnation: "i",
      session: 1,
      actionLimit: 4,
      stored: undefined,
      nodes,
      fenced: {},
      begun: [],
      kept: {
        name: "status",
        attributes: {},
        children: [
          {
            name: "tickets",
            attributes: {},
            children: [{ name: "ticket_state", attributes: { id: "site", granted }, children: [] }],
          },
        ],
      },
    },
    0,
  );
  return { ...node, store: { ...node.store, dc: dc === "nobody" ? undefined : dc } };
}

const granted = (session: number) => {
  const { kept } = open(session);
  return kept === undefined ? undefined : /granted="(\w+)"/.exec(printXml(kept))?.[1];
};

test("the next manager of the same keeper has it, one of the next keeper has not", () => {
  const memo = open(KEEPER + 1);
  expect([memo.kept, memo.fenced]).toEqual([undefined, {}]);
  memo.keepStatus(nodeWith("true"));
  memo.keepFenced({ bravo: 4 });
  expect([granted(KEEPER + 2), open(KEEPER + 2).fenced]).toEqual(["true", { bravo: 4 }]);
  expect([granted(2 * KEEPER + 1), open(2 * KEEPER + 1).fenced]).toEqual([undefined, {}]);
});

test("without a DC the note of the manager before stands", () => {
  open(KEEPER + 1).keepStatus(nodeWith("true"));
  open(KEEPER + 2).keepStatus(nodeWith("false", "nobody"));
  expect(granted(KEEPER + 3)).toBe("true");
});

test("a torn note is none", () => {
  open(KEEPER + 1).keepStatus(nodeWith("true"));
  const file = path.join(folder, "kept-status.xml");
  writeFileSync(file, readFileSync(file, "utf8").slice(0, -20));
  expect(granted(KEEPER + 2)).toBeUndefined();
});

test("a disk that refuses is told, holds up nothing, and leaves nothing behind that was true once", () => {
  const memo = open(KEEPER + 1);
  memo.keepStatus(nodeWith("true"));
  // As a full disk does; mode bits would not stop root.
  mkdirSync(path.join(folder, "kept-status.xml.new"));
  mkdirSync(path.join(folder, "fenced-peers.json.new"));
  memo.keepStatus(nodeWith("false"));
  memo.keepFenced({ bravo: 4 });
  // The status changes with every answer of a monitor, and the log may be on the same disk.
  for (const word of ["true", "false"]) memo.keepStatus(nodeWith(word));
  expect(granted(KEEPER + 2)).toBeUndefined();
  expect(said).toHaveLength(2);
  expect(said[0]).toMatch(/^error: a manager that is started anew will not know what .*kept-status.xml should say: /);
  rmSync(path.join(folder, "kept-status.xml.new"), { recursive: true });
  memo.keepStatus(nodeWith("true"));
  expect(granted(KEEPER + 2)).toBe("true");
  expect(said.slice(2)).toEqual([expect.stringMatching(/^info: .*kept-status.xml is written again$/)]);
});
