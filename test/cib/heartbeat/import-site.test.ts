/** An existing Heartbeat site: each line gets its answer, what comes out can be started, and every error is told. */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { expect, test, vi } from "vitest";
import { run } from "../../../src/app/commands/import.ts";
import { formatProblem } from "../../../src/base/problem.ts";
import { xml } from "../../../src/base/xml.ts";
import { HA_CF_DIRECTIVES, readHaCf } from "../../../src/cib/heartbeat/ha-cf.ts";
import { importSite } from "../../../src/cib/heartbeat/import-site.ts";
import type { Knowledge } from "../../../src/cib/heartbeat/site.ts";
import { loadConfiguration } from "../../../src/cib/load.ts";
import { readFencingConfiguration } from "../../../src/fencing/core/read-configuration.ts";
import { CATALOGUE } from "../../../src/fencing/drivers/index.ts";

const SITE = path.join(import.meta.dirname, "site");
const NOBODY: Knowledge = { self: undefined, interfaces: {}, owners: {}, scripts: [] };
const SECRET = "0123456789abcdef0123456789abcdef";

const PAIR = "node srv01 srv02\nbcast eth1 eth2\nwatchdog /dev/watchdog\n";

function imported(haCf: string, haresources?: string, knowledge = NOBODY) {
  return importSite({ folder: "ha.d", haCf, authkeys: undefined, haresources }, knowledge, SECRET);
}

const parsed = (read: ReturnType<typeof loadConfiguration>) => {
  if (read.kind !== "valid") throw new Error(JSON.stringify(read.problems));
  return xml("cib", {}, [read.value]);
};

const errorsOf = ({ problems }: { readonly problems: ReturnType<typeof imported>["problems"] }) =>
  problems.filter(({ severity }) => severity === "error").map(formatProblem);

async function call(...argv: string[]): Promise<{ readonly code: number; readonly said: string }> {
  const said: string[] = [];
  const keep = (text: string | Uint8Array) => said.push(String(text)) > 0;
  const spies = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, "write").mockImplementation(keep));
  const code = await run(argv);
  for (const spy of spies) spy.mockRestore();
  return { code, said: said.join("") };
}

test("a whole site: what becomes of each line, and what comes out", async () => {
  const { code, said } = await call("ha.d", SITE, "--address", "srv01=10.0.0.1");
  expect(code).toBe(0);
  await expect(said.replaceAll(`${SITE}/`, "").replaceAll(SITE, "ha.d")).toMatchFileSnapshot("site/expected.txt");
});

test("it writes only where told, the key for its owner alone, and overwrites nothing", async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-import-"));
  try {
    const argv = ["ha.d", SITE, "--address", "srv01=10.0.0.1", "--write", folder];
    expect((await call(...argv)).code).toBe(0);
    const keys = readFileSync(path.join(folder, "authkeys"), "utf8");
    expect(keys).toMatch(/^auth 1\n1 sha256 [0-9a-f]{64}\n$/);
    expect(keys).not.toContain("oldsecret");
    expect(statSync(path.join(folder, "authkeys")).mode & 0o777).toBe(0o600);
    const again = await call(...argv);
    expect(again.code).toBe(73);
    expect(again.said).toContain("would be overwritten; nothing was changed");
    expect(readFileSync(path.join(folder, "authkeys"), "utf8")).toBe(keys);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the devices of a site without a CIB are taken over, and a password only into the secrets file", async () => {
  const lines = [
    "stonith_host * meatware srv01 srv02",
    "stonith_host * external/ipmi srv01 192.0.2.11 admin geheim lan",
    "stonith_host srv01 external/ibmrsa-telnet srv02 192.0.2.12 USERID geheim2",
    "stonith_host * wti_nps 192.0.2.13 geheim3",
    "stonith_host * external/ipmi srv01",
    "stonith meatware /etc/ha.d/hosts",
  ];
  const site = imported(`${PAIR}${lines.join("\n")}\n`, "srv01 198.51.100.9/24/eth0\n");
  expect(errorsOf(site)).toEqual([]);
  expect(site.crm?.split("\n").filter((line) => line.includes("stonith_"))).toEqual([
    "primitive stonith_2 stonith:external/ipmi params ipaddr=192.0.2.11 userid=admin secret=stonith_2" +
      ' pcmk_host_list="srv01"',
    "location stonith_2_not_on_srv01 stonith_2 -inf: srv01",
    "primitive stonith_3 stonith:external/ibmrsa-telnet params ip_address=192.0.2.12 username=USERID secret=stonith_3" +
      ' pcmk_host_list="srv02"',
    "location stonith_3_not_on_srv02 stonith_3 -inf: srv02",
  ]);
  expect(site.secrets).toBe("stonith_2=geheim\nstonith_3=geheim2\n");
  const fencing = readFencingConfiguration(
    parsed(loadConfiguration(site.crm ?? "", { source: "cluster.crm" })),
    CATALOGUE,
  );
  expect(fencing.problems.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(fencing.configuration.devices.map(({ id, driver, targets }) => [id, driver, targets])).toEqual([
    ["fencing_by_hand", "meatware", expect.anything()],
    ["stonith_2", "ipmi-lan", ["srv01"]],
    ["stonith_3", "rsa-telnet", ["srv02"]],
  ]);
  const told = site.verdicts.filter(({ written }) => written.startsWith("stonith"));
  expect(told.map(({ kind }) => kind)).toEqual(["mapped", "mapped", "mapped", "refused", "refused", "mapped"]);
  expect(JSON.stringify(site.verdicts)).not.toContain("geheim");
});

test("every directive of Heartbeat 3 is known", () => {
  const all =
    "node cluster keepalive warntime deadtime initdead deadping hopfudge baud udpport bcast udp ucast mcast mcast6 " +
    "ucast6 ping6 serial ping ping_group hbaping auto_failback nice_failback stonith stonith_host watchdog " +
    "respawn failfast apiauth crm pacemaker crm_daemon_dir crmd_spawns_pengine autojoin logfile debugfile " +
    "logfacility use_logd conn_logd_time debug syslogmsgfmt log_badpack record_config_changes record_pengine_inputs " +
    "enable_config_writes coredumps coreroot realtime rtprio memreserve hbgenmethod msgfmt compression " +
    "compression_threshold traditional_compression max_rexmit_delay uuidfrom env use_apphbd normalpoll " +
    "quorum_server";
  expect([...HA_CF_DIRECTIVES].toSorted()).toEqual(all.split(" ").toSorted());
});

test("all that is wrong is told at once, with the place", () => {
  const wrong = "keepalive 2 parsecs\nbaud 19201\nserail /dev/ttyS0\nmcast eth0 225.0.0.1\ncrm maybe\nnode srv01\n";
  expect(errorsOf(imported(wrong, "srv03 httpd\nsrv01\nsrv01 httpd\n"))).toEqual([
    "ha.d/ha.cf:1: error: keepalive: 2 parsecs is no time; write keepalive 2, or 500ms",
    "ha.d/ha.cf:2: error: baud 19201 is no known rate; write 19200",
    "ha.d/ha.cf:3: error: ha.cf has no directive serail; write serial",
    "ha.d/ha.cf:4: error: mcast names interface, group, port, ttl and loop; write mcast eth0 225.0.0.1 694 1 0",
    "ha.d/ha.cf:5: error: crm maybe is no mode; write crm yes or crm no",
    "ha.d/ha.cf: error: it names less than two nodes; write node with the name of each",
    "ha.d/ha.cf: error: it names no medium; write bcast, ucast, mcast or serial",
    "ha.d/haresources:1: error: srv03 is no node of ha.cf; write one of srv01",
    "ha.d/haresources:2: error: srv01 has no resources; write them behind the owner, or remove the line",
    "ha.d/haresources:3: error: a second line begins with httpd; begin each line with a resource of its own",
  ]);
});

test("Heartbeat's own defaults are written down, for they are not those of gemel", () => {
  expect(imported(PAIR).nodeConfig).toContain("keepalive 1s\nwarntime 15s\ndeadtime 30s\ninitdead 30s\n");
  expect(readHaCf(`${PAIR}deadtime 5\n`, "x").site.times).toMatchObject({ warntime: 2500, initdead: 12_000 });
  expect(readHaCf(`${PAIR}deadtime 8\n`, "x").site.times.initdead).toBe(16_000);
});

test("whose an address is comes from the machine, from --address, or is asked for", () => {
  const both = "node srv01 srv02\nucast eth1 10.0.0.1\nucast eth1 10.0.0.2\n";
  const link = "link eth1 udp srv01=10.0.0.1:694 srv02=10.0.0.2:694 device=eth1\n";
  expect(errorsOf(imported(both))).toEqual([
    "ha.d/ha.cf:2: error: whose addresses 10.0.0.1 and 10.0.0.2 are cannot be told; " +
      "give --address NODE=ADDRESS for each of srv01, srv02, or import on a node",
  ]);
  const onSecond: Knowledge = { ...NOBODY, self: "srv02", interfaces: { eth1: ["10.0.0.2", "fe80::1"] } };
  expect(imported(both, undefined, onSecond).nodeConfig).toContain(link);
  expect(imported(both, undefined, { ...NOBODY, owners: { "10.0.0.2": "srv02" } }).nodeConfig).toContain(link);
  const peerOnly = "node srv01 srv02\nucast eth1 10.0.0.1\n";
  expect(imported(peerOnly, undefined, onSecond).nodeConfig).toContain(link);
});

test("two ports of a pair are two cables, of three nodes a ring", () => {
  const ports = "bcast eth1\nserial /dev/ttyS0 /dev/ttyS1\nwatchdog /dev/watchdog\n";
  const two = imported(`node a b\n${ports}`).nodeConfig;
  expect(two).toContain(
    "link ttyS0 serial device=/dev/ttyS0 baud=19200\nlink ttyS1 serial device=/dev/ttyS1 baud=19200\n",
  );
  const three = imported(`node a b c\n${ports}`);
  expect(three.nodeConfig).toContain("link ttyS0 serial device=/dev/ttyS0,/dev/ttyS1 baud=19200\n");
  expect(errorsOf(three)).toEqual([]);
});

test("auto_failback decides by scores: the owner, staying, and each ping node that answers", () => {
  const stays = imported(
    `${PAIR}auto_failback off\nrespawn hacluster /usr/lib64/heartbeat/ipfail\n`,
    "srv01 10.0.0.9\n",
  );
  expect(stays.crm).toContain("rsc_defaults resource-stickiness=50\n");
  expect(stays.crm).toContain("location ip_10.0.0.9_prefers_srv01 ip_10.0.0.9 10: srv01\n");
  expect(stays.crm).toContain("location ip_10.0.0.9_best_connected ip_10.0.0.9 rule pingd: defined pingd\n");
  const back = imported(`${PAIR}auto_failback legacy\n`, "srv01 10.0.0.9\n");
  expect(back.crm).toContain("rsc_defaults resource-stickiness=0\n");
  expect(back.crm).not.toContain("pingd");
});

test("who had ifcheckd sees the state of the links among the attributes", () => {
  expect(imported(`${PAIR}respawn root /usr/lib64/heartbeat/ifcheckd\n`).nodeConfig).toContain("link-attributes on\n");
  expect(imported(PAIR).nodeConfig).not.toContain("link-attributes");
});

test("scripts with arguments or from resource.d are Heartbeat's class, others are init scripts", () => {
  const { crm, verdicts } = imported(PAIR, "srv01 apache::/etc/httpd.conf myscript squid OCF::x::y\n", {
    ...NOBODY,
    scripts: ["myscript"],
  });
  expect(crm).toContain("primitive apache__etc_httpd.conf heartbeat:apache params 1=/etc/httpd.conf\n");
  expect(crm).toContain("primitive myscript heartbeat:myscript\n");
  expect(crm).toContain("primitive squid lsb:squid\n");
  expect(verdicts.at(-1)).toMatchObject({ written: "OCF::x::y", kind: "refused" });
});

test("in crm mode haresources is not read", () => {
  const site = imported(`${PAIR}crm yes\n`, "srv01 httpd\n");
  expect(site.crm).toBeUndefined();
  expect(site.nodeConfig).not.toContain("configuration");
  expect(site.verdicts.at(-1)?.text).toBe("not read in crm mode, as ever");
});

test("both families over one interface are two links, and none is lost", () => {
  const lines = ["ucast6 eth1 fd77::1", "ucast6 eth1 fd77::2", "ucast eth1 10.0.0.1", "ucast eth1 10.0.0.2"];
  const owners = { "10.0.0.1": "srv01", "fd77::1": "srv01" };
  const site = imported(`node srv01 srv02\n${lines.join("\n")}\n`, undefined, { ...NOBODY, owners });
  expect(errorsOf(site)).toEqual([]);
  expect(site.nodeConfig).toContain("srv01=[fd77::1]:694 srv02=[fd77::2]:694 device=eth1");
  expect(site.nodeConfig).toContain("srv01=10.0.0.1:694 srv02=10.0.0.2:694 device=eth1");
});

test("what is written wrongly is told at its own line, all of it at once", () => {
  const lines = [
    "cluster",
    "keepalive 1 2",
    "ucast eth1 other-host",
    "mcast eth1 10.0.0.1 694 1 0",
    "mcast eth1 225.0.0.1 99999 1 0",
    "mcast eth1 225.0.0.1 694 300 0",
    "mcast eth1 225.0.0.1 694 1 2",
    "ping gateway",
    "ping_group gates 10.0.0.254 nobody",
    "serial /dev/ttyS0",
    "baud 9600",
    "nice_failback perhaps",
  ];
  const resources = "srv01 IPaddr::10.0.0.300\nsrv02 10.0.0.1/99\nsrv02 named \\";
  const site = imported(`${PAIR}${lines.join("\n")}\n`, resources);
  expect(errorsOf(site).map((text) => text.split(";")[0])).toEqual([
    "ha.d/ha.cf:4: error: cluster has no name",
    "ha.d/ha.cf:5: error: keepalive: 1 2 is no time",
    "ha.d/ha.cf:6: error: other-host is no IPv4 or IPv6 address",
    "ha.d/ha.cf:7: error: 10.0.0.1 is no multicast address",
    "ha.d/ha.cf:8: error: mcast: port and ttl are numbers, of a port and up to 255",
    "ha.d/ha.cf:9: error: mcast: port and ttl are numbers, of a port and up to 255",
    "ha.d/ha.cf:10: error: mcast: loop is 0 or 1, not 2",
    "ha.d/ha.cf:11: error: gateway: no IPv4 or IPv6 address",
    "ha.d/ha.cf:12: error: nobody: no IPv4 or IPv6 address",
    "ha.d/ha.cf:14: error: baud 9600 stands behind serial, which it does not change",
    "ha.d/ha.cf:15: error: nice_failback perhaps is neither on nor off",
    "ha.d/haresources:1: error: 10.0.0.300 is no IPv4 or IPv6 address",
    "ha.d/haresources:2: error: 99 is no number of bits of a netmask",
  ]);
  // A backslash before the end of the file goes on nowhere.
  expect(site.crm).toContain("primitive named lsb:named");
});

test("a line of authkeys that is none is told, without its words", () => {
  const authkeys = "# keys\nauth 1\n\n1 sha1 oldsecret\nauth 77\n1md5 secret\n";
  const site = importSite({ folder: "ha.d", haCf: PAIR, authkeys, haresources: undefined }, NOBODY, SECRET);
  const told = site.verdicts.filter(({ place }) => place.includes("authkeys"));
  expect(told.map(({ place, text }) => [place, text.split(":")[0]])).toEqual([
    ["ha.d/authkeys:4", "sha1 is broken"],
    ["ha.d/authkeys:5", "no line of a key file"],
    ["ha.d/authkeys:6", "no line of a key file"],
  ]);
  expect(JSON.stringify(told)).not.toContain("secret");
});

test("a word that stands ten thousand times costs ten thousand steps, not their square", () => {
  const before = process.cpuUsage();
  const words = Array.from({ length: 10_000 }, () => "x");
  const { crm } = imported(PAIR, `srv01 ${words.join(" ")}\n`);
  expect(crm).toContain("primitive x_10000 ");
  expect(process.cpuUsage(before).user / 1_000).toBeLessThan(4_000);
});
