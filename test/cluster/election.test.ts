/** Election among real election cores that tell each other hello: who is the DC, and that all agree. */
import { expect, test } from "vitest";
import {
  createElection,
  type Election,
  type ElectionEvent,
  electionWakeAtMs,
  noteDecided,
  stepElection,
} from "../../src/cluster/core/election.ts";
import { fc } from "../support/repeatable.ts";

class Room {
  nowMs = 0;
  readonly cores: Record<string, Election> = {};
  members: readonly string[] = [];

  start(name: string, incarnation = `${name}-1`): void {
    this.cores[name] = createElection(name, incarnation, this.nowMs);
  }

  feed(name: string, event: ElectionEvent): void {
    const core = this.cores[name];
    if (core === undefined) return;
    const stepped = stepElection(core, event, this.nowMs);
    this.cores[name] = stepped.state;
    for (const effect of stepped.effects) {
      if (effect.kind !== "say-hello") continue;
      for (const other of stepped.state.members)
        if (other !== name) this.feed(other, { kind: "hello", from: name, hello: effect.hello });
    }
  }

  view(name: string, members: readonly string[]): void {
    this.feed(name, { kind: "members", members });
  }

  viewAll(members: readonly string[]): void {
    for (const name of members) this.view(name, members);
  }

  run(durationMs: number): void {
    for (const end = this.nowMs + durationMs; this.nowMs < end; this.nowMs += 100)
      for (const [name, core] of Object.entries(this.cores))
        if ((electionWakeAtMs(core) ?? Number.POSITIVE_INFINITY) <= this.nowMs) this.feed(name, { kind: "tick" });
  }

  decided(name: string, hadQuorum = true): void {
    const core = this.cores[name];
    if (core !== undefined) this.cores[name] = noteDecided(core, hadQuorum);
  }

  dcs(): readonly (string | null)[] {
    return Object.values(this.cores).map(({ dc }) => dc);
  }
}

function room(...names: readonly string[]): Room {
  const made = new Room();
  for (const name of names) made.start(name);
  return made;
}

test("the lowest name is elected, and everybody says the same", () => {
  const three = room("charlie", "alpha", "bravo");
  three.viewAll(["alpha", "bravo", "charlie"]);
  expect(three.dcs()).toEqual(["alpha", "alpha", "alpha"]);
});

test("the present DC stays when a lower name comes that has been alone", () => {
  const two = room("bravo");
  two.view("bravo", ["bravo"]);
  two.decided("bravo");
  two.start("alpha");
  two.view("alpha", ["alpha"]);
  expect(two.cores["alpha"]?.dc).toBe("alpha");
  two.viewAll(["alpha", "bravo"]);
  two.run(3_000);
  expect(two.dcs()).toEqual(["bravo", "bravo"]);
});

test("two DCs that have both decided meet: the lower name stays", () => {
  const two = room("alpha", "bravo");
  for (const name of ["alpha", "bravo"]) {
    two.view(name, [name]);
    two.decided(name);
  }
  two.viewAll(["alpha", "bravo"]);
  two.run(3_000);
  expect(two.dcs()).toEqual(["alpha", "alpha"]);
});

test("a DC that was cut off and decided without quorum does not displace the one that had it", () => {
  const two = room("alpha", "bravo");
  for (const name of ["alpha", "bravo"]) two.view(name, [name]);
  two.decided("alpha", false);
  two.decided("bravo");
  two.viewAll(["alpha", "bravo"]);
  two.run(3_000);
  expect(two.dcs()).toEqual(["bravo", "bravo"]);
});

test("against one that tells nothing of quorum it does not count: both sides judge alike", () => {
  const old = { incarnation: "bravo-1", dc: "bravo", hasDecided: true };
  const two = room("alpha");
  two.view("alpha", ["alpha"]);
  two.decided("alpha", false);
  two.view("alpha", ["alpha", "bravo"]);
  two.feed("alpha", { kind: "hello", from: "bravo", hello: old });
  expect(two.dcs()).toEqual(["alpha"]);
  two.feed("alpha", { kind: "hello", from: "bravo", hello: { ...old, hadQuorum: true } });
  expect(two.dcs()).toEqual(["bravo"]);
});

test("a DC whose manager was started anew has lost its reign", () => {
  const two = room("alpha", "bravo");
  two.viewAll(["alpha", "bravo"]);
  two.decided("alpha");
  two.start("alpha", "alpha-2");
  two.view("alpha", ["alpha", "bravo"]);
  two.run(3_000);
  expect(new Set(two.dcs()).size).toBe(1);
  expect(two.dcs()[0]).not.toBeNull();
});

test("a member whose manager is silent is not waited for without end", () => {
  const two = room("bravo");
  two.view("bravo", ["alpha", "bravo"]);
  expect(two.dcs()).toEqual([null]);
  two.run(3_000);
  expect(two.dcs()).toEqual(["bravo"]);
});

test("words are rare once all is calm, and one that may have been lost is said again at once", () => {
  const calm = room("alpha", "bravo");
  calm.viewAll(["alpha", "bravo"]);
  calm.run(120_000);
  const alpha = calm.cores["alpha"];
  if (alpha === undefined) throw new Error("there is no alpha");
  const nextMs = (election: Election) => electionWakeAtMs(election) ?? 0;
  const said = stepElection(alpha, { kind: "tick" }, nextMs(alpha)).state;
  expect(nextMs(said) - nextMs(alpha)).toBe(60_000);
  const told = stepElection(said, { kind: "messages-lost" }, calm.nowMs).state;
  expect(nextMs(told)).toBe(calm.nowMs);
  expect(stepElection(told, { kind: "tick" }, calm.nowMs).effects).toMatchObject([{ kind: "say-hello" }]);
});

test("whatever happens, all members agree in the end, on a member", () => {
  const names = ["alpha", "bravo", "charlie"];
  const happening = fc.record({
    kind: fc.constantFrom("split", "join", "restart", "decide", "wait"),
    node: fc.constantFrom(...names),
  });
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 12 }), (happenings) => {
      const three = room(...names);
      three.viewAll(names);
      happenings.forEach(({ kind, node }, index) => {
        if (kind === "split") {
          three.view(node, [node]);
          for (const other of names.filter((name) => name !== node))
            three.view(
              other,
              names.filter((name) => name !== node),
            );
        } else if (kind === "restart") {
          three.start(node, `${node}-r${index}`);
          three.view(node, names);
        } else if (kind === "decide") three.decided(node);
        else if (kind === "join") three.viewAll(names);
        else three.run(1_500);
      });
      three.viewAll(names);
      three.run(5_000);
      expect(new Set(three.dcs()).size).toBe(1);
      expect(names).toContain(three.dcs()[0]);
    }),
    { numRuns: 500 },
  );
});

test("a member that follows a DC which is not seen is not elected: there is none until it lets go", () => {
  const room = new Room();
  for (const name of ["alpha", "bravo", "charlie"]) room.start(name);
  room.viewAll(["alpha", "bravo", "charlie"]);
  expect(room.cores["charlie"]?.dc).toBe("alpha");
  // Charlie loses alpha, bravo hears both; its words reach both as before.
  room.view("charlie", ["bravo", "charlie"]);
  expect(room.cores["charlie"]?.dc).toBeNull();
  for (let round = 0; round < 20; round += 1) {
    room.nowMs += 1_000;
    for (const name of ["alpha", "bravo", "charlie"]) room.feed(name, { kind: "tick" });
    expect(room.cores["charlie"]?.dc).toBeNull();
    const wakeMs = electionWakeAtMs(room.cores["charlie"] ?? createElection("", "", 0)) ?? 0;
    expect(wakeMs).toBeGreaterThan(room.nowMs);
  }
  room.view("bravo", ["bravo", "charlie"]);
  expect([room.cores["bravo"]?.dc, room.cores["charlie"]?.dc]).toEqual(["bravo", "bravo"]);
});

test("a DC is told of each member that begins to follow it, once", () => {
  const hello = (dc: string | null) => ({ incarnation: "bravo-1", dc, hasDecided: false });
  let core = createElection("alpha", "alpha-1", 0);
  const feed = (event: ElectionEvent) => {
    const stepped = stepElection(core, event, 0);
    core = stepped.state;
    return stepped.effects.flatMap((effect) => (effect.kind === "follows" ? [effect.node] : []));
  };
  expect(feed({ kind: "members", members: ["alpha", "bravo"] })).toEqual([]);
  expect(feed({ kind: "hello", from: "bravo", hello: hello(null) })).toEqual([]);
  expect(core.dc).toBe("alpha");
  expect(feed({ kind: "hello", from: "bravo", hello: hello("bravo") })).toEqual([]);
  expect(feed({ kind: "hello", from: "bravo", hello: hello("alpha") })).toEqual(["bravo"]);
  expect(feed({ kind: "hello", from: "bravo", hello: hello("alpha") })).toEqual([]);
});
