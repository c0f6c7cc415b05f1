/**
 * A scenario: plain text. A line is a verb of faults.ts with words and `name=value` options; `site` comes first and
 * says what the site is made of; `seed N` names the chance of what is left to it; `run MS` lets time pass; after the
 * last line everything is mended and the site must come to rest. Below `----` stands what must have happened, in that
 * order: a piece of a line of the story, `12000 text` when it must have happened by then; `never text` for what must
 * not have.
 */
import { check } from "../base/check.ts";
import type { Command } from "./command.ts";
import { befall } from "./faults.ts";
import { heal } from "./heal.ts";
import type { LinkSetting } from "./network.ts";
import { QUORUM_POLICIES, type Setting, TIE_BREAKERS, USUAL_SETTING } from "./setting.ts";
import { type RunOptions, World } from "./world.ts";

export interface Scenario {
  readonly seed: number;
  readonly lines: readonly string[];
  readonly expected: readonly string[];
}

export function readScenario(text: string): Scenario {
  const [lines, expected] = [[] as string[], [] as string[]];
  let isBelow = false;
  let seed = 1;
  for (const line of text.split("\n").map((one) => one.trim())) {
    if (line === "----") isBelow = true;
    else if (line.startsWith("seed ")) seed = Number(line.slice(5));
    else if (line !== "" && !line.startsWith("#")) (isBelow ? expected : lines).push(line);
  }
  return { seed, lines, expected };
}

export function readCommand(line: string): Command {
  const [verb = "", ...parts] = line.split(/\s+/);
  const isOption = (part: string) => part.includes("=");
  const options = parts.filter(isOption).map((part): [string, string] => {
    const at = part.indexOf("=");
    return [part.slice(0, at), part.slice(at + 1)];
  });
  return { verb, words: parts.filter((part) => !isOption(part)), options: Object.fromEntries(options) };
}

const TIMES = [
  "keepaliveMs",
  "warntimeMs",
  "deadtimeMs",
  "initdeadMs",
  "watchdogMs",
  "leaseMs",
  "boardMs",
  "monitorMs",
] as const;
const DELAY_MS = { udp: 1, serial: 40 } as const;

function readLink(name: string): LinkSetting {
  const kind = name.startsWith("tty") ? "serial" : "udp";
  return { name, kind, delayMs: DELAY_MS[kind] };
}

const WORDS = [
  ...["nodes", "links", "self", "board", "second", "action", "services", "storage", "ping"],
  ...["tie", "wait", "policy", "baud"],
];
const STORAGES = ["local", "drbd", "sfex", "stateful"] as const;
const SECONDS = ["none", "strip", "person", "lock", "watchdog"] as const;

/** The setting that a `site` line describes; what it does not say is usual. */
export function readSetting({ options }: Command): Setting {
  const known = [...TIMES, ...WORDS];
  for (const name of Object.keys(options)) check(known.includes(name), `site: no option ${name}; ${known.join(", ")}`);
  const times = Object.fromEntries(
    TIMES.flatMap((name) => (options[name] === undefined ? [] : [[name, Number(options[name])]])),
  );
  const { links, self, board, second, action } = options;
  const storage = STORAGES.find((one) => one === options["storage"]) ?? "local";
  check(storage === "local" || options["services"] !== "single", `storage=${storage} is for services=group`);
  check(options["ping"] === undefined || options["services"] !== "single", "ping=router is for services=group");
  check(storage !== "drbd" || Number(options["nodes"] ?? 2) === 2, "storage=drbd is for two nodes");
  check(second !== "lock" || storage === "sfex", "second=lock is for storage=sfex");
  const tieBreaker = TIE_BREAKERS.find((one) => one === options["tie"]) ?? "none";
  check(tieBreaker !== "ping" || options["ping"] === "router", "tie=ping wants ping=router");
  const canTell = Number(options["nodes"] ?? 2) > 2 || tieBreaker === "disk";
  const counts = second !== "watchdog" || (canTell && Number(options["leaseMs"] ?? 0) > 0);
  check(counts, "second=watchdog is for three nodes or more, or for tie=disk, with leaseMs");
  return {
    ...USUAL_SETTING,
    ...times,
    storage,
    hasPing: options["ping"] === "router",
    nodeCount: Number(options["nodes"] ?? USUAL_SETTING.nodeCount),
    baud: Number(options["baud"] ?? USUAL_SETTING.baud),
    links: links === undefined ? USUAL_SETTING.links : links.split(",").map(readLink),
    selfFencing: self === "watchdog" ? "watchdog" : "reboot",
    boardDiesWithHost: board !== "own-supply",
    second: SECONDS.find((one) => one === second) ?? "none",
    stonithAction: action === "off" ? "off" : "reboot",
    isGrouped: options["services"] !== "single",
    tieBreaker,
    waitForAll: options["wait"] === "all",
    quorumPolicy: QUORUM_POLICIES.find((one) => one === options["policy"]) ?? "stop",
  };
}

/** As the `site` line of a plan. */
export function printSetting(setting: Setting): string {
  const times = TIMES.map((name) => `${name}=${setting[name]}`);
  const { nodeCount, links, selfFencing, boardDiesWithHost, second, stonithAction, isGrouped, storage, hasPing } =
    setting;
  const { tieBreaker, waitForAll, quorumPolicy, baud } = setting;
  const words = [
    `nodes=${nodeCount}`,
    `links=${links.map(({ name }) => name).join(",")}`,
    ...times,
    `self=${selfFencing}`,
    `board=${boardDiesWithHost ? "host-supply" : "own-supply"}`,
    `second=${second}`,
    `action=${stonithAction}`,
    `services=${isGrouped ? "group" : "single"}`,
    ...(storage === "local" ? [] : [`storage=${storage}`]),
    ...(baud === 0 ? [] : [`baud=${baud}`]),
    ...(hasPing ? ["ping=router"] : []),
    ...(tieBreaker === "none" ? [] : [`tie=${tieBreaker}`]),
    ...(waitForAll ? ["wait=all"] : []),
    ...(quorumPolicy === "stop" ? [] : [`policy=${quorumPolicy}`]),
  ];
  return `site ${words.join(" ")}`;
}

/** Plays the lines, mends everything and waits for rest. Throws a Violation when an invariant breaks. */
export function play(seed: number, lines: readonly string[], options: RunOptions = {}): World {
  const commands = lines.map(readCommand);
  const [first, ...others] = commands;
  check(first?.verb === "site", "a scenario begins with `site`");
  const world = new World(seed, readSetting(first), options);
  for (const machine of world.machines) machine.switchOn();
  for (const command of others) {
    if (command.verb === "run") world.run(Number(command.words[0]));
    else befall(world, command);
  }
  heal(world);
  return world;
}

/** What of the expectations did not come true; empty when all did. */
export function judgeStory({ story }: World, expected: readonly string[]): readonly string[] {
  const missing: string[] = [];
  let at = 0;
  for (const line of expected) {
    const never = /^never (.+)$/.exec(line)?.[1];
    if (never !== undefined) {
      const found = story.find(({ text }) => text.includes(never));
      if (found !== undefined) missing.push(`${line}: but at ${Math.round(found.atMs)} ms: ${found.text}`);
      continue;
    }
    const [, limit, text = line] = /^(?:(\d+) )?(.+)$/.exec(line) ?? [];
    const found = story.findIndex((told, index) => index >= at && told.text.includes(text));
    if (found < 0) missing.push(`${line}: it did not happen, or not in this order`);
    else if (limit !== undefined && (story[found]?.atMs ?? 0) > Number(limit))
      missing.push(`${line}: only at ${Math.round(story[found]?.atMs ?? 0)} ms`);
    if (found >= 0) at = found + 1;
  }
  return missing;
}
