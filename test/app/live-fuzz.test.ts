/**
 * A running node under bad input at its control socket: bytes that are no lines, lines that are no requests, requests
 * with wrong members. It answers or closes, never falls, and what it refuses leaves the configuration as it was, by its
 * digest. The seed is in the failure. `GEMEL_FUZZ_RUNS=N` pours N inputs instead of 400.
 */
import { createConnection } from "node:net";
import process from "node:process";
import { afterAll, describe, expect, test } from "vitest";
import { askControl, controlSocketPath } from "../../src/app/control-client.ts";
import type { ControlRequest } from "../../src/app/control-protocol.ts";
import { childOf, parseXml, xml } from "../../src/base/xml.ts";
import { diskDigest } from "../../src/cluster/core/cib-store/cib-digest.ts";
import { fc } from "../support/repeatable.ts";
import { skips } from "../support/skip.ts";
import { type NodePair, openNodePair } from "./node-pair.ts";

const CONFIGURATION = `
primitive dummy ocf:gemel:Dummy op monitor interval=5s op start timeout=20s op stop timeout=20s
property stonith-enabled=false no-quorum-policy=ignore
`;
const missing = skips(process.getuid?.() !== 0, "a node needs root, for its network namespace");

/** Three in eight are bytes and lines, the others requests. */
const RUNS = Number(process.env["GEMEL_FUZZ_RUNS"] ?? 400);
const LINES = Math.round((RUNS * 3) / 8);
/** A large run may take its time. */
const LIMIT_MS = Math.max(240_000, RUNS * 200);

/** Requests that only wait, or act on other machines, are left out. */
const KINDS = [
  ...["cib-query", "cib-apply", "config-version", "config-confirm", "attribute", "attribute-query", "ticket", "node"],
  ...["resource", "resource-fail", "fence-confirm", "fence-prove", "log", "nonsense", "__proto__", ""],
];
const MEMBERS = [
  ...["section", "mode", "xml", "base", "trialMs", "door", "raises", "version", "node", "name", "value", "lifetime"],
  ...["dampenMs", "isPrivate", "ticket", "target", "device", "action", "resource", "reason", "lines", "__proto__"],
];
const WORDS = [
  ...["alpha", "bravo", "dummy", "nothing", "", " ", "replace", "update", "reboot", "forever", "standby", "move", "P"],
  ...["<configuration/>", "<configuration><resources><primitive id='x'/></resources></configuration>", "<a", "//*["],
  ...["0.1", "epoch", "admin-epoch", "\u0000", "日本", "x".repeat(3_000), "-1", "1e309"],
];
const member = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...WORDS) },
  fc.integer(),
  fc.constantFrom(null, true, [], {}),
);
const request = fc.tuple(fc.constantFrom(...KINDS), fc.dictionary(fc.constantFrom(...MEMBERS), member, { maxKeys: 6 }));

describe.skipIf(missing)("a node under bad input", () => {
  let pair: NodePair | undefined;
  afterAll(async () => await pair?.close());

  /** Whatever comes back within a moment, or nothing when the node has closed the connection. */
  function pour(path: string, bytes: Uint8Array | string): Promise<string> {
    return new Promise((resolve) => {
      let said = "";
      const socket = createConnection(path);
      socket.on("data", (chunk) => {
        said += chunk.toString();
        socket.end();
      });
      socket.on("error", () => {});
      socket.on("close", () => resolve(said));
      socket.end(bytes);
    });
  }

  test("it goes on, and what it refuses has changed nothing", { timeout: LIMIT_MS }, async () => {
    const node = openNodePair({
      times: ["keepalive 200ms", "deadtime 2s", "initdead 3s"],
      configuration: CONFIGURATION,
    });
    pair = node;
    node.start("alpha");
    await node.until("it runs its resource alone", async () => {
      const now = await node.status("alpha");
      return now?.resources.some(({ active }) => active.length > 0) === true && !now.transition.isRunning;
    });
    const socket = controlSocketPath(node.runDirectory("alpha"));
    const digest = async (): Promise<string> => {
      const reply = await askControl(socket, { kind: "cib-query" });
      const read = reply.kind === "answer" ? parseXml(reply.value.xml) : undefined;
      if (read?.kind !== "xml") throw new Error(`the node has gone: ${JSON.stringify(reply)}`);
      return diskDigest(childOf(read.root, "configuration") ?? xml("none"));
    };
    const started = (await askControl(socket, { kind: "status" })).kind;
    expect(started).toBe("answer");

    const first = await digest();
    const line = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.string({ maxLength: 200 }).map((text) => `${text}\n`),
      fc.json().map((text) => `{"v":1,"id":1,"request":${text}}\n`),
    );
    await fc.assert(
      fc.asyncProperty(line, async (bytes) => {
        const answer = await pour(socket, bytes);
        for (const text of answer.split("\n").filter((each) => each !== ""))
          expect(JSON.parse(text)).toHaveProperty("kind");
      }),
      { numRuns: LINES },
    );
    expect(await digest()).toBe(first);

    let refused = 0;
    await fc.assert(
      fc.asyncProperty(request, async ([kind, members]) => {
        const before = await digest();
        const reply = await askControl(socket, { kind, ...members } as unknown as ControlRequest);
        expect(reply.kind).not.toBe("unreachable");
        if (reply.kind !== "refused") return;
        refused += 1;
        expect(reply.problems.length).toBeGreaterThan(0);
        expect(await digest()).toBe(before);
      }),
      { numRuns: RUNS - LINES },
    );
    expect(refused).toBeGreaterThan(50);
    expect(node.log("alpha")).not.toMatch(/this is a fault of gemel|manager has ended/);
  });
});
