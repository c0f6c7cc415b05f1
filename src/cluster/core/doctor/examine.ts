/**
 * The examination itself: every rule looks at what was gathered and says what it finds. Pure; worst first.
 * Facts: reference/crm-tools.md, sections 6 and 7; Pacemaker Explained (failure-timeout, shutdown-escalation).
 */
import { childOf, childrenOf, type XmlElement } from "../../../base/xml.ts";
import { clock } from "../advice/words.ts";
import { clockSkew } from "../clock-skew.ts";
import { heldConstraints, type Lease, leasesOf } from "../overrides/lease.ts";
import { parseDurationMs } from "../scheduler/facts/values.ts";
import type { DoctorFinding, Examination } from "./examination.ts";

type Rule = (examination: Examination) => readonly DoctorFinding[];

/** Of deadtime; a living node that was silent for longer has nearly been taken for dead. */
const SILENCE_SHARE = 0.5;
/** shutdown-escalation of Pacemaker. */
const SHUTDOWN_DEFAULT_MS = 20 * 60_000;

const seconds = (ms: number): string => `${Math.round(ms / 100) / 10}`;

const fencing: Rule = ({ isFencingEnabled, nodes, devices, proofs }) => {
  if (!isFencingEnabled) return [{ severity: "error", code: "fencing-disabled", values: {} }];
  const without = nodes.filter((node) => !devices.some(({ targets }) => targets.includes(node)));
  const untested = proofs.flatMap(({ node, device, state, provenWallMs, switchedWallMs, reason = "" }) => {
    const values = { node, device, reason, since: provenWallMs === undefined ? "" : clock(provenWallMs) };
    const found: DoctorFinding[] = [];
    if (state === "new") found.push({ severity: "error", code: "device-untested", values });
    else if (state === "failing") found.push({ severity: "error", code: "device-failing", values });
    else if (state === "expired") found.push({ severity: "error", code: "proof-lapsed", values });
    else if (switchedWallMs === undefined) found.push({ severity: "warning", code: "never-switched", values });
    return found;
  });
  const bare = without.map((node): DoctorFinding => {
    return { severity: "error", code: "node-without-device", values: { node } };
  });
  return [...bare, ...untested];
};

const isPlacing = ({ kind }: Lease) => kind === "move" || kind === "ban";

/** What moves left behind without anybody who will take it back. */
const overrides: Rule = ({ configuration }) => {
  const leases = leasesOf(configuration);
  const constraints = childrenOf(childOf(configuration, "constraints"), "rsc_location");
  const held = new Set(leases.flatMap((lease) => (isPlacing(lease) ? heldConstraints(configuration, lease) : [])));
  const leftOver = constraints.flatMap((constraint): readonly DoctorFinding[] => {
    const { id = "", rsc = "" } = constraint.attributes;
    if (!/^cli-(?:prefer|ban|standby)-/.test(id) || held.has(constraint)) return [];
    return [{ severity: "warning", code: "constraint-left-over", values: { id, resource: rsc } }];
  });
  const forEver = leases.flatMap(({ kind, subject, owner, reason, endWallMs }): readonly DoctorFinding[] => {
    if (endWallMs !== undefined || kind === "trial") return [];
    return [{ severity: "warning", code: "override-for-ever", values: { kind, subject, owner, reason } }];
  });
  return [...leftOver, ...forEver];
};

const clocks: Rule = ({ clocks: readings }) =>
  readings.flatMap((reading): readonly DoctorFinding[] => {
    const { node, offsetMs } = reading;
    if (offsetMs === undefined) return [{ severity: "warning", code: "clock-unknown", values: { node } }];
    const skew = clockSkew(reading);
    return skew === undefined ? [] : [{ ...skew, values: { ...skew.values } }];
  });

const keeperTimes: Rule = ({ keeper, isFencingEnabled, devices }) => {
  if (keeper === undefined) return [];
  const { deadtimeMs, worstSilenceMs, watchdogMs, slowLines = [] } = keeper;
  const found: DoctorFinding[] = [];
  if (worstSilenceMs > SILENCE_SHARE * deadtimeMs) {
    const values = { silence: seconds(worstSilenceMs), deadtime: seconds(deadtimeMs) };
    found.push({ severity: "warning", code: "deadtime-short", values });
  }
  for (const { name, baud, apartMs } of slowLines) {
    const values = { link: name, baud: String(baud), apart: seconds(apartMs), deadtime: seconds(deadtimeMs) };
    found.push({ severity: "warning", code: "serial-line-slow", values });
  }
  // With a device the power is read back; without one the watchdog alone must have fired before anybody takes over.
  if (watchdogMs !== undefined && watchdogMs >= deadtimeMs && (!isFencingEnabled || devices.length === 0)) {
    const values = { watchdog: seconds(watchdogMs), deadtime: seconds(deadtimeMs) };
    found.push({ severity: "error", code: "watchdog-late", values });
  }
  return found;
};

/** A software watchdog hangs with its kernel; the machine's own does not. */
const watchdogChoice: Rule = ({ watchdog }) => {
  if (watchdog === undefined) return [];
  const { profile, module, isLoaded, armed } = watchdog;
  const remedy = isLoaded ? "" : `modprobe ${module}`;
  if (armed === undefined) return [{ severity: "error", code: "watchdog-none", values: { profile, module, remedy } }];
  // A driver that does not tell its module may be the very one, if that one is loaded.
  if (armed.module === module || (armed.module === undefined && isLoaded)) return [];
  const values = { profile, module, remedy, armed: armed.identity };
  return [{ severity: "warning", code: "watchdog-other", values }];
};

function primitivesIn(element: XmlElement): readonly XmlElement[] {
  return element.children.flatMap((child) => (child.name === "primitive" ? [child] : primitivesIn(child)));
}

function optionOf(element: XmlElement | undefined, set: string, name: string): string | undefined {
  const pairs = childrenOf(element, set).flatMap((each) => childrenOf(each, "nvpair"));
  return pairs.find(({ attributes }) => attributes["name"] === name)?.attributes["value"];
}

const operationTimes: Rule = ({ configuration, timeouts }) => {
  const found: DoctorFinding[] = timeouts
    .filter(({ configuredMs, advisedMs }) => configuredMs < advisedMs)
    .map(({ resource, operation, configuredMs, advisedMs }) => {
      const values = { resource, operation, configured: seconds(configuredMs), advised: seconds(advisedMs) };
      return { severity: "warning", code: "timeout-short", values };
    });
  const option = optionOf(childOf(configuration, "crm_config"), "cluster_property_set", "shutdown-escalation");
  const shutdownMs = parseDurationMs(option ?? "") ?? SHUTDOWN_DEFAULT_MS;
  for (const primitive of primitivesIn(configuration)) {
    const { id: resource = "" } = primitive.attributes;
    const operations = childrenOf(childOf(primitive, "operations"), "op");
    const stop = operations.find(({ attributes }) => attributes["name"] === "stop");
    const stopMs = parseDurationMs(stop?.attributes["timeout"] ?? "") ?? 0;
    if (stopMs >= shutdownMs) {
      const values = { resource, stop: seconds(stopMs), shutdown: seconds(shutdownMs) };
      found.push({ severity: "warning", code: "stops-longer-than-shutdown", values });
    }
    const forgetMs = parseDurationMs(optionOf(primitive, "meta_attributes", "failure-timeout") ?? "") ?? 0;
    const intervals = operations
      .filter(({ attributes }) => attributes["name"] === "monitor")
      .map(({ attributes }) => parseDurationMs(attributes["interval"] ?? "") ?? 0);
    const longestMs = Math.max(0, ...intervals);
    if (forgetMs > 0 && longestMs >= forgetMs) {
      const values = { resource, forget: seconds(forgetMs), interval: seconds(longestMs) };
      found.push({ severity: "warning", code: "forgets-between-looks", values });
    }
  }
  return found;
};

/** Fact: LSB 5.0, "Init Script Actions": status answers 0 running, 1 to 3 not, 4 unknown. */
const services: Rule = ({ services: all }) =>
  all.flatMap(({ resource, kind, name, isInstalled, isEnabled, statusCode, runsHere }) => {
    const values = { resource, kind, name, code: String(statusCode ?? "") };
    if (!isInstalled) return [{ severity: "error", code: "service-missing", values } as const];
    const found: DoctorFinding[] = [];
    if (isEnabled) found.push({ severity: "error", code: "service-enabled-at-boot", values });
    if (kind === "systemd" || statusCode === undefined) return found;
    if (statusCode > 3) found.push({ severity: "error", code: "status-code-unknown", values });
    else if ((statusCode === 0) !== runsHere) {
      const told = { ...values, runs: runsHere ? "yes" : "no" };
      found.push({ severity: "error", code: "status-contradicts", values: told });
    }
    return found;
  });

const RULES: readonly Rule[] = [fencing, overrides, clocks, keeperTimes, watchdogChoice, operationTimes, services];

export function examine(examination: Examination): readonly DoctorFinding[] {
  const found = RULES.flatMap((rule) => rule(examination));
  return [...found.filter(({ severity }) => severity === "error"), ...found.filter((one) => one.severity !== "error")];
}
