/** Plays rounds on a cluster, with the audits after each: for bench/cts and its short form among the quick tests. */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { type Chance, createChance } from "../../../src/base/chance.ts";
import { audit, replayBreaches } from "./audits.ts";
import { type Cluster, openCluster } from "./cluster.ts";
import { NODES } from "./configuration.ts";
import { openLedger } from "./ledger.ts";
import { prepare, ROUNDS } from "./rounds.ts";
import { unjustFencings } from "./shots.ts";

const RECOVERY_MS = 2_000;

export interface Play {
  readonly seed: number;
  readonly names: readonly string[];
  readonly say: (line: string) => void;
  /** After a failed audit nothing more is played: the next rounds would only find its ruins. */
  readonly stopsAtFailure: boolean;
  /** The folder of a failed run is left to be read. */
  readonly onFailure?: (cluster: Cluster) => void;
}

export interface Played {
  readonly rounds: number;
  readonly failures: readonly string[];
  /** Changes of the configuration that were tried; those acknowledged were looked for after every round. */
  readonly changes: number;
}

export function drawRounds(seed: number, count: number, among: readonly string[]): readonly string[] {
  const chance = createChance(seed);
  return Array.from({ length: count }, () => among[chance.below(among.length)] ?? "Flip");
}

async function playRound(cluster: Cluster, chance: Chance, name: string, ledgerFrom: number, play: Play) {
  const round = ROUNDS[name];
  if (round === undefined) throw new Error(`there is no round ${name}; there are ${Object.keys(ROUNDS).join(", ")}`);
  let what = "";
  const stage = { cluster, chance, say: (text: string) => (what = text) };
  const lengths = new Map(NODES.map((node) => [node, cluster.log(node).length]));
  const violations = cluster.violations().length;
  const prepared = await prepare(stage, round.before);
  const before = prepared.length > 0 ? prepared : await audit(cluster, new Map(), lengths, violations);
  const fencings = () => NODES.reduce((sum, node) => sum + cluster.fencings(node), 0);
  const fencingsBefore = fencings();
  const ledger = openLedger(cluster, ledgerFrom);
  const startedAtMs = performance.now();
  const problems = before.length > 0 ? before.map((one) => `before: ${one}`) : await round.run(stage);
  // The operators go on while the cluster recovers.
  if (before.length === 0) await sleep(RECOVERY_MS);
  await ledger.close();
  const breaches = await audit(cluster, ledger.acknowledged, lengths, violations);
  const fenced = fencings() - fencingsBefore;
  const logs = new Map(NODES.map((node) => [node, cluster.log(node)]));
  const healthy = round.isViolent ? [] : unjustFencings(logs, lengths);
  const failures = [...problems, ...breaches, ...healthy];
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  const seen = `${fenced === 0 ? "" : `, ${fenced} fenced`}, ${ledger.acknowledged.size} entries`;
  play.say(
    `${failures.length === 0 ? "ok    " : "FAILED"} ${name}${what === "" ? "" : ` (${what})`}: ${seconds} s${seen}`,
  );
  for (const failure of failures) play.say(`       ${failure}`);
  return { failures, ledger: ledger.last() };
}

/** Resolves when all are played, or after the first failure where that is wanted. */
export async function playRounds(play: Play): Promise<Played> {
  const chance = createChance(play.seed + 1);
  const cluster = await openCluster(chance.next);
  const interrupted = () => {
    void cluster.close().then(() => process.exit(130));
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, interrupted);
  const failures: string[] = [];
  let rounds = 0;
  let changes = 0;
  try {
    for (const node of NODES) cluster.start(node);
    for (const name of play.names) {
      const played = await playRound(cluster, chance, name, changes, play);
      changes = played.ledger;
      rounds += 1;
      failures.push(...played.failures.map((failure) => `round ${rounds}, ${name}: ${failure}`));
      if (played.failures.length === 0) continue;
      play.onFailure?.(cluster);
      if (play.stopsAtFailure) break;
    }
    const replayed = replayBreaches(cluster);
    for (const breach of replayed) play.say(`FAILED ${breach}`);
    if (replayed.length > 0) play.onFailure?.(cluster);
    failures.push(...replayed);
  } finally {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, interrupted);
    await cluster.close();
  }
  return { rounds, failures, changes };
}
