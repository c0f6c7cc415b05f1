/** Transient attributes: dampening that ends, counting, private ones. */
import { expect, test } from "vitest";
import {
  type AttributesState,
  type AttributeUpdate,
  attributesWakeAtMs,
  attributeValue,
  NO_ATTRIBUTES,
  stepAttributes,
} from "../../src/cluster/core/attributes.ts";
import { fc } from "../support/repeatable.ts";

const ask = (value: string | null | undefined, more: Partial<AttributeUpdate> = {}): AttributeUpdate => ({
  kind: "update",
  node: "n",
  name: "ping",
  value,
  known: undefined,
  dampenMs: undefined,
  isPrivate: false,
  ...more,
});

function play(events: readonly (readonly [atMs: number, event: AttributeUpdate | { readonly kind: "tick" }])[]) {
  let state: AttributesState = NO_ATTRIBUTES;
  const written: string[] = [];
  for (const [atMs, event] of events) {
    const stepped = stepAttributes(state, event, atMs);
    state = stepped.state;
    for (const { value } of stepped.effects) written.push(`${atMs} ${value}`);
  }
  return { state, written };
}

test("without dampening each change is written at once, and what is no change never", () => {
  const { written } = play([
    [1, ask("100")],
    [2, ask("100", { known: "100" })],
    [3, ask("0", { known: "100" })],
    [4, ask(null, { known: "0" })],
    [5, ask(null)],
  ]);
  expect(written).toEqual(["1 100", "3 0", "4 null"]);
});

test("back to what the CIB still has, before it has heard of the change: written all the same", () => {
  const { written } = play([
    [1, ask("100", { known: "0" })],
    [2, ask("0", { known: "0" })],
    [3, ask("0", { known: "7" })],
  ]);
  expect(written).toEqual(["1 100", "2 0", "3 0"]);
});

test("with dampening the last value of the window is written, at its end", () => {
  const { state, written } = play([
    [0, ask("100", { dampenMs: 5000 })],
    [1000, ask("0")],
    [4000, ask("50")],
    [4999, { kind: "tick" }],
    [5000, { kind: "tick" }],
  ]);
  expect(written).toEqual(["5000 50"]);
  expect(attributesWakeAtMs(state)).toBeUndefined();
});

test("whoever asks during the window is told the new value; after it the CIB knows", () => {
  const { state } = play([[0, ask("7", { dampenMs: 5000 })]]);
  expect(attributeValue(state, "n", "ping")).toEqual({ value: "7" });
  expect(attributesWakeAtMs(state)).toBe(5000);
  expect(attributeValue(stepAttributes(state, { kind: "tick" }, 5000).state, "n", "ping")).toBeUndefined();
});

test("a private one is known and never written, whoever updates it later", () => {
  const { state, written } = play([
    [0, ask("secret", { isPrivate: true })],
    [1, ask("other")],
  ]);
  expect(written).toEqual([]);
  expect(attributeValue(state, "n", "ping")).toEqual({ value: "other" });
});

test.each([
  ["value++", undefined, "1"],
  ["value++", "4", "5"],
  ["value+=10", "4", "14"],
  ["value+=INFINITY", "4", "INFINITY"],
  ["value++", "INFINITY", "INFINITY"],
  ["value+=-INFINITY", "4", "-INFINITY"],
])("%s on %s is %s", (wanted, known, value) => {
  const [effect] = stepAttributes(NO_ATTRIBUTES, ask(wanted, { known }), 0).effects;
  expect(effect?.value ?? known).toBe(value);
});

test("however it flaps, a change is written within its dampening", () => {
  const step = fc.tuple(fc.integer({ min: 1, max: 900 }), fc.constantFrom("0", "100"));
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
      let state: AttributesState = NO_ATTRIBUTES;
      let [nowMs, changedAtMs] = [0, Number.POSITIVE_INFINITY];
      for (const [waitMs, value] of steps) {
        nowMs += waitMs;
        const due = attributesWakeAtMs(state);
        if (due !== undefined && due <= nowMs) {
          expect(due - changedAtMs).toBeLessThanOrEqual(1000);
          state = stepAttributes(state, { kind: "tick" }, due).state;
          changedAtMs = Number.POSITIVE_INFINITY;
        }
        state = stepAttributes(state, ask(value, { dampenMs: 1000 }), nowMs).state;
        if (attributesWakeAtMs(state) !== undefined) changedAtMs = Math.min(changedAtMs, nowMs);
      }
    }),
  );
});
