/**
 * The nodes lose each other on every link while both live and both boards answer. Exactly one may survive, and it is
 * the active one: its peer waits (docs/operations/fencing.md, "When both shoot at once") and is fenced meanwhile.
 */
import type { FencingRecord } from "../../src/app/fencing-report.ts";
import type { Lab } from "../lab.ts";
import { type NodeName, peerOf } from "../names.ts";
import { longestGapMs } from "../records/ledger.ts";
import { clockAheadMs, confirmedOff } from "./takeover.ts";

const DECIDED_MAX_MS = 120_000;

export interface Split {
  readonly survivor: NodeName;
  readonly fenced: NodeName;
  /** From the cut until the loser had no power. */
  readonly decidedAfterMs: number;
  readonly outageMs: number;
  /** Undefined: the survivor goes on without having proven the other's end. */
  readonly fencing: FencingRecord | undefined;
}

/** Splits the pair while the client writes. Rejects when both nodes die, the active one dies, or none does in time. */
export async function splitOnce(lab: Lab): Promise<Split> {
  const { pair, watcher, client } = lab;
  const survivor = lab.active();
  const fenced = peerOf(survivor);
  const { machines } = pair;
  const sinceWallMs = Date.now() + (await clockAheadMs(machines[survivor]));
  const splitAtWallMs = Date.now();
  const splitAtMs = performance.now();
  lab.say(`split: ${survivor} (the active node) and ${fenced} do not hear each other any more`);
  pair.split(fenced);
  watcher.setClose(true);
  try {
    const decided = () => {
      if (!machines[survivor].isOn())
        throw new Error(`${survivor}, the active node, has lost its power after the split`);
      return !machines[fenced].isOn();
    };
    await lab.until(`${fenced} is fenced`, decided, DECIDED_MAX_MS);
    const decidedAfterMs = performance.now() - splitAtMs;
    const record = () => {
      const status = watcher.status(survivor);
      return status === undefined ? undefined : confirmedOff(status, fenced, sinceWallMs);
    };
    await lab.until(`${survivor} knows that ${fenced} is off`, () => record() !== undefined, DECIDED_MAX_MS);
    const served = () => client.acknowledged().filter(({ atWallMs }) => atWallMs > splitAtWallMs + 1_000).length;
    await lab.until("the client is served again", () => decided() && served() >= 2, DECIDED_MAX_MS);
    const outageMs = longestGapMs(client.acknowledged(), splitAtWallMs);
    return { survivor, fenced, decidedAfterMs, outageMs, fencing: record() };
  } finally {
    watcher.setClose(false);
  }
}

/** Ends the split: cables first, then the power of the loser. */
export async function endSplit(lab: Lab, { fenced }: Split): Promise<void> {
  lab.pair.joinAll();
  await lab.pair.machines[fenced].powerOn();
  await lab.untilWhole();
}

/** Has the service change sides in order, so that the next split begins on the other one. */
export async function changeSides(lab: Lab): Promise<void> {
  const from = lab.active();
  const to = peerOf(from);
  const { [from]: machine } = lab.pair.machines;
  lab.say(`the service moves from ${from} to ${to}: crm node standby`);
  await machine.must(`crm node standby ${from}`);
  await lab.until(`${to} is active`, () => lab.watcher.active() === to);
  await machine.must(`crm node online ${from}`);
  await lab.untilWhole();
}
