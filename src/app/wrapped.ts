/** Text of help in the columns that everybody has. */
import { columnsOf } from "../base/fold.ts";

/** Of a terminal and of a serial console. */
export const COLUMNS = 80;

/** Broken between words; what is broken off is indented. */
export function wrapped(text: string, indent: string, columns = COLUMNS): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && columnsOf(line) + 1 + columnsOf(word) <= columns)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(line === undefined ? word : `${indent}${word}`);
  }
  return lines.map((line) => line.trimEnd()).join("\n");
}
