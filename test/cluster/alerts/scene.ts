/** What the tests of alerts share: a CIB with an alerts section, and targets read from it. */
import { parseXml, type XmlElement } from "../../../src/base/xml.ts";
import { readAlertTargets } from "../../../src/cluster/core/alerts/configuration.ts";

const NODES = '<nodes><node id="1" uname="alpha"/><node id="2" uname="bravo"/></nodes>';

export function cib(alerts: string, nodes = NODES, status = ""): XmlElement {
  const read = parseXml(
    `<cib><configuration>${nodes}<alerts>${alerts}</alerts></configuration><status>${status}</status></cib>`,
  );
  if (read.kind !== "xml") throw new Error(read.reason);
  return read.root;
}

/** 2026-11-21 12:00:00 UTC. */
export const NOON = { wallMs: 1_795_262_400_250, zoneSeconds: 0 };

export const targetsOf = (alerts: string, wallMs = NOON.wallMs) =>
  readAlertTargets(cib(alerts), { nowSeconds: Math.floor(wallMs / 1000), zoneSeconds: 0 });
