/** The live view: both nodes side by side as lines of text. Pure. */
import type { StatusReport } from "../../src/app/control-protocol.ts";
import { type LinkName, NODES, type NodeName, type Vice } from "../names.ts";
import type { Progress } from "../records/service-client.ts";
import type { Sample } from "./sample.ts";

export interface Picture {
  readonly lab: string;
  readonly samples: Readonly<Partial<Record<NodeName, Sample>>>;
  readonly statuses: Readonly<Partial<Record<NodeName, StatusReport>>>;
  readonly cutLinks: readonly LinkName[];
  readonly hungBmcs: readonly NodeName[];
  /** Boards that do not what they say: node and vice. */
  readonly vices: readonly (readonly [NodeName, Vice])[];
  readonly brokenDisks: readonly NodeName[];
  /** Share of garbled bytes on the serial cable. */
  readonly noise: number;
  /** What happened last. */
  readonly events: readonly string[];
  readonly client: Progress;
  readonly violationCount: number;
}

const COLUMN = 34;

function nodeLines(node: NodeName, sample: Sample | undefined, status: StatusReport | undefined): string[] {
  const seen = sample?.seen;
  const power = sample === undefined ? "not looked at yet" : `power ${sample.power}`;
  if (seen === undefined) return [node, sample?.power === "on" ? `${power}, no answer` : power];
  const own = status?.nodes.find(({ name }) => name === node);
  return [
    node,
    power,
    status === undefined
      ? "service: no answer yet"
      : `service: ${own?.state ?? "?"}${own?.isDc === true ? ", DC" : ""}`,
    seen.drbdRole === undefined
      ? "DRBD: not up"
      : `DRBD: ${seen.drbdRole}, ${seen.disk}${seen.isSuspended ? ", frozen" : ""}`,
    seen.connection === undefined ? "" : `      ${seen.connection}, peer ${seen.peerDisk}`,
    `${seen.isMounted ? "mounted" : "not mounted"}, ${seen.hasVirtualAddress ? "has the address" : "no address"}`,
  ];
}

function sideBySide(left: readonly string[], right: readonly string[]): string[] {
  const height = Math.max(left.length, right.length);
  return Array.from({ length: height }, (_, row) =>
    `  ${(left[row] ?? "").padEnd(COLUMN)}${right[row] ?? ""}`.trimEnd(),
  );
}

/** What the DC says counts: another node may just be coming, and know nothing yet. */
function spokesman(statuses: Picture["statuses"]): StatusReport | undefined {
  const known = Object.values(statuses).filter((status) => status !== undefined);
  return known.find(({ self, dc }) => self === dc) ?? known[0];
}

/** The faults that the lab has made and not yet undone. */
function faults({ cutLinks, hungBmcs, vices, brokenDisks, noise }: Picture): string {
  const made = [
    ...cutLinks.map((link) => `${link} is cut`),
    ...hungBmcs.map((node) => `the BMC of ${node} hangs`),
    ...vices.map(([node, vice]) => `the BMC of ${node} is ${vice}`),
    ...brokenDisks.map((node) => `the mirrored disk of ${node} fails`),
    ...(noise > 0 ? [`the serial cable garbles ${Math.round(noise * 100)} %`] : []),
  ];
  return made.length === 0 ? "none" : made.join("; ");
}

export function drawPicture(picture: Picture): string[] {
  const { lab, samples, statuses, client, violationCount, events } = picture;
  const columns = NODES.map((node) => nodeLines(node, samples[node], statuses[node]));
  const told = spokesman(statuses);
  const running = (told?.resources ?? []).map(({ id, active }) => {
    const where = active.map(({ node, role }) => (role === "Started" ? node : `${node} (${role})`)).join(", ");
    return `  ${id.padEnd(14)}${where === "" ? "stopped" : where}`;
  });
  const problems = (told?.problems ?? []).flatMap(({ severity, what, doNow }) => [
    `  ${severity}: ${what}`,
    `    -> ${doNow}`,
  ]);
  const writing = `${client.isWriting ? "writing" : "not writing"}, ${client.acknowledgedCount} acknowledged`;
  return [
    `lab ${lab}`,
    ...sideBySide(columns[0] ?? [], columns[1] ?? []),
    ...running,
    `  faults of the lab: ${faults(picture)}`,
    `  client: ${writing}${client.failure === undefined ? "" : `; ${client.failure}`}`,
    `  moments with two writers: ${violationCount}`,
    ...problems,
    ...(events.length === 0 ? [] : ["", "last events:", ...events.map((line) => `  ${line}`)]),
  ];
}
