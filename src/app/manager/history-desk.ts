/** What has been: log lines of the members, the history of the configuration, and its earlier versions. */
import { childOf, parseXml, printXml, type XmlElement } from "../../base/xml.ts";
import type { ClockReading } from "../../cluster/core/clock-skew.ts";
import { nodeCib } from "../../cluster/core/controller/node-core.ts";
import { ASK_WAIT_MS, ask } from "./ask-peer.ts";
import { problem } from "./configuration-requests.ts";
import type { Reply } from "./control-server.ts";
import { type Manager, nowMs } from "./manager.ts";

const told = (value: unknown): Reply => ({ kind: "answer", value });
const refuse = (place: string, reason: string, remedy: string): Reply => ({
  kind: "refused",
  problems: [problem(place, reason, remedy)],
});

/** What fits between two managers without holding up what matters. */
export const PEER_LINES_MAX = 1_000;

export async function logLines(manager: Manager, node: string, lines: number): Promise<Reply> {
  if (node === manager.self) return told({ lines: manager.book.lines(lines) });
  if (manager.view?.members.includes(node) !== true)
    return refuse("node", `${node} is no member now`, `ask on ${node} itself: gemel log`);
  const message = await ask(manager, node, (number) => ({ room: "log", ask: number, lines }));
  if (message?.room === "log-answer") return told({ lines: message.lines });
  const reason = `${node} has gone without an answer, or gave none within ${ASK_WAIT_MS / 1_000} s`;
  return refuse("node", reason, `ask on ${node} itself: gemel log`);
}

/** A question of this kind is answered at once or by a node in trouble. */
const CLOCK_WAIT_MS = 5_000;

/** The other members' wall clocks beside ours, as of the middle of the question's way. */
export function readClocks(manager: Manager): Promise<readonly ClockReading[]> {
  const others = manager.view?.members.filter((name) => name !== manager.self) ?? [];
  return Promise.all(
    others.map(async (node): Promise<ClockReading> => {
      const [askedAtMs, askedWallMs] = [nowMs(), Date.now()];
      const message = await ask(manager, node, (number) => ({ room: "clock", ask: number }), CLOCK_WAIT_MS);
      const roundTripMs = nowMs() - askedAtMs;
      const isAnswered = message?.room === "clock-answer";
      return { node, roundTripMs, offsetMs: isAnswered ? message.wallMs - askedWallMs - roundTripMs / 2 : undefined };
    }),
  );
}

export function configurationLog(manager: Manager): Reply {
  const { history, version } = manager.node.store.stored;
  return told({ version: `${version.adminEpoch}.${version.epoch}`, entries: history });
}

/** As this node has it; undefined when it has not kept it. */
export async function keptVersion(manager: Manager, version: string): Promise<XmlElement | undefined> {
  const { version: now } = manager.node.store.stored;
  if (version === `${now.adminEpoch}.${now.epoch}`) return childOf(nodeCib(manager.node), "configuration");
  return await manager.files.readVersion(version);
}

/** From here, or from whichever member has kept it: a node that was away has missed some. */
export async function findVersion(manager: Manager, version: string): Promise<XmlElement | undefined> {
  const own = await keptVersion(manager, version);
  if (own !== undefined) return own;
  for (const peer of manager.view?.members ?? []) {
    if (peer === manager.self) continue;
    const message = await ask(manager, peer, (number) => ({ room: "version", ask: number, version }));
    const read = message?.room === "version-answer" && message.xml !== null ? parseXml(message.xml) : undefined;
    if (read?.kind === "xml") return read.root;
  }
  return undefined;
}

export async function configurationVersion(manager: Manager, version: string): Promise<Reply> {
  const found = await findVersion(manager, version);
  if (found === undefined)
    return refuse("version", `no member has kept version ${version}`, "see gemel config log for what there is");
  return told({ xml: printXml(found) });
}
