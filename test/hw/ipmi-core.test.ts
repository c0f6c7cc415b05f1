/** The RMCP+ core without a network: hostile bytes, the window of sequence numbers, the same life for the same seed. */
import { describe, expect, test } from "vitest";
import { equalInConstantTime, fromHex, toHex } from "../../src/hw/core/ipmi/bytes.ts";
import { CIPHER_SUITES } from "../../src/hw/core/ipmi/crypto.ts";
import { isSameGuid } from "../../src/hw/core/ipmi/guid.ts";
import { decodeResponse, encodeRequest } from "../../src/hw/core/ipmi/message.ts";
import { decodePacket, seal, unseal } from "../../src/hw/core/ipmi/packet.ts";
import { stepSession } from "../../src/hw/core/ipmi/session.ts";
import {
  acceptSequence,
  createSession,
  type LiveSession,
  type SessionEvent,
  wakeAtMs,
} from "../../src/hw/core/ipmi/session-state.ts";
import { ipmiCrypto } from "../../src/hw/edge/ipmi-crypto.ts";
import { fc } from "../support/repeatable.ts";

const keys = { k1: fromHex("11".repeat(20)), k2: fromHex("22".repeat(20)) };
const iv = fromHex("33".repeat(16));
const context = {
  crypto: ipmiCrypto,
  account: { user: "admin", password: "secret", suite: 3, privilege: "operator" },
} as const;
const ask: SessionEvent = { kind: "request", id: 1, request: { netFn: 0, command: 1, data: [] }, budgetMs: 3_000 };

describe("packets", () => {
  for (const id of [3, 17] as const) {
    test(`suite ${id}: what was sealed is opened, whatever its length and whatever follows`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 20 }), (message, garbage) => {
          const packet = seal(ipmiCrypto, CIPHER_SUITES[id], keys, 1, 1, iv, message);
          const received = Uint8Array.from([...packet, ...garbage]);
          expect(toHex(unseal(ipmiCrypto, CIPHER_SUITES[id], keys, received) ?? fromHex("ff"))).toBe(toHex(message));
        }),
      );
    });

    test(`suite ${id}: one changed bit anywhere in the authenticated part closes it`, () => {
      const packet = seal(ipmiCrypto, CIPHER_SUITES[id], keys, 1, 1, iv, fromHex("20188100"));
      for (let at = 4; at < packet.length; at++) {
        const forged = Uint8Array.from(packet);
        forged[at] = (forged[at] ?? 0) ^ 1;
        expect(unseal(ipmiCrypto, CIPHER_SUITES[id], keys, forged), `byte ${at}`).toBeUndefined();
      }
    });
  }

  test("no bytes whatever make the session throw, nor answer", () => {
    const started = stepSession(context, createSession("00".repeat(32)), ask, 0).state;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.boolean(), (noise, withHeader) => {
        const bytes = withHeader ? Uint8Array.from([6, 0, 0xff, 7, 6, ...noise]) : noise;
        decodePacket(bytes);
        const { effects } = stepSession(context, started, { kind: "datagram", bytes }, 1);
        expect(effects.filter(({ kind }) => kind === "answer")).toEqual([]);
      }),
    );
  });

  test("an answer to another request is none", () => {
    const request = { netFn: 0, command: 1, data: [] };
    const response = Uint8Array.of(0x81, 0x04, 0x7b, 0x20, 5 << 2, 0x01, 0x00, 0x21, 0x00);
    expect(decodeResponse(response, request, 5)?.completionCode).toBe(0);
    expect(decodeResponse(response, request, 6)).toBeUndefined();
    expect(decodeResponse(response, { ...request, command: 2 }, 5)).toBeUndefined();
    expect(decodeResponse(response, { ...request, netFn: 6 }, 5)).toBeUndefined();
    expect(encodeRequest(request, 5)).toHaveLength(7);
  });
});

const live: LiveSession = {
  consoleId: 1,
  managedId: 2,
  k1: "11".repeat(20),
  k2: "22".repeat(20),
  guid: "",
  privileged: true,
  sent: 0,
  highest: 0,
  seen: 0,
  heardAtMs: 0,
  suspect: false,
};

describe("an open session", () => {
  /** Payload types of what is sent for a request at that time: C0h sealed in the session, 10h Open Session. */
  const sentTypes = (nowMs: number, isSuspect: boolean) => {
    const state = { ...createSession("00".repeat(32)), live: { ...live, suspect: isSuspect } };
    const { effects } = stepSession(context, state, ask, nowMs);
    return effects.map((effect) => (effect.kind === "send" ? effect.bytes[5] : effect.kind));
  };

  test("is used as long as the board surely knows it", () => {
    expect(sentTypes(20_000, false)).toEqual([0xc0]);
  });

  test("that was idle for too long, or met silence, is closed and another one opened: no slot leaks", () => {
    expect(sentTypes(30_000, false)).toEqual([0xc0, 0x10]);
    expect(sentTypes(1_000, true)).toEqual([0xc0, 0x10]);
  });
});

describe("the window of sequence numbers", () => {
  test("no number counts twice, in whatever order they come", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 80 }), (numbers) => {
        let window = live;
        const taken = new Set<number>();
        for (const number of numbers) {
          const next = acceptSequence(window, number);
          if (next === undefined) continue;
          expect(taken.has(number)).toBe(false);
          taken.add(number);
          window = next;
        }
      }),
    );
  });

  test("late ones count within 15, early ones within 15", () => {
    const at20 = acceptSequence(live, 20) ?? live;
    const verdicts = [5, 4, 35, 36].map((number) => acceptSequence(at20, number) !== undefined);
    expect(verdicts).toEqual([true, false, true, false]);
  });
});

describe("a dead board", () => {
  test("is asked at 0, 250, 750 and 1750 ms, and given up when the budget is over", () => {
    let { state, effects } = stepSession(context, createSession("00".repeat(32)), ask, 0);
    const sentAtMs = effects.map(() => 0);
    let nowMs = 0;
    for (let wake = wakeAtMs(state); wake !== undefined; wake = wakeAtMs(state)) {
      nowMs = wake;
      ({ state, effects } = stepSession(context, state, { kind: "tick" }, nowMs));
      for (const effect of effects) {
        if (effect.kind === "send") sentAtMs.push(nowMs);
        else expect(effect.result).toMatchObject({ kind: "silent", maybeReceived: false });
      }
    }
    expect(sentAtMs).toEqual([0, 250, 750, 1_750]);
    expect(nowMs).toBe(3_000);
  });

  test("the same seed and the same events make the same packets; the state is plain and holds no password", () => {
    const first = stepSession(context, createSession("ab".repeat(32)), ask, 0);
    const second = stepSession(context, createSession("ab".repeat(32)), ask, 0);
    expect(first).toEqual(second);
    expect(JSON.parse(JSON.stringify(first.state)).queue).toEqual(first.state.queue);
    expect(JSON.stringify(first.state)).not.toContain("secret");
  });
});

test.each([
  ["equal", "0102", "0102", true],
  ["different", "0102", "0103", false],
  ["of another length", "0102", "01", false],
])("codes that are %s", (_, left, right, same) => {
  expect(equalInConstantTime(fromHex(left), fromHex(right))).toBe(same);
});

test("a GUID is known in each order that boards send it in", () => {
  const uuid = "00112233-4455-6677-8899-aabbccddeeff";
  for (const seen of [
    "00112233445566778899aabbccddeeff",
    "33221100554477668899AABBCCDDEEFF",
    "ffeeddccbbaa99887766554433221100",
  ]) {
    expect(isSameGuid(seen, uuid)).toBe(true);
  }
  expect(isSameGuid("00112233445566778899aabbccddee00", uuid)).toBe(false);
  expect(isSameGuid("", "")).toBe(false);
});
