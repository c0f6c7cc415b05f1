/**
 * The earliest of several instants at which something is due; undefined stands for never. Every core is asked for its
 * next one after every turn, so nothing is built on the way.
 */
export function earliest(left: number | undefined, right: number | undefined): number | undefined {
  if (left === undefined) return right;
  return right === undefined || left <= right ? left : right;
}
