/**
 * The address configuration of the source documents, unchanged, on a real pair: Linux-HA Japan's column on IPaddr2
 * (2011) loads it with `crm configure load update`, looks with `crm_mon -1 -Af`, stops Heartbeat on the node that has
 * the address, and looks again.
 */
import { copyFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { afterEach, expect, test } from "vitest";
import { skips } from "../support/skip.ts";
import { NODES, type NodeName, type NodePair, openNodePair, PATIENT_TIMES } from "./node-pair.ts";

const IP = "192.168.200.200";
const IPADDR2_CRM = path.resolve(import.meta.dirname, "../cib/fixtures/source-address.crm");

/** What `verify` has to say of it, in the order of its lines. */
const DANGERS = [
  "2:5: warning: quorum is ignored",
  "3:5: warning: fencing is switched off",
  "4:5: warning: startup-fencing is off",
  "17:8: warning: a stop of p_ip that fails leaves it as it is",
];

let open: NodePair | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
});

const isRoot = process.getuid?.() === 0;

test.skipIf(skips(!isRoot, "not root"))(
  "it loads, runs where its network is, and moves when that node stops",
  async () => {
    const times = [...PATIENT_TIMES, "link-attributes on"];
    const pair = openNodePair({ times, configuration: "" });
    open = pair;
    for (const [index, node] of NODES.entries()) pair.address(node, `192.168.200.12${index + 1}/24`);
    for (const node of NODES) pair.start(node);
    await pair.until("both are online", async () => {
      const status = await pair.status("alpha");
      return status?.nodes.every(({ state }) => state === "online") === true;
    });
    const file = path.join(pair.folder, "IPaddr2.crm");
    copyFileSync(IPADDR2_CRM, file);

    const verified = pair.gemel("alpha", "verify", file);
    expect(verified.code).toBe(0);
    expect(verified.output.split("\n").slice(0, -2)).toEqual(
      DANGERS.map((danger) => expect.stringContaining(`IPaddr2.crm:${danger}`)),
    );
    expect(pair.gemel("alpha", "crm", "configure", "load", "update", file).code).toBe(0);
    const holder = () => NODES.find((node) => pair.hasAddress(node, IP));
    await pair.until("the address is up", () => holder() !== undefined);
    const first = holder() as NodeName;
    const other = first === "alpha" ? "bravo" : "alpha";
    const shows = (line: string) => picture(pair, other).includes(line);
    await pair.until("crm_mon knows", () => shows(`Started ${first}`) && shows(`Node bravo:\n    + alpha-heart`));
    expect(picture(pair, other)).toBe(`Online: [ alpha bravo ]

 p_ip\t(ocf::heartbeat:IPaddr2):\tStarted ${first}

Node Attributes:
* Node alpha:
    + bravo-heart                       : up
* Node bravo:
    + alpha-heart                       : up

Migration summary:
* Node alpha: 
* Node bravo: 
`);
    pair.signal(first, "SIGTERM");
    expect(await pair.ended(first)).toBe(0);
    expect(pair.hasAddress(first, IP)).toBe(false);
    await pair.until("the other node has it", () => pair.hasAddress(other, IP));
    await pair.until("crm_mon knows", () => shows(`Started ${other}`) && shows(": down"));
    expect(picture(pair, other)).toBe(`Online: [ ${other} ]
OFFLINE: [ ${first} ]

 p_ip\t(ocf::heartbeat:IPaddr2):\tStarted ${other}

Node Attributes:
* Node ${other}:
    + ${`${first}-heart`.padEnd(34)}: down

Migration summary:
* Node ${other}: 
`);
  },
);

/** `crm_mon -1 -Af` in the layout of its time, below the head with its date. */
function picture(pair: NodePair, node: NodeName): string {
  const { output } = pair.gemel(node, "crm-mon", "-1", "-Af", "--layout", "1.0");
  return output.slice(output.indexOf("Online:"));
}
