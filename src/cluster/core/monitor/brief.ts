/** One line for monitoring systems, in the words and with the exit codes that plug-ins of Nagios have. */
import { byName, countsOf } from "./summary.ts";
import type { MonitorSource } from "./wishes.ts";

export interface Brief {
  readonly text: string;
  /** Of a Nagios plug-in: 0 good, 1 warning. */
  readonly exitCode: 0 | 1;
}

const plural = (count: number, word: string) => `${count} ${word}${count === 1 ? "" : "s"}`;

export function brief({ facts }: MonitorSource): Brief {
  const nodes = byName(facts.nodes);
  const warnings = [
    ...(facts.nodes.some(({ isDc }) => isDc) ? [] : ["No DC"]),
    ...nodes.filter(({ online }) => !online).map(({ name }) => `offline node: ${name}`),
  ];
  if (warnings.length > 0) {
    const [first = "", ...rest] = warnings;
    const text = first === "No DC" && rest.length > 0 ? `${first}, ${rest.join(" ")}` : warnings.join(" ");
    return { text: `CLUSTER WARN: ${text}`, exitCode: 1 };
  }
  const count = (test: (node: (typeof nodes)[number]) => boolean) => nodes.filter(test).length;
  const standby = count((node) => node.standby);
  const maintenance = count((node) => node.maintenance);
  const online = nodes.length - count((node) => node.standby || node.maintenance);
  const parts = [
    `${plural(online, "node")} online`,
    ...(standby > 0 ? [plural(standby, "standby node")] : []),
    ...(maintenance > 0 ? [plural(maintenance, "maintenance node")] : []),
    `${plural(countsOf(facts).resources, "resource instance")} configured`,
  ];
  return { text: `CLUSTER OK: ${parts.join(", ")}`, exitCode: 0 };
}
