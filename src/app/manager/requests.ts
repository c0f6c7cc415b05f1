/**
 * What each request of the control socket is answered with, and the messages of other managers. Configuration is
 * changed through the CIB store; what only the DC can do is handed to it, wherever it is.
 */
import { childOf, childrenOf, printXml, type XmlElement } from "../../base/xml.ts";
import { filterCib, type Person } from "../../cluster/core/access/acl.ts";
import { restoreUnseen } from "../../cluster/core/access/change.ts";
import { cibVersion } from "../../cluster/core/controller/cib-read.ts";
import { nodeCib } from "../../cluster/core/controller/node-core.ts";
import { pretendFailure } from "../../cluster/core/controller/pretend-failure.ts";
import type { ControlRequest } from "../control-protocol.ts";
import { describeFault } from "../fault.ts";
import { VERSION } from "../version.ts";
import { ASK_FENCE_WAIT_MS, ASK_WAIT_MS, ask } from "./ask-peer.ts";
import { dropTransient, permanentAttribute, queryAttribute, setTransient, takePrivate } from "./attribute-desk.ts";
import { change, withCautions } from "./change.ts";
import {
  applyWish,
  confirmWish,
  findResource,
  nodeWish,
  primitivesOf,
  refuseTicket,
  resourceWish,
  switchedAttribute,
  ticketChange,
  type Wish,
} from "./configuration-requests.ts";
import type { Reply } from "./control-server.ts";
import { confirmFence, drill, fence, prove } from "./fence-requests.ts";
import { keepRecords } from "./fencing-news.ts";
import {
  configurationLog,
  configurationVersion,
  keptVersion,
  logLines,
  PEER_LINES_MAX,
  readClocks,
} from "./history-desk.ts";
import { lossesUntilBoot } from "./loss-desk.ts";
import { feed, type Manager, refresh, report, sendAnywhere } from "./manager.ts";
import type { ManagerMessage } from "./messages.ts";
import { answer, refuse } from "./reply.ts";
import { statusReport } from "./status-report.ts";
import { unfenceHere } from "./unfence.ts";

export async function askDrbd(manager: Manager, peer: string, resource: string) {
  const message = await ask(manager, peer, (number) => ({ room: "drbd", ask: number, resource }));
  return message?.room === "drbd-answer" ? message.word : "unknown";
}

async function askDc(manager: Manager, request: ControlRequest): Promise<Reply> {
  const { dc } = manager.node.controller.election;
  if (dc === null) return refuse("cluster", "there is no DC now", "try again in a few seconds");
  const waitMs = request.kind === "fence" || request.kind === "fence-drill" ? ASK_FENCE_WAIT_MS : ASK_WAIT_MS;
  const message = await ask(manager, dc, (number) => ({ room: "dc", ask: number, request }), waitMs);
  if (message?.room === "dc-answer") return message.reply;
  const reason = `the DC ${dc} has gone without an answer, or gave none within ${waitMs / 1_000} s`;
  return refuse("cluster", reason, "look at `gemel status`: what was asked may have been done all the same");
}

function queryCib(manager: Manager, person: Person, section: string | undefined): Reply {
  const cib = filterCib(nodeCib(manager.node), person);
  const found: XmlElement | undefined =
    section === undefined || section === "cib"
      ? cib
      : (childOf(cib, section) ?? childOf(childOf(cib, "configuration"), section));
  if (found === undefined) {
    const sections = [cib, ...childrenOf(cib, "configuration")].flatMap(({ children }) =>
      children.map(({ name }) => name),
    );
    return refuse("section", `the CIB has no section ${section}`, `give one of ${sections.join(", ")}`);
  }
  return answer<"cib-query">({ version: cibVersion(nodeCib(manager.node)), xml: printXml(found) });
}

function failResource(manager: Manager, request: Extract<ControlRequest, { kind: "resource-fail" }>): Reply {
  const { resource: id, node } = request;
  const changes = pretendFailure(nodeCib(manager.node), id, node, Date.now());
  if (changes === undefined) return refuse("resource", `nothing of ${id} is known on ${node}`, "name where it runs");
  report(manager, changes);
  return answer<"resource-fail">({ text: `${id} counts as failed on ${node}` });
}

/** Until the node leaves. */
async function setForNow(manager: Manager, request: ControlRequest & { readonly kind: "attribute" }): Promise<Reply> {
  const losses = await lossesUntilBoot(manager, request);
  const reply = setTransient(manager, request);
  return reply.kind === "answer" ? withCautions(reply.value, losses) : reply;
}

/** The word that was said last counts, not one that the node would keep until it leaves. */
async function switchNode(
  manager: Manager,
  person: Person,
  request: ControlRequest & { readonly kind: "node" },
): Promise<Reply> {
  const reply = await change(manager, person, request, (cib) => nodeWish(cib, request, askerOf(request)));
  if (reply.kind === "answer") dropTransient(manager, request.node, switchedAttribute(request));
  return reply;
}

const askerOf = ({ by = "root" }: ControlRequest) => ({ by, nowWallMs: Date.now() });

async function resource(
  manager: Manager,
  person: Person,
  request: Extract<ControlRequest, { kind: "resource" }>,
): Promise<Reply> {
  const cib = nodeCib(manager.node);
  const reply = await change(manager, person, request, (now) => resourceWish(now, request, askerOf(request)));
  const found = findResource(cib, request.resource);
  if (reply.kind === "answer" && request.action === "cleanup" && found !== undefined) {
    for (const primitive of primitivesOf(found)) {
      const { node } = request;
      feed(manager, { kind: "cleanup", resource: primitive, ...(node === undefined ? {} : { node }) });
    }
  }
  return reply;
}

const replacement =
  (person: Person, request: Extract<ControlRequest, { kind: "cib-apply" }>) =>
  (cib: XmlElement): Wish =>
    applyWish(cib, request, askerOf(request), (given) => restoreUnseen(cib, given, person));

/** Never rejects: a fault in one request is told to its asker and the log, and the manager goes on. */
export async function answerRequest(manager: Manager, request: ControlRequest, person: Person): Promise<Reply> {
  try {
    return await dispatch(manager, request, person);
  } catch (error) {
    const reason = describeFault(error);
    manager.log("error", `the request ${request.kind} failed: ${reason}`);
    return refuse("request", reason, "this is a fault of gemel: keep the log and report it");
  }
}

async function dispatch(manager: Manager, request: ControlRequest, person: Person): Promise<Reply> {
  switch (request.kind) {
    case "ping":
      return answer<"ping">({ self: manager.self, program: `gemel ${VERSION}` });
    case "status":
      return answer<"status">(await statusReport(manager, person));
    case "log":
      return await logLines(manager, request.node ?? manager.self, request.lines);
    case "cib-query":
      return queryCib(manager, person, request.section);
    case "cib-apply":
      return await change(manager, person, request, replacement(person, request));
    case "config-log":
      return configurationLog(manager);
    case "config-version":
      return await configurationVersion(manager, request.version);
    case "config-confirm":
      return await change(manager, person, request, confirmWish);
    case "attribute":
      return request.lifetime === "forever"
        ? await change(manager, person, request, (cib) => permanentAttribute(cib, manager.self, request))
        : await setForNow(manager, request);
    case "ticket": {
      const refusal = refuseTicket(request);
      if (refusal !== undefined) return { kind: "refused", problems: [refusal] };
      report(manager, [ticketChange(request, Date.now())]);
      return answer<"ticket">({ text: `the ticket ${request.ticket} is changed` });
    }
    case "attribute-query":
      return answer<"attribute-query">(queryAttribute(manager, request, person));
    case "node":
      return await switchNode(manager, person, request);
    case "resource":
      return await resource(manager, person, request);
    case "clocks":
      return answer<"clocks">({ readings: await readClocks(manager) });
    case "resource-fail":
      return failResource(manager, request);
    case "fence-peer":
      return answer<"fence-peer">(await manager.drbd.fencePeer(request.resource, request.peer, request.waitMs));
    case "fence-history": {
      const { history, proofs } = (await statusReport(manager)).fencing;
      return answer<"fence-history">({ history, proofs });
    }
    case "fence-prove":
      return await prove(manager, request.device);
    case "fence":
      // The DC cannot switch itself off and read it back: whoever is asked does it, and tells the others.
      if (request.target === manager.node.controller.election.dc && request.target !== manager.self)
        return await fence(manager, request);
      return await askDc(manager, request);
    case "fence-drill":
      return await askDc(manager, request);
    case "fence-confirm":
      // Who has said it is worth little without where he sat.
      return await askDc(manager, { ...request, by: `${request.by ?? "root"} on ${manager.self}` });
    case "subscribe":
      return answer<"subscribe">({ text: "subscribed" });
    default:
      return request satisfies never;
  }
}

/** Requests that arrive at the DC. */
async function dispatchAtDc(manager: Manager, request: ControlRequest): Promise<Reply> {
  if (request.kind === "fence") return await fence(manager, request);
  if (request.kind === "fence-drill") return await drill(manager, request);
  if (request.kind === "fence-confirm") return await confirmFence(manager, request);
  return refuse("request", `${request.kind} is not for the DC`, "ask any node");
}

export function takeMessage(manager: Manager, from: string, message: ManagerMessage): void {
  switch (message.room) {
    case "controller":
    case "cib":
      feed(manager, { kind: "message", from, message });
      break;
    case "attribute":
      takePrivate(manager, message);
      break;
    case "fencing":
      keepRecords(manager, message.records, message.isNews === true);
      if (message.isNews === true) message.records.forEach(manager.fencing.heard);
      break;
    case "proofs":
      manager.peerProofs.set(from, message.report);
      break;
    case "alerts":
      manager.peerAlerts.set(from, message.troubles);
      refresh(manager);
      break;
    case "dc":
      void dispatchAtDc(manager, message.request).then((reply) =>
        sendAnywhere(manager, from, { room: "dc-answer", ask: message.ask, reply }),
      );
      break;
    case "version":
      void keptVersion(manager, message.version).then((found) =>
        sendAnywhere(manager, from, {
          room: "version-answer",
          ask: message.ask,
          xml: found === undefined ? null : printXml(found),
        }),
      );
      break;
    case "clock":
      sendAnywhere(manager, from, { room: "clock-answer", ask: message.ask, wallMs: Date.now() });
      break;
    case "log": {
      const lines = manager.book.lines(Math.min(message.lines, PEER_LINES_MAX));
      sendAnywhere(manager, from, { room: "log-answer", ask: message.ask, lines });
      break;
    }
    case "drbd":
      void manager.drbd
        .outdate(message.resource)
        .then((word) => sendAnywhere(manager, from, { room: "drbd-answer", ask: message.ask, word }));
      break;
    case "unfence":
      void unfenceHere(manager, message).then((record) =>
        sendAnywhere(manager, from, { room: "unfence-answer", ask: message.ask, record }),
      );
      break;
    case "unfence-answer":
    case "dc-answer":
    case "log-answer":
    case "clock-answer":
    case "version-answer":
    case "drbd-answer":
      manager.asked.get(message.ask)?.end(message);
      break;
    default:
      message satisfies never;
  }
}
