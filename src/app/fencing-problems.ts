/**
 * What the fencer would leave out of a configuration, told where the configuration is written: a device that is not
 * used must show then, and not when it is needed. Warnings, for the rest of the cluster works with them.
 */
import type { Problem } from "../base/problem.ts";
import type { XmlElement } from "../base/xml.ts";
import { readFencingConfiguration } from "../fencing/core/read-configuration.ts";
import { writtenDevices } from "../fencing/core/written-devices.ts";
import { CATALOGUE } from "../fencing/drivers/index.ts";

/** Of a configuration without any device the checks of the CIB itself speak. `configuration`: `<configuration>`. */
export function fencingProblems(configuration: XmlElement): readonly Problem[] {
  if (writtenDevices(configuration).length === 0) return [];
  const { problems } = readFencingConfiguration(configuration, CATALOGUE);
  return problems.map((problem) => ({ ...problem, severity: "warning" }));
}
