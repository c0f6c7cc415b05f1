/**
 * Two links of a node that would take the same packets: the same address and port, interface or serial port. They are
 * one cable under two names, and each gets, and refuses, what was meant for the other one. That they share a cable in
 * another way (a switch, an interface with two addresses) is not seen here.
 */
import type { Report } from "./node-checks.ts";
import { type LinkConfig, onNode } from "./node-links.ts";

interface Placed {
  readonly line: number;
  readonly value: LinkConfig;
}

/** What the link listens to on that node, in words that two links share when they take the same packets. */
function heardOn(link: LinkConfig, node: string): readonly string[] {
  switch (link.kind) {
    case "udp": {
      const { device } = link;
      const own = link.endpoints.filter((endpoint) => endpoint.node === node);
      const at = device === undefined ? "" : ` at ${device}`;
      return own.map(({ address, port }) => `port ${port} of ${address}${at}`);
    }
    case "broadcast": {
      const device = onNode(link.devices, node);
      return device === undefined ? [] : [`broadcasts to port ${link.port} at ${device}`];
    }
    case "multicast": {
      const device = onNode(link.devices, node);
      return device === undefined ? [] : [`port ${link.port} of the group ${link.group} at ${device}`];
    }
    case "serial":
      return onNode(link.devices, node) ?? [];
  }
}

export function checkPaths(links: readonly Placed[], nodes: readonly string[], report: Report): void {
  for (const [index, { line, value: link }] of links.entries()) {
    const clash = links.slice(0, index).flatMap(({ value: earlier }) =>
      nodes.flatMap((node) => {
        const heard = heardOn(earlier, node);
        return heardOn(link, node)
          .filter((each) => heard.includes(each))
          .map((what) => ({ earlier, node, what }));
      }),
    )[0];
    if (clash === undefined) continue;
    const { earlier, node, what } = clash;
    const reason = `on ${node} the link ${link.name} listens where ${earlier.name} does: ${what}`;
    report(line, reason, "remove one of the two, or give it a path of its own");
  }
}
