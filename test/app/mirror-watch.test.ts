/** When the mirrors are looked at: each minute, soon after one has become whole, and again soon after a doubt. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchMirrors } from "../../src/app/manager/mirror-watch.ts";
import type { MirrorDoubt } from "../../src/storage/core/mirror-check.ts";

const DOUBT: MirrorDoubt = { kind: "bitmap-left" };

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A watch over one mirror whose looks find what `found` says; each look is noted with its second. */
function watched(found: () => MirrorDoubt | undefined) {
  const looks: number[] = [];
  const lines: string[] = [];
  const startMs = Date.now();
  const watch = watchMirrors({
    resources: () => ["records"],
    look: async () => {
      looks.push((Date.now() - startMs) / 1000);
      return found();
    },
    log: (_severity, line) => lines.push(line),
    onChange: () => lines.push("changed"),
  });
  return { watch, looks, lines };
}

test("a mirror without doubt is looked at each minute", async () => {
  const { watch, looks, lines } = watched(() => undefined);
  await vi.advanceTimersByTimeAsync(130_000);
  watch.close();
  expect(looks).toEqual([60, 120]);
  expect(lines).toEqual([]);
});

test("a mirror that has just become whole is looked at 5 s later, and its doubt again before it is told", async () => {
  const { watch, looks, lines } = watched(() => DOUBT);
  await vi.advanceTimersByTimeAsync(1_000);
  watch.lookSoon();
  await vi.advanceTimersByTimeAsync(9_000);
  expect(watch.doubt("records")).toBeUndefined();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(looks).toEqual([6, 11]);
  expect(watch.doubt("records")).toEqual(DOUBT);
  expect(lines).toEqual(["ALERT: DRBD records: a bitmap UUID was left behind; a rejoin might copy nothing", "changed"]);
  watch.close();
});

test("asked during a look, it looks once more 5 s later", async () => {
  const { watch, looks } = watched(() => {
    if (looks.length === 1) watch.lookSoon();
    return undefined;
  });
  await vi.advanceTimersByTimeAsync(70_000);
  watch.close();
  expect(looks).toEqual([60, 65]);
});
