/**
 * `npm run bench -- cables [TIMES]`: two real nodes on two networks and a serial line; the cables are pulled in every
 * combination and put back, so many times over. The bar: nobody is lost while one cable lives; when none does both lose
 * each other, one of them wins the race to the other's board, and at no moment do two hold the service; every link is
 * up again by itself. The boards are stand-ins: an order kills the node's processes, and only their end is the proof by
 * which the winner takes the service. Prints who won and how long healing took. Needs root.
 */
import os from "node:os";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { NODES, openNamespacePair, threeLinks } from "../test/support/namespace-pair.ts";
import { openPtyCable } from "../test/support/pty-cable.ts";

const [times = "2"] = process.argv.slice(2);
const KEEPALIVE_MS = 200;
const DEADTIME_MS = 2_000;
/** Pulled for so long that whatever is to be lost is. */
const PULLED_MS = 1.5 * DEADTIME_MS;
const LOOK_MS = 20;
const CABLES = ["one", "two", "serial"] as const;
type Cable = (typeof CABLES)[number];

const line = openPtyCable();
const pair = openNamespacePair([`keepalive ${KEEPALIVE_MS}ms`, `deadtime ${DEADTIME_MS}ms`, "initdead 10s"], {
  links: threeLinks(line.paths),
});

function turn(cable: Cable, state: "up" | "down"): void {
  if (cable === "serial") line.cut = state === "down";
  else pair.cable(cable, state);
}

const isWhole = () =>
  NODES.every((node) => {
    const view = pair.view(node);
    return view?.members.length === 2 && view.links.every(({ state }) => state === "up");
  });
/** Off since its board had the order, until it is switched on again. */
const off = new Set<string>();
/** Living nodes whose manager, in its present start, has taken the service. */
const holders = () =>
  NODES.filter((node) => {
    const records = pair.records(node);
    const start = records.findLastIndex(({ kind }) => kind === "start");
    return !off.has(node) && records.some(({ kind }, index) => kind === "holds" && index > start);
  });
let holdersMost = 0;

/** The first that misses the other one has it switched off, and takes over once that is proven. */
async function race(): Promise<string> {
  const asks = (node: string) => pair.view(node)?.peers.some(({ phase }) => phase === "lost") === true;
  await pair.until("one has the other switched off", () => NODES.some(asks));
  const winner = NODES.find(asks) ?? NODES[0];
  const loser = winner === NODES[0] ? NODES[1] : NODES[0];
  pair.signal(loser, "SIGKILL");
  await pair.ended(loser);
  off.add(loser);
  const { generation = 0 } = pair.view(winner)?.peers[0] ?? {};
  pair.order(winner, `fenced ${loser} ${generation}`);
  await pair.until(`${winner} holds the service`, () => holders().includes(winner));
  return winner;
}

function switchOn(): void {
  for (const node of off) pair.start(node);
  off.clear();
}

async function watchHolders(forMs: number): Promise<void> {
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs) {
    holdersMost = Math.max(holdersMost, holders().length);
    await sleep(LOOK_MS);
  }
}

const count = (node: string, word: string) => pair.log(node).split(word).length - 1;

/** Every subset but the empty one. */
const combinations = Array.from({ length: 2 ** CABLES.length - 1 }, (_, index) =>
  CABLES.filter((_cable, bit) => ((index + 1) & (1 << bit)) !== 0),
);
let missed = 0;
const healedMs: number[] = [];
try {
  for (const node of NODES) pair.start(node);
  await pair.until("both are members on three links", isWhole, 60_000);
  for (let round = 0; round < Number(times); round += 1)
    for (const pulled of combinations) {
      const before = NODES.map((node) => count(node, "peer-lost"));
      const isAll = pulled.length === CABLES.length;
      for (const cable of pulled) turn(cable, "down");
      const winner = isAll ? race() : undefined;
      await watchHolders(PULLED_MS);
      const won = await winner;
      const lost = NODES.filter((node, index) => count(node, "peer-lost") > (before[index] ?? 0));
      const isKept = isAll ? won !== undefined && holders().join() === won : lost.length === 0;
      if (!isKept || holdersMost > 1) missed += 1;
      for (const cable of pulled) turn(cable, "up");
      const joinedAtMs = performance.now();
      switchOn();
      await pair.until(`every link is up again after ${pulled.join(", ")}`, isWhole, 60_000);
      healedMs.push(performance.now() - joinedAtMs);
      process.stdout.write(
        `pulled ${pulled.join(", ").padEnd(16)} lost on ${lost.length === 0 ? "none" : lost.join(", ")}, ` +
          `${won === undefined ? "no race" : `${won} won`}, held by ${holders().join(", ") || "nobody yet"}: ` +
          `${isKept ? "kept" : "MISSED"}; whole again after ${Math.round(healedMs.at(-1) ?? 0)} ms\n`,
      );
    }
  process.stdout.write(
    `${combinations.length} combinations, ${times} times, keepalive ${KEEPALIVE_MS} ms, deadtime ${DEADTIME_MS} ms: ` +
      `${missed} missed, at most ${holdersMost} held the service at a time, ` +
      `healed within ${Math.round(Math.max(...healedMs))} ms; load ${os.loadavg()[0]?.toFixed(1)}: ` +
      `${missed === 0 ? "kept" : "MISSED"}\n`,
  );
} finally {
  await pair.close();
  line.close();
}
process.exitCode = missed === 0 ? 0 : 1;
