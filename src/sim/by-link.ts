/**
 * What is kept by link and then by peer: two short names are found sooner than one that has to be put together for each
 * packet.
 */

/** The part of that link; made when it is not there. */
export function ofLink<Value>(all: Map<string, Map<string, Value>>, link: string): Map<string, Value> {
  let found = all.get(link);
  if (found === undefined) {
    found = new Map();
    all.set(link, found);
  }
  return found;
}
