/** The fence-peer handler: every way in which it does not get a clear answer ends with "unsure". */
import { describe, expect, test } from "vitest";
import { answerFencePeer, type Handler } from "../../../src/app/commands/drbd-handler.ts";
import type { ControlReply } from "../../../src/app/control-client.ts";
import type { FencePeerAnswer } from "../../../src/app/control-protocol.ts";

type Reply = ControlReply<FencePeerAnswer>;

function handle(replies: readonly Reply[], given: Partial<Handler> = {}) {
  const asked: unknown[] = [];
  const said: string[] = [];
  const left = [...replies];
  const handler: Handler = {
    environment: { DRBD_RESOURCE: "r0", DRBD_PEER: "bravo" },
    ask: (...words) => {
      asked.push(words);
      return Promise.resolve(left.shift() ?? { kind: "unreachable", reason: "nobody is there" });
    },
    say: (line) => said.push(line),
    nowMs: () => performance.now(),
    waitMs: 3_000,
    ...given,
  };
  return answerFencePeer(handler).then((code) => ({ code, asked, said: said.join("\n") }));
}

const answer = (exitCode: number): Reply => ({
  kind: "answer",
  value: JSON.parse(JSON.stringify({ exitCode, reason: "because" })),
});

describe("fence-peer", () => {
  test.each([
    [4, 4],
    [6, 6],
    [7, 7],
    [1, 1],
    [5, 1],
    [0, 1],
    [3, 1],
  ])("the manager's %i is DRBD's %i", async (given, code) => {
    expect((await handle([answer(given)])).code).toBe(code);
  });

  test("it asks for the resource and the peer", async () => {
    const { asked, said } = await handle([answer(7)]);
    expect(asked).toEqual([["r0", "bravo", expect.any(Number)]]);
    expect(said).toBe("fence-peer r0: 7, because");
  });

  test("a refusal is unsure", async () => {
    const problems = [{ severity: "error", place: "request", reason: "too old", remedy: "" }] as const;
    const { code, said } = await handle([{ kind: "refused", problems }]);
    expect([code, said]).toEqual([1, "fence-peer r0: 1, too old"]);
  });

  test("a manager that comes back in time is asked again", async () => {
    const { code, asked } = await handle([{ kind: "unreachable", reason: "starting" }, answer(7)]);
    expect([code, asked.length]).toEqual([7, 2]);
  });

  test("nobody there until the end is unsure, and says so", async () => {
    const { code, said } = await handle([], { waitMs: 1_200 });
    expect([code, said]).toEqual([1, "fence-peer r0: 1, nobody is there"]);
  });

  test("without a resource it is unsure at once", async () => {
    const { code, asked } = await handle([], { environment: {} });
    expect([code, asked.length]).toEqual([1, 0]);
  });
});
