/**
 * The DRBD and Apache site of the source documents, on the pair: their drbd.conf, their configuration typed into crm
 * as it stands, a look by crm_mon, a migration as they do it, and a power cut. Fencing is switched off there, which
 * `gemel verify` has to say; so no board is asked, and a lost node is taken for dead.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { fillTemplate } from "../configuration/node-files.ts";
import { isMirrorWhole, type Lab } from "../lab.ts";
import { NODES, type NodeName, numberOf, peerOf } from "../names.ts";
import { CLIENT_DEVICE } from "../net/client-network.ts";
import { command } from "../processes.ts";
import { type SiteArchive, serveSiteArchive } from "../site-archive.ts";
import { writersVerdict } from "./demo.ts";

const FILES = path.join(import.meta.dirname, "../configuration/site");
const text = (name: string) => readFileSync(path.join(FILES, name), "utf8");
const PAGE = "http://192.168.0.200/";
const CLIENT = "192.168.0.9/24";
const SETUP_MAX_MS = 240_000;
const GET_MAX_MS = 5_000;
/** What `verify` must say of this configuration, among other things. */
const DANGERS = ["fencing is switched off", "quorum is ignored"];

/** Here-document of a shell: `file` gets `content`. */
const put = (file: string, content: string) => `cat >${file} <<'END'\n${content}END\n`;

function prepare(lab: Lab, node: NodeName, archive: SiteArchive): Promise<string> {
  const address = `192.168.0.${numberOf(node)}`;
  const script = fillTemplate(text("prepare"), { ARCHIVE: archive.url, ADDRESS: address });
  return lab.pair.machines[node].must(script, SETUP_MAX_MS);
}

/** The demonstration's service goes, its disk is the site's r0 with an ext3 and a page on it. */
async function layDisk(lab: Lab): Promise<void> {
  const { machines } = lab.pair;
  const first = machines[lab.active()];
  await first.must(
    "crm -w resource stop service && crm -w resource stop mirror && crm -F configure erase",
    SETUP_MAX_MS,
  );
  for (const node of NODES)
    await machines[node].must(
      `rm /data/gemel/drbd.d/records.res; ${put("/data/gemel/drbd.d/r0.res", text("r0.res"))}drbdadm up r0`,
    );
  await first.must(
    "drbdadm wait-connect r0 && drbdadm primary r0 && mkfs.ext3 -q -F /dev/drbd0 && " +
      "mount /dev/drbd0 /var/www/html && echo '<html><body>the page</body></html>' >/var/www/html/index.html && " +
      "umount /var/www/html && drbdadm secondary r0",
    SETUP_MAX_MS,
  );
  for (const node of NODES) await machines[node].must("drbdadm down r0");
}

/** The page as the client gets it; undefined while nobody answers. */
async function page(lab: Lab): Promise<string | undefined> {
  const script = `fetch("${PAGE}", { signal: AbortSignal.timeout(${GET_MAX_MS}) })
    .then((answer) => answer.text()).then(console.log)`;
  try {
    return await command("ip", "netns", "exec", lab.place.clientNamespace, process.execPath, "-e", script);
  } catch {
    return undefined;
  }
}

/** Waits until the client gets a page that holds `mark`; the node that serves it. */
async function served(lab: Lab, mark: string): Promise<NodeName> {
  await lab.until(`the page has ${mark}`, async () => (await page(lab))?.includes(mark) === true);
  return lab.active();
}

async function look(lab: Lab, node: NodeName): Promise<string> {
  const picture = await lab.pair.machines[node].must("crm_mon -1 --layout 1.0");
  for (const line of picture.trimEnd().split("\n")) lab.say(`   ${line}`);
  return picture;
}

async function addMark(lab: Lab, node: NodeName, mark: string): Promise<void> {
  await lab.pair.machines[node].must(`sed -i 's,</body>, ${mark}</body>,' /var/www/html/index.html && sync`);
}

async function play(lab: Lab, archive: SiteArchive): Promise<void> {
  const { machines } = lab.pair;
  lab.say("1. the site: its Apache, its network, its disk r0 with an ext3");
  await command("ip", "-n", lab.place.clientNamespace, "address", "add", CLIENT, "dev", CLIENT_DEVICE);
  for (const node of NODES) await prepare(lab, node, archive);
  const asked = lab.active();
  await layDisk(lab);

  lab.say("2. what verify says of its configuration");
  const verified = await machines[asked].run(`${put("/tmp/site.crm", text("site.crm"))}gemel verify /tmp/site.crm`);
  for (const line of verified?.output.trimEnd().split("\n") ?? []) lab.say(`   ${line}`);
  const untold = DANGERS.filter((danger) => verified?.output.includes(danger) !== true);
  if (untold.length > 0) throw new Error(`verify does not say: ${untold.join(", ")}`);

  lab.say("3. it is typed into crm as it stands");
  await machines[asked].must("{ echo configure; cat /tmp/site.crm; echo exit; } | crm", SETUP_MAX_MS);
  const first = await served(lab, "the page");
  await lab.until("the mirror is whole", () => isMirrorWhole(lab.watcher));
  const picture = await look(lab, first);
  for (const line of [`Masters: [ ${first} ]`, `Slaves: [ ${peerOf(first)} ]`, `Started ${first}`])
    if (!picture.includes(line)) throw new Error(`crm_mon does not show ${line}`);

  lab.say("4. crm resource migrate rg_httpd, then unmigrate");
  await addMark(lab, first, "migrated");
  await machines[first].must("crm resource migrate rg_httpd", SETUP_MAX_MS);
  await lab.until("the other node has it", () => lab.watcher.active() === peerOf(first));
  const second = await served(lab, "migrated");
  await machines[second].must("crm resource unmigrate rg_httpd");
  lab.say(`   ${second} serves the page with what was written on ${first}`);

  lab.say(`5. the power of ${second} is cut`);
  await addMark(lab, second, "survived");
  const cutAtMs = performance.now();
  await machines[second].powerCut();
  await lab.until("the other node has it", () => lab.watcher.active() === first);
  await served(lab, "survived");
  lab.say(`   ${first} serves the page after ${((performance.now() - cutAtMs) / 1000).toFixed(1)} s`);

  lab.say(`6. ${second} gets its power back`);
  await machines[second].powerOn();
  await lab.until(`${second} boots`, () => lab.watcher.latest(second)?.seen !== undefined);
  await prepare(lab, second, archive);
  await machines[first].must("crm resource cleanup res_httpd", SETUP_MAX_MS);
  await lab.until("the mirror is whole", () => isMirrorWhole(lab.watcher));
  await look(lab, first);
  if (lab.active() !== first) throw new Error("the service moved back by itself");
}

/** Exit code 0 only when each step came out, and never were there two writers. */
export async function runSite(lab: Lab): Promise<number> {
  const archive = await serveSiteArchive();
  let failure: unknown;
  try {
    await play(lab, archive);
  } catch (error) {
    failure = error;
    lab.say(`FAILED: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    archive.close();
  }
  const alone = writersVerdict(lab);
  const passed = failure === undefined && alone;
  lab.say(passed ? "site: passed" : "site: FAILED");
  return passed ? 0 : 1;
}
