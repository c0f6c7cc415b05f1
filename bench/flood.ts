/**
 * `npm run bench -- flood [MILLIONS] [FLOODERS]`: datagrams that no node sent, as fast as they can be made, half of
 * them at one network of two and half at both, while a serial line is full of noise. Two real nodes in namespaces.
 * The bar: 10 million, nobody is lost or late, no crash, and at most one line of log a second. Prints what was sent,
 * the longest silence of a living node, and the load. Needs root.
 */
import { once } from "node:events";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { NODES, openNamespacePair, threeLinks } from "../test/support/namespace-pair.ts";
import { createNoise, noisePacket } from "../test/support/noise.ts";
import { openPtyCable } from "../test/support/pty-cable.ts";

const [millions = "10", flooders = "1"] = process.argv.slice(2);
const FLOODER = path.resolve(import.meta.dirname, "../test/support/flooder.ts");
const TIMES = ["keepalive 100ms", "deadtime 1s"];
const NOISE_MS = 10;
const PHASES = 2;
const NODE = [process.execPath, "--disable-warning=ExperimentalWarning"];

interface Report {
  readonly silence: { readonly worstMs: number };
}

function isReport(value: unknown): value is Report {
  return typeof value === "object" && value !== null && "silence" in value;
}

const line = openPtyCable();
const random = createNoise(7);
const pair = openNamespacePair(TIMES, { links: threeLinks(line.paths) });
const noise = setInterval(() => line.noise(noisePacket(random)), NOISE_MS);
const isRefusal = (line: string) => line.includes("packet is not heard");
let missed = false;
try {
  for (const node of NODES) pair.start(node);
  await pair.until("both are members", () => NODES.every((node) => pair.view(node)?.members.length === 2), 60_000);
  for (const [name, targets] of [
    ["one link", ["198.18.1.1"]],
    ["both links", ["198.18.1.1", "198.18.2.1"]],
  ] as const) {
    const saidBefore = pair.log("alpha").length;
    const startedAtMs = performance.now();
    const each = Math.ceil((Number(millions) * 1_000_000) / PHASES / targets.length / Number(flooders));
    const counts = targets.flatMap((address) =>
      Array.from({ length: Number(flooders) }, async (_, index) => {
        const argv = ["nice", "-n", "10", ...NODE, FLOODER, address, "694", String(each), String(index)];
        const child = pair.run("bravo", argv);
        let text = "";
        child.stdout?.on("data", (chunk: Buffer) => {
          text += chunk.toString();
        });
        await once(child, "exit");
        return Number(text);
      }),
    );
    const sent = (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
    const tookSeconds = (performance.now() - startedAtMs) / 1000;
    const said = pair.log("alpha").slice(saidBefore).trim().split("\n");
    // News of a link is no flood of the log; it is shown.
    const [refusals, news] = [said.filter(isRefusal), said.filter((line) => !isRefusal(line))];
    const told = pair.records("alpha").findLast(({ kind }) => kind === "report")?.["report"];
    const silentMs = isReport(told) ? Math.round(told.silence.worstMs) : Number.NaN;
    const lost = NODES.filter((node) => /peer-lost|late-heartbeat/.test(pair.log(node)));
    const kept = lost.length === 0 && refusals.length <= tookSeconds + 1;
    missed ||= !kept;
    process.stdout.write(
      `${name}: ${sent} datagrams in ${tookSeconds.toFixed(1)} s (${Math.round(sent / tookSeconds)} a second); ` +
        `longest silence of bravo ${silentMs} ms, late or lost: ${lost.length === 0 ? "nobody" : lost.join(", ")}, ` +
        `${refusals.length} lines of log about it; load ${os.loadavg()[0]?.toFixed(1)}: ${kept ? "kept" : "MISSED"}\n`,
    );
    for (const line of news) process.stdout.write(`  ${line}\n`);
  }
} finally {
  clearInterval(noise);
  await pair.close();
  line.close();
}
process.exitCode = missed ? 1 : 0;
