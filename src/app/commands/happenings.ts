/** All that the nodes have written down, for the timeline and the report; a peer that is away is told, not fatal. */
import process from "node:process";
import { childOf, parseXml, type XmlElement } from "../../base/xml.ts";
import { failuresOf } from "../../cluster/core/monitor/operations.ts";
import { type Happening, readLogLine } from "../../cluster/core/report/timeline.ts";
import { askControl } from "../control-client.ts";
import type { StatusReport } from "../control-protocol.ts";
import { waitText, withProgress } from "../progress.ts";
import { localFacts } from "../zone.ts";
import { askOrTell } from "./ask.ts";

const LINES_MAX = 1_000;
const PEER_WAIT_MS = 15_000;

export interface Written {
  readonly status: StatusReport;
  readonly cib: XmlElement;
  readonly logs: ReadonlyMap<string, readonly string[]>;
  /** Nodes that did not answer, with the reason. */
  readonly missing: readonly string[];
  readonly happenings: readonly Happening[];
}

const readDate = (text: string) => Date.parse(text);

function failureHappenings(cib: XmlElement): Happening[] {
  return failuresOf(localFacts(cib, Date.now())).map(({ entry, resource, node }) => {
    const { "last-rc-change": at = "0", "rc-code": code = "", "exit-reason": reason = "" } = entry.element.attributes;
    const text = `${resource.baseId}: ${entry.task}_${entry.intervalMs} failed on ${node.name} (rc=${code}${
      reason === "" ? "" : `, ${reason}`
    })`;
    return { atWallMs: Number(at) * 1000, node: node.name, kind: "failure", severity: "error", text };
  });
}

function fencingHappenings({ fencing, self }: StatusReport): Happening[] {
  return fencing.history.map(({ target, action, outcome, by, evidence, atWallMs }) => ({
    atWallMs,
    node: self,
    kind: "fencing",
    severity: outcome === "confirmed" ? "warning" : "error",
    text: `fencing: ${action} of ${target} asked by ${by}: ${outcome}${evidence === "" ? "" : ` (${evidence})`}`,
  }));
}

/** The exit code when this node's own manager cannot be asked. */
export async function readWritten(tool: string, socketPath: string): Promise<Written | number> {
  const status = await askOrTell(tool, socketPath, { kind: "status" });
  if (status.kind === "failed") return status.exitCode;
  const query = await askOrTell(tool, socketPath, { kind: "cib-query" });
  if (query.kind === "failed") return query.exitCode;
  const history = await askOrTell(tool, socketPath, { kind: "config-log" });
  if (history.kind === "failed") return history.exitCode;
  const read = parseXml(query.value.xml);
  if (read.kind === "not-xml" || childOf(read.root, "configuration") === undefined) {
    process.stderr.write(`${tool}: the manager sent no CIB\n`);
    return 1;
  }
  const logs = new Map<string, readonly string[]>();
  const missing: string[] = [];
  for (const { name } of status.value.nodes) {
    const request = { kind: "log", lines: LINES_MAX, node: name } as const;
    const reply = await withProgress(tool, waitText(request), askControl(socketPath, request, PEER_WAIT_MS));
    if (reply.kind === "answer") logs.set(name, reply.value.lines);
    else {
      const why = reply.kind === "refused" ? reply.problems.map(({ reason }) => reason).join("; ") : reply.reason;
      missing.push(`${name}: ${why}`);
    }
  }
  const happenings = [
    ...[...logs].flatMap(([node, lines]) => lines.flatMap((line) => readLogLine(node, line, readDate) ?? [])),
    ...history.value.entries.map(({ origin, diff, version }): Happening => {
      const lines = diff.slice(0, 3).join("; ");
      const number = `${version.adminEpoch}.${version.epoch}`;
      const text = `configuration ${number} by ${origin.who} from ${origin.from}: ${lines}`;
      return { atWallMs: origin.wallMs, node: status.value.self, kind: "config", severity: "info", text };
    }),
    ...fencingHappenings(status.value),
    ...failureHappenings(read.root),
  ];
  return { status: status.value, cib: read.root, logs, missing, happenings };
}
