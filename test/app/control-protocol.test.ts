/** Lines of the control socket: what is a request, and that nothing else ever is. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { REQUEST_MEMBERS, readRequestLine } from "../../src/app/request-line.ts";
import { fc } from "../support/repeatable.ts";

const line = (request: unknown, v: unknown = 1, id: unknown = 7) => JSON.stringify({ v, id, request });

test.each([
  [{ kind: "status" }],
  [{ kind: "cib-query", section: "nodes", by: "root" }],
  [{ kind: "cib-apply", mode: "update", xml: "<configuration/>" }],
  [{ kind: "fence-peer", resource: "r0", waitMs: 1_000 }],
  [{ kind: "fence", target: "alpha", action: "off", later: "members may come" }],
  [{ kind: "node", node: "alpha", action: "standby" }],
])("%j is a request", (request) => {
  expect(readRequestLine(line(request))).toMatchObject({ kind: "request", id: 7, request });
});

test.each([
  ["not JSON", "{", 0, "JSON"],
  ["a number", "5", 0, "object"],
  ["no id", JSON.stringify({ v: 1, request: { kind: "status" } }), 0, "id"],
  ["another version", line({ kind: "status" }, 2), 7, "version 2"],
  ["an unknown kind", line({ kind: "explode" }), 7, "unknown kind"],
  ["a kind that only looks like one", line({ kind: "__proto__" }), 7, "unknown kind"],
  ["a missing member", line({ kind: "fence", action: "off" }), 7, "nothing is not allowed"],
  ["a count below nothing", line({ kind: "log", lines: -1 }), 7, "request.lines"],
  ["an endless time", line({ kind: "fence-peer", resource: "r0", waitMs: 0 }).replace(":0}", ":1e999}"), 7, "waitMs"],
  ["a zero byte", line({ kind: "fence-peer", resource: "r0\0", waitMs: 1 }), 7, "request.resource"],
  ["a control sign", line({ kind: "ticket", ticket: "t", value: "\u001b[1m", name: "x" }), 7, "request.value"],
  ["half a sign", line({ kind: "config-log", by: "\ud800" }), 7, "request.by"],
  ["a wrong word", line({ kind: "fence", target: "alpha", action: "shoot" }), 7, "shoot"],
  [
    "a switch that is none",
    line({ kind: "fence", target: "alpha", action: "off", withoutDelay: "no" }),
    7,
    "request.withoutDelay",
  ],
  ["a wrong type", line({ kind: "log", lines: "5" }), 7, "not allowed"],
])("refused: %s", (_name, text, id, words) => {
  const read = readRequestLine(text);
  expect(read).toMatchObject({ kind: "bad", id });
  expect(JSON.stringify(read)).toContain(words);
});

test("no line throws", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.json().map((text) => `{"v":1,"id":1,"request":${text}}`),
      ),
      (text) => {
        expect(["request", "bad"]).toContain(readRequestLine(text).kind);
      },
    ),
    { numRuns: 2_000 },
  );
});

test("the document names every kind of request with all its members", () => {
  const text = readFileSync("docs/protocols/control-socket.md", "utf8");
  const rows = text.split("\n").filter((row) => row.startsWith("| `"));
  const told = rows.map((row) => row.split("|").map((cell) => cell.trim()));
  expect(told.map(([, kind = ""]) => kind).toSorted()).toEqual(
    Object.keys(REQUEST_MEMBERS)
      .map((kind) => `\`${kind}\``)
      .toSorted(),
  );
  for (const [, kind = "", members = ""] of told)
    for (const [name, allowed] of Object.entries(REQUEST_MEMBERS[kind.slice(1, -1) as keyof typeof REQUEST_MEMBERS]))
      expect(members, kind).toContain(`\`${name}\`${allowed.includes("undefined") ? "?" : ""}`);
});
