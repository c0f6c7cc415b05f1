/** Packets: only what is signed, of our version and fresh is heard, whatever else comes in. */
import { describe, expect, test } from "vitest";
import type { AuthKeys } from "../../../src/cib/authkeys.ts";
import { serialHeartbeatBytes } from "../../../src/cib/node-serial.ts";
import { decodeHeartbeat, encodeHeartbeat, type Heartbeat } from "../../../src/cluster/core/wire/heartbeat.ts";
import {
  decodePacket,
  encodePacket,
  HEADER_BYTES,
  MAC_BYTES,
  type PacketHeader,
} from "../../../src/cluster/core/wire/packet.ts";
import {
  acceptAmongMany,
  acceptSequence,
  EMPTY_WIDE_WINDOW,
  EMPTY_WINDOW,
  type ReplayWindow,
  type WideWindow,
} from "../../../src/cluster/core/wire/replay-window.ts";
import { createSigner } from "../../../src/cluster/edge/signer.ts";
import { createSerialFrameReader, encodeSerialFrame } from "../../../src/hw/core/serial-frame.ts";
import { createNoise, noisePacket } from "../../support/noise.ts";
import { fc } from "../../support/repeatable.ts";

const keys: AuthKeys = {
  signing: 2,
  keys: [
    { number: 1, method: "sha256", secret: "the old secret of all" },
    { number: 2, method: "sha256", secret: "the new secret of all" },
  ],
};
const signer = createSigner(keys, "pair");
const header: PacketHeader = { kind: "heartbeat", from: 1, to: 0, link: 3, generation: 2 ** 40, sequence: 77 };
const payload = Uint8Array.from([1, 2, 3]);
const hiding = createSigner(
  { signing: 3, keys: [{ number: 3, method: "aes256-gcm", secret: "a secret to hide with" }] },
  "pair",
);

describe("a packet", () => {
  test("comes out as it went in", () => {
    const read = decodePacket(encodePacket(header, payload, signer), signer);
    expect(read).toEqual({ kind: "packet", packet: { ...header, payload } });
  });

  test.each([
    ["signed", signer],
    ["encrypted", hiding],
  ])("%s, comes out as it went in; with any bit turned it is foreign or forged", (_, signer) => {
    const good = encodePacket(header, payload, signer);
    expect(decodePacket(good, signer)).toMatchObject({ kind: "packet", packet: { ...header } });
    for (let bit = 0; bit < good.length * 8; bit += 1) {
      const bad = Uint8Array.from(good);
      bad[bit >>> 3] = (bad[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodePacket(bad, signer).kind).toBe(bit < 16 ? "foreign" : "forged");
    }
  });

  test("cut short or drawn by lot never makes the reader throw, nor gets in", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const one of [signer, hiding]) expect(["foreign", "forged"]).toContain(decodePacket(bytes, one).kind);
      }),
    );
    const good = encodePacket(header, payload, signer);
    for (let length = 0; length < good.length; length += 1)
      expect(decodePacket(good.subarray(0, length), signer).kind).not.toBe("packet");
  });

  test("encrypted shows nothing of its payload, and no nonce twice but for the very same packet", () => {
    const secret = new TextEncoder().encode("the password of a database");
    const seal = (sequence: number, text: Uint8Array) =>
      Buffer.from(encodePacket({ ...header, sequence }, text, hiding));
    const [first, again, next] = [seal(1, secret), seal(1, secret), seal(2, secret)];
    // A node restored from a backup counts from an old number again: with other words the nonce must be another.
    const restored = seal(1, new TextEncoder().encode("the password of another one"));
    const nonceOf = (packet: Buffer) => packet.toString("hex", HEADER_BYTES, HEADER_BYTES + 12);
    expect(first.includes("password")).toBe(false);
    expect(first.equals(again)).toBe(true);
    expect(new Set([first, next, restored].map(nonceOf)).size).toBe(3);
    expect(first.length).toBe(HEADER_BYTES + 12 + secret.length + MAC_BYTES);
  });

  test("of one method is never let in under a key of the other, even with the same secret", () => {
    const secret = "one secret for both";
    const clear = createSigner({ signing: 1, keys: [{ number: 1, method: "sha256", secret }] }, "pair");
    const hidden = createSigner({ signing: 1, keys: [{ number: 1, method: "aes256-gcm", secret }] }, "pair");
    expect(decodePacket(encodePacket(header, payload, clear), hidden).kind).toBe("forged");
    expect(decodePacket(encodePacket(header, payload, hidden), clear).kind).toBe("forged");
  });

  test("of another version is refused with its number, for whoever has to update", () => {
    const later = Buffer.from(encodePacket(header, payload, signer)).subarray(0, HEADER_BYTES);
    later[2] = 2;
    const sealed = signer.seal(later, payload);
    const read = decodePacket(Buffer.concat([later, sealed]), signer);
    expect(read).toEqual({ kind: "version", from: 1, version: 2 });
  });

  test("of noise, a hundred thousand of every length: none is heard, nothing is thrown", () => {
    const random = createNoise(7);
    const reader = createSerialFrameReader(1400);
    const whole = encodePacket(header, new Uint8Array(27), signer);
    const kinds = { packet: 0, foreign: 0, forged: 0, version: 0 };
    for (let turn = 0; turn < 50_000; turn += 1) {
      const noise = noisePacket(random);
      kinds[decodePacket(noise, signer).kind] += 1;
      for (const framed of reader.push(noise)) kinds[decodePacket(framed, hiding).kind] += 1;
      // A real packet, cut anywhere and with a byte turned.
      const hurt = Uint8Array.from(whole.subarray(0, Math.floor(random() * (whole.length + 1))));
      const at = Math.floor(random() * hurt.length);
      if (hurt.length > 0) hurt[at] = (hurt[at] ?? 0) ^ (1 + Math.floor(random() * 255));
      kinds[decodePacket(hurt, signer).kind] += 1;
    }
    expect(kinds.packet + kinds.version).toBe(0);
    expect(kinds.foreign + kinds.forged).toBeGreaterThanOrEqual(100_000);
    // Behind all of it the line still carries what is real.
    const framed = reader.push(encodeSerialFrame(whole));
    expect(framed.map((bytes) => decodePacket(bytes, signer).kind)).toContain("packet");
  });

  test("signed with any accepted key is heard; of another cluster, or with an unknown key, it is not", () => {
    const old = createSigner({ ...keys, signing: 1 }, "pair");
    expect(decodePacket(encodePacket(header, payload, old), signer).kind).toBe("packet");
    const other = createSigner(keys, "another");
    expect(decodePacket(encodePacket(header, payload, other), signer).kind).toBe("forged");
    const changed = createSigner({ signing: 2, keys: keys.keys.filter(({ number }) => number === 2) }, "pair");
    expect(decodePacket(encodePacket(header, payload, old), changed).kind).toBe("forged");
  });
});

describe("a heartbeat", () => {
  const opinion = { id: 2, generation: 2 ** 47 + 5, opinion: "lost", heard: true, echo: 65_535 } as const;
  const heartbeat: Heartbeat = {
    leaving: true,
    settled: false,
    holding: true,
    quorate: false,
    holdsTie: true,
    epoch: 4_000_000_000,
    members: 0b11,
    sentAtMs: 4_294_967_295,
    beat: 7,
    peers: [opinion],
  };

  test("comes out as it went in", () => {
    expect(decodeHeartbeat(encodeHeartbeat(heartbeat))).toEqual(heartbeat);
  });

  test("of a pair takes a third of the 203 bytes that 19200 baud carry in 100 ms, whatever its bytes", () => {
    const packet = encodePacket(header, encodeHeartbeat(heartbeat), signer);
    expect(packet.length).toBe(63);
    expect(packet.length).toBe(HEADER_BYTES + encodeHeartbeat(heartbeat).length + MAC_BYTES);
    expect(2 * packet.length + 6).toBeLessThan(203);
    expect(encodeSerialFrame(packet).length).toBeLessThan(80);
  });

  test("is no longer on a serial line than the node's configuration reckons with", () => {
    for (const nodes of [2, 3, 16]) {
      const peers = Array.from({ length: nodes - 1 }, (_, id) => ({ ...opinion, id: id + 2 }));
      const longest = encodePacket(header, encodeHeartbeat({ ...heartbeat, peers }), hiding);
      expect(longest.length).toBeLessThanOrEqual(serialHeartbeatBytes(nodes) - 6);
    }
  });

  test("of a later version, with more before the list, is read as far as this one knows it", () => {
    const now = encodeHeartbeat(heartbeat);
    const later = Uint8Array.from([...now.subarray(0, 15), 20, now[16] ?? 0, 1, 2, 3, ...now.subarray(17)]);
    expect(decodeHeartbeat(later)).toEqual(heartbeat);
    const earlier = Uint8Array.from([...now.subarray(0, 15), 9, ...now.subarray(16)]);
    expect(decodeHeartbeat(earlier)).toBeUndefined();
  });

  test("drawn by lot is either read or refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 180 }), (bytes) => {
        const read = decodeHeartbeat(bytes);
        if (read !== undefined) expect(encodeHeartbeat(read).length).toBe(bytes.length);
      }),
    );
  });
});

describe("the replay window", () => {
  test("hears each packet of any reordering within it once", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 200 }), (sequences) => {
        const heard = new Set<number>();
        let highest = 0;
        let window: ReplayWindow = EMPTY_WINDOW;
        for (const sequence of sequences) {
          const next = acceptSequence(window, 1, sequence);
          expect(next !== undefined).toBe(!heard.has(sequence) && sequence > highest - 32);
          if (next === undefined) continue;
          window = next;
          heard.add(sequence);
          highest = Math.max(highest, sequence);
        }
      }),
    );
  });

  test("of a serial line hears what a thousand others have overtaken, and each packet once", () => {
    const late = 5;
    let window: WideWindow = EMPTY_WIDE_WINDOW;
    const hears = (sequence: number, generation = 1) => {
      const next = acceptAmongMany(window, generation, sequence);
      window = next ?? window;
      return next !== undefined;
    };
    for (let sequence = 1; sequence <= 1_000; sequence += 1) if (sequence !== late) expect(hears(sequence)).toBe(true);
    expect(hears(999)).toBe(false);
    expect(hears(late)).toBe(true);
    expect(hears(late)).toBe(false);
    expect(hears(2_100)).toBe(true);
    expect(hears(1_076)).toBe(false);
    expect(hears(1_077)).toBe(true);
    expect(window.seen.length).toBeLessThanOrEqual(1_024);
    expect(hears(1, 2)).toBe(true);
    expect(hears(2_200, 1)).toBe(false);
  });

  test("forgets nothing of an older start, and begins anew with a later one", () => {
    const later = acceptSequence(EMPTY_WINDOW, 5, 1000) ?? EMPTY_WINDOW;
    expect(acceptSequence(later, 4, 2000)).toBeUndefined();
    expect(acceptSequence(later, 6, 1)).toMatchObject({ generation: 6, highest: 1 });
  });
});
