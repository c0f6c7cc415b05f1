/** stonith-helper's dead check as a witness: one answer is life, silence is nothing, and neither is ever a death. */
import { describe, expect, test } from "vitest";
import { parseXml } from "../../src/base/xml.ts";
import { levelsFor, lookersAt, provenDevices } from "../../src/fencing/core/configuration.ts";
import { readFencingConfiguration } from "../../src/fencing/core/read-configuration.ts";
import { witnessDevice } from "../../src/fencing/drivers/dead-check.ts";
import { CATALOGUE } from "../../src/fencing/drivers/index.ts";
import { provePower } from "../../src/fencing/drivers/prove-power.ts";
import { createNodeAddresses } from "../../src/hw/edge/node-addresses.ts";
import { skips } from "../support/skip.ts";
import { createVirtualClock } from "../support/virtual-clock.ts";

const times = { answerMs: 1_000, confirmMs: 1_000, pollMs: 250, settleMs: 0 };
const witness = (...answers: readonly string[]) => witnessDevice({ answering: () => Promise.resolve(answers) });

test.each([
  ["all are silent", witness(), "not-told"],
  // cluster-glue's helper kept the result of the last-listed address only, and declared a living peer dead.
  ["one of two answers", witness("192.0.2.1"), "on"],
])("%s: status tells %s, and off is never done", async (_, device, power) => {
  const clock = createVirtualClock();
  expect(await provePower(device, clock, times, "status")).toEqual({ kind: "confirmed", power });
  expect((await provePower(device, clock, times, "off")).kind).toBe("not-done");
});

test("nobody can be asked: no word at all", async () => {
  const broken = witnessDevice({ answering: () => Promise.resolve({ reason: "EPERM" }) });
  expect((await provePower(broken, createVirtualClock(), times, "status")).kind).toBe("not-done");
});

test.skipIf(skips(process.getuid?.() !== 0, "a raw socket for pings needs root"))(
  "real addresses: the one that answers is told, its silent neighbour is not",
  async () => {
    expect(await createNodeAddresses(["198.18.77.77", "127.0.0.1"], 2).answering()).toEqual(["127.0.0.1"]);
  },
);

test.skipIf(skips(process.getuid?.() !== 0, "a raw socket for pings needs root"))(
  "names, and IPv6 behind an interface, are told as they were written; what cannot be resolved is told as that",
  async () => {
    const answering = (...written: readonly string[]) => createNodeAddresses(written, 2).answering();
    expect(await answering("localhost", "::1%lo", "::1%none9", "no-such-host.invalid")).toEqual([
      "localhost",
      "::1%lo",
    ]);
    expect(await answering("no-such-host.invalid", "198.18.77.77")).toMatchObject({
      reason: expect.stringContaining("no-such-host.invalid cannot be resolved"),
    });
  },
);

test.each([
  ["192.0.2.1 fe80::1%eth1 srv02.example.com srv02", []],
  ["300.1.2.3", ["addresses"]],
  ["192.0.2.1%eth1", ["addresses"]],
  ["fe80::1%", ["addresses"]],
  ["-srv02", ["addresses"]],
])("addresses=%s: wrong are %j", (addresses, wrong) => {
  const choice = CATALOGUE.choose("dead-check", { addresses });
  expect(choice?.complaints.map(({ parameter }) => parameter)).toEqual(wrong);
});

/** As the published sample of Linux-HA Japan has it, with the passwords moved. */
const SAMPLE = `<cib><configuration>
  <crm_config><cluster_property_set/></crm_config>
  <nodes><node uname="srv01"/><node uname="srv02"/></nodes>
  <resources>
    <primitive id="helper" class="stonith" type="external/stonith-helper"><instance_attributes>
      <nvpair name="pcmk_reboot_retries" value="1"/><nvpair name="hostlist" value="srv01"/>
      <nvpair name="dead_check_target" value="192.0.2.1 192.0.2.2 192.0.2.3"/>
      <nvpair name="standby_check_command" value="crm_resource -r ms -W | grep -qi srv02"/>
      <nvpair name="standby_wait_time" value="10"/><nvpair name="run_online_check" value="yes"/>
    </instance_attributes></primitive>
    <primitive id="ipmi" class="stonith" type="external/ipmi"><instance_attributes>
      <nvpair name="hostname" value="srv01"/><nvpair name="ipaddr" value="192.0.2.3"/>
      <nvpair name="userid" value="admin"/><nvpair name="secret" value="srv01"/>
      <nvpair name="interface" value="lanplus"/>
    </instance_attributes></primitive>
    <primitive id="hand" class="stonith" type="meatware"><instance_attributes>
      <nvpair name="hostlist" value="srv01"/>
    </instance_attributes></primitive>
  </resources>
  <fencing-topology>
    <fencing-level id="l1" target="srv01" index="1" devices="helper"/>
    <fencing-level id="l2" target="srv01" index="2" devices="ipmi"/>
    <fencing-level id="l3" target="srv01" index="3" devices="hand"/>
  </fencing-topology></configuration></cib>`;

describe("a configuration of Linux-HA Japan", () => {
  const parsed = parseXml(SAMPLE);
  if (parsed.kind !== "xml") throw new Error(parsed.reason);
  const { configuration, problems } = readFencingConfiguration(parsed.root, CATALOGUE);
  const ids = (devices: readonly { readonly id: string }[]) => devices.map(({ id }) => id);

  test("is read without a problem; the helper is a witness and no level", () => {
    expect(problems).toEqual([]);
    expect(levelsFor(configuration, "srv01", "srv02").map(ids)).toEqual([["ipmi"], ["hand"]]);
    expect(ids(provenDevices(configuration, "srv02"))).toEqual(["ipmi"]);
  });

  test("a person's word is held against the helper's addresses and the board", () => {
    expect(ids(lookersAt(configuration, "srv01", "srv02"))).toEqual(["helper", "ipmi"]);
  });
});

test("a helper without its dead check is refused with what to do", () => {
  const choice = CATALOGUE.choose("external/stonith-helper", { run_dead_check: "no", dead_check_target: "192.0.2.1" });
  expect(choice?.complaints).toMatchObject([
    { parameter: "run_dead_check", remedy: expect.stringContaining("remove the device") },
  ]);
});
