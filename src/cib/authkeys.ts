/**
 * The key file: `auth N` names the key that is used for sending, `N METHOD SECRET` are the keys that are accepted.
 * `sha256` signs a packet (HMAC-SHA-256); `aes256-gcm` also hides what is in it. The method belongs to the key, so that
 * a key of one method never lets in a packet of the other.
 * The order of the lines does not matter. Several keys allow a change without a stop, of the method, too.
 * Fact: Linux-HA authkeys(5), whose crc, md5 and sha1 are read and refused with the remedy.
 */
import type { Problem, Read } from "../base/problem.ts";
import { entryOf } from "../base/record.ts";

export type KeyMethod = "sha256" | "aes256-gcm";

export interface AuthKey {
  readonly number: number;
  readonly method: KeyMethod;
  readonly secret: string;
}

export interface AuthKeys {
  /** The number of the key that packets are sent with. */
  readonly signing: number;
  readonly keys: readonly AuthKey[];
}

/** Of Linux-HA, and why they are no proof today. */
const REFUSED: Readonly<Record<string, string>> = {
  crc: "crc is a checksum, which anybody can make",
  md5: "md5 is broken",
  sha1: "sha1 is broken",
};

const NUMBER_MAX = 15;
const SECRET_LENGTH_MIN = 16;

/** `place` is the file's name in problems. No secret is ever part of a problem. */
export function readAuthKeys(text: string, place: string): Read<AuthKeys> {
  const problems: Problem[] = [];
  const report = (line: number, reason: string, remedy: string) =>
    problems.push({ severity: "error", place: line === 0 ? place : `${place}:${line}`, reason, remedy });
  const keys: AuthKey[] = [];
  /** Also of lines that are wrong otherwise. */
  const numbers = new Set<number>();
  let signing: { number: number; line: number } | undefined;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const words = raw
      .replace(/^\s*#.*$/, "")
      .trim()
      .split(/\s+/);
    const [first = "", second, secret] = words;
    const line = index + 1;
    if (first === "") continue;
    const number = Number(first === "auth" ? second : first);
    if (!Number.isInteger(number) || number < 0 || number > NUMBER_MAX) {
      report(line, "there is no key number from 0 to 15", "write auth NUMBER, or NUMBER sha256 SECRET");
      continue;
    }
    if (first === "auth") {
      if (signing !== undefined) report(line, "auth stands a second time", `remove it here or in line ${signing.line}`);
      signing = { number, line };
      continue;
    }
    if (numbers.has(number)) report(line, `there are two keys ${number}`, "give each key a number of its own");
    numbers.add(number);
    if (second !== "sha256" && second !== "aes256-gcm") {
      const why =
        entryOf(REFUSED, second ?? "") ?? (second === undefined ? "the method is missing" : `${second} is no method`);
      const remedy = `write ${number} sha256 SECRET (or aes256-gcm) with a secret of ${SECRET_LENGTH_MIN} characters`;
      report(line, why, `${remedy}, as openssl rand -hex 32 makes it`);
    } else if (secret === undefined || secret.length < SECRET_LENGTH_MIN || words.length > 3) {
      report(line, `the secret is not one word of ${SECRET_LENGTH_MIN} characters at least`, "write a longer one");
    } else keys.push({ number, method: second, secret });
  }
  if (signing === undefined) report(0, "no key is chosen for signing", "write auth NUMBER");
  else if (!numbers.has(signing.number))
    report(signing.line, `there is no key ${signing.number}`, `write ${signing.number} sha256 SECRET`);
  if (signing === undefined || problems.length > 0) return { kind: "invalid", problems };
  return { kind: "valid", value: { signing: signing.number, keys }, warnings: [] };
}
