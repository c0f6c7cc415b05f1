/**
 * `npm run bench -- cables [TIMES]`: two real nodes on two networks and a serial line; the cables are pulled in every
 * combination and put back, so many times over. The bar: nobody is lost while one cable lives, both lose each other
 * when none does, and every link is up again by itself. Who wins when no cable lives is decided by the fencing, which
 * stands still here: see the pair of the lab. Prints how long losing and healing took. Needs root.
 */
import os from "node:os";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { NODES, openNamespacePair } from "../test/support/namespace-pair.ts";
import { openPtyCable } from "../test/support/pty-cable.ts";

const [times = "2"] = process.argv.slice(2);
const KEEPALIVE_MS = 200;
const DEADTIME_MS = 2_000;
/** Pulled for so long that whatever is to be lost is. */
const PULLED_MS = 1.5 * DEADTIME_MS;
const CABLES = ["one", "two", "serial"] as const;
type Cable = (typeof CABLES)[number];

const line = openPtyCable();
const endpoints = (net: number) => NODES.map((node, index) => `${node}=198.18.${net}.${index + 1}:694`).join(" ");
const pair = openNamespacePair([`keepalive ${KEEPALIVE_MS}ms`, `deadtime ${DEADTIME_MS}ms`, "initdead 10s"], {
  links: [
    `link one udp ${endpoints(1)} device=one`,
    `link two udp ${endpoints(2)} device=two`,
    `link serial serial ${NODES.map((node, index) => `${node}=${line.paths[index]}`).join(" ")} baud=115200`,
  ],
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
      for (const cable of pulled) turn(cable, "down");
      await sleep(PULLED_MS);
      const lost = NODES.filter((node, index) => count(node, "peer-lost") > (before[index] ?? 0));
      const isKept = lost.length === (pulled.length === CABLES.length ? NODES.length : 0);
      if (!isKept) missed += 1;
      for (const cable of pulled) turn(cable, "up");
      const joinedAtMs = performance.now();
      if (pulled.length === CABLES.length) {
        await pair.until("they hear each other again", () =>
          NODES.every((node) => pair.view(node)?.peers.every(({ phase, returned }) => phase !== "lost" || returned)),
        );
        for (const [index, node] of NODES.entries()) pair.order(node, `accept ${NODES[1 - index]}`);
      }
      await pair.until(`every link is up again after ${pulled.join(", ")}`, isWhole, 60_000);
      healedMs.push(performance.now() - joinedAtMs);
      process.stdout.write(
        `pulled ${pulled.join(", ").padEnd(16)} lost on ${lost.length === 0 ? "none" : lost.join(", ")}: ` +
          `${isKept ? "kept" : "MISSED"}; whole again after ${Math.round(healedMs.at(-1) ?? 0)} ms\n`,
      );
    }
  process.stdout.write(
    `${combinations.length} combinations, ${times} times, keepalive ${KEEPALIVE_MS} ms, deadtime ${DEADTIME_MS} ms: ` +
      `${missed} missed, healed within ${Math.round(Math.max(...healedMs))} ms; load ${os.loadavg()[0]?.toFixed(1)}\n`,
  );
} finally {
  await pair.close();
  line.close();
}
process.exitCode = missed === 0 ? 0 : 1;
