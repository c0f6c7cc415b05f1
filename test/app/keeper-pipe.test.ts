/** Frames of the pipe between keeper and manager: whole, in order, however the pipe cuts them. */
import { expect, test } from "vitest";
import { createFrameReader, encodeFrame, type ToKeeper, type ToManager } from "../../src/app/keeper-pipe.ts";
import { fc } from "../support/repeatable.ts";

const frames: readonly (ToManager | ToKeeper)[] = [
  { kind: "start", session: 65_537, hasForerunner: true },
  { kind: "datagram", from: "bravo", bytes: Uint8Array.from([0, 1, 255]) },
  { kind: "ping", number: 3 },
  { kind: "pong", number: 3 },
  { kind: "send", to: "*", bytes: new Uint8Array(1280) },
  { kind: "peer-fenced", name: "bravo", generation: 7 },
  { kind: "peer-accepted", name: "bravo" },
  { kind: "self-fence", reason: "a stop failed" },
  { kind: "stop", alreadyMs: 1500 },
  { kind: "stopped" },
];

test("every kind of frame comes through, in chunks of any size", () => {
  const line = Uint8Array.from(frames.flatMap((frame) => [...encodeFrame(frame)]));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: line.length }), (size) => {
      const reader = createFrameReader();
      const read: (ToManager | ToKeeper)[] = [];
      for (let at = 0; at < line.length; at += size) read.push(...reader.push(line.subarray(at, at + size)));
      expect(read).toEqual(frames);
    }),
  );
});

test("a stream that is broken ends the process that reads it", () => {
  expect(() => createFrameReader().push(Uint8Array.from([0, 0, 0, 0, 1]))).toThrow("a frame of 0 bytes");
  expect(() => createFrameReader().push(Uint8Array.from([1, 0, 0, 0, 99]))).toThrow("unknown kind");
});
