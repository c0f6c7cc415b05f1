/** `gemel crmadmin`, also `crmadmin`: who leads, how a node stands, which nodes there are. Facts: crmadmin(8). */
import process from "node:process";
import { type XmlElement, xml } from "../../base/xml.ts";
import { everyElement, optionsIn } from "../../cib/schema/finding.ts";
import { configurationOf, configuredNodes } from "../../cluster/core/controller/cib-read.ts";
import { askControl, readCommandLine, refuseOutput } from "../control-client.ts";
import { askOrTell, EXIT, FIELD_EXIT, fetchCib, tellReply, wrongCall } from "./ask.ts";
import { tellXml } from "./xml-answer.ts";

const USAGE = "crmadmin -D | -S NODE | -P | -N[all|cluster|remote|guest] [-B] [-q] [--output-as xml]";
const FLAGS = {
  dc_lookup: { type: "boolean", short: "D" },
  "dc-lookup": { type: "boolean" },
  status: { type: "string", short: "S" },
  nodes: { type: "boolean", short: "N" },
  "output-as": { type: "string" },
  "output-to": { type: "string" },
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

interface Listed {
  readonly kind: string;
  readonly name: string;
  readonly id: string;
}

/** Of a guest its host's own options tell; a remote node is a resource of that agent. */
function nodesBeside(cib: XmlElement): readonly Listed[] {
  const primitives = everyElement(configurationOf(cib) ?? cib)
    .map(({ element }) => element)
    .filter(({ name }) => name === "primitive");
  return primitives.flatMap((primitive): Listed[] => {
    const { id = "", provider, type } = primitive.attributes;
    const guest = optionsIn(primitive, "meta_attributes")["remote-node"];
    const own = provider === "pacemaker" && type === "remote" ? [{ kind: "remote", name: id, id }] : [];
    return guest === undefined ? own : [...own, { kind: "guest", name: guest, id: guest }];
  });
}

const KINDS = ["cluster", "remote", "guest"];

/** `--nodes=KIND,...`, `-NKIND`; all without one. Undefined: another word. */
function kindsOf(given: string | undefined): readonly string[] | undefined {
  const words = (given ?? "").split(",").filter((word) => word !== "" && word !== "all");
  if (words.length === 0) return KINDS;
  return words.every((word) => KINDS.includes(word)) ? words : undefined;
}

const KINDS_GIVEN = /^(?:--nodes=|-N(?=[a-z]))/;

/** Remote nodes and guests have no entry of their own among the nodes. */
async function list(
  argv: readonly string[],
  socketPath: string,
  kinds: readonly string[],
  form: Form,
): Promise<number> {
  const cib = await fetchCib("crmadmin", socketPath);
  if (typeof cib === "number") return cib;
  const own = configuredNodes(cib).map(({ id, name }) => ({ kind: "cluster", name, id }));
  const found = [...own, ...nodesBeside(cib)].filter(({ kind }) => kinds.includes(kind));
  if (form === "xml") {
    const nodes = found.map(({ kind, name, id }) => xml("node", { type: kind, name, id }));
    tellXml("crmadmin", argv, [xml("nodes", {}, nodes)], EXIT.done);
    return EXIT.done;
  }
  const lines = found.map(({ kind, name, id }) =>
    form === "export" ? `export ${name}=${id}` : form === "quiet" ? name : `${kind} node: ${name} (${id})`,
  );
  process.stdout.write(`${(lines.length === 0 ? ["No nodes configured"] : lines).join("\n")}\n`);
  return EXIT.done;
}

type Form = "text" | "quiet" | "export" | "xml";

/** Exit codes: 0; 64 wrong call; 69 no manager; 105 there is none. */
export async function run(argv: readonly string[]): Promise<number> {
  const typed = argv.find((word) => KINDS_GIVEN.test(word))?.replace(KINDS_GIVEN, "");
  const kinds = kindsOf(typed);
  if (kinds === undefined)
    return wrongCall("crmadmin", `--nodes=${typed ?? ""}: write all, cluster, remote or guest`, USAGE);
  const plain = argv.map((word) => (KINDS_GIVEN.test(word) ? "--nodes" : word));
  const called = readCommandLine(plain, FLAGS);
  if (called.kind === "wrong") return wrongCall("crmadmin", called.reason, USAGE);
  const { socketPath, flags } = called;
  const isXml = flags["output-as"] === "xml" && flags.nodes === true;
  const refusal = isXml ? undefined : refuseOutput(flags);
  if (refusal !== undefined) return wrongCall("crmadmin", refusal, USAGE);
  const isQuiet = flags.quiet === true;
  if (flags.nodes === true) {
    const form = flags["bash-export"] === true ? "export" : isQuiet ? "quiet" : "text";
    return await list(argv, socketPath, kinds, isXml ? "xml" : form);
  }
  if (flags.pacemakerd === true) {
    // A file stands in for the CIB, never for the service itself.
    const reply = await askControl(socketPath, { kind: "ping" });
    if (reply.kind !== "answer") return tellReply("crmadmin", reply);
    process.stdout.write(isQuiet ? "running\n" : `Status of gemel on ${reply.value.self}: 'running'\n`);
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
