/** The order in which a slow line gets its frames: what is new of each node before what may wait. */
import { expect, test } from "vitest";
import {
  createSerialLine,
  lineTimeMs,
  lineWakeAtMs,
  offerBeat,
  offerDatagram,
  type SerialLine,
  takeFrame,
} from "../../../src/hw/core/serial-line.ts";

const BAUD = 19_200;
const frame = (bytes: number, mark: number) => new Uint8Array(bytes).fill(mark);
const datagramOf = (line: SerialLine, mark: number) => offerDatagram(line, String(mark), frame(1200, mark)) ?? line;

test("a frame is given to the port only when the one before has left it", () => {
  expect(lineTimeMs(68, BAUD)).toBeCloseTo(35.4, 1);
  const first = takeFrame(datagramOf(datagramOf(createSerialLine(BAUD), 1), 2), 1_000);
  expect(first.frame?.[0]).toBe(1);
  expect(lineWakeAtMs(first.line)).toBe(1_625);
  expect(takeFrame(first.line, 1_624).frame).toBeUndefined();
  const second = takeFrame(first.line, 1_625);
  expect(second.frame?.[0]).toBe(2);
  expect(lineWakeAtMs(second.line)).toBeUndefined();
});

test("heartbeats go first, of each node the newest alone and each in its turn", () => {
  let { line } = takeFrame(datagramOf(datagramOf(createSerialLine(BAUD), 1), 2), 0);
  for (const [from, mark] of [
    [1, 11],
    [2, 21],
    [1, 12],
    [1, 13],
    [2, 22],
  ] as const)
    line = offerBeat(line, from, frame(68, mark));
  const marks: (number | undefined)[] = [];
  for (let nowMs = 0; lineWakeAtMs(line) !== undefined; nowMs += 1) {
    const taken = takeFrame(line, nowMs);
    line = taken.line;
    if (taken.frame !== undefined) marks.push(taken.frame[0]);
  }
  expect(marks).toEqual([13, 22, 2]);
});

test("few messages wait, none twice, and an answer goes before them; heartbeats are always taken", () => {
  let line = createSerialLine(BAUD);
  for (const mark of [1, 2, 1]) line = datagramOf(line, mark);
  expect(line.datagrams.map(({ name }) => name)).toEqual(["1", "2"]);
  expect(offerDatagram(line, "3", frame(1200, 3))).toBeUndefined();
  line = offerDatagram(line, "answer", frame(24, 4)) ?? line;
  expect(takeFrame(line, 0).frame?.[0]).toBe(4);
  expect(takeFrame(offerBeat(line, 1, frame(68, 9)), 0).frame?.[0]).toBe(9);
});

// What a pair of which one side floods the other with messages sees of its heartbeats: the bar is deadtime.
test.each([
  [19_200, 100, 2_000],
  [9_600, 200, 3_000],
  [115_200, 50, 300],
])(
  "at %s baud and a keepalive of %s ms no heartbeat is later than %s ms, whatever else is to be sent",
  (baud, ms, most) => {
    let line = createSerialLine(baud);
    let sent = 0;
    let heardAtMs = 0;
    let worstMs = 0;
    for (let nowMs = 0; nowMs < 60_000; nowMs += 1) {
      line = offerDatagram(line, String(nowMs), frame(1200, 200)) ?? line;
      if (nowMs % ms === 0) line = offerBeat(line, 1, frame(68, 1));
      const taken = takeFrame(line, nowMs);
      line = taken.line;
      if (taken.frame?.[0] === 200) sent += 1;
      if (taken.frame?.[0] !== 1) continue;
      worstMs = Math.max(worstMs, line.freeAtMs - heardAtMs);
      heardAtMs = line.freeAtMs;
    }
    expect(worstMs).toBeLessThan(most);
    // Nor do heartbeats keep every message from its turn.
    expect(sent).toBeGreaterThan(15);
  },
);
