/** Statements over several lines: a backslash ends each line but the last, a tab begins each but the first. */
export function layOut(head: string, parts: readonly string[]): string[] {
  const lines = [head, ...parts.map((part) => `\t${part}`)];
  return lines.map((line, at) => (at === lines.length - 1 ? line : `${line} \\`));
}
