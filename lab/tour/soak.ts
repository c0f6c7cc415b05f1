/** So many power cuts of the active node, alternating sides. Ends at the first thing that must never happen. */
import type { Lab } from "../lab.ts";
import { verifyNow, writersVerdict, writeSome } from "./demo.ts";
import { type Takeover, takeOver } from "./takeover.ts";

const RECORDS_BEFORE = 10;
/** The cut comes at a random moment within this time after the records. */
const MOMENT_MAX_MS = 2_000;

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
}

function row(round: number, { from, to, outageMs, fencing }: Takeover, wholeAfterMs: number): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`.padStart(8);
  const off = fencing === undefined ? "NOT CONFIRMED" : `off confirmed by ${fencing.device}`;
  const moved = `${`${round}`.padStart(4)}  ${from} -> ${to}`;
  return `${moved}  outage ${seconds(outageMs)}  whole after ${seconds(wholeAfterMs)}  ${off}`;
}

export async function runSoak(lab: Lab, rounds: number): Promise<number> {
  const takeovers: Takeover[] = [];
  const rows: string[] = [];
  let passed = true;
  for (let round = 1; round <= rounds && passed; round++) {
    await writeSome(lab, RECORDS_BEFORE);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * MOMENT_MAX_MS));
    const takeover = await takeOver(lab, `round ${round}, power cut`, (machine) => machine.powerCut());
    const kept = await verifyNow(lab);
    const onAtMs = performance.now();
    await lab.pair.machines[takeover.from].powerOn();
    await lab.untilWhole();
    takeovers.push(takeover);
    rows.push(row(round, takeover, performance.now() - onAtMs));
    lab.say(rows.at(-1) ?? "");
    passed = kept && takeover.fencing !== undefined && lab.watcher.writers().violations.length === 0;
  }
  lab.client.stopWriting();
  const kept = await verifyNow(lab);
  lab.say("all rounds:");
  for (const line of rows) lab.say(line);
  const outages = takeovers.map(({ outageMs }) => outageMs);
  const confirmed = takeovers.filter(({ fencing }) => fencing !== undefined).length;
  lab.say(
    `${takeovers.length} of ${rounds} takeovers, ${confirmed} after a confirmed off; outage median ` +
      `${(median(outages) / 1000).toFixed(1)} s, worst ${(Math.max(0, ...outages) / 1000).toFixed(1)} s`,
  );
  const alone = writersVerdict(lab);
  passed = passed && kept && alone && takeovers.length === rounds && confirmed === rounds;
  lab.say(passed ? "soak: passed" : "soak: FAILED");
  return passed ? 0 : 1;
}
