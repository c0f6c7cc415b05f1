/**
 * Bad input at every door: requests at the control socket, and words at the commands. Whatever comes, there is an
 * answer or an exit code, never an exception, and what was refused has changed nothing.
 * At length: npm run bench -- fuzz-commands.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { askFile } from "../../src/app/cib-door.ts";
import { readRequestLine } from "../../src/app/request-line.ts";
import { parseXml, printXml } from "../../src/base/xml.ts";
import { sourceCib } from "../cluster/monitor/source-cib.ts";
import { argumentsOf, FUZZED, levels, shellLine, word } from "../support/random-lines.ts";
import { fc } from "../support/repeatable.ts";
import { openLineWorld } from "../support/try-line.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-fuzz-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = path.join(folder, "cib.xml");
const original = printXml(sourceCib({ node01: "failed" }));
beforeEach(() => writeFileSync(file, original));

const MEMBERS = ["section", "mode", "xml", "base", "node", "name", "value", "lifetime", "resource", "action", "reason"];
const VALUES = [
  "replace",
  "update",
  "reboot",
  "forever",
  "standby",
  "online",
  "move",
  "ban",
  "unmove",
  "cleanup",
  "stop",
];
const KINDS = ["ping", "cib-query", "cib-apply", "attribute", "attribute-query", "node", "resource", "status", "fence"];

const request = fc.tuple(
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...KINDS) }, word),
  fc.dictionary(
    fc.constantFrom(...MEMBERS, "trialMs", "isForced", "isPromoted", "__proto__"),
    fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...VALUES) }, word, fc.integer(), fc.boolean(), fc.constant(null)),
  ),
);

test("requests at the socket: an answer, or a refusal that has changed nothing", () => {
  fc.assert(
    fc.property(request, ([kind, members]) => {
      const read = readRequestLine(JSON.stringify({ v: 1, id: 1, request: { kind, ...members } }));
      if (read.kind === "bad") {
        expect(read.problems.length).toBeGreaterThan(0);
        return;
      }
      const before = readFileSync(file, "utf8");
      const reply = askFile(file, read.request);
      const after = readFileSync(file, "utf8");
      if (reply.kind !== "answer") expect(after).toBe(before);
      expect(parseXml(after).kind).toBe("xml");
      writeFileSync(file, original);
    }),
    { numRuns: 1_500 },
  );
});

test("lines at the socket that are no requests are answered with a problem", () => {
  const line = fc.oneof(fc.string(), fc.json(), fc.constantFrom("[", "{}", "null", '{"v":1,"id":1}', '{"v":2,"id":1}'));
  fc.assert(
    fc.property(line, (text) => {
      const read = readRequestLine(text);
      expect(read.kind === "request" || read.problems.length > 0).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

const world = openLineWorld();
afterAll(world.close);

describe("commands: an exit code, never an exception", () => {
  test.each(FUZZED)("%s", async (name) => {
    await fc.assert(
      fc.asyncProperty(argumentsOf(name), async (argv) => {
        expect(await world.tryLine("gemel", [name, "nothing", ...argv])).toBeUndefined();
        expect(await world.tryLine("gemel", [name, ...argv])).toBeUndefined();
      }),
      { numRuns: 25 },
    );
  });
});

describe("lines of the crm shell", () => {
  test.each(levels)("at the level '%s'", async (level) => {
    const file = path.join(world.folder, "lines.crm");
    await fc.assert(
      fc.asyncProperty(fc.array(shellLine(level), { minLength: 1, maxLength: 4 }), async (lines) => {
        writeFileSync(file, [level, ...lines].join("\n"));
        expect(await world.tryLine("crm", ["-f", file])).toBeUndefined();
      }),
      { numRuns: 40 },
    );
  });
});
