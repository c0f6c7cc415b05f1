/**
 * Broken invariants of our own. A failed check crashes the process: the watchdog is armed and the peer fences,
 * so a crash is safe and going on is not. What the world may do is never a check, but a value.
 */
export function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}

/** The default branch of a switch over a union: the compiler proves that it is never taken. */
export function unreachable(value: never): never {
  throw new Error(`invariant broken: unexpected value ${JSON.stringify(value)}`);
}

/** The value, which our own logic says is there. For lookups that cannot miss; a miss is a bug and crashes. */
export function present<Value>(value: Value | undefined, message: string): Value {
  check(value !== undefined, message);
  return value;
}
