/** The commands of a running lab: what each does to it, and what it says. The command line has been checked before. */
import type { Call } from "./arguments.ts";
import type { Lab } from "./lab.ts";
import { NODES, type NodeName } from "./names.ts";
import { runDemo, verifyNow } from "./tour/demo.ts";
import { runSoak } from "./tour/soak.ts";
import { drawPicture } from "./watch/view.ts";

const ROUNDS_DEFAULT = 20;
const LOG_LINES = 40;
/** A shell command of `run` may take as long as a synchronisation. */
const RUN_MAX_MS = 600_000;

/** The picture of the pair as it is now. */
export function pictureOf({ place, pair, watcher, client }: Lab): string[] {
  const entries = <Value>(of: (node: NodeName) => Value | undefined) =>
    Object.fromEntries(NODES.flatMap((node) => (of(node) === undefined ? [] : [[node, of(node)]])));
  return drawPicture({
    lab: place.name,
    samples: entries((node) => watcher.latest(node)),
    statuses: entries((node) => watcher.status(node)),
    cutLinks: pair.cutLinks(),
    hungBmcs: NODES.filter((node) => pair.machines[node].bmc.isFrozen()),
    client: client.progress(),
    violationCount: watcher.writers().violations.length,
  });
}

type Tell = (line: string) => void;

async function strike(lab: Lab, { command, node }: Call, tell: Tell): Promise<void> {
  const target = node ?? lab.active();
  const machine = lab.pair.machines[target];
  if (command === "power-cut") await machine.powerCut();
  else if (command === "freeze") await machine.freeze();
  else if (command === "panic") await machine.panic();
  else if (command === "bmc-down") machine.bmc.freeze();
  else await machine.breakDisk();
  lab.say(`${command} ${target}`);
  tell(`${command}: ${target}`);
}

/** Undoes a fault on the named node, or on every node that has it. */
async function mend(lab: Lab, { command, node }: Call, tell: Tell): Promise<number> {
  const { machines } = lab.pair;
  const needs = (name: NodeName): boolean => {
    if (command === "power-on") return !machines[name].isOn();
    return command === "thaw" ? machines[name].isFrozen() : machines[name].bmc.isFrozen();
  };
  const targets = node === undefined ? NODES.filter(command === "disk-mend" ? () => true : needs) : [node];
  if (targets.length === 0) {
    tell(`${command}: no node needs it`);
    return 1;
  }
  for (const target of targets) {
    const machine = machines[target];
    if (command === "power-on") await machine.powerOn();
    else if (command === "thaw") await machine.thaw();
    else if (command === "bmc-up") machine.bmc.thaw();
    else await machine.mendDisk();
    lab.say(`${command} ${target}`);
    tell(`${command}: ${target}`);
  }
  return 0;
}

function switchLink(lab: Lab, { command, link, node }: Call, tell: Tell): number {
  if (link === undefined) return 64;
  if (command === "cut") lab.pair.cut(link, node);
  else lab.pair.join(link, node);
  const said = `${command} ${link}${node === undefined ? "" : ` of ${node}`}`;
  lab.say(said);
  tell(said);
  return 0;
}

async function showLogs(lab: Lab, node: NodeName | undefined, tell: Tell): Promise<number> {
  for (const name of node === undefined ? NODES : [node]) {
    const answer = await lab.pair.machines[name].run(`tail -n ${LOG_LINES} /data/log/gemel.log`);
    tell(`== ${name}${answer === undefined ? ": no answer" : ""}`);
    for (const line of answer?.output.trimEnd().split("\n") ?? []) tell(line);
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
      await strike(lab, call, tell);
      return 0;
    case "power-on":
    case "thaw":
    case "bmc-up":
    case "disk-mend":
      return mend(lab, call, tell);
    case "cut":
    case "join":
      return switchLink(lab, call, tell);
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
    case "run":
      return runOn(lab, call, tell);
    case "demo":
      return runDemo(lab);
    case "soak":
      return runSoak(lab, call.count ?? ROUNDS_DEFAULT);
    case "up":
    case "down":
    case "console":
    case "help":
      throw new Error(`${call.command} is no command of a running lab`);
  }
}
