/**
 * A pair with 1,000 resources, both processes of each node real: the manager decides what is to be done with all of
 * them, and the keeper's beats go on. Needs root. The keepers run without their real-time priority here, so the pause
 * that is printed is the worst that the machine's load makes of it.
 */
import process from "node:process";
import { afterEach, expect, test, vi } from "vitest";
import { skips } from "../support/skip.ts";
import { NODES, type NodePair, openNodePair } from "./node-pair.ts";

vi.setConfig({ testTimeout: 240_000 });
const asRoot = test.skipIf(skips(process.getuid?.() !== 0, "it needs root for its network namespaces"));

const RESOURCES = 1000;
const LIMIT_MS = 120_000;
/** All at rest at first; what is then decided for all of them is begun one by one. */
const PRIMITIVES = Array.from(
  { length: RESOURCES },
  (_, index) => `primitive r${index} ocf:gemel:Dummy op monitor interval=10s`,
);
const CONFIGURATION = `
${PRIMITIVES.join("\n")}
op_defaults timeout=20s
rsc_defaults target-role=Stopped
property stonith-enabled=false no-quorum-policy=ignore enable-startup-probes=false batch-limit=1
`;
const TIMES = ["keepalive 200ms", "deadtime 10s", "initdead 60s"];

let open: NodePair | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
});

const lateness = async (pair: NodePair) =>
  await Promise.all(NODES.map(async (node) => (await pair.status(node))?.keeper?.lateness ?? { count: 0, worstMs: 0 }));

asRoot("1,000 resources are decided by the manager, and no keeper misses a beat for it", async () => {
  const pair = openNodePair({ times: TIMES, configuration: CONFIGURATION });
  open = pair;
  for (const node of NODES) pair.start(node);
  const isCalm = async () => {
    const status = await pair.status("alpha");
    const online = status?.nodes.filter(({ state }) => state === "online").length === NODES.length;
    return online && status.resources.length === RESOURCES && !status.transition.isRunning;
  };
  await pair.until("the pair is idle", isCalm, LIMIT_MS);
  await pair.until(
    "both keepers have told of themselves",
    async () => (await lateness(pair)).every(({ count }) => count > 0),
    LIMIT_MS,
  );
  const before = await lateness(pair);
  expect(pair.gemel("alpha", "crm", "configure", "rsc_defaults", "target-role=Started")).toMatchObject({ code: 0 });
  const decided = () => NODES.some((node) => /decision \d+: Start +r999 /.test(pair.log(node)));
  await pair.until("the DC has decided", decided, LIMIT_MS);
  // The keeper tells every few seconds: the next word covers the decision.
  const atDecision = await lateness(pair);
  await pair.until(
    "both keepers have told of themselves again",
    async () => (await lateness(pair)).every(({ count }, index) => count > (atDecision[index]?.count ?? 0)),
    LIMIT_MS,
  );
  const after = await lateness(pair);
  const shown = NODES.map((node, index) => {
    const [was, is] = [before[index]?.worstMs ?? 0, after[index]?.worstMs ?? 0];
    return `${node} ${was.toFixed(0)} ms before, ${is.toFixed(0)} ms with the decision`;
  });
  process.stdout.write(`longest pause of the keepers: ${shown.join("; ")}\n`);
  for (const node of NODES) expect(pair.log(node)).not.toMatch(/is lost|has declared this node lost|thread is lost/);
});
