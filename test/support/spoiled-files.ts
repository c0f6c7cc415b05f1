/**
 * Files as no editor leaves them: a good one of each kind, with pieces cut out, doubled, or put in that hurt - bytes
 * that are no text, nesting without end, lines and numbers without measure, and names that every object inherits.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { randomCib } from "./random-cib/cib.ts";
import { fc } from "./repeatable.ts";

const here = path.resolve(import.meta.dirname, "..");
const textOf = (...parts: readonly string[]) => readFileSync(path.join(here, ...parts), "utf8");

const site = path.join(here, "cib/heartbeat/site");
/** Name and text of the files of a Heartbeat site. */
export const SITE_FILES: readonly (readonly [name: string, text: string])[] = readdirSync(site, { withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ name }) => [name, readFileSync(path.join(site, name), "utf8")]);

/** What may be loaded as a configuration: crm syntax, and XML. */
export const CONFIGURATIONS: readonly string[] = [
  textOf("cib/fixtures/every-statement.crm"),
  textOf("cib/fixtures/every-statement.crmsh.xml"),
  ...[1, 2, 3].map((seed) => randomCib(seed)),
];

const DEEP = 20_000;
const LONG = 200_000;
const PIECES = [
  ...[
    "\u0000",
    "\ufeff",
    "\\",
    "\\\n",
    '"',
    "'",
    "<",
    ">",
    "&",
    "]]>",
    "<![CDATA[",
    "<!--",
    "<!DOCTYPE x>",
    "\r",
    "\t",
  ],
  ...[
    "constructor",
    "__proto__",
    "toString",
    "=",
    ":",
    "$",
    "#",
    "(",
    ")",
    "[",
    "{",
    "inf:",
    "rule",
    "params",
    "1e999",
  ],
  ...[
    "<a>".repeat(DEEP),
    "( ".repeat(DEEP),
    "x".repeat(LONG),
    "9".repeat(LONG),
    "a=b ".repeat(DEEP),
    "\n".repeat(DEEP),
  ],
];

/** The text with up to six pieces of it changed. */
export function spoiled(text: string): fc.Arbitrary<Buffer> {
  const put = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...PIECES).map((piece) => Buffer.from(piece)) },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 3, arbitrary: fc.constantFrom(...text.split("\n")).map((line) => Buffer.from(`${line}\n`)) },
  );
  const change = fc.tuple(fc.nat(), fc.oneof(fc.constant(0), fc.nat(60)), put);
  const bytes = Buffer.from(text);
  return fc.array(change, { minLength: 1, maxLength: 6 }).map((changes) =>
    changes.reduce((now, [at, length, piece]) => {
      const from = now.length === 0 ? 0 : at % now.length;
      return Buffer.concat([now.subarray(0, from), piece, now.subarray(from + length)]);
    }, bytes),
  );
}
