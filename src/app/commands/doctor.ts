/**
 * `gemel doctor [--json] [--lang en|ja]`: examines a living cluster, from this node, for what works today and will hurt
 * on the day of the fault: fencing that was never tried, leftovers of moves, times that do not fit, clocks that differ,
 * services that the system starts beside the cluster. It changes nothing and starts nothing; of init scripts it calls
 * `status` only. Exit codes: 0 nothing found; 1 findings; 64 a wrong call; 69 no manager answers.
 */
import { accessSync, constants, readdirSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { languageOf } from "../../base/language.ts";
import { childOf, childrenOf, type XmlElement } from "../../base/xml.ts";
import { verifyCib } from "../../cib/schema/verify.ts";
import type { ClockReading } from "../../cluster/core/clock-skew.ts";
import type { AdvisedTimeout, Examination, Service, WatchdogChoice } from "../../cluster/core/doctor/examination.ts";
import { examine } from "../../cluster/core/doctor/examine.ts";
import { findingText } from "../../cluster/core/doctor/texts.ts";
import { parseDurationMs } from "../../cluster/core/scheduler/facts/values.ts";
import { matchProfiles } from "../../hw/core/profile/match.ts";
import { runProcess } from "../../hw/edge/child-process.ts";
import { isModuleLoaded, readMachine } from "../../hw/edge/profile-files.ts";
import { askControl, readCommandLine } from "../control-client.ts";
import type { StatusReport } from "../control-protocol.ts";
import { agentMetadata } from "../crm/ra-level.ts";
import { fencingProblems } from "../fencing-problems.ts";
import { fitted } from "../live-view.ts";
import { operatorsLanguage } from "../operators-language.ts";
import { askOrTell, EXIT, fetchCib, wrongCall } from "./ask.ts";
import { knownProfiles } from "./hw.ts";

const FLAGS = { json: { type: "boolean" }, lang: { type: "string" } } as const;
const USAGE = "gemel doctor [--json] [--lang en|ja] [--run DIR]";
const ROOT = "/";
const INIT_DIRECTORY = "/etc/init.d";
const STATUS_WAIT_MS = 20_000;
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", HOME: "/" };

function primitivesIn(element: XmlElement): readonly XmlElement[] {
  return element.children.flatMap((child) => (child.name === "primitive" ? [child] : primitivesIn(child)));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Fact: insserv, update-rc.d(8): a link S.. in any of the run levels 2 to 5 starts the script. */
function isStartedBySysv(name: string): boolean {
  return [2, 3, 4, 5].some((level) => {
    try {
      return readdirSync(`/etc/rc${level}.d`).some((link) => /^S\d\d/.test(link) && link.slice(3) === name);
    } catch {
      return false;
    }
  });
}

async function exitOf(file: string, argv: readonly string[]): Promise<{ code: number | undefined; output: string }> {
  const { end, output } = await runProcess({ file, argv, environment: ENVIRONMENT, timeoutMs: STATUS_WAIT_MS }).done;
  return { code: end.kind === "exit" ? end.code : undefined, output: output.trim() };
}

async function examineService(primitive: XmlElement, { self, resources, transition }: StatusReport): Promise<Service> {
  const { id: resource = "", class: agentClass = "", type = "" } = primitive.attributes;
  const runsHere = resources.some(({ id, active }) => id === resource && active.some(({ node }) => node === self));
  const script = path.join(INIT_DIRECTORY, type);
  if (agentClass === "lsb" || (agentClass === "service" && isExecutable(script))) {
    const isInstalled = isExecutable(script);
    const asks = isInstalled && !transition.isRunning;
    const statusCode = asks ? (await exitOf(script, ["status"])).code : undefined;
    return { resource, kind: "lsb", name: type, isInstalled, isEnabled: isStartedBySysv(type), statusCode, runsHere };
  }
  const unit = /\.[a-z]+$/.test(type) ? type : `${type}.service`;
  const { output } = await exitOf("systemctl", ["show", "--property=LoadState,UnitFileState", "--value", unit]);
  const [load = "", file = ""] = output.split("\n");
  // Without systemd nothing is known of it, and nothing is said.
  const isInstalled = output === "" || load === "loaded";
  const isEnabled = file === "enabled";
  return { resource, kind: "systemd", name: type, isInstalled, isEnabled, statusCode: undefined, runsHere };
}

/** Start and stop of each resource beside what its agent, where it is installed here, asks for. */
function adviseTimeouts(primitive: XmlElement): readonly AdvisedTimeout[] {
  const { id: resource = "", class: agentClass, provider = "heartbeat", type = "" } = primitive.attributes;
  if (agentClass !== "ocf") return [];
  const actions = childrenOf(childOf(agentMetadata(provider, type), "actions"), "action");
  return childrenOf(childOf(primitive, "operations"), "op").flatMap(({ attributes }) => {
    const { name: operation = "", timeout } = attributes;
    const configuredMs = parseDurationMs(timeout);
    const advised = actions.find((action) => action.attributes["name"] === operation)?.attributes["timeout"];
    const advisedMs = parseDurationMs(advised);
    return configuredMs === undefined || advisedMs === undefined
      ? []
      : [{ resource, operation, configuredMs, advisedMs }];
  });
}

/** A keeper that has not told of itself yet may have armed anything. */
function examineWatchdog({ keeper }: StatusReport): WatchdogChoice | undefined {
  const [best] = matchProfiles(knownProfiles(ROOT).profiles, readMachine(ROOT));
  const module = best?.profile.watchdog?.module;
  if (best === undefined || module === undefined || keeper === undefined) return undefined;
  return { profile: best.id, module, isLoaded: isModuleLoaded(ROOT, module), armed: keeper.watchdog };
}

async function gather(
  status: StatusReport,
  configuration: XmlElement,
  clocks: readonly ClockReading[],
): Promise<Examination> {
  const primitives = primitivesIn(configuration);
  const ofSystem = primitives.filter(({ attributes }) =>
    ["lsb", "service", "systemd"].includes(attributes["class"] ?? ""),
  );
  const { keeper, fencing } = status;
  return {
    configuration,
    nowWallMs: Date.now(),
    nodes: status.nodes.map(({ name }) => name),
    isFencingEnabled: fencing.isEnabled,
    devices: fencing.devices,
    proofs: fencing.proofs,
    clocks,
    keeper:
      keeper === undefined
        ? undefined
        : {
            deadtimeMs: keeper.deadtimeMs,
            worstSilenceMs: keeper.silence.worstMs,
            watchdogMs: keeper.watchdog?.timeoutMs,
            slowLines: keeper.slowLines ?? [],
          },
    watchdog: examineWatchdog(status),
    services: await Promise.all(ofSystem.map((primitive) => examineService(primitive, status))),
    timeouts: primitives.flatMap(adviseTimeouts),
  };
}

const WORDS = {
  en: { error: "error", warning: "warning", none: "Nothing found.", verify: "problems of the configuration itself" },
  ja: { error: "エラー", warning: "警告", none: "問題は見つからない。", verify: "件の構成上の問題" },
} as const;

export async function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(argv, FLAGS);
  if (called.kind === "wrong" || called.words.length > 0)
    return wrongCall("gemel doctor", called.kind === "wrong" ? called.reason : "it takes no words", USAGE);
  const { socketPath, flags } = called;
  const status = await askOrTell("gemel doctor", socketPath, { kind: "status" });
  if (status.kind === "failed") return status.exitCode;
  const cib = await fetchCib("gemel doctor", socketPath);
  if (typeof cib === "number") return cib;
  const asked = await askControl(socketPath, { kind: "clocks" });
  const clocks = asked.kind === "answer" ? asked.value.readings : [];
  const configuration = childOf(cib, "configuration") ?? cib;
  const findings = examine(await gather(status.value, configuration, clocks));
  const problems = [...verifyCib(cib), ...fencingProblems(configuration)];
  if (flags["json"] === true) {
    process.stdout.write(`${JSON.stringify({ findings, configuration: problems }, undefined, 2)}\n`);
    return findings.length + problems.length === 0 ? EXIT.done : EXIT.refused;
  }
  const language = typeof flags["lang"] === "string" ? languageOf(flags["lang"]) : operatorsLanguage();
  const words = WORDS[language];
  for (const { severity, code, values } of findings) {
    const { what, doNow } = findingText(language, code, values);
    process.stdout.write(fitted(`${words[severity]}: ${what}\n    -> ${doNow}\n`));
  }
  const worst = words[problems.some(({ severity }) => severity === "error") ? "error" : "warning"];
  if (problems.length > 0)
    process.stdout.write(`${worst}: ${problems.length} ${words.verify}\n    -> gemel verify -L\n`);
  if (findings.length + problems.length > 0) return EXIT.refused;
  process.stdout.write(`${words.none}\n`);
  return EXIT.done;
}
