/** The doctor: a healthy cluster has nothing; each fault that waits for its day is found, told in both languages. */
import { describe, expect, test } from "vitest";
import { parseXml, type XmlElement } from "../../src/base/xml.ts";
import { type Examination, FINDING_CODES } from "../../src/cluster/core/doctor/examination.ts";
import { examine } from "../../src/cluster/core/doctor/examine.ts";
import { findingText } from "../../src/cluster/core/doctor/texts.ts";

const NOW = Date.UTC(2026, 10, 21);

function configuration(more: { constraints?: string; options?: string; resource?: string } = {}): XmlElement {
  const read = parseXml(`<configuration>
    <crm_config><cluster_property_set id="o">${more.options ?? ""}</cluster_property_set></crm_config>
    <nodes/><resources>${more.resource ?? ""}</resources>
    <constraints>${more.constraints ?? ""}</constraints></configuration>`);
  if (read.kind !== "xml") throw new Error(read.reason);
  return read.root;
}

const proof = {
  node: "srv01",
  device: "fence-srv02",
  state: "proven",
  provenWallMs: NOW,
  switchedWallMs: NOW,
} as const;
const service = {
  resource: "prmNtp",
  kind: "lsb",
  name: "ntp",
  isInstalled: true,
  isEnabled: false,
  statusCode: 0,
  runsHere: true,
} as const;

const choice = { profile: "hp/ilo4", module: "hpwdt", isLoaded: true } as const;

const HEALTHY: Examination = {
  configuration: configuration(),
  nowWallMs: NOW,
  nodes: ["srv01", "srv02"],
  isFencingEnabled: true,
  devices: [
    { id: "fence-srv01", targets: ["srv01"] },
    { id: "fence-srv02", targets: ["srv02"] },
  ],
  proofs: [proof],
  clocks: [{ node: "srv02", offsetMs: 40, roundTripMs: 4 }],
  keeper: { deadtimeMs: 5_000, worstSilenceMs: 700, watchdogMs: 4_000 },
  watchdog: { ...choice, armed: { identity: "HPE iLO2+", module: "hpwdt" } },
  services: [service],
  timeouts: [{ resource: "prmIp", operation: "start", configuredMs: 60_000, advisedMs: 20_000 }],
};

const pair = (name: string, value: string) => `<nvpair id="${name}" name="${name}" value="${value}"/>`;
const leftOver = '<rsc_location id="cli-ban-prmDB-on-srv02" rsc="prmDB" node="srv02" score="-INFINITY"/>';
const slow = `<primitive id="prmDB" class="ocf" provider="heartbeat" type="pgsql">
  <meta_attributes id="m">${pair("failure-timeout", "10s")}</meta_attributes>
  <operations><op id="s" name="stop" timeout="30min"/><op id="m1" name="monitor" interval="20s"/></operations>
  </primitive>`;

const SICK: readonly (readonly [codes: readonly string[], change: Partial<Examination>])[] = [
  [["fencing-disabled"], { isFencingEnabled: false }],
  [["node-without-device"], { devices: HEALTHY.devices.slice(1) }],
  [["device-untested"], { proofs: [{ node: "srv01", device: "d", state: "new" }] }],
  [["device-failing"], { proofs: [{ ...proof, state: "failing", reason: "no answer" }] }],
  [["proof-lapsed"], { proofs: [{ ...proof, state: "expired" }] }],
  [["never-switched"], { proofs: [{ node: "srv01", device: "d", state: "proven", provenWallMs: NOW }] }],
  [["constraint-left-over"], { configuration: configuration({ constraints: leftOver }) }],
  [
    ["override-for-ever"],
    {
      configuration: configuration({
        constraints: leftOver,
        options: pair("lease.ban.prmDB", "forever|alice|disk change"),
      }),
    },
  ],
  [["clock-skew"], { clocks: [{ node: "srv02", offsetMs: -3_000, roundTripMs: 10 }] }],
  [[], { clocks: [{ node: "srv02", offsetMs: -3_000, roundTripMs: 5_000 }] }],
  [["clock-unknown"], { clocks: [{ node: "srv02", offsetMs: undefined, roundTripMs: 5_000 }] }],
  [["deadtime-short"], { keeper: { deadtimeMs: 5_000, worstSilenceMs: 3_000, watchdogMs: undefined } }],
  [
    ["serial-line-slow"],
    {
      keeper: {
        deadtimeMs: 1_000,
        worstSilenceMs: 0,
        watchdogMs: undefined,
        slowLines: [{ name: "cable", baud: 9_600, apartMs: 1_520 }],
      },
    },
  ],
  [
    ["fencing-disabled", "watchdog-late"],
    { isFencingEnabled: false, keeper: { deadtimeMs: 5_000, worstSilenceMs: 0, watchdogMs: 10_000 } },
  ],
  [["watchdog-none"], { watchdog: { ...choice, armed: undefined } }],
  [["watchdog-other"], { watchdog: { ...choice, armed: { identity: "Software Watchdog", module: "softdog" } } }],
  [["watchdog-other"], { watchdog: { ...choice, isLoaded: false, armed: { identity: "of nobody" } } }],
  [[], { watchdog: { ...choice, armed: { identity: "tells no module" } } }],
  [[], { watchdog: undefined }],
  [
    ["timeout-short"],
    { timeouts: [{ resource: "prmDB", operation: "start", configuredMs: 60_000, advisedMs: 120_000 }] },
  ],
  [["stops-longer-than-shutdown", "forgets-between-looks"], { configuration: configuration({ resource: slow }) }],
  [["service-missing"], { services: [{ ...service, isInstalled: false }] }],
  [["service-enabled-at-boot"], { services: [{ ...service, isEnabled: true }] }],
  [
    ["service-enabled-at-boot"],
    { services: [{ ...service, kind: "systemd", isEnabled: true, statusCode: undefined }] },
  ],
  [["status-code-unknown"], { services: [{ ...service, statusCode: 150 }] }],
  [["status-contradicts"], { services: [{ ...service, statusCode: 3 }] }],
  [["status-contradicts"], { services: [{ ...service, runsHere: false }] }],
];

test("a healthy cluster has nothing to be told", () => {
  expect(examine(HEALTHY)).toEqual([]);
});

describe("finds", () => {
  test.each(SICK)("%j", (codes, change) => {
    const found = examine({ ...HEALTHY, ...change });
    expect(found.map(({ code }) => code)).toEqual(codes);
    for (const { code, values } of found) {
      for (const language of ["en", "ja"] as const) {
        const { what, doNow } = findingText(language, code, values);
        expect(`${what} ${doNow}`, `${language} ${code}`).not.toMatch(/undefined|\(\)/);
        expect(/[ぁ-んァ-ン一-龯]/.test(what)).toBe(language === "ja");
      }
    }
  });

  test("all that it knows is provoked above", () => {
    expect(new Set(SICK.flatMap(([codes]) => codes))).toEqual(new Set(FINDING_CODES));
  });
});
