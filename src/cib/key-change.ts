/**
 * Whether the keys of a running node may be changed for others: only so that neither side stops hearing the other, for
 * a peer that is not heard is lost, and fenced. A key is added everywhere first, then used for sending, and goes last.
 * Whoever must be rid of a key at once restarts the nodes.
 */
import type { Problem } from "../base/problem.ts";
import type { AuthKey, AuthKeys } from "./authkeys.ts";

/** By which key the newest packet of another node was sealed, of those that are heard now. */
export interface KeyUse {
  readonly node: string;
  readonly keyNumber: number;
}

const has = ({ keys }: AuthKeys, { number, method, secret }: AuthKey) =>
  keys.some((key) => key.number === number && key.method === method && key.secret === secret);

/** `place`: the key file. No secret is ever part of a problem. */
export function keyChangeProblems(
  before: AuthKeys,
  after: AuthKeys,
  uses: readonly KeyUse[],
  place: string,
): readonly Problem[] {
  // Nobody hears this node: there is nobody to lose.
  if (uses.length === 0) return [];
  const problems: Problem[] = [];
  const signing = after.keys.find(({ number }) => number === after.signing);
  if (signing !== undefined && !has(before, signing))
    problems.push({
      severity: "error",
      place,
      reason: `auth names key ${signing.number}, which this node did not accept until now: others may not know it yet`,
      remedy: `leave auth ${before.signing} until all nodes have read key ${signing.number}, then switch`,
    });
  for (const key of before.keys) {
    if (has(after, key)) continue;
    const users = uses.filter(({ keyNumber }) => keyNumber === key.number).map(({ node }) => node);
    if (users.length > 0)
      problems.push({
        severity: "error",
        place,
        reason: `key ${key.number} is gone or changed, and ${users.join(", ")} still sends with it`,
        remedy: "keep it until auth is switched there; to be rid of it at once, restart the nodes",
      });
  }
  return problems;
}
