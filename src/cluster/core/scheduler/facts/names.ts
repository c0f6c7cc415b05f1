/** The order of names. */

const isDigit = (code: number) => code >= 48 && code <= 57;

/** The position behind the digits that begin at `from`. */
function digitsEnd(name: string, from: number): number {
  let at = from;
  while (at < name.length && isDigit(name.charCodeAt(at))) at++;
  return at;
}

/** Numbers inside of names count as numbers: node2 before node10. The case of letters does not count. */
export function compareNames(left: string, right: string): number {
  let i = 0;
  let j = 0;
  while (i < left.length && j < right.length) {
    if (isDigit(left.charCodeAt(i)) && isDigit(right.charCodeAt(j))) {
      const [leftEnd, rightEnd] = [digitsEnd(left, i), digitsEnd(right, j)];
      const difference = Number(left.slice(i, leftEnd)) - Number(right.slice(j, rightEnd));
      if (difference !== 0) return difference;
      [i, j] = [leftEnd, rightEnd];
      continue;
    }
    const a = left.charAt(i).toLowerCase();
    const b = right.charAt(j).toLowerCase();
    if (a !== b) return a < b ? -1 : 1;
    i++;
    j++;
  }
  return left.length - i - (right.length - j);
}
