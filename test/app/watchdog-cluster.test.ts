/**
 * Watchdog fencing with full managers: three nodes without any board. The one that is cut off with a service is ended
 * by its watchdog (a stand-in), and only then the others take the service over, with the evidence in the certificate.
 */
import path from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createChance } from "../../src/base/chance.ts";
import { type Cluster, openCluster } from "../support/cts/cluster.ts";
import { NODES } from "../support/cts/configuration.ts";
import { skips } from "../support/skip.ts";

const isSkipped = skips(process.getuid?.() !== 0, "it needs root for its network namespaces");
const PROGRAM = path.resolve(import.meta.dirname, "../support/watched-program.ts");
const LINES = ["watchdog /dev/watchdog timeout 8s", "self-fencing watchdog", "quorum-lease 6s"];
/** The reset of a process-made machine is the work of a shell script, which a busy machine delays. */
const EARLY = "WATCHDOG_FIRES_AFTER_MS=4000";
/** Real machines take a minute; longer than the others wait is what counts. */
const BOOT_MS = 20_000;
const LIMIT_MS = 90_000;

const configuration = (claims: string) =>
  `${[
    `primitive writer ocf:cts:writer params claims=${claims} op monitor interval=5s timeout=40s` +
      " op start timeout=40s op stop timeout=40s",
    "location at-charlie writer 50: charlie",
    "property stonith-enabled=true stonith-watchdog-timeout=-1 no-quorum-policy=stop cluster-recheck-interval=60s",
    "rsc_defaults resource-stickiness=100",
  ].join("\n")}\n`;

async function until(cluster: Cluster, what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  const untilMs = performance.now() + LIMIT_MS;
  while (!(await look())) {
    const logs = () => NODES.map((node) => cluster.log(node).split("\n").slice(-20).join("\n")).join("\n\n");
    if (performance.now() > untilMs) throw new Error(`${what}: not within ${LIMIT_MS / 1_000} s\n${logs()}`);
    await sleep(100);
  }
}

test.skipIf(isSkipped)(
  "who is cut off with a service ends by its watchdog; then the others take it over; then it is a member again",
  async () => {
    const program = ["env", EARLY, process.execPath, "--disable-warning=ExperimentalWarning", PROGRAM];
    const plan = {
      nodes: NODES,
      configuration,
      lines: LINES,
      program,
      personMs: Infinity,
      resetsWithKeeper: true,
      bootMs: BOOT_MS,
    };
    const cluster = await openCluster(createChance(1).next, plan);
    const runsOn = () => NODES.filter((node) => cluster.world(node).has("writer"));
    try {
      for (const node of NODES) cluster.start(node);
      await until(cluster, "charlie has the service", () => runsOn().join() === "charlie");
      // Each node looks at the promises of both others: that it is itself nobody's target is no failure.
      await until(cluster, "everybody has promised, and that is proven", async () => {
        const proofs = (await cluster.status("alpha"))?.fencing.proofs ?? [];
        return NODES.every((node) => proofs.some((proof) => proof.node === node && proof.state === "proven"));
      });
      for (const node of NODES) expect(cluster.log(node)).not.toMatch(/could not fence now|fencing configuration,/);
      cluster.network.divide([["charlie"], ["alpha", "bravo"]]);
      await until(cluster, "the others have the service", () => runsOn().some((node) => node !== "charlie"));
      expect(runsOn()).not.toContain("charlie");
      expect(cluster.log("charlie")).toContain("self-fencing: no majority of the nodes has heard this one");
      const history = cluster.gemel("alpha", "fence", "history").output;
      expect(history).toMatch(/of charlie: confirmed by \S*watchdog/);
      expect(history).toMatch(/off by its own watchdog: no majority has heard it for [\d.]+ s, and it promised to end/);
      cluster.network.divide([]);
      await until(cluster, "charlie is a member again", async () => {
        const nodes = (await cluster.status("alpha"))?.nodes ?? [];
        return nodes.every(({ state }) => state === "online");
      });
      expect(runsOn()).toHaveLength(1);
      // A member that has to go is declared lost: it hears that, ends itself, and the same time counts.
      const [victim = "alpha"] = runsOn();
      const [by = "bravo"] = NODES.filter((node) => node !== victim);
      // Not by a command that is waited for: this process has to reset the machine meanwhile.
      const off = await cluster.ask(by, { kind: "fence", target: victim, action: "off" }, LIMIT_MS);
      expect(off).toMatchObject({ kind: "answer", value: { action: "off", outcome: "confirmed", device: "watchdog" } });
      expect(cluster.log(victim)).toMatch(/self-fencing/);
      await until(cluster, "another has the service", () => runsOn().some((node) => node !== victim));
      expect(cluster.violations()).toEqual([]);
    } finally {
      await cluster.close();
    }
  },
  400_000,
);
