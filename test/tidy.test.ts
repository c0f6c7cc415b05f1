/**
 * The rules of the house that no compiler checks: layers, bans, lengths, dead files, headers and words.
 * A rule of place lives only while the build enforces it. See docs/architecture.md, "The rooms".
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "..");
const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root })
  .toString()
  .split("\n")
  .filter((file) => file !== "" && existsSync(path.join(root, file)));
const typescript = tracked.filter((file) => file.endsWith(".ts"));
const sources = typescript.filter((file) => file.startsWith("src/"));
const read = (file: string) => readFileSync(path.join(root, file), "utf8");

/** A room sees itself and the rooms before it; what it sees beyond or less is said in `allowed`. */
const ROOMS = ["base", "cib", "hw", "fencing", "storage", "cluster", "console", "snmp", "sim", "app"];
const LINES_MAX = 400;
const COLUMNS_MAX = 120;

function importsOf(file: string): string[] {
  const pattern = /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|import\("([^"]+)"\)/g;
  return [...read(file).matchAll(pattern)].map((match) => match[1] ?? match[2] ?? "");
}

function targetsOf(file: string): string[] {
  return importsOf(file)
    .filter((name) => name.startsWith("."))
    .map((name) => path.join(path.dirname(file), name));
}

const roomOf = (file: string) => file.split("/")[1] ?? "";
const isCore = (file: string) => /^src\/[^/]+\/core\//.test(file);
const isEdge = (file: string) => /^src\/[^/]+\/edge\//.test(file);

/** Why `from` may not import `to`, or undefined when it may. */
function layerBreach(from: string, to: string): string | undefined {
  if (!to.startsWith("src/")) return "a source imports only sources";
  const [here, there] = [roomOf(from), roomOf(to)];
  if (ROOMS.indexOf(there) > ROOMS.indexOf(here)) return `${here} lies below ${there}`;
  if (isCore(from) && !isCore(to) && !["base", "cib"].includes(there)) return "a core imports only base, cib and cores";
  if (here === "storage" && there === "fencing") return "storage and fencing do not know each other";
  if (here === "cluster" && ["fencing", "storage"].includes(there) && !isCore(to))
    return "cluster sees only their cores";
  if (here === "sim" && isEdge(to)) return "the simulator never touches an edge";
  return undefined;
}

test("rooms import only what lies above them", () => {
  const breaches = sources.flatMap((from) =>
    targetsOf(from).flatMap((to) => {
      const breach = layerBreach(from, to);
      return breach === undefined ? [] : [`${from} imports ${to}: ${breach}`];
    }),
  );
  expect(breaches).toEqual([]);
});

test("cores and the simulator know no clock, no chance and no world", () => {
  const banned = /"node:|\bDate\b|\bperformance\b|Math\.random|setTimeout|\bprocess\.|\bconsole\./;
  const breaches: string[] = [];
  for (const file of sources.filter(
    (name) => isCore(name) || roomOf(name) === "sim" || /^src\/(base|cib)\//.test(name),
  )) {
    const code = read(file)
      .replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, " "))
      .replaceAll(/(^|\s)\/\/.*$/gm, "$1");
    for (const [index, line] of code.split("\n").entries()) {
      if (banned.test(line)) breaches.push(`${file}:${index + 1}: ${line.trim()}`);
      if (isCore(file) && /\bawait\b/.test(line)) breaches.push(`${file}:${index + 1}: a core never waits`);
    }
  }
  expect(breaches).toEqual([]);
});

test("native calls stand in src/hw/edge only", () => {
  const breaches = typescript.filter((file) => /"node:ffi"/.test(read(file)) && !file.startsWith("src/hw/edge/"));
  expect(breaches.filter((file) => file !== "test/tidy.test.ts")).toEqual([]);
});

test("random draws are the same at every run: fast-check comes from test/support/repeatable.ts", () => {
  const users = typescript.filter((file) => importsOf(file).includes("fast-check"));
  expect(users).toEqual(["test/support/repeatable.ts"]);
});

test("files are short and open with a header", () => {
  const breaches: string[] = [];
  for (const file of typescript) {
    const lines = read(file).split("\n");
    if (lines.length > LINES_MAX + 1) breaches.push(`${file}: ${lines.length} lines`);
    if (!/^(#!.*\n)?\/\*\*/.test(read(file))) breaches.push(`${file}: no header comment`);
    lines.forEach((line, index) => {
      if (line.length > COLUMNS_MAX) breaches.push(`${file}:${index + 1}: ${line.length} columns`);
    });
  }
  expect(breaches).toEqual([]);
});

test("file names are kebab-case and hold no empty word", () => {
  const empty = /(^|[-/])(utils?|helpers?|common|misc)([-./]|$)/;
  expect(typescript.filter((file) => !/^[a-z0-9/.-]+$/.test(file) || empty.test(file))).toEqual([]);
});

test("no file is dead: every source is reached from the program, the lab, the tools or a bench", () => {
  const entries = typescript.filter((file) => !file.startsWith("src/") && !file.startsWith("test/"));
  const reached = new Set<string>([...entries, "src/app/main.ts"].filter((file) => typescript.includes(file)));
  const queue = [...reached];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    for (const target of targetsOf(file)) {
      if (reached.has(target) || !typescript.includes(target)) continue;
      reached.add(target);
      queue.push(target);
    }
  }
  expect(sources.filter((file) => !reached.has(file))).toEqual([]);
});

describe("words", () => {
  test("the glossary names every room", () => {
    const glossary = read("docs/architecture.md");
    const rooms = new Set(sources.map(roomOf));
    expect([...rooms].filter((room) => !glossary.includes(`${room}/`))).toEqual([]);
  });

  test("no name says what the glossary forbids", () => {
    const forbidden =
      /\b(?:const|let|function|interface|type|class)\s+\w*(?:Suicide|Stonith(?!Class)|MultiState|Slave)\w*/;
    const breaches = sources.flatMap((file) =>
      read(file)
        .split("\n")
        .flatMap((line, index) => (forbidden.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
    );
    expect(breaches).toEqual([]);
  });
});
