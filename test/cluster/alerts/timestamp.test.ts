/** `timestamp-format` beside date(1) itself, in the C locale, in three zones. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { formatTimestamp } from "../../../src/cluster/core/alerts/timestamp.ts";

const LETTERS = "aAbBcCdDeFgGhHIjklmMnNpPrRsStTuUVwWxXyYz%".split("");
const FLAGGED = [
  "%-d",
  "%_d",
  "%0e",
  "%^a",
  "%^B",
  "%10Y",
  "%_6j",
  "%-I",
  "%:z",
  "%03H",
  "%#p",
  "%^c",
  "%12A",
  "%E",
  "%q",
];
const FRACTIONS = ["%06N", "%01N", "%03N", "%3N", "%9N"];
const FORMAT = [...LETTERS.map((letter) => `%${letter}`), ...FLAGGED, ...FRACTIONS, "100 %", "plain"].join("|");

/** Midnights, the turns of ISO years, a leap day, afternoons. */
const INSTANTS = [
  0, 951_782_399_007, 1_104_537_600_000, 1_230_768_000_123, 1_293_839_999_999, 1_709_208_000_500, 1_795_290_033_042,
];

test.each([
  ["UTC0", 0],
  ["JST-9", 32_400],
  ["XXX3:30", -12_600],
])("as date(1) writes it in the zone %s", (zone, zoneSeconds) => {
  for (const wallMs of INSTANTS) {
    const at = `@${Math.floor(wallMs / 1000)}.${String(wallMs % 1000).padStart(3, "0")}`;
    const environment = { ...process.env, TZ: zone, LC_ALL: "C" };
    const said = execFileSync("date", ["-d", at, `+${FORMAT}`], { env: environment })
      .toString()
      .slice(0, -1);
    expect(formatTimestamp(FORMAT, { wallMs, zoneSeconds }).split("|"), `${wallMs}`).toEqual(said.split("|"));
  }
});

test("a width that nobody means costs nothing", () => {
  expect(formatTimestamp("%999d", { wallMs: 0, zoneSeconds: 0 })).toHaveLength(64);
});
