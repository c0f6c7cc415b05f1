/**
 * What the fencer would leave out of a configuration, told where the configuration is written: a device that is not
 * used must show then, and not when it is needed. Warnings, for the rest of the cluster works with them.
 */
import type { Problem } from "../base/problem.ts";
import type { XmlElement } from "../base/xml.ts";
import { readFencingConfiguration } from "../fencing/core/read-configuration.ts";
import { writtenDevices } from "../fencing/core/written-devices.ts";
import { CATALOGUE } from "../fencing/drivers/index.ts";
import { fencingAgents } from "./fencing-agents.ts";

/** Of this machine: each node that may have to use the device needs its agent. */
function missingAgents(devices: readonly XmlElement[]): readonly Problem[] {
  const installed = fencingAgents();
  return devices.flatMap(({ attributes: { id = "", type = "" } }): Problem[] => {
    // A name that nobody speaks for is told by the fencer itself.
    if (installed.includes(type) || CATALOGUE.choose(type, {}) === undefined) return [];
    const reason = `the agent ${type} is not on this machine`;
    return [{ severity: "warning", place: `primitive ${id}`, reason, remedy: "install it on every node" }];
  });
}

/** Of a configuration without any device the checks of the CIB itself speak. `configuration`: `<configuration>`. */
export function fencingProblems(configuration: XmlElement): readonly Problem[] {
  const devices = writtenDevices(configuration);
  if (devices.length === 0) return [];
  const { problems } = readFencingConfiguration(configuration, CATALOGUE);
  const found = problems.map((problem): Problem => ({ ...problem, severity: "warning" }));
  return [...found, ...missingAgents(devices)];
}
