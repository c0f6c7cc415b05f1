/**
 * Commands of the configure level that ask or run agents: the times that they advise, and a trial of resources on this
 * node. Facts: crm(8), configure default-timeouts and rsctest.
 */
import type { XmlElement } from "../../base/xml.ts";
import type { ResourceStatus } from "../control-protocol.ts";
import { runTool } from "./borrowed.ts";
import { findPrimitive, withAdvisedTimes, withOperations } from "./operations.ts";
import { askManager, EXIT, type Session, tellReply } from "./session.ts";

/** Each change is told: an advised time may be shorter than the one that was measured. */
export function defaultTimeouts(session: Session, ids: readonly string[], working: XmlElement): number {
  if (ids.length === 0) return -1;
  let configuration = working;
  const faults: string[] = [];
  for (const id of ids) {
    const primitive = findPrimitive(configuration, id);
    const advised = primitive === undefined ? undefined : withAdvisedTimes(configuration, primitive);
    if (primitive === undefined) faults.push(`crm: there is no primitive ${id}\n`);
    else if (advised === undefined) faults.push(`crm: ${id}: its agent is not on this node, or advises no times\n`);
    else {
      for (const line of advised.told) session.terminal.out(`${line}\n`);
      configuration = withOperations(configuration, id, advised.operations);
    }
  }
  for (const fault of faults) session.terminal.err(fault);
  // All or nothing: a list with a mistyped name was not looked at twice.
  if (faults.length > 0) return EXIT.failed;
  session.working = configuration;
  return EXIT.done;
}

/** Why a resource may not be started by hand beside the cluster; undefined when it may. */
function refusal(id: string, found: ResourceStatus | undefined): string | undefined {
  if (found === undefined)
    return `there is no resource ${id} in the cluster; commit it first, with target-role=Stopped`;
  const [active] = found.active;
  if (active !== undefined) return `${id} runs on ${active.node}: crm resource stop ${id}`;
  if (found.isWanted && found.isManaged) return `the cluster may start ${id} at any moment: crm resource stop ${id}`;
  return undefined;
}

/** As the field's agents end: 0 runs, 7 does not. */
const NOT_RUNNING = 7;

/**
 * Starts, monitors and, in the opposite order, stops the resources on this node. Only what the cluster holds nowhere,
 * and will not start meanwhile: a second holder is what a cluster is there to prevent.
 */
export async function testResources(session: Session, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return -1;
  const { terminal } = session;
  const reply = await askManager(session, { kind: "status" });
  if (reply.kind !== "answer") return tellReply(session, reply);
  const other = ids.find((id) => reply.value.nodes.some(({ name }) => name === id) && id !== reply.value.self);
  if (other !== undefined) {
    terminal.err(`crm: resources are tested on the node where this is typed; go to ${other}\n`);
    return EXIT.usage;
  }
  const resources = ids.filter((id) => id !== reply.value.self);
  const reasons = resources.flatMap(
    (id) =>
      refusal(
        id,
        reply.value.resources.find((each) => each.id === id),
      ) ?? [],
  );
  for (const reason of reasons) terminal.err(`crm: not tested: ${reason}\n`);
  if (reasons.length > 0) return EXIT.failed;
  const act = (verb: string, id: string) => runTool(session, ["crm_resource", `--force-${verb}`, "-r", id]);
  for (const id of resources) {
    const code = await act("check", id);
    if (code === NOT_RUNNING) continue;
    terminal.err(`crm: not tested: ${id} is not stopped on this node (exit code ${code})\n`);
    return EXIT.failed;
  }
  const started: string[] = [];
  const failed: string[] = [];
  for (const id of resources) {
    started.unshift(id);
    if ((await act("start", id)) === 0 && (await act("check", id)) === 0) continue;
    failed.push(`${id} did not start`);
    break;
  }
  for (const id of started) if ((await act("stop", id)) !== 0) failed.push(`${id} did not stop`);
  for (const reason of failed) terminal.err(`crm: ${reason}\n`);
  if (failed.length === 0) terminal.out(`tested: ${resources.join(", ")}\n`);
  return failed.length === 0 ? EXIT.done : EXIT.failed;
}
