/**
 * `gemel cl-status`, also `cl_status`: the questions of Heartbeat's monitoring scripts, answered from the status.
 * Facts: cl_status(1); reference/heartbeat.md, section 10: exit 0 told, 11 bad parameter, 13 not known; a dead node or
 * link is told in the text alone. The words of rscstatus go by the owners that `gemel import ha.d` wrote down.
 */
import process from "node:process";
import { entryOf } from "../../base/record.ts";
import { askControl, readCommandLine } from "../control-client.ts";
import type { StatusReport } from "../control-protocol.ts";
import { askOrTell, EXIT, fetchCib, wrongCall } from "./ask.ts";
import { heldBy } from "./heartbeat-v1.ts";

const USAGE =
  "cl_status hbstatus | listnodes [-n|-p] | nodestatus NODE | nodetype NODE | nodeweight NODE | listhblinks NODE\n" +
  "       cl_status hblinkstatus NODE LINK | clientstatus NODE CLIENT | rscstatus [-m] | hbparameter -p NAME";
const BAD_PARAMETER = 11;
const UNKNOWN = 13;

function tell(text: string): number {
  process.stdout.write(`${text}\n`);
  return EXIT.done;
}

function complain(text: string, code: number): number {
  process.stderr.write(`cl_status: ${text}\n`);
  return code;
}

type Answer = (status: StatusReport, words: readonly string[]) => number;

/** As ha.cf writes a time: seconds, or with the unit behind. */
const timeText = (ms: number) => (ms % 1_000 === 0 ? String(ms / 1_000) : `${ms}ms`);

/** What ha.cf called so and the keeper tells. */
const PARAMETERS: Readonly<Record<string, (keeper: NonNullable<StatusReport["keeper"]>) => string | undefined>> = {
  keepalive: ({ keepaliveMs }) => timeText(keepaliveMs),
  deadtime: ({ deadtimeMs }) => timeText(deadtimeMs),
  watchdog: ({ watchdog }) => watchdog?.identity,
};

/** A question about a node that there is. */
const ofNode =
  (answer: (status: StatusReport, node: StatusReport["nodes"][number], words: readonly string[]) => number): Answer =>
  (status, [name = "", ...rest]) => {
    const node = status.nodes.find((each) => each.name === name);
    return node === undefined ? complain(`there is no node ${name}`, BAD_PARAMETER) : answer(status, node, rest);
  };

const isUp = (state: string) => state !== "offline" && state !== "unclean";

const ANSWERS: Readonly<Record<string, Answer>> = {
  listnodes: ({ nodes }) => tell(nodes.map(({ name }) => name).join("\n")),
  nodestatus: ofNode((_status, { state }) => tell(isUp(state) ? "active" : "dead")),
  nodetype: ofNode(() => tell("normal")),
  // Every node here counts alike.
  nodeweight: ofNode(() => tell("100")),
  listhblinks: ofNode((status, { name }) => {
    const links = status.links.filter(({ peer }) => peer === name || name === status.self).map((link) => link.name);
    return tell([...new Set(links)].map((link) => `\t${link}`).join("\n"));
  }),
  hblinkstatus: ofNode((status, { name }, [wanted = ""]) => {
    const link = status.links.find((each) => each.name === wanted && (each.peer === name || name === status.self));
    if (link === undefined) return complain(`${name} has no link ${wanted}`, BAD_PARAMETER);
    return tell(link.state === "up" ? "up" : "dead");
  }),
  clientstatus: ofNode((_status, { state }, [client = ""]) => {
    if (client === "") return complain("which client?", BAD_PARAMETER);
    return tell(isUp(state) ? "online" : "offline");
  }),
  hbparameter({ keeper }, [name = ""]) {
    const known = Object.keys(PARAMETERS).join(", ");
    const read = entryOf(PARAMETERS, name);
    if (read === undefined)
      return complain(`${name === "" ? "which parameter?" : `${name} is not told`} (${known})`, BAD_PARAMETER);
    const value = keeper === undefined ? undefined : read(keeper);
    return value === undefined ? complain(`${name} is not known now`, UNKNOWN) : tell(value);
  },
};

/** local, foreign, all or none: whose lines of haresources run here. */
async function resourceStatus(status: StatusReport, socketPath: string, inWords: boolean): Promise<number> {
  const cib = await fetchCib("cl_status", socketPath);
  if (typeof cib === "number") return cib;
  const held = heldBy(cib, Date.now()).filter(({ on }) => on === status.self);
  const isLocal = held.some(({ owner }) => owner === status.self);
  const isForeign = held.some(({ owner }) => owner !== status.self);
  if (status.transition.isRunning) return tell(inWords ? "The resources are in transition" : "transition");
  const word = isLocal && isForeign ? "all" : isLocal ? "local" : isForeign ? "foreign" : "none";
  const told = {
    all: "This node is holding all resources.",
    local: "This node is holding local resources.",
    foreign: "This node is holding foreign resources.",
    none: "This node is holding none resources.",
  } as const;
  return tell(inWords ? told[word] : word);
}

/** Exit codes: 0 told; 1 hbstatus: it is stopped; 11 bad parameter; 13 not known; 64 wrong call; 69 no manager. */
export async function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(argv, {
    normal: { type: "boolean", short: "n" },
    ping: { type: "boolean", short: "p" },
    machine: { type: "boolean", short: "m" },
    verbose: { type: "boolean", short: "v" },
  });
  if (called.kind === "wrong") return wrongCall("cl_status", called.reason, USAGE);
  const { socketPath, flags } = called;
  const [verb = "", ...words] = called.words;
  if (verb === "hbstatus") {
    const reply = await askControl(socketPath, { kind: "ping" });
    if (reply.kind === "answer") return tell("Heartbeat is running on this machine.");
    return complain(`Heartbeat is stopped on this machine: ${reply.kind === "unreachable" ? reply.reason : ""}`, 1);
  }
  const answer = entryOf(ANSWERS, verb);
  if (answer === undefined && verb !== "rscstatus") return wrongCall("cl_status", `${verb} is not known`, USAGE);
  const asked = await askOrTell("cl_status", socketPath, { kind: "status" });
  if (asked.kind === "failed") return asked.exitCode;
  // Ping nodes are no nodes here, so there is none to list.
  if (verb === "listnodes" && flags["ping"] === true) return EXIT.done;
  if (answer !== undefined) return answer(asked.value, words);
  return await resourceStatus(asked.value, socketPath, flags["machine"] !== true);
}
