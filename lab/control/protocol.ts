/**
 * Between the running lab and a second terminal: one JSON object a line on the lab's control socket. The terminal sends
 * one call; the lab answers with lines of text and, last, with the exit code. It is the lab's own affair: both sides
 * are always of the same checkout.
 */
import type { Call } from "../arguments.ts";

export type Reply = { readonly kind: "text"; readonly line: string } | { readonly kind: "end"; readonly code: number };

export function formatLine(value: Call | Reply): string {
  return `${JSON.stringify(value)}\n`;
}

/** Splits a stream of text into whole lines; give it each piece as it comes. */
export function lineSplitter(onLine: (line: string) => void): (piece: string) => void {
  let waiting = "";
  return (piece) => {
    const lines = (waiting + piece).split("\n");
    waiting = lines.pop() ?? "";
    lines.forEach(onLine);
  };
}
