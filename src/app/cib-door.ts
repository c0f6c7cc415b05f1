/**
 * Where a command's CIB is: the running cluster, or a file. CIB_file names a file, CIB_shadow a shadow copy, as for all
 * tools of the field; with either nothing reaches the cluster. The file is asked and changed by the very requests that
 * a manager answers, so that every command works on both.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import type { Problem } from "../base/problem.ts";
import { entryOf } from "../base/record.ts";
import { childOf, parseXml, printXml, type XmlElement } from "../base/xml.ts";
import { verifyCib } from "../cib/schema/verify.ts";
import { applyOperations } from "../cluster/core/cib-store/operations.ts";
import { applyStatus, nodeIdFrom } from "../cluster/core/cib-store/status.ts";
import { cibVersion, configuredNodes, nodeState, transientAttributes } from "../cluster/core/controller/cib-read.ts";
import { askControl, type ControlReply } from "./control-client.ts";
import type { ControlAnswers, ControlRequest, RequestKind } from "./control-protocol.ts";
import { ctime } from "./ctime.ts";
import {
  applyWish,
  nodeAttribute,
  nodeWish,
  problem,
  refuseTicket,
  resourceWish,
  switchedAttribute,
  ticketChange,
  type Wish,
} from "./manager/configuration-requests.ts";

/** Fact: crm_shadow(8): CIB_shadow_dir, else a directory of the user. */
export function shadowFile(name: string): string {
  const directory = process.env.CIB_shadow_dir ?? path.join(os.homedir(), ".cib");
  return path.join(directory, `shadow.${name}`);
}

/** The file that stands in for the cluster; undefined for the cluster itself. */
export function cibFile(): string | undefined {
  const { CIB_file: file, CIB_shadow: shadow } = process.env;
  if (file !== undefined && file !== "") return file;
  return shadow === undefined || shadow === "" ? undefined : shadowFile(shadow);
}

/** Of what is wrong with the file itself: the place that a problem names begins so. */
export const CIB_FILE = "the file";
export const NO_CIB_FILE = "CIB_file";

type AnyReply = ControlReply<unknown>;

const refuse = (place: string, reason: string, remedy: string): AnyReply => ({
  kind: "refused",
  problems: [problem(place, reason, remedy)],
});

/** Also creates it; whole or not at all. The file may hold passwords of fencing devices. */
export function writeCibFile(file: string, cib: XmlElement): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const beside = `${file}.${process.pid}`;
  writeFileSync(beside, printXml(cib), { mode: 0o600 });
  renameSync(beside, file);
}

function readCibFile(file: string): XmlElement | AnyReply {
  if (!existsSync(file)) return refuse(NO_CIB_FILE, `there is no CIB file ${file}`, "correct CIB_file or CIB_shadow");
  const read = parseXml(readFileSync(file, "utf8"));
  const place = `${CIB_FILE} ${file}`;
  if (read.kind === "not-xml") return refuse(`${place}:${read.line}`, read.reason, "give a CIB as XML");
  if (read.root.name !== "cib") return refuse(place, `<${read.root.name}> is no <cib>`, "give a CIB as XML");
  return read.root;
}

function put(cib: XmlElement, child: XmlElement): XmlElement {
  return { ...cib, children: cib.children.map((old) => (old.name === child.name ? child : old)) };
}

/** With the version counted up and the name of who wrote it. */
function signed(cib: XmlElement, by: string, before: XmlElement): XmlElement {
  const attributes = {
    ...cib.attributes,
    epoch: String(Number(before.attributes["epoch"] ?? 0) + 1),
    num_updates: "0",
    "cib-last-written": ctime(Date.now()),
    "update-origin": os.hostname(),
    "update-client": "gemel",
    "update-user": by,
  };
  return { ...cib, attributes };
}

/** What was wrong before must not bar the way to mending it piece by piece. */
function newErrors(before: XmlElement, after: XmlElement): readonly Problem[] {
  const known = new Set(verifyCib(before).map(({ reason }) => reason));
  return verifyCib(after).filter(({ severity, reason }) => severity === "error" && !known.has(reason));
}

/** The whole CIB in its file: what is wrong with it, and then nothing was changed. */
export function changeCibFile(file: string, before: XmlElement, after: XmlElement): readonly Problem[] {
  const configuration = childOf(after, "configuration");
  if (after.name !== "cib" || configuration === undefined || childOf(after, "status") === undefined)
    return [problem(file, "what would be left is no whole CIB", "give a <cib> with its configuration and status")];
  const errors = newErrors(before, after);
  if (errors.length > 0) return errors;
  const isSame = printXml(configuration) === printXml(childOf(before, "configuration") ?? configuration);
  const { attributes } = signed(after, os.userInfo().username, before);
  // Whoever counts a version up by hand has said what it shall be.
  const isRaised = ["admin_epoch", "epoch"].some(
    (name) => entryOf(after.attributes, name) !== entryOf(before.attributes, name),
  );
  writeCibFile(file, isSame || isRaised ? after : { ...after, attributes });
  return [];
}

function change(file: string, cib: XmlElement, request: ControlRequest, wish: Wish): AnyReply {
  if (wish.kind === "problem") return { kind: "refused", problems: [wish.problem] };
  const configuration = childOf(cib, "configuration");
  if (configuration === undefined) return refuse(file, "the CIB has no configuration", "give a whole CIB");
  const applied = applyOperations(configuration, [...wish.operations, ...(wish.notes ?? [])]);
  if (applied.kind === "invalid") return { kind: "refused", problems: applied.problems };
  const changed = signed(put(cib, applied.value), request.by ?? "root", cib);
  const errors = newErrors(cib, changed);
  if (errors.length > 0) return { kind: "refused", problems: errors };
  writeCibFile(file, changed);
  return { kind: "answer", value: { text: wish.text, version: cibVersion(changed), warnings: [] } };
}

function setTransient(
  file: string,
  cib: XmlElement,
  request: Extract<ControlRequest, { kind: "attribute" }>,
): AnyReply {
  const { node = "", name, value = null } = request;
  const wish = nodeAttribute(cib, node, name, value);
  if (wish.kind === "problem") return { kind: "refused", problems: [wish.problem] };
  const status = childOf(cib, "status");
  const configuration = childOf(cib, "configuration");
  if (status === undefined || configuration === undefined) return refuse(file, "the CIB is not whole", "give one");
  const set = { kind: "set-attribute", node, name, value } as const;
  const { tree } = applyStatus({ tree: status, root: {} }, set, nodeIdFrom(configuration));
  writeCibFile(file, put(cib, tree));
  return { kind: "answer", value: { text: wish.text } };
}

function setTicket(file: string, cib: XmlElement, request: Extract<ControlRequest, { kind: "ticket" }>): AnyReply {
  const status = childOf(cib, "status");
  if (status === undefined) return refuse(file, "the CIB has no status", "give a whole CIB");
  const refusal = refuseTicket(request);
  if (refusal !== undefined) return { kind: "refused", problems: [refusal] };
  const { tree } = applyStatus({ tree: status, root: {} }, ticketChange(request, Date.now()), (name) => name);
  writeCibFile(file, put(cib, tree));
  return { kind: "answer", value: { text: `the ticket ${request.ticket} is changed` } };
}

/** What a manager would answer, as far as a file can. */
export function askFile(file: string, request: ControlRequest): AnyReply {
  const cib = readCibFile(file);
  if ("kind" in cib) return cib;
  const asker = { by: request.by ?? os.userInfo().username, nowWallMs: Date.now() };
  switch (request.kind) {
    case "ping":
      return { kind: "answer", value: { self: os.hostname(), program: "gemel on a file" } };
    case "cib-query": {
      const { section } = request;
      const found =
        section === undefined || section === "cib"
          ? cib
          : (childOf(cib, section) ?? childOf(childOf(cib, "configuration"), section));
      if (found === undefined) return refuse("section", `the CIB has no section ${section}`, "name another");
      return { kind: "answer", value: { version: cibVersion(cib), xml: printXml(found) } };
    }
    case "cib-apply":
      return change(file, cib, request, applyWish(cib, request, asker));
    case "node": {
      const reply = change(file, cib, request, nodeWish(cib, request, asker));
      const { node } = request;
      const name = switchedAttribute(request);
      const now = readCibFile(file);
      const isSet = !("kind" in now) && entryOf(transientAttributes(nodeState(now, node)), name) !== undefined;
      if (reply.kind === "answer" && isSet)
        setTransient(file, now, { kind: "attribute", node, name, lifetime: "reboot" });
      return reply;
    }
    case "resource":
      return change(file, cib, request, resourceWish(cib, request, asker));
    case "attribute": {
      if (request.lifetime === "reboot") return setTransient(file, cib, request);
      return change(file, cib, request, nodeAttribute(cib, request.node ?? "", request.name, request.value ?? null));
    }
    case "attribute-query": {
      const names = request.node === undefined ? configuredNodes(cib).map(({ name }) => name) : [request.node];
      const values = names.flatMap((node) => {
        const value = entryOf(transientAttributes(nodeState(cib, node)), request.name);
        return value === undefined ? [] : [{ node, value }];
      });
      return { kind: "answer", value: { values } };
    }
    case "ticket":
      return setTicket(file, cib, request);
    case "status":
    case "resource-fail":
    case "config-log":
    case "config-version":
    case "config-confirm":
    case "fence-peer":
    case "fence":
    case "fence-confirm":
    case "fence-history":
    case "fence-prove":
    case "fence-drill":
    case "log":
    case "clocks":
    case "subscribe":
      return { kind: "unreachable", reason: `${request.kind} needs a running cluster, and ${file} stands in for it` };
    default:
      return request satisfies never;
  }
}

/** Like `askControl`, but a file answers when the environment names one. */
export function askCib<Kind extends RequestKind>(
  socketPath: string,
  request: ControlRequest & { readonly kind: Kind },
  waitMs?: number,
): Promise<ControlReply<ControlAnswers[Kind]>> {
  const file = cibFile();
  if (file === undefined) return askControl<Kind>(socketPath, request, waitMs);
  // The same table of requests and answers as the manager's.
  return Promise.resolve(askFile(file, request) as ControlReply<ControlAnswers[Kind]>);
}
