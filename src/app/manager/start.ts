/**
 * From arguments to a running manager: configuration, disk, keeper, then the loop. A configuration that is refused ends
 * with all its problems and exit code 78 before anything is touched.
 */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { formatProblem, type Problem } from "../../base/problem.ts";
import { type NodeConfig, readNodeConfig } from "../../cib/node-config.ts";
import { NO_ATTRIBUTES } from "../../cluster/core/attributes.ts";
import type { StoredCib } from "../../cluster/core/cib-store/types.ts";
import { createNode, nodeCib } from "../../cluster/core/controller/node-core.ts";
import { createPingScores, dampenOf } from "../../cluster/core/keeper/ping-scores.ts";
import { linkAttributes } from "../../cluster/core/link-attributes.ts";
import { createChannel } from "../../cluster/core/messaging/channel.ts";
import { type CibFiles, openCibFiles, readInitialCib } from "../../cluster/edge/cib-files.ts";
import { AGENT_PATH, createAgentRunner } from "../../cluster/edge/resource-agent.ts";
import { USUAL_PATHS } from "../../cluster/edge/resource-agent-classes.ts";
import type { FencingRecord } from "../../fencing/core/fencer-state.ts";
import type { Proof } from "../../fencing/core/proofs.ts";
import { isListOf, openRecordFile } from "../../fencing/edge/record-file.ts";
import { openResourceGroups } from "../../hw/edge/cgroup.ts";
import { mapProgramCode } from "../../hw/edge/memory-lock.ts";
import { readMachine } from "../../hw/edge/profile-files.ts";
import { machineMs, type ToManager } from "../keeper-pipe.ts";
import { refuseRequest } from "./access-desk.ts";
import { writeAgentTools } from "./agent-tools.ts";
import { createAlertDesk } from "./alert-desk.ts";
import { openBegunNotes } from "./begun-notes.ts";
import { openBlackBox } from "./black-box.ts";
import { watchClocks } from "./clock-watch.ts";
import { clusterSight } from "./cluster-sight.ts";
import { openControlServer } from "./control-server.ts";
import { createDrbdDesk } from "./drbd-desk.ts";
import { createFencingDesk } from "./fencing-desk.ts";
import { takeRecord, tellAlerts, tellProofs } from "./fencing-news.ts";
import { findVersion } from "./history-desk.ts";
import { openKeeperLink } from "./keeper-link.ts";
import { openKeeperMemo } from "./keeper-memo.ts";
import { takeFrame } from "./keeper-words.ts";
import { watchLeases } from "./lease-desk.ts";
import { createLogBook, type LogBook } from "./log.ts";
import { feed, feedAttributes, type Manager, nowMs, refresh, takeFenced } from "./manager.ts";
import { createRehearsal } from "./rehearsal.ts";
import { answerRequest, askDrbd, takeMessage } from "./requests.ts";
import { createDecider, createReader } from "./schedule.ts";
import { statusFor, statusReport } from "./status-report.ts";
import { unfence } from "./unfence.ts";
import { watchForWatchdog } from "./watchdog-note.ts";

export interface ManagerOptions {
  readonly config: string;
  readonly state: string;
  readonly run: string;
  /** Which of the configured nodes this is; the host's name without it. */
  readonly name: string | undefined;
}

/** EX_CONFIG of sysexits.h: the keeper does not try again. */
const CONFIGURATION_REFUSED = 78;
/** Beside the configuration file, as authkeys is. */
const SECRETS_FILE = "secrets";

function tell(problems: readonly Problem[]): void {
  for (const one of problems) process.stderr.write(`${formatProblem(one)}\n`);
}

async function readConfig(file: string): Promise<NodeConfig | undefined> {
  const read = readNodeConfig(await readFile(file, "utf8"), file);
  if (read.kind === "valid") return read.value;
  tell(read.problems);
  return undefined;
}

/** What the disk holds, else the configuration file of the cluster; undefined when that one is refused. */
async function readStored(
  files: CibFiles,
  config: NodeConfig,
  configFile: string,
): Promise<{ readonly stored: StoredCib | undefined } | undefined> {
  tell(files.problems);
  if (files.stored !== undefined || config.configuration === undefined) return { stored: files.stored };
  const file = path.resolve(path.dirname(configFile), config.configuration);
  const initial = await readInitialCib(file, Date.now());
  if (initial.kind === "invalid") {
    tell(initial.problems);
    return undefined;
  }
  tell(initial.warnings);
  await files.write(initial.value);
  return { stored: initial.value };
}

interface Prepared {
  readonly options: ManagerOptions;
  readonly config: NodeConfig;
  readonly self: string;
  readonly files: CibFiles;
  readonly stored: StoredCib | undefined;
  readonly book: LogBook;
}

function build(
  prepared: Prepared,
  { session, hasForerunner }: ToManager & { readonly kind: "start" },
  link: ReturnType<typeof openKeeperLink>,
): Manager {
  const { options, config, self, files, stored, book } = prepared;
  const { log } = book;
  const fencingFile = (name: string) => path.join(options.state, "fencing", name);
  const tell = (reason: string) => log("error", reason);
  const certificates = openRecordFile(fencingFile("certificates.json"), isListOf<FencingRecord>("target"), tell);
  const proofFile = openRecordFile(fencingFile("proofs.json"), isListOf<Proof>("device"), tell);
  for (const { damage } of [certificates, proofFile]) if (damage !== undefined) log("warning", damage);
  const fencing = createFencingDesk({
    self,
    sight: clusterSight(self, () => manager),
    history: (certificates.stored ?? []).filter(({ node }) => node === self),
    proofFile,
    ownUuid: readMachine("/").uuid,
    secretsFile: path.join(path.dirname(options.config), SECRETS_FILE),
    nowMs,
    log,
    onFenced: (record) => takeFenced(manager, record),
    onRecord: (record) => takeRecord(manager, record),
    onProofs: () => {
      if (isBuilt) tellProofs(manager);
    },
    onChange: () => {
      // The first configuration is read while the manager is still being made.
      if (isBuilt) refresh(manager);
    },
  });
  const drbd = createDrbdDesk({
    nowMs,
    view: () => manager.view,
    askPeer: (peer, resource) => askDrbd(manager, peer, resource),
    log,
    onChange: () => {
      feed(manager, { kind: "look", agentType: "drbd" });
      refresh(manager);
    },
    onWait: (wait) => feed(manager, { kind: "disk", wait }),
  });
  const tools = writeAgentTools(options.run);
  // Agents call the tools of the field by PATH or by this directory.
  const environment = { GEMEL_RUN: options.run, PATH: `${tools}:${AGENT_PATH}`, HA_SBIN_DIR: tools };
  const groups = openResourceGroups(options.run);
  if ("reason" in groups) log("warning", `resources have no cgroups of their own: ${groups.reason}`);
  const agents = createAgentRunner(
    {
      runDirectory: options.run,
      node: self,
      paths: { ...USUAL_PATHS, ocfRoot: config.agents },
      replacesHeartbeat: true,
      ...("reason" in groups ? {} : { groups }),
      fencing: (run) => fencing.operate(run),
      isDrbdCurrent: (resource) => drbd.isCurrent(resource),
      environment,
      log: (line) => log("warning", line),
      tellLease: (lock, untilMs) =>
        link.send({
          kind: "lock-lease",
          lock,
          untilMs: untilMs === undefined ? null : machineMs() + untilMs - performance.now(),
        }),
    },
    (event) => feed(manager, event),
  );
  let isBuilt = false;
  const decider = createDecider(log);
  const memo = openKeeperMemo(options.run, session, log);
  const notes = openBegunNotes(options.run, log);
  const { fenced, kept } = memo;
  const { begun } = notes;
  const incarnation = randomUUID();
  const nodes = config.nodes.map(({ id, name }) => ({ id: String(id), name }));
  const actionLimit = 2 * os.availableParallelism();
  const manager: Manager = {
    self,
    hasForerunner,
    node: createNode({ self, incarnation, session, actionLimit, stored, nodes, fenced, begun, kept }, nowMs()),
    channel: createChannel(session, true),
    view: undefined,
    pings: createPingScores(nowMs()),
    dampenMs: dampenOf(config.keepaliveMs),
    attributes: NO_ATTRIBUTES,
    keeper: undefined,
    files,
    agents,
    fencing,
    unfence: (target) => unfence(manager, target),
    drbd,
    alerts: createAlertDesk({
      runDirectory: options.run,
      environment,
      hasForerunner,
      log,
      onChange: () => {
        tellAlerts(manager);
        refresh(manager);
      },
    }),
    blackBox: openBlackBox(path.join(options.state, "journal"), log),
    decider,
    read: createReader(decider.decide),
    rehearsal: createRehearsal(() => nodeCib(manager.node), self, decider, log),
    book,
    log,
    toKeeper: link.send,
    memo,
    keepBegun: notes.keep,
    control: undefined,
    records: certificates.stored ?? [],
    keepRecords: certificates.keep,
    peerProofs: new Map(),
    peerAlerts: new Map(),
    clocks: [],
    answers: new Map(),
    asked: new Map(),
    onMessage: takeMessage,
    onLeft: (clean) => {
      if (clean) link.send({ kind: "stopped" });
      else link.send({ kind: "self-fence", reason: "the resources of this node could not be stopped" });
      // The keeper ends this process once it has read that. One that ended by itself could take the word along: a
      // keeper that is late writes first, meets a pipe without an end, and drops what it has not read.
      manager.control?.close();
    },
    nextAsk: 1,
    timer: undefined,
  };
  isBuilt = true;
  const cib = nodeCib(manager.node);
  fencing.configure(cib);
  if (JSON.stringify(cib.children[0]).includes('"type":"drbd"')) drbd.watch();
  return manager;
}

/** Resolves with the exit code when the manager must not start; else it runs until it is told to end. */
export async function startManager(options: ManagerOptions): Promise<number> {
  const config = await readConfig(options.config);
  if (config === undefined) return CONFIGURATION_REFUSED;
  const self = options.name ?? os.hostname();
  if (!config.nodes.some(({ name }) => name === self)) {
    process.stderr.write(`${options.config}: error: it names no node ${self}; write a line: node ${self} id NUMBER\n`);
    return CONFIGURATION_REFUSED;
  }
  const book = createLogBook(nowMs);
  const onTrouble = (trouble: Problem) => book.log(trouble.severity, formatProblem(trouble));
  const files = await openCibFiles(path.join(options.state, "cib"), onTrouble);
  const read = await readStored(files, config, options.config);
  if (read === undefined) return CONFIGURATION_REFUSED;
  await runWithKeeper({ options, config, self, files, stored: read.stored, book });
  return 0;
}

/** Of this node's own ends; also what a change of the status section has taken away. */
function tellLinks(manager: Manager): void {
  const { view, node, dampenMs } = manager;
  if (view === undefined) return;
  for (const update of linkAttributes(view, nodeCib(node), dampenMs)) feedAttributes(manager, update);
}

async function runWithKeeper(prepared: Prepared): Promise<never> {
  const { config } = prepared;
  let manager: Manager | undefined;
  const early: ToManager[] = [];
  const onFrame = (frame: ToManager) => {
    if (frame.kind === "start") {
      manager = build(prepared, frame, link);
      // What an earlier manager has begun and nobody has configured any more is looked at now.
      feed(manager, { kind: "tick" });
      void serve(manager, prepared.options.run);
      for (const waiting of early.splice(0)) takeFrame(manager, waiting);
    } else if (manager === undefined) early.push(frame);
    else takeFrame(manager, frame);
    if (manager !== undefined && config.linkAttributes && (frame.kind === "view" || frame.kind === "report"))
      tellLinks(manager);
  };
  const link = openKeeperLink(onFrame, () => {
    process.stderr.write("the keeper has gone, so the manager goes as well\n");
    process.exit(1);
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.on(signal, () => {
      if (manager === undefined) process.exit(0);
      else feed(manager, { kind: "stop", hasForerunner: manager.hasForerunner });
    });
  return await new Promise<never>(() => {});
}

/** As often as the kernel counts. */
const LOAD_EVERY_MS = 5_000;

/** Told as it changes, to a tenth. */
function watchLoad(tell: (load: number) => void): void {
  let told = 0;
  setInterval(() => {
    const load = Math.round((10 * (os.loadavg()[0] ?? 0)) / os.availableParallelism()) / 10;
    if (load === told) return;
    told = load;
    tell(load);
  }, LOAD_EVERY_MS);
}

async function serve(manager: Manager, runDirectory: string): Promise<void> {
  manager.control = await openControlServer(
    runDirectory,
    (request, person) => answerRequest(manager, request, person),
    async () => {
      const report = await statusReport(manager);
      return (person) => statusFor(report, nodeCib(manager.node), person);
    },
    (request, person) => refuseRequest(nodeCib(manager.node), person, request),
  );
  watchForWatchdog(manager);
  watchLoad((load) => feed(manager, { kind: "load", load }));
  watchClocks(manager);
  watchLeases(manager, (version) => findVersion(manager, version));
  try {
    mapProgramCode();
  } catch (error) {
    manager.log("info", `code is read from the disk when it is needed: ${String(error)}`);
  }
  manager.log("info", `manager of ${manager.self} is up`);
}
