/** From a read configuration to a running keeper: one of a kind on its folders, hard to stop, with its watchdog. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { formatProblem, type Problem } from "../../base/problem.ts";
import { readProcessStat } from "../../hw/edge/process-stat.ts";
import { selfCommand } from "../self-command.ts";
import { openBootBond } from "./boot-bond.ts";
import { becomeHardToStop, openConfiguredWatchdog } from "./guard.ts";
import { runKeeper } from "./keeper.ts";
import { createKeyring } from "./keyring.ts";
import { keyFileOf, type LoadedNode } from "./load.ts";
import { createLog } from "./log.ts";
import { openPoisonEars } from "./poison.ts";

export interface NodeOptions {
  readonly config: string;
  readonly state: string;
  readonly run: string;
  readonly realtime: boolean;
}

const CANNOT_START = 71;

/** Two keepers with one state would be one node twice. The re-exec keeps the process id and so its own claim. */
function claimFolders({ state, run }: NodeOptions): void {
  mkdirSync(state, { recursive: true });
  mkdirSync(run, { recursive: true });
  const file = path.join(state, "keeper.pid");
  let claim = "";
  try {
    claim = readFileSync(file, "utf8");
  } catch {
    // No claim yet.
  }
  const [pid = "", startTime] = claim.trim().split(" ");
  if (
    pid !== "" &&
    Number(pid) !== process.pid &&
    startTime !== undefined &&
    readProcessStat(Number(pid))?.startTime === startTime
  )
    throw new Error(`process ${pid} runs a node with the state folder ${state}`);
  writeFileSync(file, `${process.pid} ${readProcessStat(process.pid)?.startTime ?? ""}\n`);
}

export async function startNode(node: LoadedNode, warnings: readonly Problem[], options: NodeOptions): Promise<number> {
  const { config, self } = node;
  const log = createLog(self.name);
  try {
    claimFolders(options);
    if (config.realtime && options.realtime) await becomeHardToStop(log);
    else log.say("warning", "no real-time priority, as configured: beats will be late under load");
    for (const warning of warnings) log.say("warning", formatProblem(warning));
    // Before the watchdog is opened, for that feeds it.
    const bond = openBootBond(options.run);
    if (config.quorumLeaseMs !== undefined) bond.bind();
    const watchdog = await openConfiguredWatchdog(config, log);
    // Before anybody hears this start: what stands in the mailbox then was written to an earlier one.
    const poison = await openPoisonEars(config, self.name, log);
    const { file, argv } = selfCommand();
    const own = ["--config", options.config, "--state", options.state, "--run", options.run, "--name", self.name];
    const code = await runKeeper({
      config,
      self,
      signer: createKeyring(node, keyFileOf(options.config, config), log),
      stateFolder: options.state,
      watchdog,
      bond,
      poison,
      manager: { file, argv: [...argv, "manager", ...own] },
      log,
    });
    log.flush();
    // The manager's pipe and the links are closed; nothing else may hold the process.
    process.exit(code);
  } catch (error) {
    log.say("critical", `this node cannot start: ${error instanceof Error ? error.message : String(error)}`);
    log.flush();
    return CANNOT_START;
  }
}
