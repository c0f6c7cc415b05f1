/** The order of names. */

/** Numbers inside of names count as numbers: node2 before node10. */
export function compareNames(left: string, right: string): number {
  const [a, b] = [left.match(/\d+|\D/g) ?? [], right.match(/\d+|\D/g) ?? []];
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [x = "", y = ""] = [a[index], b[index]];
    const numeric = /^\d/.test(x) && /^\d/.test(y);
    const difference = numeric ? Number(x) - Number(y) : compareLetters(x, y);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function compareLetters(x: string, y: string): number {
  const [a, b] = [x.toLowerCase(), y.toLowerCase()];
  return a === b ? 0 : a < b ? -1 : 1;
}
