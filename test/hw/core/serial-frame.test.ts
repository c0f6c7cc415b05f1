/** Serial frames: every packet comes through whole, and noise costs no more than the packets that it hits. */
import { expect, test } from "vitest";
import { crc16, createSerialFrameReader, encodeSerialFrame } from "../../../src/hw/core/serial-frame.ts";
import { fc } from "../../support/repeatable.ts";

const PACKET_MAX = 300;
const packets = fc.array(fc.uint8Array({ minLength: 1, maxLength: PACKET_MAX }), { minLength: 1, maxLength: 6 });

function chop(bytes: Uint8Array, size: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return chunks;
}

test("the check value of CRC-16/X-25", () => {
  expect(crc16(new TextEncoder().encode("123456789"))).toBe(0x906e);
});

test("packets come out as they went in, however the line cuts them", () => {
  fc.assert(
    fc.property(packets, fc.integer({ min: 1, max: 50 }), (sent, size) => {
      const reader = createSerialFrameReader(PACKET_MAX);
      const line = Uint8Array.from(sent.flatMap((packet) => [...encodeSerialFrame(packet)]));
      expect(chop(line, size).flatMap((chunk) => reader.push(chunk))).toEqual(sent);
      expect(reader.broken).toBe(0);
    }),
  );
});

test("no frame holds a flag or a flow-control byte inside", () => {
  const inside = encodeSerialFrame(Uint8Array.from([0x7e, 0x7d, 0x11, 0x13, 0])).subarray(1, -1);
  expect([...inside].filter((byte) => [0x7e, 0x11, 0x13].includes(byte))).toEqual([]);
});

test("after any noise the next whole packet is heard", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 2000 }),
      fc.uint8Array({ minLength: 1, maxLength: 100 }),
      (noise, packet) => {
        const reader = createSerialFrameReader(PACKET_MAX);
        reader.push(noise);
        // Noise may end within an escape, which would eat the first flag: what follows is whole again.
        reader.push(encodeSerialFrame(packet));
        expect(reader.push(encodeSerialFrame(packet)).at(-1)).toEqual(packet);
      },
    ),
  );
});
