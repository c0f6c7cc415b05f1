/**
 * Which processes of ours serve a run directory, and where their node keeps its things: for whoever asks a manager that
 * does not answer. Only the command lines of the running ones tell (`--config`, `--state`, `--run`).
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { RUN_DIRECTORY } from "./control-protocol.ts";

export interface Installation {
  readonly config: string;
  readonly state: string;
  readonly run: string;
}

export interface Serving {
  /** Undefined when neither process runs and the place is none of the usual ones. */
  readonly installation: Installation | undefined;
  readonly keeper: number | undefined;
  readonly manager: number | undefined;
}

/** Where the image's own service keeps its things (docs/operations/image.md). */
const USUAL: Installation = { config: "/etc/gemel/node.conf", state: "/data/gemel/state", run: RUN_DIRECTORY };

function installationOf(argv: readonly string[]): Installation | undefined {
  if (!["--config", "--state", "--run"].every((flag) => argv.includes(flag))) return undefined;
  const after = (flag: string) => argv[argv.indexOf(flag) + 1] ?? "";
  return { config: after("--config"), state: after("--state"), run: after("--run") };
}

function commandLineOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

export function whoServes(runDirectory: string): Serving {
  let serving: Serving = { installation: undefined, keeper: undefined, manager: undefined };
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const argv = commandLineOf(pid);
    const installation = installationOf(argv);
    if (installation === undefined || path.resolve(installation.run) !== path.resolve(runDirectory)) continue;
    // Both words stand right before their first flag; whoever merely starts one of them has more words before.
    const word = argv[argv.findIndex((text) => text.startsWith("--config")) - 1];
    if (word === "manager") serving = { ...serving, installation, manager: Number(pid) };
    if (word === "node") serving = { ...serving, installation, keeper: serving.keeper ?? Number(pid) };
  }
  const isUsual = path.resolve(runDirectory) === USUAL.run && existsSync(USUAL.state);
  return serving.installation === undefined && isUsual ? { ...serving, installation: USUAL } : serving;
}

/** What of gemel runs where no manager answers, and what to do now; one line. */
export function unansweredText({ keeper, manager }: Serving): string {
  if (manager !== undefined)
    return `the manager (process ${manager}) begins, ends or hangs; ask again in a minute, or the other node`;
  if (keeper === undefined)
    return "gemel does not run on this node; keep the evidence (gemel report), then: systemctl start gemel";
  return (
    `the keeper (process ${keeper}) starts it anew, and ends this node for its peer if that fails; ` +
    "what runs here runs on; keep the evidence (gemel report), ask again in a minute, or the other node"
  );
}
