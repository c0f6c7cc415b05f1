/**
 * `resource trace` and `untrace`: an agent of the shell writes down each of its steps. Facts: crm(8); the agents' own
 * functions read trace_ra and trace_dir among the parameters of an operation.
 */
import { readTimeMs } from "../../cib/schema/values.ts";
import {
  findPrimitive,
  operationsOf,
  type Traced,
  traceOperations,
  untraceOperations,
  withOperations,
} from "./operations.ts";
import { commit, EXIT, fetchRunning, type Session } from "./session.ts";

const DIRECTORY = "/var/lib/heartbeat/trace_ra";

/** `RESOURCE [OPERATION [INTERVAL] [DIRECTORY]]`; undefined for a wrong call. */
function readTraced([name, ...rest]: readonly string[]): Traced | undefined {
  const [interval] = rest;
  const intervalMs = interval === undefined ? undefined : readTimeMs(interval);
  const more = intervalMs === undefined ? rest : rest.slice(1);
  const [directory] = more;
  if (more.length > 1 || (directory !== undefined && !directory.startsWith("/"))) return undefined;
  const once = name === "probe" ? { name: "monitor", intervalMs: 0 } : undefined;
  return {
    ...(name === undefined ? {} : { name }),
    ...(intervalMs === undefined ? {} : { intervalMs }),
    ...once,
    ...(directory === undefined ? {} : { directory }),
  };
}

/** The exit code; -1 for a wrong call. */
export async function runTrace(session: Session, verb: string, [id, ...words]: readonly string[]): Promise<number> {
  const traced = readTraced(words);
  if (id === undefined || traced === undefined) return -1;
  const { terminal } = session;
  const working = await fetchRunning(session);
  if (typeof working === "number") return working;
  const primitive = findPrimitive(working, id);
  const { class: agentClass = "ocf", type = "", template = "" } = primitive?.attributes ?? {};
  if (primitive === undefined || agentClass !== "ocf") {
    terminal.err(`crm: ${id} is no primitive of class ocf: only those can be traced\n`);
    return EXIT.failed;
  }
  const isOn = verb === "trace";
  const operations = isOn ? traceOperations(primitive, traced) : untraceOperations(primitive, traced);
  if (JSON.stringify(operations) === JSON.stringify(operationsOf(primitive))) {
    terminal.out(`${id}: nothing to change\n`);
    return EXIT.done;
  }
  session.working = withOperations(working, id, operations);
  const code = await commit(session);
  if (code !== EXIT.done) return code;
  const place = `${traced.directory ?? DIRECTORY}/${type === "" ? template : type}`;
  terminal.out(
    isOn
      ? `the trace of ${id} is written to ${place}; end it soon: crm resource untrace ${id}\n`
      : `${id} is traced no longer\n`,
  );
  return EXIT.done;
}
