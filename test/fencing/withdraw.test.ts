/** The cluster wants a fencing no more, for its target has come back: what is left undone, and what goes on. */
import { expect, test } from "vitest";
import { type FencingDevice, NO_FENCING } from "../../src/fencing/core/configuration.ts";
import { stepFencer } from "../../src/fencing/core/fencer.ts";
import {
  createFencer,
  type FencerEvent,
  type FencerState,
  type FencingOrigin,
} from "../../src/fencing/core/fencer-state.ts";
import { device } from "./fencer-world.ts";

const BOARD = device("bmc");
const PERSON = device("hand", { isManual: true });
const DELAYED = device("bmc", { delayBaseMs: { "": 5000 } });

function play(asked: FencingDevice, kind: FencingOrigin["kind"], ...events: readonly FencerEvent[]) {
  let state: FencerState = createFencer("bravo", { ...NO_FENCING, devices: [asked] });
  const told: string[] = [];
  const origin = { kind, by: "who asked" };
  const request: FencerEvent = {
    kind: "request",
    atWallMs: 0,
    requestId: "r1",
    target: "alpha",
    action: "reboot",
    origin,
    seed: 7,
    isTargetPreferred: false,
  };
  for (const event of [request, ...events]) {
    const stepped = stepFencer(state, event, 0);
    state = stepped.state;
    for (const effect of stepped.effects) {
      if (effect.kind === "run-device") told.push(`run ${effect.action}`);
      if (effect.kind === "answer") told.push(`${effect.requestId} ${effect.outcome.kind}`);
      if (effect.kind === "fenced") told.push("fenced");
      if (effect.kind === "ask-operator") told.push("ask a person");
      if (effect.kind === "stop-device") told.push(`stop ${effect.attemptId}`);
    }
  }
  return { told, open: state.operations.length, retry: state.failures["alpha"] };
}

const WORD: FencerEvent = { kind: "operator-confirmation", atWallMs: 0, target: "alpha", by: "root", answersOn: [] };
const ELSEWHERE: FencerEvent = { kind: "word-elsewhere", atWallMs: 0, target: "alpha", by: "root on charlie" };
const HEARD: FencerEvent = { kind: "withdraw", atWallMs: 0, target: "alpha" };
const OTHER: FencerEvent = { kind: "withdraw", atWallMs: 0, target: "charlie" };

test("a person on the way, and a delay that runs, are taken back; and the next fencing need not wait", () => {
  expect(play(PERSON, "scheduler", HEARD)).toEqual({
    told: ["ask a person", "r1 not-done"],
    open: 0,
    retry: undefined,
  });
  // While a delay runs the board is only looked at.
  expect(play(DELAYED, "scheduler", HEARD)).toEqual({ told: ["run status", "r1 not-done"], open: 0, retry: undefined });
});

test("a board that was told to switch off is not called back", () => {
  expect(play(BOARD, "scheduler", HEARD)).toMatchObject({ told: ["run off"], open: 1 });
});

test("the cluster does not wait on with an operator whose wish it had joined; his fencing goes on", () => {
  const joined: FencerEvent = {
    kind: "request",
    atWallMs: 0,
    requestId: "r2",
    target: "alpha",
    action: "off",
    origin: { kind: "scheduler", by: "the cluster" },
    seed: 7,
    isTargetPreferred: false,
  };
  expect(play(PERSON, "operator", joined, HEARD)).toMatchObject({ told: ["ask a person", "r2 not-done"], open: 1 });
});

test("what an operator or DRBD asked for goes on, and so does the fencing of another node", () => {
  expect(play(PERSON, "operator", HEARD)).toMatchObject({ told: ["ask a person"], open: 1 });
  expect(play(PERSON, "drbd", HEARD)).toMatchObject({ told: ["ask a person"], open: 1 });
  expect(play(PERSON, "scheduler", OTHER)).toMatchObject({ told: ["ask a person"], open: 1 });
});

test("a person's word ends what a board is still being asked: the machine may be switched on at once", () => {
  const ended = { open: 0, retry: undefined };
  expect(play(BOARD, "scheduler", WORD)).toEqual({ told: ["run off", "stop 2", "fenced", "r1 confirmed"], ...ended });
  expect(play(DELAYED, "scheduler", WORD)).toMatchObject({ told: ["run status", "stop 2", "fenced", "r1 confirmed"] });
  expect(play(PERSON, "scheduler", WORD)).toMatchObject({ told: ["ask a person", "fenced", "r1 confirmed"] });
});

test("a word that was given on another node ends it as well, and is no fencing where none runs", () => {
  expect(play(BOARD, "drbd", ELSEWHERE)).toMatchObject({
    told: ["run off", "stop 2", "fenced", "r1 confirmed"],
    open: 0,
  });
  expect(play(BOARD, "drbd", ELSEWHERE, ELSEWHERE).told).toHaveLength(4);
});
