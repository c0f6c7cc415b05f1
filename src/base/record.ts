/**
 * Small steps on plain records. A word that came from outside (a command line, a file, the CIB, an agent, the network)
 * may be a name that every object inherits: `constructor`, `toString`, `__proto__`. So no record is asked for such a
 * word but through `entryOf` and `isKeyOf`, and none gets such a key but through `setEntry`.
 */

/** Whether it is a key of the table's own. */
export function isKeyOf<Key extends string>(table: Readonly<Record<Key, unknown>>, word: string): word is Key {
  return Object.hasOwn(table, word);
}

/** What the record itself holds under that word; undefined for what it only inherits, and of no record. */
export function entryOf<Value>(record: { readonly [key: string]: Value } | undefined, word: string): Value | undefined {
  return record !== undefined && Object.hasOwn(record, word) ? record[word] : undefined;
}

/** Of a record that is being built: assigning `__proto__` would change what it inherits, and lose the entry. */
export function setEntry<Value>(record: Record<string, Value>, key: string, value: Value): void {
  if (key === "__proto__")
    Object.defineProperty(record, key, { value, configurable: true, enumerable: true, writable: true });
  else record[key] = value;
}

/** The same, of a record in which the first value stays. */
export function addEntry<Value>(record: Record<string, Value>, key: string, value: Value): void {
  if (!Object.hasOwn(record, key)) setEntry(record, key, value);
}

/** All entries of those records; of one key that several have, the last. */
export function merged<Value>(records: readonly Readonly<Record<string, Value>>[]): Readonly<Record<string, Value>> {
  return Object.fromEntries(records.flatMap((record) => Object.entries(record)));
}

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
  setEntry(changed, key, value);
  return changed;
}
