/**
 * Debian's own agents through our runner, as a cluster's administrator has them: all describe themselves and judge
 * their parameters, and the common ones really start, are seen running, stop, and are seen stopped.
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, describe, expect, test } from "vitest";
import { childOf, childrenOf, parseXml } from "../../../src/base/xml.ts";
import type { OperationRun } from "../../../src/cluster/core/executor/types.ts";
import { createAgentRunner, type Finished } from "../../../src/cluster/edge/resource-agent.ts";
import { inNetworkNamespace } from "../../support/network-namespace.ts";
import { skips } from "../../support/skip.ts";

const OCF = "/usr/lib/ocf/resource.d";
const PROVIDERS = ["heartbeat", "pacemaker", "linbit"];
const installed = PROVIDERS.flatMap((provider) =>
  (existsSync(path.join(OCF, provider)) ? readdirSync(path.join(OCF, provider)) : [])
    .filter((type) => !type.startsWith(".") && !type.includes("."))
    .map((type) => ({ provider, type })),
);
/** What the issue asks for. Debian 12 has 156, which all answer; every second one is enough for every day. */
const AGENTS_MIN = 60;
const agents = process.env["GEMEL_ALL_AGENTS"] === undefined ? installed.filter((_, at) => at % 2 === 0) : installed;
/** On a loaded machine a database takes a minute to make its files durable. */
const TIMEOUT_MS = 120_000;
/** So many run at once: most of their time is the shell starting programs. */
const AT_ONCE = 3;
/** The codes of the OCF resource agent API; validate-all without parameters says most often 2, 5 or 6. */
const OCF_CODES = [0, 1, 2, 3, 4, 5, 6, 7];

const directory = mkdtempSync(path.join(os.tmpdir(), "gemel-field-agents-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }), TIMEOUT_MS);
const isSkipped = skips(process.getuid?.() !== 0 || agents.length < AGENTS_MIN, "it needs root and resource-agents");

let calls = 0;

function runAgent(
  agent: { readonly provider: string; readonly type: string },
  name: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  calls += 1;
  const environment = {
    OCF_RA_VERSION_MAJOR: "1",
    OCF_RA_VERSION_MINOR: "1",
    OCF_RESOURCE_INSTANCE: "r",
    OCF_RESOURCE_TYPE: agent.type,
    OCF_RESOURCE_PROVIDER: agent.provider,
    OCF_RESKEY_CRM_meta_name: name,
    OCF_RESKEY_CRM_meta_timeout: String(TIMEOUT_MS),
    OCF_RESKEY_CRM_meta_on_node: "alpha",
    ...Object.fromEntries(Object.entries(parameters).map(([key, value]) => [`OCF_RESKEY_${key}`, value])),
  };
  const run: OperationRun = {
    callId: calls,
    resource: { id: "r", class: "ocf", ...agent },
    instance: "r",
    operation: name,
    intervalMs: 0,
    timeoutMs: TIMEOUT_MS,
    parameters,
    environment,
  };
  return new Promise((resolve) => {
    const runner = createAgentRunner({ runDirectory: path.join(directory, `run-${calls}`) }, resolve);
    runner.run(run);
  });
}

async function forEach<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Without its name, which the metadata must tell, an answer is of no use. */
function describesItself(output: string): boolean {
  // Some speak on standard error as well, which the runner puts behind.
  const end = "</resource-agent>";
  const read = parseXml(output.slice(output.indexOf("<resource-agent"), output.lastIndexOf(end) + end.length));
  if (read.kind !== "xml" || read.root.name !== "resource-agent") return false;
  const actions = childrenOf(childOf(read.root, "actions"), "action").map(({ attributes }) => attributes["name"]);
  return (
    read.root.attributes["name"] !== undefined && ["start", "stop", "monitor"].every((one) => actions.includes(one))
  );
}

test.skipIf(isSkipped)(
  "all agents that Debian has describe themselves and judge what they are given",
  {
    timeout: 300_000,
  },
  async () => {
    const dumb: string[] = [];
    const mute: string[] = [];
    await forEach(agents, async (agent) => {
      const name = `${agent.provider}:${agent.type}`;
      const metadata = await runAgent(agent, "meta-data");
      if (!describesItself(metadata.output)) dumb.push(`${name}: ${JSON.stringify(metadata.outcome)}`);
      const { outcome } = await runAgent(agent, "validate-all");
      if (outcome.kind !== "exit" || !OCF_CODES.includes(outcome.code))
        mute.push(`${name}: ${JSON.stringify(outcome)}`);
    });
    expect(dumb).toEqual([]);
    expect(mute).toEqual([]);
  },
);

interface Real {
  readonly agent: { readonly provider: string; readonly type: string };
  readonly needs: string;
  readonly parameters: () => Readonly<Record<string, string>>;
}

const place = (name: string) => path.join(directory, name);

function write(name: string, text: string): string {
  mkdirSync(path.dirname(place(name)), { recursive: true });
  writeFileSync(place(name), text);
  return place(name);
}

function webPages(name: string): string {
  write(`${name}/index.html`, "<html><body>in service</body></html>\n");
  return place(name);
}

const heartbeat = (type: string) => ({ provider: "heartbeat", type });

const REAL: readonly Real[] = [
  { agent: heartbeat("Dummy"), needs: `${OCF}/heartbeat/Dummy`, parameters: () => ({ state: place("dummy") }) },
  {
    agent: { provider: "pacemaker", type: "Stateful" },
    needs: `${OCF}/pacemaker/Stateful`,
    parameters: () => ({ state: place("stateful") }),
  },
  {
    agent: heartbeat("IPaddr2"),
    needs: `${OCF}/heartbeat/IPaddr2`,
    parameters: () => ({ ip: "198.18.7.100", cidr_netmask: "24", nic: "a0" }),
  },
  {
    agent: heartbeat("Filesystem"),
    needs: `${OCF}/heartbeat/Filesystem`,
    parameters: () => {
      mkdirSync(place("mount"), { recursive: true });
      return { device: "tmpfs", directory: place("mount"), fstype: "tmpfs" };
    },
  },
  {
    agent: heartbeat("apache"),
    needs: "/usr/sbin/apache2",
    parameters() {
      const modules = ["mpm_event", "authz_core", "status"];
      const pages = webPages("apache");
      const configfile = write(
        "apache.conf",
        `ServerName localhost
ServerRoot ${directory}
${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n")}
PidFile ${place("apache.pid")}
DefaultRuntimeDir ${directory}
ErrorLog ${place("apache.log")}
Listen 127.0.0.1:8080
DocumentRoot ${pages}
<Location "/server-status">
  SetHandler server-status
</Location>
`,
      );
      const statusurl = "http://127.0.0.1:8080/server-status";
      return { configfile, httpd: "/usr/sbin/apache2", port: "8080", statusurl, use_ipv6: "no" };
    },
  },
  {
    agent: heartbeat("nginx"),
    needs: "/usr/sbin/nginx",
    parameters() {
      const pages = webPages("nginx");
      const configfile = write(
        "nginx.conf",
        `pid ${place("nginx.pid")};
error_log ${place("nginx.log")};
events {}
http { access_log off; server { listen 127.0.0.1:8081; root ${pages}; } }
`,
      );
      return { configfile, httpd: "/usr/sbin/nginx", status10url: "http://127.0.0.1:8081/" };
    },
  },
  {
    agent: heartbeat("pgsql"),
    needs: "/usr/lib/postgresql/15/bin/pg_ctl",
    parameters() {
      const pgdata = place("pgsql");
      const user = execFileSync("id", ["-u", "postgres"]).toString().trim();
      execFileSync("chmod", ["755", directory]);
      mkdirSync(pgdata);
      chownSync(pgdata, Number(user), -1);
      const initdb = ["-u", "postgres", "--", "/usr/lib/postgresql/15/bin/initdb", "-A", "trust", "-D", pgdata];
      execFileSync("runuser", initdb, { stdio: "ignore" });
      const settings = `unix_socket_directories = '${pgdata}'\nlisten_addresses = ''\nfsync = off\n`;
      appendFileSync(path.join(pgdata, "postgresql.conf"), settings);
      const pgctl = "/usr/lib/postgresql/15/bin/pg_ctl";
      return { pgctl, psql: "/usr/bin/psql", pgdata, pgport: "54399", socketdir: pgdata };
    },
  },
];

describe("really run by Debian's agent:", () => {
  test.for(REAL)("$agent.type", { timeout: 600_000 }, async ({ agent, needs, parameters }, { skip }) => {
    skip(isSkipped || !existsSync(needs), `${needs} is not installed`);
    await inNetworkNamespace(async () => {
      const given = parameters();
      const code = async (operation: string) => {
        const { outcome, exitReason, output } = await runAgent(agent, operation, given);
        return outcome.kind === "exit" ? outcome.code : `${JSON.stringify(outcome)} ${exitReason} ${output}`;
      };
      expect(await code("monitor"), "before").toBe(7);
      expect(await code("start"), "start").toBe(0);
      expect(await code("monitor"), "running").toBe(0);
      expect(await code("stop"), "stop").toBe(0);
      expect(await code("monitor"), "after").toBe(7);
      // Stopping what is stopped is no failure.
      expect(await code("stop"), "second stop").toBe(0);
    });
  });
});

test.skipIf(isSkipped)("no agent has left a process of its own", () => {
  const { stdout } = spawnSync("pgrep", ["-f", directory], { encoding: "utf8" });
  expect(stdout).toBe("");
});
