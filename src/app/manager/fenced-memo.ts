/**
 * Which starts of peers were confirmed off, kept in the run directory for as long as our keeper lives: a manager that
 * is started anew must not fence again what is already off and perhaps being repaired. It is no proof for DRBD.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";

type Fenced = Readonly<Record<string, number>>;

/** Sessions count the starts of the manager within one life of the keeper; above them stands its generation. */
const SESSIONS_PER_KEEPER = 65_536;
const FILE = "fenced-peers.json";

interface Memo {
  readonly keeper: number;
  readonly fenced: Fenced;
}

function read(file: string): Memo | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Memo;
  } catch {
    // Never written, or torn: then the peer is fenced once more, which does no harm.
    return undefined;
  }
}

export function openFencedMemo(
  runDirectory: string,
  session: number,
): { readonly fenced: Fenced; readonly keep: (fenced: Fenced) => void } {
  const file = path.join(runDirectory, FILE);
  const keeper = Math.floor(session / SESSIONS_PER_KEEPER);
  const memo = read(file);
  return {
    fenced: memo?.keeper === keeper ? memo.fenced : {},
    keep(fenced) {
      writeFileSync(`${file}.new`, JSON.stringify({ keeper, fenced } satisfies Memo));
      renameSync(`${file}.new`, file);
    },
  };
}
