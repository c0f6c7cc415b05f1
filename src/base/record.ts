/** Small steps on plain records. */

/** The same record without those keys. */
export function without<Value>(
  record: Readonly<Record<string, Value>>,
  ...keys: readonly string[]
): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));
}

/** The same record with that entry: for what is done all the time, since a computed key in a literal is slow in V8. */
export function withEntry<Value>(
  record: Readonly<Record<string, Value>>,
  key: string,
  value: Value,
): Readonly<Record<string, Value>> {
  const changed: Record<string, Value> = { ...record };
  changed[key] = value;
  return changed;
}
