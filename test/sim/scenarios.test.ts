/** Each scenario is a story: it must go as it says, break no invariant, and end with every service running once. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { judgeStory, play, readScenario } from "../../src/sim/scenario.ts";

const folder = path.join(import.meta.dirname, "scenarios");
const files = readdirSync(folder).filter((name) => name.endsWith(".txt"));

test.each(files)("%s", (file) => {
  const { seed, lines, expected } = readScenario(readFileSync(path.join(folder, file), "utf8"));
  const world = play(seed, lines);
  const story = world.story.map(({ atMs, text }) => `${Math.round(atMs)} ${text}`).join("\n");
  expect(judgeStory(world, expected), story).toEqual([]);
});
