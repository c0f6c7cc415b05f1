/**
 * The levels cluster and corosync of the crm shell, as far as there is something behind them here: the service of this
 * node, its links, its log. What another machine would have to do is refused with the words to type there.
 * Facts: crm(8), levels cluster and corosync; systemctl(1).
 */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { unansweredText, whoServes } from "../installation.ts";
import { inOperatorsWords } from "../japanese/translate.ts";
import { createProgress } from "../progress.ts";
import { runTool } from "./borrowed.ts";
import { askManager, EXIT, type Session, tellReply } from "./session.ts";

export const CLUSTER_USAGES: Readonly<Record<string, string>> = {
  status: "",
  health: "",
  start: "",
  stop: "",
  restart: "",
  enable: "",
  disable: "",
  wait_for_startup: "[SECONDS]",
  rename: "NAME",
};
export const COROSYNC_USAGES: Readonly<Record<string, string>> = {
  status: "[ring|quorum]",
  show: "",
  log: "",
};

const UNIT = "gemel.service";
const SERVICE_WORDS = ["start", "stop", "restart", "enable", "disable"];
/** As long as a person waits at a terminal for a machine that has just booted. */
const STARTUP_SECONDS = 60;
const POLL_MS = 500;

const servesAt = ({ socketPath }: Session) => whoServes(path.dirname(socketPath));

function complain({ terminal }: Session, text: string, code: number = EXIT.failed): number {
  terminal.err(`crm: ${inOperatorsWords(text)}\n`);
  return code;
}

/** The links of this node, each with its peer: `heart  bravo  up`. */
async function tellLinks(session: Session): Promise<number> {
  const reply = await askManager(session, { kind: "status" });
  if (reply.kind !== "answer") return tellReply(session, reply);
  for (const { name, peer, state } of reply.value.links) session.terminal.out(`${name}\t${peer}\t${state}\n`);
  return reply.value.links.some(({ state }) => state !== "up") ? EXIT.failed : EXIT.done;
}

/** Fact: crm(8): the messaging layer of this node. Ends with 1 when a link is down, with 69 when nothing runs here. */
async function tellStatus(session: Session): Promise<number> {
  const serving = servesAt(session);
  const part = (name: string, pid: number | undefined) => `${name} ${pid === undefined ? "not running" : `${pid}`}`;
  session.terminal.out(`Services: ${part("keeper", serving.keeper)}, ${part("manager", serving.manager)}\n`);
  if (serving.keeper === undefined && serving.manager === undefined)
    return complain(session, unansweredText(serving), EXIT.unavailable);
  session.terminal.out("Links:\n");
  return await tellLinks(session);
}

/** By systemd, where it knows the service; everywhere else the init system of that machine has words of its own. */
function drive(session: Session, verb: string): number {
  const known = spawnSync("systemctl", ["cat", UNIT], { stdio: "ignore" });
  if (known.status !== 0)
    return complain(session, `systemd does not know ${UNIT} on this node: its own init system has to ${verb} gemel`);
  if (session.isEchoing) session.terminal.out(`.EXT systemctl ${verb} ${UNIT}\n`);
  const { status, stderr } = spawnSync("systemctl", [verb, UNIT], { encoding: "utf8" });
  return status === 0 ? EXIT.done : complain(session, `systemctl ${verb} ${UNIT}: ${stderr.trim()}`);
}

/** Until the manager of this node answers. */
async function waitForStartup(session: Session, seconds: number): Promise<number> {
  const tell = createProgress("crm", undefined, session.terminal.err);
  const endMs = performance.now() + seconds * 1_000;
  for (;;) {
    const reply = await session.transport(session.socketPath, { kind: "ping" });
    if (reply.kind === "answer") return EXIT.done;
    if (performance.now() >= endMs) return complain(session, unansweredText(servesAt(session)));
    tell("waiting until the manager of this node answers");
    await sleep(POLL_MS);
  }
}

/** The exit code; -1 for a wrong call. */
export async function runCluster(
  session: Session,
  [verb = "", word, ...more]: readonly string[],
  rename: (statement: string) => Promise<number>,
): Promise<number> {
  if (more.length > 0) return -1;
  if (SERVICE_WORDS.includes(verb)) {
    if (word === undefined) return drive(session, verb);
    return complain(session, `${word}: of this node alone; there, type: crm cluster ${verb}`, EXIT.usage);
  }
  if (verb === "rename") return word === undefined ? -1 : await rename(`property cluster-name=${word}`);
  if (verb === "wait_for_startup") {
    const seconds = Number(word ?? STARTUP_SECONDS);
    return Number.isFinite(seconds) && seconds >= 0 ? await waitForStartup(session, seconds) : -1;
  }
  if (word !== undefined) return -1;
  if (verb === "status") return await tellStatus(session);
  return verb === "health" ? await runTool(session, ["doctor"]) : -1;
}

/** The exit code; -1 for a wrong call. */
export async function runCorosync(session: Session, words: readonly string[]): Promise<number> {
  const [verb = "", what = "ring", ...more] = words;
  if (more.length > 0) return -1;
  if (verb === "status" && what === "ring") return await tellLinks(session);
  if (verb === "status" && what === "quorum") return await runTool(session, ["crm_node", "-q"]);
  if (words.length > 1) return -1;
  if (verb === "log") return await runTool(session, ["log"]);
  if (verb !== "show") return -1;
  const { installation } = servesAt(session);
  if (installation === undefined) return complain(session, unansweredText(servesAt(session)), EXIT.unavailable);
  const text = session.terminal.readText(installation.config);
  if (text === undefined) return EXIT.noInput;
  session.terminal.out(`# ${installation.config}\n${text}`);
  return EXIT.done;
}
