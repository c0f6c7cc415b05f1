/**
 * `gemel crm-failcount`, also `crm_failcount`: how often a resource has failed on a node, and to forget it.
 * Facts: crm_failcount(8); output of crm_failcount 2.1.5.
 */
import process from "node:process";
import { entryOf } from "../../base/record.ts";
import { everyElement } from "../../cib/schema/finding.ts";
import { INFINITY_SCORE, parseScore } from "../../cib/schema/values.ts";
import { nodeState, transientAttributes } from "../../cluster/core/controller/cib-read.ts";
import { parseDurationMs } from "../../cluster/core/scheduler/facts/values.ts";
import { readCommandLine } from "../control-client.ts";
import { askOrTell, EXIT, FIELD_EXIT, fetchCib, wrongCall } from "./ask.ts";
import { nodeName, tellValue } from "./crm-attribute.ts";

const USAGE = "crm_failcount -G | -D  -r RESOURCE [-N NODE] [-n OPERATION [-I INTERVAL]] [-q]";
const FLAGS = {
  query: { type: "boolean", short: "G" },
  delete: { type: "boolean", short: "D" },
  update: { type: "string", short: "v" },
  resource: { type: "string", short: "r" },
  operation: { type: "string", short: "n" },
  interval: { type: "string", short: "I" },
  node: { type: "string", short: "N" },
  quiet: { type: "boolean", short: "q" },
  verbose: { type: "boolean", short: "V" },
} as const;

/** The attributes that make up the count: of one operation, or of all. */
function matching(names: readonly string[], resource: string, operation: string | undefined, intervalMs: number) {
  const prefix = `fail-count-${resource}`;
  const exact = operation === undefined ? undefined : `${prefix}#${operation}_${intervalMs}`;
  return names.filter((name) =>
    exact === undefined ? name === prefix || name.startsWith(`${prefix}#`) : name === exact,
  );
}

/** Exit codes: 0; 1 refused; 64 wrong call; 69 no manager. */
export async function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(argv, FLAGS);
  if (called.kind === "wrong") return wrongCall("crm_failcount", called.reason, USAGE);
  const { socketPath, flags } = called;
  const { resource, operation, node: given } = flags;
  if (typeof resource !== "string") return wrongCall("crm_failcount", "which resource? -r RESOURCE", USAGE);
  // Fact: crm_failcount 2.1.5: -v 0 is an old name of -D; a count cannot be set.
  const isDelete = flags.delete === true || flags.update === "0";
  if (flags.update !== undefined && !isDelete)
    return wrongCall("crm_failcount", "only -v 0 is known; crm resource failcount RESOURCE set NODE VALUE", USAGE);
  if (flags.query !== true && !isDelete)
    return wrongCall("crm_failcount", "say -G to see the count, -D to forget it", USAGE);
  const node = await nodeName("crm_failcount", socketPath, typeof given === "string" ? given : undefined);
  if (typeof node === "number") return node;
  const cib = await fetchCib("crm_failcount", socketPath);
  if (typeof cib === "number") return cib;
  const attributes = transientAttributes(nodeState(cib, node));
  const intervalMs = parseDurationMs(typeof flags.interval === "string" ? flags.interval : "0") ?? 0;
  const wanted = typeof operation === "string" ? operation : undefined;
  const names = matching(Object.keys(attributes), resource, wanted, intervalMs);
  if (!isDelete) {
    const sum = names.reduce(
      (total, name) => Math.min(INFINITY_SCORE, total + parseScore(entryOf(attributes, name))),
      0,
    );
    const value = sum >= INFINITY_SCORE ? "INFINITY" : String(sum);
    const suffix = wanted === undefined ? "" : `#${wanted}_${intervalMs}`;
    const name = `fail-count-${resource}${suffix}`;
    const call = { tool: "crm_failcount", socketPath, name, action: "query" } as const;
    return tellValue({ ...call, isQuiet: flags.quiet === true }, "status", value);
  }
  if (names.length === 0 && !everyElement(cib).some(({ element }) => element.attributes["id"] === resource)) {
    process.stderr.write(`crm_failcount: Resource '${resource}' not found\n`);
    return FIELD_EXIT.notFound;
  }
  for (const name of names.flatMap((each) => [each, each.replace("fail-count-", "last-failure-")])) {
    const asked = await askOrTell("crm_failcount", socketPath, { kind: "attribute", node, name, lifetime: "reboot" });
    if (asked.kind === "failed") return asked.exitCode;
  }
  process.stdout.write(`Cleaned up ${resource} on ${node}\n`);
  return EXIT.done;
}
