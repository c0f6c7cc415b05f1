/**
 * `stonith_admin`, as operators of Pacemaker type it; what it does is what `gemel fence` does.
 * Facts: stonith_admin(8) of Pacemaker 2.1: -F, -U, -B, -C, -H, -L, -l, -s, -Q, -I, -t, -V, -q. Exit codes are ours.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { CATALOGUE } from "../../fencing/drivers/index.ts";
import { controlSocketPath } from "../control-client.ts";
import type { StatusReport } from "../control-protocol.ts";
import { askOrTell, EXIT, wrongCall } from "./ask.ts";
import { runCluster } from "./fence-cluster.ts";

const USAGE =
  "stonith_admin -F|-U|-B|-C NODE | -H NODE | -L | -l NODE | -s DEVICE | -Q DEVICE | -I\n" +
  "              [-t SECONDS] [-V] [-q] [--run DIR]";

const OPTIONS = {
  fence: { type: "string", short: "F" },
  unfence: { type: "string", short: "U" },
  reboot: { type: "string", short: "B" },
  confirm: { type: "string", short: "C" },
  history: { type: "string", short: "H" },
  "list-registered": { type: "boolean", short: "L" },
  list: { type: "string", short: "l" },
  query: { type: "string", short: "Q" },
  "list-installed": { type: "boolean", short: "I" },
  "list-targets": { type: "string", short: "s" },
  /** The fencer bounds itself by its devices; taken so that old scripts run. */
  timeout: { type: "string", short: "t" },
  verbose: { type: "boolean", short: "V", multiple: true },
  quiet: { type: "boolean", short: "q" },
  run: { type: "string" },
} as const;

type Device = StatusReport["fencing"]["devices"][number];

function printDevices(devices: readonly Device[]): number {
  for (const { id } of devices) process.stdout.write(` ${id}\n`);
  process.stdout.write(`${devices.length} fence device${devices.length === 1 ? "" : "s"} found\n`);
  return devices.length === 0 ? EXIT.refused : EXIT.done;
}

async function withStatus(run: string | undefined, use: (status: StatusReport) => number): Promise<number> {
  const asked = await askOrTell("stonith_admin", controlSocketPath(run), { kind: "status" });
  return asked.kind === "answer" ? use(asked.value) : asked.exitCode;
}

function printHistory({ fencing }: StatusReport, node: string): number {
  const records = fencing.history.filter(({ target }) => node === "*" || target === node);
  for (const { target, action, outcome, device, atWallMs, by } of records) {
    const how = device === "" ? "" : ` by ${device}`;
    process.stdout.write(`${new Date(atWallMs).toISOString()} ${action} of ${target}: ${outcome}${how}, for ${by}\n`);
  }
  process.stdout.write(`${records.length} event${records.length === 1 ? "" : "s"} found\n`);
  return EXIT.done;
}

/** Runs `stonith_admin ...`. */
export async function run(argv: readonly string[]): Promise<number> {
  let values: ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];
  try {
    ({ values } = parseArgs({ args: [...argv], options: OPTIONS }));
  } catch (error) {
    return wrongCall("stonith_admin", error instanceof Error ? error.message : String(error), USAGE);
  }
  const own = values.run === undefined ? [] : ["--run", values.run];
  if (values.fence !== undefined) return await runCluster(["off", values.fence, ...own]);
  if (values.unfence !== undefined) return await runCluster(["on", values.unfence, ...own]);
  if (values.reboot !== undefined) return await runCluster(["reboot", values.reboot, ...own]);
  const { confirm, history, list, query } = values;
  // The exact name was typed as the option's value; the fencer refuses while the node still answers.
  if (confirm !== undefined) return await runCluster(["confirm", confirm, "--yes", confirm, ...own]);
  if (history !== undefined) return await withStatus(values.run, (status) => printHistory(status, history));
  if (values["list-registered"] === true) {
    return await withStatus(values.run, ({ fencing }) => printDevices(fencing.devices));
  }
  if (list !== undefined) {
    return await withStatus(values.run, ({ fencing }) =>
      // A device without targets is a person, who can see to any node.
      printDevices(fencing.devices.filter(({ targets }) => targets.length === 0 || targets.includes(list))),
    );
  }
  const targetsOf = values["list-targets"];
  if (targetsOf !== undefined) {
    return await withStatus(values.run, ({ fencing }) => {
      const device = fencing.devices.find(({ id }) => id === targetsOf);
      for (const target of device?.targets ?? []) process.stdout.write(`${target}\n`);
      return device === undefined ? EXIT.refused : EXIT.done;
    });
  }
  if (query !== undefined) {
    return await withStatus(values.run, ({ fencing }) =>
      printDevices(fencing.devices.filter(({ id }) => id === query)),
    );
  }
  if (values["list-installed"] === true) {
    for (const agent of CATALOGUE.agents) process.stdout.write(` ${agent}\n`);
    process.stdout.write(`${CATALOGUE.agents.length} fence agents found\n`);
    return EXIT.done;
  }
  return wrongCall("stonith_admin", "say what to do", USAGE);
}
