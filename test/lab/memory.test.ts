/** The memory of a node's processes, read from the kernel's own words. */
import { expect, test } from "vitest";
import { formatMemory, readMemory } from "../../lab/watch/memory.ts";

const ROLLUP = `process node
00400000-7fff rollup
Rss:              120000 kB
Pss:               65536 kB
Private_Clean:      1024 kB
Private_Dirty:     20480 kB
process manager
00400000-7fff rollup
Rss:              130000 kB
Pss:               81920 kB
Private_Clean:         0 kB
Private_Dirty:     40960 kB
`;

test("each process and both together", () => {
  expect(readMemory(ROLLUP).map(({ command }) => command)).toEqual(["node", "manager"]);
  expect(formatMemory(readMemory(ROLLUP)).at(-1)).toBe(
    "  together   private   61.0 MB (dirty   60.0 MB)  PSS  144.0 MB",
  );
});

test("no process at all is nothing", () => expect(readMemory("")).toEqual([]));
