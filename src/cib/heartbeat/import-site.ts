/**
 * A whole Heartbeat site (ha.cf, authkeys, haresources) as the files of a node here, with an answer to each line. What
 * comes out is read again by the very readers that a node starts with: nothing is handed on that they refuse.
 */
import type { Problem } from "../../base/problem.ts";
import { loadConfiguration } from "../load.ts";
import { readNodeConfig } from "../node-config.ts";
import { readHaCf } from "./ha-cf.ts";
import { readHaresources } from "./haresources.ts";
import { secretLines } from "./old-devices.ts";
import { printNodeConfig } from "./print-node-config.ts";
import type { Knowledge, Site, Verdict } from "./site.ts";

export interface SiteTexts {
  readonly folder: string;
  readonly haCf: string;
  /** Undefined when there is no such file, or it cannot be read. */
  readonly authkeys: string | undefined;
  readonly haresources: string | undefined;
}

export interface ImportedSite {
  readonly verdicts: readonly Verdict[];
  readonly problems: readonly Problem[];
  readonly nodeConfig: string;
  readonly authkeys: string;
  /** Undefined where the resources are in a CIB. */
  readonly crm: string | undefined;
  /** Passwords of the devices of old; empty where there are none. */
  readonly secrets: string;
}

const SIGNED = /^\s*(\d+)\s+(crc|md5|sha1)\b/;

/** What says nothing, and which key was in use. */
const PLAIN = /^\s*(?:#.*|auth\s+(?:\d|1[0-5])\s*)?$/;

/** The methods of the old keys; their secrets are read by nobody. */
function judgeKeys(text: string | undefined, file: string): Verdict[] {
  if (text === undefined) return [];
  return text.split(/\r?\n/).flatMap((line, index): Verdict[] => {
    const [, number = "", method = ""] = SIGNED.exec(line) ?? [];
    // A secret may stand in it, so it is not shown.
    if (method === "" && !PLAIN.test(line))
      return [{ place: `${file}:${index + 1}`, written: "...", kind: "refused", text: "no line of a key file" }];
    if (method === "") return [];
    const written = `${number} ${method}${method === "crc" ? "" : " ..."}`;
    const why = method === "crc" ? "a checksum, which anybody can make" : "broken";
    return [
      {
        place: `${file}:${index + 1}`,
        written,
        kind: "refused",
        text: `${method} is ${why}: a new sha256 key is made; copy authkeys to every node`,
      },
    ];
  });
}

function warnings(site: Site, crm: string | undefined, folder: string): Problem[] {
  const warn = (reason: string, remedy: string): Problem => ({ severity: "warning", place: folder, reason, remedy });
  return [
    ...(site.watchdog === undefined
      ? [
          warn(
            "there is no watchdog: a node that hangs holds its resources",
            "write watchdog /dev/watchdog timeout 10s",
          ),
        ]
      : []),
    ...(crm === undefined || secretLines(site.devices) !== ""
      ? []
      : [
          warn(
            "a person has to fence: nothing is taken over from a lost node before gemel fence confirm NODE",
            "put a device in the place of fencing_by_hand: primitive ID stonith:TYPE params ... (gemel stonith -L)",
          ),
        ]),
  ];
}

/** `secret`: for the new key. */
export function importSite(texts: SiteTexts, knowledge: Knowledge, secret: string): ImportedSite {
  const { folder } = texts;
  const at = (name: string) => `${folder}/${name}`;
  const { site, verdicts, problems: found } = readHaCf(texts.haCf, at("ha.cf"));
  const problems = [...found];
  const all = [...verdicts, ...judgeKeys(texts.authkeys, at("authkeys"))];
  let crm: string | undefined;
  if (site.usesCrm) {
    if (texts.haresources !== undefined && /^\s*[^#\s]/m.test(texts.haresources))
      all.push({ place: at("haresources"), written: "", kind: "not-needed", text: "not read in crm mode, as ever" });
  } else if (texts.haresources !== undefined) {
    const read = readHaresources(texts.haresources, at("haresources"), site, knowledge);
    all.push(...read.verdicts);
    problems.push(...read.problems);
    crm = read.crm;
  }
  const nodeConfig = printNodeConfig(site, knowledge, crm !== undefined, problems);
  // While the input itself is wrong, what it became would only be wrong in the same places once more.
  if (problems.length === 0) {
    const config = readNodeConfig(nodeConfig, "node.conf");
    problems.push(...(config.kind === "valid" ? config.warnings : config.problems));
    const loaded = crm === undefined ? undefined : loadConfiguration(crm, { source: "cluster.crm" });
    if (loaded !== undefined) problems.push(...(loaded.kind === "valid" ? loaded.warnings : loaded.problems));
  }
  problems.push(...warnings(site, crm, folder));
  const secrets = crm === undefined ? "" : secretLines(site.devices);
  return { verdicts: all, problems, nodeConfig, authkeys: `auth 1\n1 sha256 ${secret}\n`, crm, secrets };
}
