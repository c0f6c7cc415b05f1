/**
 * Words that every object inherits, typed where a word is looked up in a table: at every level of the crm shell, in its
 * help and its completion, and at every command. Each is a word like any other that there is not.
 * The case: `gemel crm constructor -1` ended with `LEVELS[level].includes is not a function`.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { COMMANDS, runCommand } from "../../src/app/commands/index.ts";
import { completions } from "../../src/app/crm/completions.ts";
import { helpText } from "../../src/app/crm/help.ts";
import { LEVELS, type LevelName } from "../../src/app/crm/levels.ts";
import { asCib, openSession, type Terminal } from "../../src/app/crm/session.ts";
import { runLine } from "../../src/app/crm/shell.ts";
import type { Transport } from "../../src/app/settle.ts";
import { printXml } from "../../src/base/xml.ts";
import { applyCrm, emptyConfiguration } from "../../src/cib/crm-syntax/apply.ts";
import { parseCrm } from "../../src/cib/crm-syntax/parse.ts";
import { sourceCib } from "../cluster/monitor/source-cib.ts";

const NAMES = ["constructor", "toString", "__proto__", "valueOf", "hasOwnProperty"];
const levels = Object.keys(LEVELS) as LevelName[];

/** A manager of a few lines, which refuses what would change something. */
const configuration = applyCrm(emptyConfiguration(), parseCrm("node alpha\nprimitive web Dummy\n", "it")).configuration;
const transport = ((_: string, { kind }: { readonly kind: string }) =>
  Promise.resolve(
    kind === "cib-query"
      ? { kind: "answer", value: { version: "0.1.0", xml: printXml(asCib(configuration)) } }
      : kind === "status"
        ? { kind: "answer", value: { self: "alpha", resources: [], nodes: [{ name: "alpha", attributes: {} }] } }
        : { kind: "refused", problems: [] },
  )) as Transport;
const terminal: Terminal = {
  out: () => {},
  err: () => {},
  readText: () => undefined,
  writeText: () => true,
  edit: (text) => text,
};

/** Lines of one, two and three words, with each word in turn one of those names. */
function linesOf(level: LevelName): string[] {
  const alone = NAMES.flatMap((name) => [name, `${name} ${name}`, `${name} web`, `${name} ${name} ${name}`]);
  const behind = LEVELS[level].flatMap((word, index) =>
    ["__proto__", NAMES[index % NAMES.length] ?? ""].flatMap((name) => [
      ...[`${word} ${name}`, `${word} web ${name}`, `${word} ${name} web`, `${word} ${name} ${name}`],
    ]),
  );
  return [...alone, ...behind];
}

// What a line writes, or says, goes where it is seen and swept away.
const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-names-"));
beforeEach(() => {
  vi.stubEnv("HOME", folder);
  vi.stubEnv("CIB_shadow_dir", folder);
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  // `cib use` chooses it for what follows in this process.
  delete process.env["CIB_shadow"];
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(levels.map((level) => [level === "" ? "the first level" : level, level] as const))("%s", (_, level) => {
  test("every line has its exit code", async () => {
    for (const line of linesOf(level)) {
      const shell = { session: openSession("/nowhere/none", terminal, {}, transport), level, begun: "" };
      const result = await runLine(shell, line);
      expect(result.kind === "quit" || Number.isInteger(result.code), line).toBe(true);
    }
  });

  test("help knows none of them, and completion goes on", () => {
    const names = { all: ["web"], nodes: ["alpha"], resources: ["web"] };
    for (const line of linesOf(level)) {
      const words = line.split(" ");
      if (words.every((word) => NAMES.includes(word))) expect(helpText(level, words), line).toBeUndefined();
      else helpText(level, words);
      expect(Array.isArray(completions(level, `${line} `, names)), line).toBe(true);
      expect(Array.isArray(completions(level, `help ${line}`, names)), line).toBe(true);
    }
  });
});

describe("commands", () => {
  const file = path.join(folder, "cib.xml");
  writeFileSync(file, printXml(sourceCib({ node01: "running" })));
  const run = ["--run", path.join(folder, "none")];

  test.each(Object.keys(COMMANDS))("%s", async (command) => {
    vi.stubEnv("CIB_file", file);
    const lines = NAMES.flatMap((name) => [[name], [`--${name}`, name]]);
    for (const line of [...lines, NAMES.slice(0, 2), NAMES.slice(2)]) {
      const code = await runCommand("gemel", [command, ...line, ...run]);
      expect(Number.isInteger(code), `${command} ${line.join(" ")}`).toBe(true);
    }
  });
});
