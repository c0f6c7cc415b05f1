/** The control socket over a real unix socket: its mode, answers, refusals, subscriptions, and hostile clients. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createConnection } from "node:net";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { askControl, controlSocketPath, watchStatus } from "../../src/app/control-client.ts";
import { LINE_LENGTH_MAX, type StatusReport } from "../../src/app/control-protocol.ts";
import { type ControlServer, openControlServer } from "../../src/app/manager/control-server.ts";
import { CLUSTER_GROUP, groupId } from "../../src/app/manager/peer.ts";

const STATUS: StatusReport = {
  program: "gemel test",
  self: "alpha",
  atWallMs: 0,
  hasQuorum: true,
  isSettled: true,
  cibVersion: "0.1.0",
  nodes: [],
  links: [],
  resources: [],
  failures: [],
  drbd: [],
  fencing: { isEnabled: true, devices: [], history: [], proofs: [], race: { order: [], delayMs: 0 } },
  transition: { number: 0, isRunning: false, actionCount: 0, doneCount: 0, inFlight: [], summary: [] },
  leases: [],
  problems: [],
};

let folder = "";
let server: ControlServer;
beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), "gemel-control-"));
  server = await openControlServer(
    folder,
    (request) =>
      Promise.resolve(
        request.kind === "fence"
          ? { kind: "refused", problems: [{ severity: "error", place: "target", reason: "no", remedy: "do not" }] }
          : { kind: "answer", value: { text: request.kind, by: request.by } },
      ),
    () => Promise.resolve(() => STATUS),
  );
});
afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const socket = () => controlSocketPath(folder);

/** Sends raw bytes; resolves with what came back until the server has answered `lines` lines or has closed. */
function raw(bytes: string, lines: number): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const connection = createConnection(socket());
    const finish = () => {
      connection.destroy();
      resolve(text);
    };
    connection.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (text.split("\n").length > lines) finish();
    });
    connection.on("close", finish);
    connection.on("error", finish);
    connection.write(bytes);
  });
}

test("it is open to its owner, to haclient where there is that group, and to nobody else; and it answers", async () => {
  const group = groupId(CLUSTER_GROUP);
  const { mode, gid } = statSync(socket());
  expect(mode & 0o777).toBe(group === undefined ? 0o600 : 0o660);
  if (group !== undefined) expect(gid).toBe(group);
  const reply = await askControl(socket(), { kind: "ping" });
  expect(reply).toMatchObject({ kind: "answer", value: { text: "ping" } });
});

test("a refusal comes with its problems; no manager is a value", async () => {
  const refused = await askControl(socket(), { kind: "fence", target: "alpha", action: "off" });
  expect(refused).toMatchObject({ kind: "refused", problems: [{ reason: "no" }] });
  const nobody = await askControl(path.join(folder, "nobody.sock"), { kind: "ping" });
  expect(nobody.kind).toBe("unreachable");
});

test("garbage is refused line by line, and good lines between are answered", async () => {
  const good = JSON.stringify({ v: 1, id: 5, request: { kind: "status" } });
  const lines = (await raw(`nonsense\n\n${good}\n{"v":9,"id":6,"request":{"kind":"status"}}\n`, 3)).trim().split("\n");
  const answers = lines.map((line) => JSON.parse(line) as { id: number; kind: string });
  expect(answers.map(({ id, kind }) => `${id} ${kind}`).toSorted()).toEqual(["0 refused", "5 answer", "6 refused"]);
});

test("a line without end closes its connection, and nobody else's", async () => {
  expect(await raw("x".repeat(LINE_LENGTH_MAX + 2), 1)).toBe("");
  expect((await askControl(socket(), { kind: "ping" })).kind).toBe("answer");
});

test("a subscriber hears of changes, several at once as one", async () => {
  const heard: StatusReport[] = [];
  let ended = "";
  const watch = watchStatus(
    socket(),
    (status) => heard.push(status),
    (reason) => {
      ended = reason;
    },
  );
  await expect.poll(() => heard.length).toBe(1);
  for (let at = 0; at < 20; at += 1) server.changed();
  await expect.poll(() => heard.length).toBe(2);
  // Had there been more to tell of the twenty, it would come before what follows them.
  server.changed();
  await expect.poll(() => heard.length).toBeGreaterThan(2);
  expect(heard.length).toBe(3);
  watch.close();
  await expect.poll(() => ended).not.toBe("");
});

test("a subscriber whose right is taken away hears that, and nothing more", async () => {
  const other = mkdtempSync(path.join(os.tmpdir(), "gemel-control-"));
  let isAllowed = true;
  const refusal = { severity: "error", place: "acl", reason: "no more", remedy: "ask" } as const;
  const guarded = await openControlServer(
    other,
    () => Promise.resolve({ kind: "answer", value: {} }),
    () => Promise.resolve(() => STATUS),
    () => (isAllowed ? [] : [refusal]),
  );
  try {
    const heard: StatusReport[] = [];
    const ended = new Promise<string>((resolve) => {
      watchStatus(
        controlSocketPath(other),
        (status) => {
          heard.push(status);
          isAllowed = false;
          guarded.changed();
        },
        resolve,
      );
    });
    expect(await ended).toContain("no more");
    expect(heard).toHaveLength(1);
    const never = await new Promise<string>((resolve) => watchStatus(controlSocketPath(other), () => {}, resolve));
    expect(never).toContain("no more");
  } finally {
    guarded.close();
    rmSync(other, { recursive: true, force: true });
  }
});
