/**
 * Accesses to a disk that may hang: one at a time, each within its time. A disk that hangs keeps one access and fails
 * every other one until that has come back: two would share a buffer, and each holds a thread.
 */

/** Serves one access at a time, and none for longer than `accessMs`. */
export function createGate(path: string, accessMs: number) {
  let isBusy = false;
  return async <Value>(access: () => Promise<Value>): Promise<Value> => {
    if (isBusy) throw new Error(`${path} hangs: an earlier access has not come back`);
    isBusy = true;
    const running = access().finally(() => {
      isBusy = false;
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${path} did not answer within ${accessMs} ms`)), accessMs);
    });
    try {
      return await Promise.race([running, late]);
    } finally {
      clearTimeout(timer);
      running.catch(() => {}); // told by the race, or late
    }
  };
}
