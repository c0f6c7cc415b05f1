/** Channels over a network that loses, doubles and reorders: every message once, in order; or void on both sides. */
import { describe, expect, test } from "vitest";
import {
  type ChannelEvent,
  type ChannelState,
  channelWakeAtMs,
  createChannel,
  stepChannel,
  unpacks,
} from "../../../src/cluster/core/messaging/channel.ts";
import { cutText, decodeSegment, encodeSegment, PIECE_BYTES_MAX } from "../../../src/cluster/core/messaging/segment.ts";
import { fc } from "../../support/repeatable.ts";

interface Faults {
  readonly seed: number;
  readonly lossPercent: number;
  readonly doublePercent: number;
  readonly delayMaxMs: number;
  /** How long each side needs for a datagram; the others wait in its queue. */
  readonly workMs?: number;
}

/** Two channels, a network with faults, and a virtual clock. */
function createPair(faults: Faults) {
  let seed = faults.seed >>> 0;
  const random = () => {
    // mulberry32: a plain congruential generator falls into step with the resends.
    seed = (seed + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const states: Record<string, ChannelState> = { a: createChannel(1), b: createChannel(1) };
  const delivered: Record<string, string[]> = { a: [], b: [] };
  const started: string[] = [];
  /** Until when each side works at what it has. */
  const busyUntilMs: Record<string, number> = { a: 0, b: 0 };
  let flights: { atMs: number; to: string; from: string; bytes: Uint8Array }[] = [];
  let nowMs = 0;
  let sent = 0;

  function run(name: string, event: ChannelEvent): void {
    const { state, effects } = stepChannel(states[name] ?? createChannel(1), event, nowMs);
    states[name] = JSON.parse(JSON.stringify(state)) as ChannelState;
    for (const effect of effects) {
      if (effect.kind === "deliver") delivered[name]?.push(effect.text);
      if (effect.kind === "peer-started") started.push(`${name} met ${effect.peer} ${effect.session}`);
      if (effect.kind !== "send") continue;
      sent += 1;
      for (let copies = random() * 100 < faults.doublePercent ? 2 : 1; copies > 0; copies -= 1) {
        if (random() * 100 < faults.lossPercent) continue;
        const arrivesAtMs = nowMs + 1 + Math.floor(random() * faults.delayMaxMs);
        const atMs = Math.max(arrivesAtMs, busyUntilMs[effect.to] ?? 0) + (faults.workMs ?? 0);
        if (faults.workMs !== undefined) busyUntilMs[effect.to] = atMs;
        flights.push({ atMs, to: effect.to, from: name, bytes: effect.bytes });
      }
    }
  }

  function settle(untilMs: number): void {
    for (;;) {
      const wakes = Object.values(states).flatMap((state) => channelWakeAtMs(state) ?? []);
      const nextMs = Math.max(nowMs, Math.min(...wakes, ...flights.map(({ atMs }) => atMs)));
      if (nextMs > untilMs) break;
      nowMs = nextMs;
      const due = flights.filter(({ atMs }) => atMs <= nowMs);
      flights = flights.filter(({ atMs }) => atMs > nowMs);
      for (const { to, from, bytes } of due) run(to, { kind: "datagram", from, bytes });
      for (const [name, state] of Object.entries(states))
        if ((channelWakeAtMs(state) ?? Number.POSITIVE_INFINITY) <= nowMs) run(name, { kind: "tick" });
    }
    nowMs = untilMs;
  }

  return {
    run,
    settle,
    delivered,
    started,
    sent: () => sent,
    dropAll: () => {
      flights = [];
    },
    restart: (name: string, session: number) => {
      states[name] = createChannel(session);
    },
    waiting: (name: string) =>
      Object.values(states[name]?.peers ?? {}).flatMap(({ outgoing }) => outgoing.pieces).length,
  };
}

const clean: Faults = { seed: 1, lossPercent: 0, doublePercent: 0, delayMaxMs: 1 };

test("a message goes over in one round trip after the greeting, and nothing is sent again", () => {
  const pair = createPair(clean);
  pair.run("a", { kind: "submit", to: "b", text: "hello" });
  pair.settle(10);
  expect(pair.delivered["b"]).toEqual(["hello"]);
  expect(pair.started).toEqual(["b met a 1", "a met b 1"]);
  // Greeting, answer, piece, acknowledgement.
  expect(pair.sent()).toBe(4);
  pair.settle(10_000);
  expect(pair.sent()).toBe(4);
});

test("a slow peer gets no more to do because it is slow", () => {
  // An emulated node on a busy host: 40 ms for a datagram. What was sent again and again kept it busy for ever.
  const pair = createPair({ ...clean, workMs: 40 });
  const text = "m".repeat(60 * PIECE_BYTES_MAX);
  pair.run("a", { kind: "submit", to: "b", text });
  pair.settle(60_000);
  expect(pair.delivered["b"]).toEqual([text]);
  // 60 pieces with their acknowledgements, and what is sent again until the pace of the peer is known.
  expect(pair.sent()).toBeLessThan(60 * 2 * 1.5);
});

test("a long text is cut, and comes out whole", () => {
  const text = "äöü€𝄞x".repeat(20_000);
  const pieces = cutText(text);
  expect(pieces.join("")).toBe(text);
  expect(Math.max(...pieces.map((piece) => new TextEncoder().encode(piece).length))).toBeLessThanOrEqual(
    PIECE_BYTES_MAX,
  );
  const pair = createPair(clean);
  pair.run("a", { kind: "submit", to: "b", text });
  pair.settle(5000);
  expect(pair.delivered["b"]).toEqual([text]);
});

test("whatever the network does, every message arrives once and in order", () => {
  fc.assert(
    fc.property(
      fc.record({
        seed: fc.nat(),
        lossPercent: fc.integer({ min: 0, max: 60 }),
        doublePercent: fc.integer({ min: 0, max: 40 }),
        delayMaxMs: fc.integer({ min: 1, max: 80 }),
      }),
      fc.array(fc.record({ from: fc.constantFrom("a", "b"), length: fc.integer({ min: 0, max: 9000 }) }), {
        minLength: 1,
        maxLength: 12,
      }),
      (faults, messages) => {
        const pair = createPair(faults);
        const expected: Record<string, string[]> = { a: [], b: [] };
        for (const [index, { from, length }] of messages.entries()) {
          const to = from === "a" ? "b" : "a";
          const text = `${index}:${"m".repeat(length)}`;
          expected[to]?.push(text);
          pair.run(from, { kind: "submit", to, text });
          pair.settle(index * 20);
        }
        pair.settle(600_000);
        // Not toEqual: a difference of long texts would fill the screen.
        expect(JSON.stringify(pair.delivered) === JSON.stringify(expected)).toBe(true);
        expect(pair.waiting("a") + pair.waiting("b")).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
});

describe("of a topic the newest word counts", () => {
  const long = (mark: string) => mark.repeat(3 * PIECE_BYTES_MAX);
  const submit = (pair: ReturnType<typeof createPair>, text: string, topic?: string) =>
    pair.run("a", { kind: "submit", to: "b", text, topic });

  test("it takes the place of one that has not left, whatever their lengths", () => {
    const pair = createPair(clean);
    // Nothing leaves before the peer is met.
    submit(pair, "first");
    submit(pair, "I stand so", "standing");
    submit(pair, long("x"), "content");
    submit(pair, "and not", "other");
    submit(pair, long("s"), "standing");
    submit(pair, "short content", "content");
    submit(pair, "last");
    pair.settle(5_000);
    expect(pair.delivered["b"]).toEqual(["first", long("s"), "short content", "and not", "last"]);
    expect(pair.waiting("a")).toBe(0);
  });

  test("a long one on its way is not sent twice, a short one is, and another one is always sent", () => {
    const pair = createPair(clean);
    submit(pair, "hello");
    pair.settle(1_000);
    for (const text of [long("x"), long("x"), long("y")]) submit(pair, text, "content");
    for (const text of ["short", "short"]) submit(pair, text, "standing");
    pair.settle(2_000);
    expect(pair.delivered["b"]).toEqual(["hello", long("x"), long("y"), "short", "short"]);
    // What has arrived is said again like any other.
    submit(pair, long("y"), "content");
    pair.settle(3_000);
    expect(pair.delivered["b"]?.at(-1)).toBe(long("y"));
  });
});

test("over a serial line alone little is under way, and all of it arrives", () => {
  const pair = createPair(clean);
  pair.run("a", { kind: "submit", to: "b", text: "hello" });
  pair.settle(1_000);
  pair.run("a", { kind: "slow-peers", peers: ["b"] });
  const before = pair.sent();
  const text = "m".repeat(20 * PIECE_BYTES_MAX);
  pair.run("a", { kind: "submit", to: "b", text });
  expect(pair.sent() - before).toBe(4);
  pair.settle(2_000);
  expect(pair.delivered["b"]?.at(-1)).toBe(text);
  // The network is back: all that may go goes at once.
  pair.run("a", { kind: "submit", to: "b", text });
  pair.run("a", { kind: "slow-peers", peers: [] });
  expect(pair.waiting("a")).toBe(20);
  pair.settle(3_000);
  expect(pair.delivered["b"]?.length).toBe(3);
});

test("whether a peer unpacks is told by its acknowledgements, and forgotten when its manager starts anew", () => {
  const piece = { kind: "piece", session: 1, target: 2, stream: 1, sequence: 1, last: true, text: "{}" } as const;
  /** What `a` knows after the answer of a channel like this to a piece. */
  const after = (b: ChannelState) => {
    const { effects } = stepChannel(b, { kind: "datagram", from: "a", bytes: encodeSegment(piece) }, 0);
    const answers = effects.flatMap((effect) => (effect.kind === "send" ? [effect.bytes] : []));
    return answers.reduce(
      (a, bytes) => stepChannel(a, { kind: "datagram", from: "b", bytes }, 1).state,
      createChannel(1),
    );
  };
  expect(unpacks(createChannel(1), "b")).toBe(false);
  expect(unpacks(after(createChannel(2)), "b")).toBe(false);
  const known = after(createChannel(2, true));
  expect(unpacks(known, "b")).toBe(true);
  const greeting = encodeSegment({ kind: "greeting", session: 3, target: 1, asks: false });
  expect(unpacks(stepChannel(known, { kind: "datagram", from: "b", bytes: greeting }, 2).state, "b")).toBe(false);
});

describe("a manager that starts anew", () => {
  test("is met again, and what it never acknowledged is void", () => {
    const pair = createPair(clean);
    pair.run("a", { kind: "submit", to: "b", text: "before" });
    pair.settle(100);
    pair.run("a", { kind: "submit", to: "b", text: "lost with b" });
    pair.dropAll();
    pair.restart("b", 2);
    pair.settle(5000);
    expect(pair.delivered["b"]).toEqual(["before"]);
    expect(pair.started.at(-1)).toBe("a met b 2");
    pair.run("a", { kind: "submit", to: "b", text: "after" });
    pair.settle(10_000);
    expect(pair.delivered["b"]).toEqual(["before", "after"]);
    expect(pair.waiting("a")).toBe(0);
  });

  test("may speak first: the other side voids its streams", () => {
    const pair = createPair(clean);
    pair.run("a", { kind: "submit", to: "b", text: "one" });
    pair.run("b", { kind: "submit", to: "a", text: "two" });
    pair.settle(100);
    pair.restart("b", 7);
    pair.run("b", { kind: "submit", to: "a", text: "three" });
    pair.settle(1000);
    pair.run("a", { kind: "submit", to: "b", text: "four" });
    pair.settle(2000);
    expect(pair.delivered).toEqual({ a: ["two", "three"], b: ["one", "four"] });
  });
});

test("after forgetting a peer its next message is not held up by those that were dropped", () => {
  const pair = createPair(clean);
  pair.run("a", { kind: "submit", to: "b", text: "first" });
  pair.settle(100);
  pair.run("a", { kind: "submit", to: "b", text: "x".repeat(50_000) });
  pair.dropAll();
  pair.run("a", { kind: "forget", peer: "b" });
  pair.run("a", { kind: "submit", to: "b", text: "second" });
  pair.settle(5000);
  expect(pair.delivered["b"]).toEqual(["first", "second"]);
});

test("bytes that are no segment change nothing", () => {
  const state = createChannel(5);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const segment = decodeSegment(bytes);
      if (segment !== undefined) expect(decodeSegment(encodeSegment(segment))).toEqual(segment);
      else expect(stepChannel(state, { kind: "datagram", from: "x", bytes }, 0)).toEqual({ state, effects: [] });
    }),
  );
});

test("pieces that lie in one block, or begin the next, keep what each was given", () => {
  const texts = Array.from({ length: 300 }, (_, at) => `${at} ${"äx€".repeat(at)}`).concat("€".repeat(40_000), "last");
  const sent = texts.map((text) =>
    encodeSegment({ kind: "piece", session: 1, target: 2, stream: 1, sequence: 1, last: true, text }),
  );
  const read = sent.map((bytes) => decodeSegment(bytes)).map((one) => (one?.kind === "piece" ? one.text : undefined));
  expect(read).toEqual(texts);
});
