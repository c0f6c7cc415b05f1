/** DRBD's configuration: what is read, and what is refused. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import {
  checkDrbdResource,
  parseDrbdConfiguration,
  printDrbdConfiguration,
} from "../../../src/storage/core/drbd-configuration.ts";
import { fc } from "../../support/repeatable.ts";

const GOOD = printDrbdConfiguration({
  resource: "records",
  minor: 0,
  nodes: [
    { name: "alpha", address: "10.12.0.1:7788", disk: "/dev/vdb" },
    { name: "bravo", address: "10.12.0.2:7788", disk: "/dev/vdb" },
  ],
  secret: "not a secret",
  timeoutTenths: 30,
});

function check(text: string, resource = "records") {
  const read = parseDrbdConfiguration(text);
  if (read.kind === "unreadable") return [`line ${read.line}: ${read.reason}`];
  return checkDrbdResource(read.statements, resource, "r.res").problems.map(
    ({ severity, place, reason }) => `${severity} ${place} ${reason}`,
  );
}

test("what we print ourselves has no problem", () => {
  expect(check(GOOD)).toEqual([]);
});

test("drbdadm dump of a recorded pair lacks what protects data, and all of it is told at once", () => {
  const file = path.join(import.meta.dirname, "../transcripts/01-bring-up.txt");
  const dump = /drbdadm dump r0\n([\s\S]*?)\n--- exit/.exec(readFileSync(file, "utf8"))?.[1] ?? "";
  const problems = check(dump, "r0");
  expect(problems.filter((line) => line.startsWith("error"))).toEqual([
    expect.stringMatching(/^error r\.res:26 resource r0: fencing is dont-care; /),
    expect.stringMatching(/^error r\.res resource r0: fence-peer is not set; /),
  ]);
});

describe("each demand", () => {
  test.each([
    ["protocol C;", "protocol A;", "error", "protocol is A"],
    ["fencing resource-and-stonith;", "fencing resource-only;", "error", "fencing is resource-only"],
    ["fencing resource-and-stonith;", "", "error", "fencing is not set"],
    ["allow-two-primaries no;", "allow-two-primaries;", "error", "allow-two-primaries is yes"],
    ["/usr/bin/gemel drbd-handler fence-peer", "/usr/lib/drbd/crm-fence-peer.sh", "error", "fence-peer is /usr/lib"],
    ["on-io-error detach;", "on-io-error pass_on;", "warning", "on-io-error is pass_on"],
    ["disk-flushes yes;", "disk-flushes no;", "warning", "disk-flushes is no"],
    ["after-sb-1pri consensus;", "after-sb-1pri discard-secondary;", "warning", "after-sb-1pri is discard-secondary"],
    ['shared-secret "not a secret";', "", "warning", "shared-secret is not set"],
  ])("%s -> %s is an %s", (before, after, severity, words) => {
    const problems = check(GOOD.replace(before, after));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(severity);
    expect(problems[0]).toContain(words);
  });

  test("common counts, and the resource wins over it", () => {
    const without = GOOD.replace("    protocol C;\n", "");
    expect(check(`common { net { protocol A; } }\n${without}`)[0]).toContain("protocol is A");
    expect(check(`common { net { protocol A; } }\n${GOOD}`)).toEqual([]);
  });

  test("fencing in the net section, as DRBD 9 has it", () => {
    const moved = GOOD.replace("    fencing resource-and-stonith;\n", "").replace(
      "protocol C;",
      "protocol C; fencing resource-and-stonith;",
    );
    expect(check(moved)).toEqual([]);
  });

  test("a resource that is not there is an error", () => {
    expect(check(GOOD, "other")).toEqual(["error r.res there is no resource other"]);
  });
});

test.each([
  ["resource r {", "line 1: } is missing at the end"],
  ["resource r { net { protocol C } }", "line 1: ; is missing before }"],
  ["resource r {}\n}", "line 2: } closes nothing"],
  ["{ }", "line 1: { without a name"],
  ["resource r {}\nprotocol C", "line 2: ; is missing"],
])("%j is told: %s", (text, problem) => {
  expect(check(text)).toEqual([problem]);
});

test("no text makes the reader fail", () => {
  const word = fc.constantFrom("{", "}", ";", '"', "a", "#", "\n", " ", '"x"', "\\");
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (words) => {
      expect(parseDrbdConfiguration(words.join("")).kind).toMatch(/configuration|unreadable/);
    }),
  );
});
