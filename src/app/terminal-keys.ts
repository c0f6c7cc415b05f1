/**
 * The keys of a terminal by their names, from the bytes that it sends. Home, End and the arrows have several spellings:
 * xterm's, the Linux console's and those of a terminal in application mode; what comes over a slow serial line may be
 * torn anywhere. Facts: ECMA-48, section 5.4 (control sequences); VT220 Programmer Reference, section 3.2; Linux
 * console_codes(4).
 */
import { entryOf } from "../base/record.ts";

const ESCAPE = "\u001b";

const NAMES: Readonly<Record<string, string>> = {
  "[A": "up",
  OA: "up",
  "[B": "down",
  OB: "down",
  "[5~": "page-up",
  "[6~": "page-down",
  " ": "page-down",
  "[H": "home",
  OH: "home",
  "[1~": "home",
  "[7~": "home",
  "[F": "end",
  OF: "end",
  "[4~": "end",
  "[8~": "end",
  "\u0003": "interrupt",
  "\u001a": "suspend",
};

const SEQUENCE = new RegExp(`^${ESCAPE}(\\[[0-?]*[ -/]*[@-~]|O[@-~])`, "u");
/** What may be the beginning of one. */
const BEGINNING = new RegExp(`^${ESCAPE}(?:\\[[0-?]*[ -/]*|O)?$`, "u");
/** A sequence that is longer than this is none. */
const SEQUENCE_MAX = 16;

export interface KeysRead {
  /** Names of keys that go somewhere, and the characters of the others; what nobody knows is left out. */
  readonly keys: readonly string[];
  /** The beginning of a sequence whose end has not come yet. */
  readonly rest: string;
}

/** The keys in what a terminal sent, which begins with the `rest` of what it sent before. */
export function keysIn(text: string): KeysRead {
  const keys: string[] = [];
  let rest = text;
  while (rest !== "") {
    if (rest.length <= SEQUENCE_MAX && BEGINNING.test(rest)) return { keys, rest };
    const [whole = "", sequence = ""] = SEQUENCE.exec(rest) ?? [];
    const [character = ""] = rest;
    const known = entryOf(NAMES, whole === "" ? character : sequence);
    if (whole === "") keys.push(known ?? character);
    else if (known !== undefined) keys.push(known);
    rest = rest.slice(whole.length || character.length);
  }
  return { keys: keys.filter((key) => key !== ESCAPE), rest: "" };
}
