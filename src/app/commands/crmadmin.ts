/** `gemel crmadmin`, also `crmadmin`: who leads, how a node stands, which nodes there are. Facts: crmadmin(8). */
import process from "node:process";
import { configuredNodes } from "../../cluster/core/controller/cib-read.ts";
import { readCommandLine } from "../control-client.ts";
import { askOrTell, EXIT, FIELD_EXIT, fetchCib, wrongCall } from "./ask.ts";

const USAGE = "crmadmin -D | -S NODE | -P | -N [-B] [-q]";
const FLAGS = {
  dc_lookup: { type: "boolean", short: "D" },
  "dc-lookup": { type: "boolean" },
  status: { type: "string", short: "S" },
  nodes: { type: "boolean", short: "N" },
  "bash-export": { type: "boolean", short: "B" },
  pacemakerd: { type: "boolean", short: "P" },
  timeout: { type: "string", short: "t" },
  "ipc-name": { type: "string", short: "i" },
  quiet: { type: "boolean", short: "q" },
  health: { type: "boolean", short: "H" },
  verbose: { type: "boolean", short: "V" },
} as const;

/** The states of Pacemaker's controller, which scripts look for. */
function stateWord(isDc: boolean, isBusy: boolean): string {
  if (!isDc) return "S_NOT_DC";
  return isBusy ? "S_TRANSITION_ENGINE" : "S_IDLE";
}

/** Exit codes: 0; 64 wrong call; 69 no manager; 105 there is none. */
export async function run(argv: readonly string[]): Promise<number> {
  const typed = argv.find((word) => word.startsWith("--nodes="))?.slice("--nodes=".length);
  // Remote nodes and guests have no entry of their own among the nodes.
  if (typed !== undefined && !["all", "cluster"].includes(typed))
    return wrongCall("crmadmin", `--nodes=${typed}: write all or cluster`, USAGE);
  const plain = argv.map((word) => (word.startsWith("--nodes=") ? "--nodes" : word));
  const called = readCommandLine(plain, FLAGS);
  if (called.kind === "wrong") return wrongCall("crmadmin", called.reason, USAGE);
  const { socketPath, flags } = called;
  const isQuiet = flags.quiet === true;
  if (flags.nodes === true) {
    const cib = await fetchCib("crmadmin", socketPath);
    if (typeof cib === "number") return cib;
    for (const { id, name } of configuredNodes(cib)) {
      const plain = isQuiet ? name : `cluster node: ${name} (${id})`;
      process.stdout.write(`${flags["bash-export"] === true ? `export ${name}=${id}` : plain}\n`);
    }
    return EXIT.done;
  }
  if (flags.pacemakerd === true) {
    const asked = await askOrTell("crmadmin", socketPath, { kind: "ping" });
    if (asked.kind === "failed") return asked.exitCode;
    process.stdout.write(isQuiet ? "running\n" : `Status of gemel on ${asked.value.self}: 'running'\n`);
    return EXIT.done;
  }
  const wanted = flags.status;
  const wantsDc = flags.dc_lookup === true || flags["dc-lookup"] === true;
  if (!wantsDc && wanted === undefined && flags.health !== true)
    return wrongCall("crmadmin", "what shall be told?", USAGE);
  const asked = await askOrTell("crmadmin", socketPath, { kind: "status" });
  if (asked.kind === "failed") return asked.exitCode;
  const { dc, nodes, transition } = asked.value;
  if (wantsDc) {
    if (dc === undefined) {
      process.stderr.write("crmadmin: there is no DC now\n");
      return FIELD_EXIT.notFound;
    }
    process.stdout.write(isQuiet ? `${dc}\n` : `Designated Controller is: ${dc}\n`);
    return EXIT.done;
  }
  const node = nodes.find(({ name }) => name === (wanted ?? dc));
  if (node === undefined || node.state === "offline") {
    process.stderr.write(`crmadmin: ${String(wanted ?? "the DC")} does not answer\n`);
    return FIELD_EXIT.notFound;
  }
  const state = stateWord(node.isDc, transition.isRunning);
  process.stdout.write(isQuiet ? `${state}\n` : `Controller on ${node.name} in state ${state}: ok\n`);
  return EXIT.done;
}
