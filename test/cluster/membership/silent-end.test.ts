/**
 * Watchdog fencing: who is taken for ended by time alone has ended, and whoever died is found to have ended in time.
 */
import { expect, test } from "vitest";
import { createSite, type Site } from "../../support/watched-site.ts";

const others = (site: Site, id: number) => site.machines.filter((machine) => machine.id !== id);
const takesForEnded = (site: Site, by: number, id: number) =>
  site.machines[by - 1]?.state.peers.find((peer) => peer.id === id)?.quiet?.endedAfterMs;

/** Neither hears the other any more. */
function separate(site: Site, one: number, two: number): void {
  site.cut(one, two, true);
  site.cut(two, one, true);
}

test.each([
  [3, "none"],
  [4, "none"],
  [5, "none"],
  [2, "disk"],
  [4, "disk"],
] as const)("of %i nodes (tie-breaker %s) nobody is taken for ended that runs, whatever befalls them", (count, tie) => {
  let ends = 0;
  for (let seed = 1; seed <= 20; seed += 1) {
    const site = createSite(seed * 1_000 + count, count, tie);
    site.run(4_000);
    for (let day = 0; day < 40; day += 1) {
      site.befall();
      site.run(500 + ((seed * 7_919 + day * 104_729) % 6_000));
    }
    ends += new Set(site.ends.map((told) => told.split(" ").slice(0, 3).join(" "))).size;
  }
  // Else nothing was tried.
  expect(ends).toBeGreaterThan(5);
});

test("a node that has lost its power is taken for ended by all others, after the promised time and a hundredth", () => {
  const site = createSite(1, 3, "none");
  site.run(8_000);
  site.kill(3);
  // Deadtime, lease 4 s, watchdog 3 s, a keepalive and half a second; a hundredth; the answer of the other.
  site.run(10_500);
  expect(others(site, 3).map(({ id }) => takesForEnded(site, id, 3))).toEqual([undefined, undefined]);
  site.run(2_500);
  for (const { id } of others(site, 3)) expect(takesForEnded(site, id, 3)).toBeGreaterThanOrEqual(8_080);
});

test("a node that is cut off ends itself, and its peers count on it only afterwards", () => {
  const site = createSite(2, 3, "none");
  site.run(8_000);
  for (const id of [1, 2]) separate(site, id, 3);
  site.run(3_000);
  expect(site.machines[2]?.runs).toBe(true);
  site.run(2_000);
  expect(site.machines[2]?.runs).toBe(false);
  expect(site.ends).toEqual([]);
  site.run(8_000);
  expect(site.ends.length).toBeGreaterThan(0);
});

test("two that lose each other, and not the third, both live: it hears them, and nobody waits for an end", () => {
  const site = createSite(3, 3, "none");
  site.run(8_000);
  separate(site, 1, 2);
  site.run(60_000);
  expect(site.machines.map(({ runs }) => runs)).toEqual([true, true, true]);
  expect(site.ends).toEqual([]);
});

test("of a pair with a lock on a disk the one that has it outlives the other", () => {
  const site = createSite(4, 2, "disk");
  site.run(8_000);
  separate(site, 1, 2);
  site.run(16_000);
  expect(site.machines.filter(({ generation }) => generation === 1)).toHaveLength(1);
  expect(site.ends.length).toBeGreaterThan(0);
});
