/** What a process says of a fault of its own: one line, in the bundle too, where all the program is one line. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { build } from "esbuild";
import { afterAll, expect, test } from "vitest";
import { describeFault, faultLine } from "../../src/app/fault.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-fault-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = path.resolve(import.meta.dirname, "../../src/app/fault.ts");
const PROGRAM = (command: string, thrown: string) => `
  import { tellFaults } from ${JSON.stringify(source)};
  tellFaults(${JSON.stringify(command)});
  class Desk { take(order) { return breakCore(order); } }
  function breakCore(order) { ${thrown} }
  const feedAll = () => [1].map((order) => new Desk().take(order));
  setTimeout(feedAll, 1);
  setTimeout(() => console.log("went on"), 1_000);
`;

/** Built as tools/build.ts builds the program. */
async function run(command: string, thrown: string): Promise<{ code: number | null; said: string }> {
  const file = path.join(folder, `${command}.ts`);
  writeFileSync(file, PROGRAM(command, thrown));
  const outfile = path.join(folder, `${command}.cjs`);
  const options = { platform: "node", format: "cjs", minify: true, keepNames: true, bundle: true } as const;
  await build({ entryPoints: [file], outfile, ...options });
  const { status, stdout, stderr } = spawnSync(process.execPath, [outfile], { encoding: "utf8", env: { LANG: "C" } });
  return { code: status, said: `${stdout}${stderr}` };
}

test.each([
  ["manager", 1, /^\S+Z ERROR: the manager ends by its own fault: .*; the keeper starts the manager anew/],
  ["node", 1, /^<2>\S+Z keeper: it ends by its own fault: .*; this node ends: /],
  ["status", 70, /^gemel: .*; this is a fault of gemel: report it/],
] as const)("%s ends with %i and one line that names the place", async (command, code, line) => {
  const { code: ended, said } = await run(command, "return order.of.nothing;");
  expect(ended).toBe(code);
  expect(said).toMatch(line);
  expect(said).toMatch(/TypeError: Cannot read properties of undefined .*, in breakCore < Desk.take < .*feedAll.* \(/);
  expect(said.split("\n")).toHaveLength(2);
  expect(said.length).toBeLessThan(500);
});

test("what is thrown may be long, have lines, be no error, and come from a promise", async () => {
  const long = await run("manager", `return Promise.reject(new Error("unexpected value " + "{\\n".repeat(50_000)));`);
  expect(long.code).toBe(1);
  expect(long.said).toMatch(/Error: unexpected value \{ \{/);
  expect(long.said.split("\n")).toHaveLength(2);
  expect(long.said.length).toBeLessThan(600);
  expect(describeFault({ a: 1 })).toBe("[object Object] was thrown");
  expect(describeFault("a\nb")).toBe("a b was thrown");
});

test("a line for the log has its time, and names the version", () => {
  const line = faultLine("manager", new RangeError("too far"), Date.UTC(2026, 0, 2));
  expect(line).toMatch(/^2026-01-02T00:00:00\.000Z ERROR: .*RangeError: too far, in .*, gemel \d+\.\d+\.\d+; /);
});
