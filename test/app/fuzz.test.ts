/**
 * Bad input at every door: requests at the control socket, and words at the commands. Whatever comes, there is an
 * answer or an exit code, never an exception, and what was refused has changed nothing. The seed is in the failure.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { Readable } from "node:stream";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import { askFile } from "../../src/app/cib-door.ts";
import { COMMANDS, runCommand } from "../../src/app/commands/index.ts";
import { readRequestLine } from "../../src/app/request-line.ts";
import { parseXml, printXml } from "../../src/base/xml.ts";
import { sourceCib } from "../cluster/monitor/source-cib.ts";

const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-fuzz-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = path.join(folder, "cib.xml");
const original = printXml(sourceCib({ node01: "failed" }));
beforeEach(() => writeFileSync(file, original));

/** Names that are there, names that are not, numbers, and what breaks quoting, paths and XML. */
const words = [
  ...["node01", "node02", "p_ip", "prmDB", "grpDB", "nothing", "status", "configuration", "crm_config", "cib"],
  ...["stonith-enabled", "standby", "on", "off", "true", "false", "INFINITY", "-1", "0", "99999999999999999999", "1e9"],
  ...[
    "",
    " ",
    "'",
    '"',
    "<",
    "]]>",
    "<x/>",
    '<nodes><node id="1"/></nodes>',
    "//*",
    "//nvpair[",
    "/cib/..",
    "../../etc",
  ],
  ...[
    "PT1H",
    "P",
    "forever",
    "2026-11-21",
    "reboot",
    "now",
    "日本",
    "\u0000",
    "a".repeat(5_000),
    "__proto__",
    "constructor",
  ],
];
const word = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...words) }, fc.string({ maxLength: 12 }));
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

/** One asks all of the hardware and takes seconds; the other would try its default: hundreds of random worlds. */
const NOT_HERE = ["inventory", "sim"];
const FLAGS = [
  "-1",
  "-G",
  "-D",
  "-Q",
  "-n",
  "-v",
  "-N",
  "-r",
  "-t",
  "-l",
  "-o",
  "-A",
  "-X",
  "-x",
  "-R",
  "-C",
  "-M",
  "-B",
  "-U",
];
const VERBS = [
  "show",
  "list",
  "log",
  "diff",
  "rollback",
  "start",
  "stop",
  "cleanup",
  "configure",
  "resource",
  "primitive",
];

/** What would wait for a person, for a device's answer, or for the cluster. */
const WAITING = ["-", "-p", "-w", "--watch", "-e", "-E", "edit", "-L", "-K", "try", "probe", "ipmi"];

/** The flags and words that a command's own help names. */
function wordsOfUsage(usage: string): readonly string[] {
  return ["--json", ...(usage.match(/--?[a-zA-Z][\w-]*|\b[a-z][a-z-]+\b/g) ?? [])];
}

describe("commands: an exit code, never an exception", () => {
  const commands = Object.keys(COMMANDS).filter((name) => !NOT_HERE.includes(name));
  test.each(commands)("%s", async (name) => {
    vi.stubEnv("CIB_file", file);
    vi.stubEnv("CIB_shadow_dir", folder);
    const out = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    const error = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    // What asks a person finds that nobody is there.
    const input = vi.spyOn(process, "stdin", "get").mockImplementation(() => Readable.from([]) as typeof process.stdin);
    try {
      // A first word, so that nothing becomes interactive; a dash alone would read standard input.
      const own = wordsOfUsage(COMMANDS[name]?.usage ?? "");
      const said = fc.oneof(word, fc.constantFrom(...FLAGS), fc.constantFrom(...VERBS), fc.constantFrom(...own));
      const line = fc.array(said, { minLength: 1, maxLength: 6 });
      const safe = line.filter((argv) => !argv.some((one) => WAITING.includes(one)));
      await fc.assert(
        fc.asyncProperty(safe, async (argv) => {
          const run = ["--run", path.join(folder, "none")];
          const code = await runCommand("gemel", [name, "nothing", ...argv, ...run]);
          expect(Number.isInteger(code)).toBe(true);
          const again = await runCommand("gemel", [name, ...argv, ...run]);
          expect(Number.isInteger(again)).toBe(true);
          expect(parseXml(readFileSync(file, "utf8")).kind).toBe("xml");
        }),
        { numRuns: 25 },
      );
    } finally {
      out.mockRestore();
      error.mockRestore();
      input.mockRestore();
      vi.unstubAllEnvs();
    }
  });
});
