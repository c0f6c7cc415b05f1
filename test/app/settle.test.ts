/** `--wait` means done: not before the last transition, and not in the pause that the configuration makes before it. */
import { expect, test } from "vitest";
import type { ControlReply } from "../../src/app/control-client.ts";
import { type Transport, waitUntilSettled } from "../../src/app/settle.ts";

const cibWith = (delay: string) =>
  `<cib><configuration><crm_config><cluster_property_set id="o"><nvpair id="d" name="crmd-transition-delay"
   value="${delay}"/></cluster_property_set></crm_config></configuration></cib>`;

/** Waits on a cluster that is busy for `busy` spans of virtual time; how long, and what was told. */
async function waitedMs(delay: string, busy: readonly (readonly [fromMs: number, untilMs: number])[], maxMs = 60_000) {
  let nowMs = 0;
  const transport = ((_path: string, { kind }: { readonly kind: string }): Promise<ControlReply<unknown>> => {
    const isRunning = busy.some(([from, until]) => nowMs >= from && nowMs < until);
    const transition = { number: 1, isRunning, actionCount: 2, doneCount: 1, inFlight: [], summary: [] };
    const value = kind === "cib-query" ? { version: "0.1.0", xml: cibWith(delay) } : { transition };
    return Promise.resolve({ kind: "answer", value });
  }) as Transport;
  const settled = await waitUntilSettled("crm", "", {
    transport,
    waitMaxMs: maxMs,
    tell: () => {},
    rest: (ms) => {
      nowMs += ms;
      return Promise.resolve();
    },
  });
  return { nowMs, kind: settled.kind };
}

test("what begins shortly after the change is waited for, and what follows it", async () => {
  const { nowMs, kind } = await waitedMs("0", [
    [500, 2000],
    [2600, 4000],
  ]);
  expect(kind).toBe("settled");
  expect(nowMs).toBeGreaterThanOrEqual(4000);
});

test("a transition that the configuration delays by two seconds is waited for", async () => {
  const { nowMs } = await waitedMs("2s", [[2100, 5000]]);
  expect(nowMs).toBeGreaterThanOrEqual(7000);
});

test("what never ends is given up", async () => {
  expect((await waitedMs("0", [[0, 1e9]], 3000)).kind).toBe("too-long");
});
