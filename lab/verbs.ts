/** The commands of a running lab: what each does to it, and what it says. The command line has been checked before. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Call, CommandName } from "./arguments.ts";
import type { Lab } from "./lab.ts";
import type { Machine } from "./machine/machine.ts";
import { NODES, type NodeName, peerOf } from "./names.ts";
import { nodeDirectory } from "./place.ts";
import { runBoards } from "./tour/boards.ts";
import { runDemo, verifyNow } from "./tour/demo.ts";
import { runSite } from "./tour/site.ts";
import { runSoak } from "./tour/soak.ts";
import { runTroubles } from "./tour/troubles.ts";
import { memoryOf } from "./watch/memory.ts";
import { drawPicture } from "./watch/view.ts";

const ROUNDS_DEFAULT = 20;
const LOG_LINES = 40;
/** A shell command of `run` may take as long as a synchronisation. */
const RUN_MAX_MS = 600_000;

/** The picture of the pair as it is now. */
export function pictureOf({ place, pair, watcher, client, ...lab }: Lab): string[] {
  const entries = <Value>(of: (node: NodeName) => Value | undefined) =>
    Object.fromEntries(NODES.flatMap((node) => (of(node) === undefined ? [] : [[node, of(node)]])));
  return drawPicture({
    lab: place.name,
    samples: entries((node) => watcher.latest(node)),
    statuses: entries((node) => watcher.status(node)),
    cutLinks: pair.cutLinks(),
    noise: pair.noise(),
    brokenDisks: NODES.filter((node) => pair.machines[node].isDiskBroken()),
    events: lab.recentEvents(),
    hungBmcs: NODES.filter((node) => pair.machines[node].bmc.isFrozen()),
    vices: NODES.map((node) => [node, pair.machines[node].power.vice()] as const).filter(([, vice]) => vice !== "none"),
    client: client.progress(),
    violationCount: watcher.writers().violations.length,
  });
}

type Tell = (line: string) => void;

/** Said to whoever asked, and written into the lab's events. */
function done(lab: Lab, tell: Tell, said: string): void {
  lab.say(said);
  tell(said);
}

async function strike(lab: Lab, { command, node }: Call, tell: Tell): Promise<number> {
  const target = node ?? lab.active();
  const machine = lab.pair.machines[target];
  if (command !== "bmc-down" && !machine.isOn()) {
    tell(`${command}: ${target} has no power; press its button: power-on ${target}`);
    return 1;
  }
  if (command === "power-cut") await machine.powerCut();
  else if (command === "freeze") await machine.freeze();
  else if (command === "panic") await machine.panic();
  else if (command === "bmc-down") machine.bmc.freeze();
  else machine.breakDisk();
  done(lab, tell, `${command} ${target}`);
  return 0;
}

function setVice(lab: Lab, { node, vice }: Call, tell: Tell): number {
  if (vice === undefined) return 64;
  const target = node ?? lab.active();
  lab.pair.machines[target].power.setVice(vice);
  done(lab, tell, `bmc-vice ${vice} ${target}`);
  return 0;
}

/** What each mending command ends: how to see that it is there, and how to end it. */
const MENDINGS: Partial<
  Record<CommandName, { has(machine: Machine): boolean; mend(machine: Machine): Promise<void> | void }>
> = {
  "power-on": { has: (machine) => !machine.isOn(), mend: (machine) => machine.powerOn() },
  thaw: { has: (machine) => machine.isFrozen(), mend: (machine) => machine.thaw() },
  "bmc-up": { has: ({ bmc }) => bmc.isFrozen(), mend: ({ bmc }) => bmc.thaw() },
  "disk-mend": { has: (machine) => machine.isDiskBroken(), mend: (machine) => machine.mendDisk() },
};

/** Undoes a fault on the named node, or on every node that has it. */
async function mend(lab: Lab, { command, node }: Call, tell: Tell): Promise<number> {
  const { machines } = lab.pair;
  const mending = MENDINGS[command];
  const targets = (node === undefined ? NODES : [node]).filter((name) => mending?.has(machines[name]) === true);
  if (mending === undefined || targets.length === 0) {
    tell(`${command}: ${node ?? "no node"} ${node === undefined ? "needs" : "does not need"} it`);
    return 1;
  }
  for (const target of targets) {
    await mending.mend(machines[target]);
    done(lab, tell, `${command} ${target}`);
  }
  return 0;
}

function cut(lab: Lab, { link, node }: Call, tell: Tell): number {
  if (link === undefined) return 64;
  lab.pair.cut(link, node);
  done(lab, tell, `cut ${link}${node === undefined ? "" : ` of ${node}`}`);
  return 0;
}

function join(lab: Lab, { link, node }: Call, tell: Tell): number {
  const links = link === undefined ? lab.pair.cutLinks() : [link];
  if (links.length === 0) {
    tell("join: no link is cut");
    return 1;
  }
  for (const each of links) {
    lab.pair.join(each, node);
    done(lab, tell, `join ${each}${node === undefined ? "" : ` of ${node}`}`);
  }
  return 0;
}

/** The peer's password for the node's BMC, spoilt or mended; the peer reads it anew for each fencing. */
async function switchPassword(lab: Lab, node: NodeName, tell: Tell): Promise<number> {
  const peer = peerOf(node);
  const { machines } = lab.pair;
  const secrets = await machines[peer].must("cat /data/gemel/secrets");
  const right = `bmc-${node}=${machines[node].bmc.account.password}`;
  const spoils = secrets.includes(right);
  const line = spoils ? `bmc-${node}=not-the-password` : right;
  await machines[peer].must(`sed -i 's/^bmc-${node}=.*/${line}/' /data/gemel/secrets`);
  done(lab, tell, `bmc-password ${node}: ${peer} has ${spoils ? "a wrong" : "the right"} one now`);
  return 0;
}

/** What a node that is off or hangs has said last. */
function consoleEnd({ place }: Lab, node: NodeName): string {
  const file = path.join(nodeDirectory(place, node), "console.log");
  return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n").slice(-LOG_LINES).join("\n") : "";
}

async function showLogs(lab: Lab, node: NodeName | undefined, tell: Tell): Promise<number> {
  for (const name of node === undefined ? NODES : [node]) {
    const answer = await lab.pair.machines[name].run(`tail -n ${LOG_LINES} /data/log/gemel.log`);
    tell(`== ${name}${answer === undefined ? " gives no answer; the end of its serial console:" : ""}`);
    for (const line of (answer?.output ?? consoleEnd(lab, name)).trimEnd().split("\n")) tell(line);
  }
  return 0;
}

async function showMemory(lab: Lab, tell: Tell): Promise<number> {
  for (const node of NODES) {
    tell(node);
    for (const line of await memoryOf(lab.pair.machines[node])) tell(line);
  }
  return 0;
}

async function runOn(lab: Lab, { node, words = "" }: Call, tell: Tell): Promise<number> {
  if (node === undefined) return 64;
  const answer = await lab.pair.machines[node].run(words, RUN_MAX_MS);
  tell(answer === undefined ? `${node} gave no answer` : answer.output.trimEnd());
  return answer?.exitCode ?? 1;
}

function write(lab: Lab, count: number | undefined, tell: Tell): Promise<number> {
  if (lab.client.progress().isWriting) {
    tell("the client writes already; see `status`");
    return Promise.resolve(1);
  }
  if (count === undefined) {
    lab.client.write(undefined, () => {});
    tell("the client writes; `status` counts, `verify` checks");
    return Promise.resolve(0);
  }
  return new Promise((resolve) => {
    lab.client.write(count, () => {
      tell(`${lab.client.acknowledged().length} records are acknowledged`);
      resolve(0);
    });
  });
}

/** Runs one command and answers with its exit code. Rejects when the lab cannot do it; the message says why. */
export async function runVerb(lab: Lab, call: Call, tell: Tell): Promise<number> {
  switch (call.command) {
    case "power-cut":
    case "freeze":
    case "panic":
    case "bmc-down":
    case "disk-error":
      return strike(lab, call, tell);
    case "power-on":
    case "thaw":
    case "bmc-up":
    case "disk-mend":
      return mend(lab, call, tell);
    case "bmc-vice":
      return setVice(lab, call, tell);
    case "bmc-password":
      return switchPassword(lab, call.node ?? lab.active(), tell);
    case "cut":
      return cut(lab, call, tell);
    case "join":
      return join(lab, call, tell);
    case "split":
      lab.pair.split(peerOf(lab.active()));
      done(lab, tell, "split: the nodes do not hear each other on any link; `join` ends it");
      return 0;
    case "noise":
      lab.pair.setNoise((call.count ?? 0) / 100);
      done(lab, tell, `noise on the serial cable: ${call.count ?? 0} % of the bytes`);
      return 0;
    case "status":
    case "watch":
      for (const line of pictureOf(lab)) tell(line);
      return 0;
    case "write":
      return write(lab, call.count, tell);
    case "verify":
      return (await verifyNow(lab)) ? 0 : 1;
    case "logs":
      return showLogs(lab, call.node, tell);
    case "memory":
      return showMemory(lab, tell);
    case "run":
      return runOn(lab, call, tell);
    case "demo":
      return runDemo(lab);
    case "boards":
      return runBoards(lab, call.rows);
    case "site":
      return runSite(lab);
    case "troubles":
      return runTroubles(lab, call.rows);
    case "soak":
      return runSoak(lab, call.count ?? ROUNDS_DEFAULT, call.strike ?? "power-cut");
    case "up":
    case "down":
    case "console":
    case "help":
      throw new Error(`${call.command} is no command of a running lab`);
  }
}
