/** Which changes of the key file a running node takes: those after which all still hear each other. */
import { expect, test } from "vitest";
import type { AuthKeys } from "../../src/cib/authkeys.ts";
import { keyChangeProblems } from "../../src/cib/key-change.ts";

const secrets: Readonly<Record<string, string>> = { 1: "the old secret", 2: "the new secret", 3: "another secret" };
/** `1:12`: key 1 is used for sending, 1 and 2 are accepted; `x` is key 1 with another secret. */
function keysOf(text: string): AuthKeys {
  const [signing = "", accepted = ""] = text.split(":");
  const keys = accepted
    .split("")
    .map((name) =>
      name === "x"
        ? { number: 1, method: "sha256" as const, secret: "changed" }
        : { number: Number(name), method: "sha256" as const, secret: secrets[name] ?? "" },
    );
  return { signing: Number(signing), keys };
}

const bravo = (keyNumber: number) => [{ node: "bravo", keyNumber }];

test.each([
  ["1:1", "1:12", bravo(1), []],
  ["1:12", "2:12", bravo(1), []],
  ["1:12", "2:12", bravo(2), []],
  ["2:12", "2:2", bravo(2), []],
  ["1:1", "2:2", [], []],
  ["1:1", "2:12", bravo(1), ["auth names key 2"]],
  ["2:12", "2:2", bravo(1), ["key 1 is gone or changed, and bravo still"]],
  ["1:12", "2:2", bravo(2), []],
  ["1:1", "1:x", bravo(1), ["auth names key 1", "key 1 is gone or changed"]],
  ["1:1", "3:3", bravo(1), ["auth names key 3", "key 1 is gone or changed"]],
])("from %s to %s, while %j", (before, after, uses, expected) => {
  const problems = keyChangeProblems(keysOf(before), keysOf(after), uses, "authkeys");
  expect(problems.map(({ reason }) => reason)).toEqual(expected.map((start) => expect.stringContaining(start)));
  expect(JSON.stringify(problems)).not.toMatch(/secret|"changed"/);
});
