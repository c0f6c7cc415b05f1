/** The order in which a slow line gets its frames: what is new of each node before what may wait. */
import { expect, test } from "vitest";
import { WINDOW } from "../../../src/cluster/core/messaging/incoming.ts";
import {
  createSerialLine,
  lineTimeMs,
  lineWakeAtMs,
  offerBeat,
  offerDatagram,
  type SerialDatagram,
  type SerialLine,
  takeFrame,
} from "../../../src/hw/core/serial-line.ts";

const BAUD = 19_200;
const frame = (bytes: number, mark: number) => new Uint8Array(bytes).fill(mark);
const datagram = (mark: number, others: Partial<SerialDatagram> = {}): SerialDatagram => ({
  way: "1 2",
  stream: "1",
  name: String(mark),
  isAnswer: false,
  frame: frame(1200, mark),
  ...others,
});
const datagramOf = (line: SerialLine, mark: number) => offerDatagram(line, datagram(mark), 0) ?? line;

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

/** What leaves, in its order, until nothing waits. */
function drain(first: SerialLine): (number | undefined)[] {
  const marks: (number | undefined)[] = [];
  let line = first;
  for (let atMs = lineWakeAtMs(line); atMs !== undefined; atMs = lineWakeAtMs(line)) {
    const taken = takeFrame(line, atMs);
    line = taken.line;
    marks.push(taken.frame?.[0]);
  }
  return marks;
}

test("what a manager may send before it hears an answer waits in its order, and nothing twice", () => {
  let line = createSerialLine(BAUD);
  const window = Array.from({ length: WINDOW }, (_, at) => at + 1);
  for (const mark of [...window, ...window]) line = datagramOf(line, mark);
  // A short message does not overtake: what is overtaken is taken for lost.
  line = offerDatagram(line, datagram(100, { frame: frame(30, 100) }), 0) ?? line;
  expect(drain(line)).toEqual([...window, 100]);
  for (let mark = 40; mark < 200; mark += 1) line = datagramOf(line, mark);
  expect(offerDatagram(line, datagram(201), 0)).toBeUndefined();
  expect(takeFrame(offerBeat(line, 1, frame(68, 9)), 0).frame?.[0]).toBe(9);
});

test("an answer goes before messages, and the newest alone", () => {
  let line = datagramOf(createSerialLine(BAUD), 1);
  const answer = { name: "acknowledgement", isAnswer: true };
  for (const mark of [91, 92]) line = offerDatagram(line, datagram(mark, answer), 0) ?? line;
  line = offerDatagram(line, datagram(93, { ...answer, way: "1 3" }), 0) ?? line;
  expect(drain(line)).toEqual([92, 93, 1]);
});

test("what is leaving is not taken again, and what belongs to an ended conversation goes no more", () => {
  let { line } = takeFrame(datagramOf(datagramOf(createSerialLine(BAUD), 1), 2), 0);
  line = offerDatagram(line, datagram(1), 100) ?? line;
  expect(line.messages.map(({ name }) => name)).toEqual(["2"]);
  line = offerDatagram(line, datagram(7, { stream: "2" }), 100) ?? line;
  line = offerDatagram(line, datagram(8, { way: "2 1" }), 100) ?? line;
  expect(drain(line)).toEqual([7, 8]);
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
      if (nowMs % 20 === 0) line = offerDatagram(line, datagram(nowMs, { frame: frame(1200, 200) }), nowMs) ?? line;
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
