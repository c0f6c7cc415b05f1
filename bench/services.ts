/**
 * Real services on a real pair in network namespaces (keepalive 200 ms, deadtime 5 s, fencing disabled, monitors each
 * 3 s): a PostgreSQL on a shared ext4 disk outlives its node with every acknowledged row; apache, nginx and an init
 * script are started again when they are killed; a mount that somebody holds has its holder named; a site of
 * haresources goes back to its owner, or stays, as auto_failback says.
 * Bar: every line says ok. Needs root, postgresql-15, apache2-bin, nginx, curl and the field's agents.
 * Run: `npm run bench -- services [database] [web] [failback]`; all of them without a name.
 */
import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { check } from "../src/base/check.ts";
import { importSite } from "../src/cib/heartbeat/import-site.ts";
import { ADDRESS, LOSING_TIMES, NODES, type NodeName, type NodePair, openNodePair } from "../test/app/node-pair.ts";

const UNTIL_MS = 180_000;
const OPTIONS = "property stonith-enabled=false no-quorum-policy=ignore\n";
const TIMES = "op start timeout=120s op stop timeout=120s op monitor interval=3s timeout=60s";
const ADDRESS_LINE = `primitive ip ocf:gemel:IPaddr2 params ip=${ADDRESS} cidr_netmask=24 nic=service ${TIMES}\n`;

const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-services-"));
chmodSync(folder, 0o755);
const place = (name: string) => path.join(folder, name);
let faults = 0;

function tell(what: string, isWell: boolean, figure: string): void {
  process.stdout.write(`${isWell ? "ok    " : "FAILED"}  ${what}: ${figure}\n`);
  if (!isWell) faults += 1;
}

const run = (file: string, ...argv: readonly string[]) =>
  execFileSync(file, argv, { stdio: ["ignore", "pipe", "pipe"] }).toString();

/** In a namespace; undefined when it ends with anything but 0. */
function at(space: string, ...argv: readonly string[]): string | undefined {
  try {
    return run("ip", "netns", "exec", space, ...argv);
  } catch {
    return undefined;
  }
}

const seconds = (fromMs: number) => `${((performance.now() - fromMs) / 1000).toFixed(1)} s`;
const processesOf = (space: string) => run("ip", "netns", "pids", space).split("\n").filter(Boolean).map(Number);

/** Everything that runs on the node ends at once. */
function endAll(pair: NodePair, node: NodeName): void {
  for (const pid of processesOf(pair.space(node))) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // An operation that has ended since it was listed.
    }
  }
}

/** Its cables are dead as well. */
function powerCut(pair: NodePair, node: NodeName): void {
  endAll(pair, node);
  pair.cut(node);
}

const activeOf = async (pair: NodePair, id: string) => {
  for (const node of NODES) {
    const status = await pair.status(node);
    const found = status?.resources.find((resource) => resource.id === id);
    if (found !== undefined) return found.active.map((active) => active.node);
  }
  return [];
};

async function startBoth(pair: NodePair): Promise<void> {
  for (const node of NODES) pair.start(node);
  await untilQuiet(pair);
}

/** Both online and nothing under way. */
function untilQuiet(pair: NodePair): Promise<void> {
  return pair.until(
    "both are online and at rest",
    async () => {
      const status = await pair.status("alpha");
      return status?.nodes.every(({ state }) => state === "online") === true && !status.transition.isRunning;
    },
    UNTIL_MS,
  );
}

const PORT = "54399";
const POSTGRES = "/usr/lib/postgresql/15/bin";

/** A disk of ext4 that both nodes can mount, with an empty PostgreSQL that anybody may ask. */
function layDatabase(): { readonly device: string; readonly mount: string } {
  const mount = place("database");
  mkdirSync(mount);
  writeFileSync(place("disk"), "");
  truncateSync(place("disk"), 400 * 2 ** 20);
  run("mkfs.ext4", "-q", "-F", place("disk"));
  const device = run("losetup", "--find", "--show", place("disk")).trim();
  run("mount", device, mount);
  const data = path.join(mount, "data");
  mkdirSync(data);
  chownSync(data, Number(run("id", "-u", "postgres")), -1);
  run("runuser", "-u", "postgres", "--", `${POSTGRES}/initdb`, "-A", "trust", "-D", data);
  writeFileSync(path.join(data, "pg_hba.conf"), "local all all trust\nhost all all 0.0.0.0/0 trust\n");
  const settings = `unix_socket_directories = '${data}'\nlisten_addresses = '*'\n`;
  writeFileSync(path.join(data, "postgresql.conf"), settings, { flag: "a" });
  run("umount", mount);
  return { device, mount };
}

async function database(): Promise<void> {
  const { device, mount } = layDatabase();
  const data = path.join(mount, "data");
  const server = `pgctl=${POSTGRES}/pg_ctl psql=/usr/bin/psql pgdata=${data} pgport=${PORT} socketdir=${data}`;
  const configuration =
    `primitive fs ocf:heartbeat:Filesystem params device=${device} directory=${mount} fstype=ext4 ${TIMES}\n` +
    `primitive db ocf:heartbeat:pgsql params ${server} ${TIMES}\n${ADDRESS_LINE}group service fs db ip\n${OPTIONS}`;
  const pair = openNodePair({ times: LOSING_TIMES, configuration });
  const sql = (text: string) =>
    at(pair.space("client"), "psql", "-h", ADDRESS, "-p", PORT, "-U", "postgres", "-qtAX", "-c", text)?.trim();
  try {
    await startBoth(pair);
    await pair.until("the database answers", () => sql("select 1") === "1", UNTIL_MS);
    const [active] = (await activeOf(pair, "ip")) as NodeName[];
    check(active !== undefined, "who answers runs somewhere");
    sql("create table records (number int primary key)");
    let acknowledged = 0;
    while (acknowledged < 20 && sql(`insert into records values (${acknowledged + 1}) returning 1`) === "1")
      acknowledged += 1;
    const cutAtMs = performance.now();
    powerCut(pair, active);
    const count = () => sql("select count(*) from records");
    await pair.until("the other node answers", () => count() !== undefined, UNTIL_MS);
    const figure = `${count()} rows of ${acknowledged} acknowledged ones, after ${seconds(cutAtMs)}`;
    tell("pgsql after the power of its node was cut", count() === String(acknowledged) && acknowledged === 20, figure);
    const pid = Number(readPid(path.join(mount, "data/postmaster.pid"), pair, active === "alpha" ? "bravo" : "alpha"));
    const killedAtMs = performance.now();
    process.kill(pid, "SIGKILL");
    await pair.until("the database is gone", () => sql("select 1") === undefined);
    await pair.until("the database answers again", () => count() === String(acknowledged), UNTIL_MS);
    tell("pgsql after kill -9 of its postmaster", true, `${count()} rows again after ${seconds(killedAtMs)}`);
  } finally {
    for (const node of NODES) endAll(pair, node);
    await pair.close();
    run("losetup", "--detach", device);
  }
}

/** A file below what only the node has mounted: seen through its manager's own view of the disks. */
function readPid(file: string, pair: NodePair, node: NodeName): string {
  return readFileSync(`/proc/${managerOf(pair, node)}/root${file}`, "utf8").split("\n")[0] ?? "";
}

function managerOf(pair: NodePair, node: NodeName): number {
  const found = processesOf(pair.space(node)).find((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes("manager"),
  );
  check(found !== undefined, "the node has a manager");
  return found;
}

const INIT_SCRIPT = `#!/bin/sh
pid=${place("script.pid")}
alive() { [ -s $pid ] && kill -0 "$(cat $pid)" 2>/dev/null; }
case $1 in
start) alive && exit 0; sleep 100000 >/dev/null 2>&1 & echo $! >$pid ;;
stop) alive && kill "$(cat $pid)"; rm -f $pid ;;
status) alive && exit 0; exit 3 ;;
*) exit 3 ;;
esac
`;

function layWeb(): string {
  mkdirSync(place("pages"));
  writeFileSync(place("pages/index.html"), "<html><body>in service</body></html>\n");
  const modules = ["mpm_event", "authz_core", "status"];
  const load = modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n");
  writeFileSync(
    place("apache.conf"),
    `ServerName localhost\nServerRoot ${folder}\n${load}\nPidFile ${place("apache.pid")}\n` +
      `DefaultRuntimeDir ${folder}\nErrorLog ${place("apache.log")}\nListen 0.0.0.0:8080\n` +
      `DocumentRoot ${place("pages")}\n` +
      `<Location "/server-status">\nSetHandler server-status\n</Location>\n`,
  );
  writeFileSync(
    place("nginx.conf"),
    `pid ${place("nginx.pid")};\nerror_log ${place("nginx.log")};\nevents {}\n` +
      `http { access_log off; server { listen 0.0.0.0:8081; root ${place("pages")}; } }\n`,
  );
  mkdirSync(place("mount"));
  const statusUrl = "statusurl=http://127.0.0.1:8080/server-status use_ipv6=no";
  const apache = `configfile=${place("apache.conf")} httpd=/usr/sbin/apache2 port=8080 ${statusUrl}`;
  const nginx = `configfile=${place("nginx.conf")} httpd=/usr/sbin/nginx status10url=http://127.0.0.1:8081/`;
  const mount = `device=tmpfs directory=${place("mount")} fstype=tmpfs force_unmount=false`;
  return (
    `primitive apache ocf:heartbeat:apache params ${apache} ${TIMES}\n` +
    `primitive nginx ocf:heartbeat:nginx params ${nginx} ${TIMES}\n` +
    `primitive script lsb:gemel-bench ${TIMES}\n` +
    `primitive held ocf:heartbeat:Filesystem params ${mount} ${TIMES}\n` +
    `${ADDRESS_LINE}group site ip apache nginx script held\n${OPTIONS}`
  );
}

const childrenOf = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);

/**
 * Killed by -9, with its workers or alone, so that they keep its port: it is found by its monitor, started again where
 * it was, and the failure is told.
 */
async function revived(pair: NodePair, id: string, whom: "with its workers" | "alone", isUp: () => boolean) {
  const pid = Number(readFileSync(place(`${id}.pid`), "utf8").trim());
  const killedAtMs = performance.now();
  for (const one of [pid, ...(whom === "alone" ? [] : childrenOf(pid))]) process.kill(one, "SIGKILL");
  const isFailed = async () => {
    const status = await pair.status("alpha");
    return status?.problems.some((problem) => problem.code === "resource-failed" && problem.what.includes(id)) === true;
  };
  await pair.until(`the failure of ${id} is told`, isFailed, UNTIL_MS);
  const told = seconds(killedAtMs);
  await pair.until(`${id} is back`, isUp, UNTIL_MS);
  await untilQuiet(pair);
  const where = (await activeOf(pair, id)).join();
  const figure = `told after ${told}, up on ${where} after ${seconds(killedAtMs)}`;
  tell(`${id} after kill -9 ${whom}`, where === "alpha", figure);
  pair.gemel("alpha", "crm", "resource", "cleanup", id, "alpha");
  await untilQuiet(pair);
}

/** The stop of a mount that is in use fails, and says who uses it. */
async function holderNamed(pair: NodePair): Promise<void> {
  const manager = managerOf(pair, "alpha");
  const script = `cd ${place("mount")} && exec sleep 1000`;
  const holder = spawn("nsenter", ["-t", String(manager), "-m", "-n", "sh", "-c", script], { stdio: "ignore" });
  await pair.until("it is held", () => readFileSync(`/proc/${holder.pid}/cmdline`, "utf8").startsWith("sleep"));
  pair.gemel("alpha", "crm", "resource", "stop", "held");
  let said = "";
  await pair.until(
    "the failed stop is told",
    async () => {
      const failures = (await pair.status("alpha"))?.failures ?? [];
      said =
        failures.find(({ resource, operation }) => resource === "held" && operation === "stop_0")?.exitReason ?? "";
      return said !== "";
    },
    UNTIL_MS,
  );
  tell("a mount that cannot be let go names its holder", said.includes(String(holder.pid)), said);
  holder.kill("SIGKILL");
  pair.gemel("alpha", "crm", "resource", "cleanup", "held", "alpha");
  await pair.until("it is stopped", async () => (await activeOf(pair, "held")).length === 0, UNTIL_MS);
}

async function web(): Promise<void> {
  const pair = openNodePair({ times: LOSING_TIMES, configuration: `${layWeb()}location l site 10: alpha\n` });
  // `ip netns exec` lays what is below /etc/netns/NAME over /etc, for the node alone.
  const laid = NODES.map((node) => path.join("/etc/netns", pair.space(node)));
  try {
    for (const one of laid) {
      mkdirSync(path.join(one, "init.d"), { recursive: true });
      writeFileSync(path.join(one, "init.d/gemel-bench"), INIT_SCRIPT, { mode: 0o755 });
    }
    await startBoth(pair);
    const page = (port: string) =>
      at(pair.space("client"), "curl", "-sfm", "5", `http://${ADDRESS}:${port}/index.html`)?.includes("in service") ===
      true;
    await pair.until("both pages are served", () => page("8080") && page("8081"), UNTIL_MS);
    for (const whom of ["with its workers", "alone"] as const) {
      await revived(pair, "apache", whom, () => page("8080"));
      await revived(pair, "nginx", whom, () => page("8081"));
    }
    await revived(pair, "script", "alone", () => {
      const pid = existsSync(place("script.pid")) ? readFileSync(place("script.pid"), "utf8").trim() : "";
      return pid !== "" && existsSync(`/proc/${pid}`);
    });
    await holderNamed(pair);
  } finally {
    for (const node of NODES) endAll(pair, node);
    await pair.close();
    for (const one of laid) rmSync(one, { recursive: true, force: true });
  }
}

const haCf = (word: string) => `keepalive 200ms
warntime 2
deadtime 5
initdead 60
udpport 694
ucast heart 198.18.1.1
ucast heart 198.18.1.2
node alpha bravo
auto_failback ${word}
`;

/** Whether the owner gets its line back when it returns. */
async function failback(): Promise<void> {
  for (const word of ["on", "off", "legacy"]) {
    const owners = { "198.18.1.1": "alpha", "198.18.1.2": "bravo" };
    const texts = {
      folder: "ha.d",
      haCf: haCf(word),
      authkeys: undefined,
      haresources: `alpha ${ADDRESS}/24/service\n`,
    };
    const knowledge = { self: undefined, interfaces: {}, owners, scripts: [] };
    const site = importSite(texts, knowledge, "0123456789abcdef0123456789abcdef");
    const times = site.nodeConfig.split("\n").filter((line) => /^(?:keepalive|warntime|deadtime|initdead) /.test(line));
    const pair = openNodePair({ times, configuration: `${site.crm ?? ""}\n${OPTIONS}` });
    try {
      await startBoth(pair);
      await pair.until("its owner has it", () => pair.hasAddress("alpha"), UNTIL_MS);
      pair.powerOff("alpha");
      const diedAtMs = performance.now();
      await pair.until("the other one has it", () => pair.hasAddress("bravo"), UNTIL_MS);
      const taken = seconds(diedAtMs);
      pair.start("alpha");
      await untilQuiet(pair);
      const isBack = pair.hasAddress("alpha") && !pair.hasAddress("bravo");
      const figure = `taken over after ${taken}; with its owner back it is on ${isBack ? "alpha" : "bravo"}`;
      tell(`auto_failback ${word}`, isBack === (word !== "off"), figure);
    } finally {
      await pair.close();
    }
  }
}

const PARTS = { database, web, failback };
const names = process.argv.slice(2);
try {
  for (const [name, part] of Object.entries(PARTS)) if (names.length === 0 || names.includes(name)) await part();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = faults === 0 ? 0 : 1;
