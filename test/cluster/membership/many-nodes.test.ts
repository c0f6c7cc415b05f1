/** More than two nodes: one view for all, who may decide after a split, and what breaks a tie. */
import { expect, test } from "vitest";
import { createMesh } from "../../support/membership-mesh.ts";

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

test.each([3, 5, 16])("%i nodes agree on one view, and the rest of them on another after a death", (count) => {
  const mesh = createMesh(count);
  mesh.run(3000);
  for (const id of upTo(count)) expect(mesh.view(id)).toBe(`${upTo(count).join()} agreed quorate`);
  mesh.kill(2);
  mesh.run(5000);
  const rest = upTo(count).filter((id) => id !== 2);
  for (const id of rest) expect(mesh.view(id)).toBe(`${rest.join()} agreed quorate`);
});

test("of five nodes the three decide, the two do not", () => {
  const mesh = createMesh(5);
  mesh.run(3000);
  mesh.split([1, 2], [3, 4, 5]);
  mesh.run(6000);
  expect([mesh.view(1), mesh.view(2)]).toEqual(["1,2 agreed", "1,2 agreed"]);
  expect([mesh.view(3), mesh.view(5)]).toEqual(["3,4,5 agreed quorate", "3,4,5 agreed quorate"]);
});

test("of two halves of four neither decides; with a tie-breaker the half of which a member has it", () => {
  const plain = createMesh(4);
  plain.run(3000);
  plain.split([1, 2], [3, 4]);
  plain.run(6000);
  expect(upTo(4).map((id) => plain.view(id))).toEqual(["1,2 agreed", "1,2 agreed", "3,4 agreed", "3,4 agreed"]);
  const tied = createMesh(4, { quorum: { waitForAll: false, tieBreaker: "disk" } });
  tied.run(3000);
  tied.split([1, 2], [3, 4]);
  tied.run(6000);
  tied.step(3, { kind: "tie-breaker", held: true });
  tied.run(100);
  expect(upTo(4).map((id) => tied.view(id))).toEqual([
    "1,2 agreed",
    "1,2 agreed",
    "3,4 agreed quorate",
    "3,4 agreed quorate",
  ]);
  tied.step(3, { kind: "tie-breaker", held: false });
  tied.run(100);
  expect(tied.view(4)).toBe("3,4 agreed");
});

test.each([
  [3, [[1, 3]], "1,2", [3]],
  [3, [[2, 3]], "1,2", [3]],
  // The smaller side of the cuts goes, whatever its id.
  [
    4,
    [
      [1, 3],
      [1, 4],
    ],
    "2,3,4",
    [1],
  ],
  [
    5,
    [
      [1, 2],
      [3, 4],
    ],
    "1,3,5",
    [2, 4],
  ],
  // A ring: 3 and 4 hear one of the two who stay each.
  [
    4,
    [
      [1, 3],
      [2, 4],
    ],
    "1,2",
    [3, 4],
  ],
] as const)("of %i nodes where %j do not hear each other %s are left, and agree", (count, pairs, left, gone) => {
  const mesh = createMesh(count);
  mesh.run(3000);
  for (const [one, other] of pairs) mesh.part(one, other);
  // A deadtime until they are lost, another one until they are given up, and the words about it.
  mesh.run(3000 + 3000 + 1500);
  for (const id of gone) expect(mesh.view(id)).toBe("dead");
  const quorate = 2 * left.split(",").length > count ? " quorate" : "";
  for (const id of left.split(",").map(Number)) expect(mesh.view(id)).toBe(`${left} agreed${quorate}`);
});

test("whoever is not heard by all is not taken in, and is as soon as it is", () => {
  const mesh = createMesh(3);
  mesh.run(3000);
  mesh.part(1, 3);
  mesh.run(8000);
  mesh.start(3, 2);
  mesh.run(30_000);
  expect([1, 2, 3].map((id) => mesh.view(id))).toEqual(["1,2 agreed quorate", "1,2 agreed quorate", "3 agreed"]);
  mesh.split([1, 2, 3]);
  mesh.run(2000);
  for (const id of [1, 2, 3]) expect(mesh.view(id)).toBe("1,2,3 agreed quorate");
});

test("two who lose each other for less than two deadtimes cost nobody his place", () => {
  const mesh = createMesh(3);
  mesh.run(3000);
  mesh.part(1, 3);
  mesh.run(4500);
  mesh.split([1, 2, 3]);
  mesh.run(1000);
  for (const [one, other] of [
    [1, 3],
    [3, 1],
  ] as const)
    mesh.step(one, { kind: "peer-accepted", name: `n${other}` });
  mesh.run(8000);
  for (const id of [1, 2, 3]) expect(mesh.view(id)).toBe("1,2,3 agreed quorate");
});

test("a tied half holds what it has for the time that the lock takes, and not longer", () => {
  const mesh = createMesh(4, { quorum: { waitForAll: false, tieBreaker: "disk" } });
  mesh.run(3000);
  mesh.split([1, 2], [3, 4]);
  // Lost after a deadtime.
  mesh.run(4000);
  for (const id of [1, 2, 3, 4]) expect(mesh.hold(id)).toContain("who has the lock is not known yet");
  mesh.step(1, { kind: "tie-breaker", held: true });
  mesh.run(100);
  expect([mesh.hold(1), mesh.view(1)]).toEqual([undefined, "1,2 agreed quorate"]);
  expect([mesh.hold(2), mesh.view(2)]).toEqual([undefined, "1,2 agreed quorate"]);
  mesh.run(2500);
  expect([mesh.hold(3), mesh.view(3)]).toEqual([undefined, "3,4 agreed"]);
  // One that is lost later is not waited for.
  mesh.step(1, { kind: "tie-breaker", held: false });
  mesh.run(100);
  expect([mesh.hold(1), mesh.view(1)]).toEqual([undefined, "1,2 agreed"]);
});

test("with wait-for-all a node that has seen all tells those that have not", () => {
  const mesh = createMesh(3, { quorum: { waitForAll: true, tieBreaker: "none" } });
  mesh.split([1, 2], [3]);
  mesh.run(20_000);
  expect(mesh.view(1)).toBe("1,2 agreed");
  mesh.split([1, 2, 3]);
  mesh.run(3000);
  mesh.kill(3);
  mesh.run(5000);
  expect(mesh.view(1)).toBe("1,2 agreed quorate");
});

test("a manager is told how many ping nodes this node and its peers reach (checked by the mesh at each step)", () => {
  const mesh = createMesh(2);
  mesh.run(3000);
  mesh.step(1, { kind: "reachable", count: 2 });
  mesh.run(1000);
  mesh.step(1, { kind: "reachable", count: 1 });
  mesh.run(1000);
  expect(mesh.view(2)).toBe("1,2 agreed quorate");
});
