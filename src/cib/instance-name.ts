/**
 * The names of a clone's instances: `db:0`, `db:1`.
 * Fact: Pacemaker Explained, "Anonymous versus Unique Clones".
 */

/** The name as it is configured, without the number of an instance. */
export const withoutInstance = (name: string): string => name.replace(/:\d+$/, "");
