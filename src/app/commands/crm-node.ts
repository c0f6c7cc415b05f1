/**
 * `gemel crm-node`, also `crm_node`: names, ids and membership of nodes, in the words of the field; agents ask it for
 * their own node's name. Facts: crm_node(8).
 */
import process from "node:process";
import { configuredNodes } from "../../cluster/core/controller/cib-read.ts";
import { readCommandLine } from "../control-client.ts";
import { askOrTell, changeCib, EXIT, FIELD_EXIT, fetchCib, wrongCall } from "./ask.ts";

const USAGE = "crm_node -n | -i | -l | -p | -q | -N ID | -R NAME --force";
const FLAGS = {
  name: { type: "boolean", short: "n" },
  "cluster-id": { type: "boolean", short: "i" },
  list: { type: "boolean", short: "l" },
  partition: { type: "boolean", short: "p" },
  quorum: { type: "boolean", short: "q" },
  "name-for-id": { type: "string", short: "N" },
  remove: { type: "string", short: "R" },
  force: { type: "boolean", short: "f" },
  verbose: { type: "boolean", short: "V" },
  quiet: { type: "boolean", short: "Q" },
} as const;

function tell(text: string): number {
  process.stdout.write(`${text}\n`);
  return EXIT.done;
}

function complain(text: string, code: number): number {
  process.stderr.write(`crm_node: ${text}\n`);
  return code;
}

/** A node that is still a member would come back as if nothing had been done. */
async function remove(socketPath: string, name: string): Promise<number> {
  const status = await askOrTell("crm_node", socketPath, { kind: "status" });
  if (status.kind === "failed") return status.exitCode;
  const node = status.value.nodes.find((each) => each.name === name);
  if (node === undefined) return complain(`there is no node ${name}`, FIELD_EXIT.notFound);
  if (node.state !== "offline") return complain(`${name} is ${node.state}; stop gemel there first`, EXIT.refused);
  return await changeCib("crm_node", socketPath, () => [{ kind: "delete", target: `//node[@uname="${name}"]` }]);
}

/** Exit codes: 0; 1 refused; 64 wrong call; 69 no manager; 105 there is none. */
export async function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(argv, FLAGS);
  if (called.kind === "wrong") return wrongCall("crm_node", called.reason, USAGE);
  const { socketPath, flags } = called;
  if (flags.name === true) {
    const own = process.env.OCF_RESKEY_CRM_meta_on_node;
    if (own !== undefined) return tell(own);
    const asked = await askOrTell("crm_node", socketPath, { kind: "ping" });
    return asked.kind === "failed" ? asked.exitCode : tell(asked.value.self);
  }
  if (typeof flags.remove === "string") {
    if (flags.force !== true) return complain(`--force, if ${flags.remove} shall be forgotten`, EXIT.wrongCall);
    return await remove(socketPath, flags.remove);
  }
  const wantsView = flags.list === true || flags.partition === true || flags.quorum === true;
  if (!wantsView && flags["cluster-id"] !== true && flags["name-for-id"] === undefined)
    return wrongCall("crm_node", "what shall be told?", USAGE);
  const cib = await fetchCib("crm_node", socketPath);
  if (typeof cib === "number") return cib;
  const nodes = configuredNodes(cib);
  if (flags["name-for-id"] !== undefined) {
    const found = nodes.find(({ id }) => id === flags["name-for-id"]);
    return found === undefined
      ? complain(`there is no node ${flags["name-for-id"]}`, FIELD_EXIT.notFound)
      : tell(found.name);
  }
  const status = await askOrTell("crm_node", socketPath, { kind: "status" });
  if (status.kind === "failed") return status.exitCode;
  const { self, hasQuorum } = status.value;
  if (flags.quorum === true) return tell(hasQuorum ? "1" : "0");
  if (flags["cluster-id"] === true) return tell(nodes.find(({ name }) => name === self)?.id ?? "");
  const isMember = (name: string) =>
    status.value.nodes.some((node) => node.name === name && ["self", "member"].includes(node.membership));
  if (flags.partition === true)
    return tell(
      nodes
        .map(({ name }) => name)
        .filter(isMember)
        .join(" "),
    );
  return tell(nodes.map(({ id, name }) => `${id} ${name} ${isMember(name) ? "member" : "lost"}`).join("\n"));
}
