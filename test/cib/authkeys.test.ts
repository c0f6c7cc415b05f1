/** The key file: what is accepted, and every reason to refuse it. */
import { expect, test } from "vitest";
import { formatProblem } from "../../src/base/problem.ts";
import { readAuthKeys } from "../../src/cib/authkeys.ts";

const problemsOf = (text: string) => {
  const read = readAuthKeys(text, "authkeys");
  return read.kind === "invalid" ? read.problems.map(formatProblem) : [];
};

test("keys in any order, with comments", () => {
  const text = "# both nodes\n1 sha256 0123456789abcdef\nauth 2\n2 aes256-gcm fedcba9876543210\n";
  expect(readAuthKeys(text, "authkeys")).toEqual({
    kind: "valid",
    value: {
      signing: 2,
      keys: [
        { number: 1, method: "sha256", secret: "0123456789abcdef" },
        { number: 2, method: "aes256-gcm", secret: "fedcba9876543210" },
      ],
    },
    warnings: [],
  });
});

test("Heartbeat's weak methods are refused with the remedy, and no secret is shown", () => {
  const told = problemsOf("auth 1\n1 sha1 very-secret-words-here\n2 crc\n");
  const remedy = (number: number) =>
    `write ${number} sha256 SECRET (or aes256-gcm) with a secret of 16 characters, as openssl rand -hex 32 makes it`;
  expect(told).toEqual([
    `authkeys:2: error: sha1 is broken; ${remedy(1)}`,
    `authkeys:3: error: crc is a checksum, which anybody can make; ${remedy(2)}`,
  ]);
});

test("every other problem at once", () => {
  expect(problemsOf("1 sha256 short\n2 sha256 0123456789abcdef\n2 sha256 0123456789abcdef\n77 sha256 x\n")).toEqual([
    "authkeys:1: error: the secret is not one word of 16 characters at least; write a longer one",
    "authkeys:3: error: there are two keys 2; give each key a number of its own",
    "authkeys:4: error: there is no key number from 0 to 15; write auth NUMBER, or NUMBER sha256 SECRET",
    "authkeys: error: no key is chosen for signing; write auth NUMBER",
  ]);
  expect(problemsOf("auth 3\n2 sha256 0123456789abcdef\n")).toEqual([
    "authkeys:1: error: there is no key 3; write 3 sha256 SECRET",
  ]);
  expect(problemsOf("auth 3\n2 sha256 short\n2 md5 x\n").map((text) => text.split(";")[0])).toEqual([
    "authkeys:2: error: the secret is not one word of 16 characters at least",
    "authkeys:3: error: there are two keys 2",
    "authkeys:3: error: md5 is broken",
    "authkeys:1: error: there is no key 3",
  ]);
});
