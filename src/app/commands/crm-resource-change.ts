/** What crm_resource changes, and how it waits until that has had its effect. */
import { setTimeout as sleep } from "node:timers/promises";
import { childOf, childrenOf, type XmlElement, xml } from "../../base/xml.ts";
import { everyElement } from "../../cib/schema/finding.ts";
import { primitivesOf, type Resource } from "../../cluster/core/scheduler/facts/model.ts";
import { parseDurationMs } from "../../cluster/core/scheduler/facts/values.ts";
import { cibFile } from "../cib-door.ts";
import type { ControlRequest, ResourceRequestAction } from "../control-protocol.ts";
import { createProgress } from "../progress.ts";
import { CLEANUP_WAIT_MAX_MS, SETTLE_MAX_MS, waitUntilSettled } from "../settle.ts";
import { askOrTell, changeCib, EXIT, FIELD_EXIT, tellReply, wrongCall } from "./ask.ts";
import type { ResourceAction, ResourceCall } from "./crm-resource.ts";
import { complain, find, tell } from "./crm-resource-find.ts";

/** How often the status is looked at while a stop is waited for. */
const POLL_MS = 300;
/** As crm_error(8) lists it. */
const TIMED_OUT = 124;

/** `-T`: how long may be waited. */
function waitMaxOf({ flags }: ResourceCall): number {
  return (typeof flags["timeout"] === "string" ? parseDurationMs(flags["timeout"]) : undefined) ?? SETTLE_MAX_MS;
}

async function wait(call: ResourceCall, waitMaxMs = waitMaxOf(call)): Promise<number> {
  const settled = await waitUntilSettled("crm_resource", call.socketPath, { waitMaxMs });
  if (settled.kind === "no-answer") return tellReply("crm_resource", settled.reply);
  return settled.kind === "settled" ? EXIT.done : complain(settled.reason, TIMED_OUT);
}

async function settle(call: ResourceCall): Promise<number> {
  return call.flags["wait"] === true ? await wait(call) : EXIT.done;
}

type Members = Partial<Extract<ControlRequest, { kind: "resource" }>>;

async function ask(call: ResourceCall, action: ResourceRequestAction, more: Members = {}): Promise<number> {
  const { resource, node, socketPath, flags } = call;
  if (resource === undefined)
    return wrongCall("crm_resource", "which resource? -r RESOURCE", "crm_resource -r RESOURCE");
  const asked = await askOrTell("crm_resource", socketPath, {
    kind: "resource",
    resource,
    action,
    ...(node === undefined ? {} : { node }),
    ...more,
  });
  if (asked.kind === "failed") return asked.exitCode;
  if (flags["quiet"] !== true) tell(asked.value.text);
  return await settle(call);
}

/** Members that say how an override is meant. */
function overrideOf({ flags }: ResourceCall): Members {
  const { lifetime, reason } = flags;
  return {
    ...(typeof lifetime === "string" ? { lifetime } : {}),
    ...(typeof reason === "string" ? { reason } : {}),
    ...(flags["promoted"] === true || flags["master"] === true ? { isPromoted: true } : {}),
    ...(flags["force"] === true ? { isForced: true } : {}),
  };
}

/** Forgotten, looked for again, and what follows from that done: who cleans up looks at the status next. */
async function cleanup(call: ResourceCall): Promise<number> {
  const code = await forget({ ...call, flags: { ...call.flags, wait: false } });
  const { wait: isAsked, timeout } = call.flags;
  if (code !== EXIT.done) return code;
  return await wait(call, isAsked === true || timeout !== undefined ? waitMaxOf(call) : CLEANUP_WAIT_MAX_MS);
}

/** All resources with a recorded failure, or all at all, when none is named. */
async function forget(call: ResourceCall): Promise<number> {
  const { operation, interval } = call.flags;
  if (call.resource !== undefined && operation === undefined) return await ask(call, "cleanup");
  const status = await askOrTell("crm_resource", call.socketPath, { kind: "status" });
  if (status.kind === "failed") return status.exitCode;
  if (call.resource !== undefined) {
    // The whole history goes in any case, but only where that operation has failed.
    const intervalMs = (typeof interval === "string" ? parseDurationMs(interval) : undefined) ?? 0;
    const wanted = `${String(operation)}_${intervalMs}`;
    const hits = status.value.failures.filter(
      (failure) =>
        failure.resource === call.resource &&
        failure.operation === wanted &&
        (call.node === undefined || failure.node === call.node),
    );
    if (hits.length === 0) tell(`${wanted} of ${call.resource} has not failed`);
    for (const { node } of hits) {
      const code = await ask({ ...call, node }, "cleanup");
      if (code !== EXIT.done) return code;
    }
    return EXIT.done;
  }
  const failed = new Set([
    ...status.value.failures.map(({ resource }) => resource),
    ...status.value.resources.filter(({ failCounts }) => failCounts.length > 0).map(({ id }) => id),
  ]);
  const all = status.value.resources.map(({ id }) => id);
  const wanted = call.flags["cleanup"] === true ? all.filter((id) => failed.has(id)) : all;
  for (const resource of wanted) {
    const code = await ask({ ...call, resource }, "cleanup");
    if (code !== EXIT.done) return code;
  }
  return EXIT.done;
}

/**
 * What a parameter is set of: a meta-attribute of what is cloned is one of its clone, unless --force is given.
 * Fact: crm_resource 2.1.5 as a black box; without --force it sets utilization there, too, and makes the CIB invalid.
 */
function targetOf({ set, flags }: ResourceCall, resource: Resource, what: string, name: string): Resource {
  const { parent } = resource;
  if (set !== "meta_attributes" || flags["force"] === true || parent?.kind !== "clone") return resource;
  if (flags["quiet"] !== true)
    tell(`Performing ${what} of '${name}' on '${idOf(parent)}', the parent of '${idOf(resource)}'`);
  return parent;
}

const idOf = ({ element, baseId }: Resource): string => element.attributes["id"] ?? baseId;

/** Where the parameter stands; in the set of that id, if one is given. */
function standing(resource: Resource, { argument: name, set, flags }: ResourceCall) {
  const { "set-name": setId } = flags;
  const sets = childrenOf(resource.element, set).filter(
    ({ attributes: { id } }) => setId === undefined || id === setId,
  );
  const pairs = sets.flatMap((each) => childrenOf(each, "nvpair"));
  return pairs.find(({ attributes }) => attributes["name"] === name)?.attributes["id"];
}

async function setParameter(call: ResourceCall, value: string | null): Promise<number> {
  const { argument: name, set } = call;
  const found = await find(call);
  if (typeof found === "number") return found;
  const resource = targetOf(call, found.resource, value === null ? "delete" : "update", name);
  const target = idOf(resource);
  const { "set-name": setId = `${target}-${set}`, nvpair } = call.flags;
  const wanted = typeof nvpair === "string" ? nvpair : undefined;
  const known = wanted !== undefined && exists(found.cib, wanted) ? wanted : standing(resource, call);
  const isQuiet = call.flags["quiet"] === true;
  if (value === null) {
    if (known === undefined) return await settle(call);
    const code = await changeCib("crm_resource", call.socketPath, () => [{ kind: "delete", target: known }]);
    if (code === EXIT.done && !isQuiet) tell(`Deleted '${target}' option: id=${known} name=${name}`);
    return code === EXIT.done ? await settle(call) : code;
  }
  const holder = String(setId);
  // A set of its own, by the name that the field's tool gives it: scripts look for it there.
  const id = known ?? wanted ?? `${holder}-${name.replaceAll(/[^\w.-]/g, "_")}`;
  const code = await changeCib("crm_resource", call.socketPath, (cib) => {
    if (known !== undefined) return [{ kind: "set-attributes", target: known, attributes: { name, value } }];
    const pair = xml("nvpair", { id, name, value });
    if (exists(cib, holder)) return [{ kind: "set", parent: holder, element: pair }];
    return [{ kind: "set", parent: target, element: xml(set, { id: holder }, [pair]) }];
  });
  if (code !== EXIT.done) return code;
  const shown = known === undefined || call.flags["set-name"] !== undefined ? ` set=${holder}` : "";
  if (!isQuiet) tell(`Set '${target}' option: id=${id}${shown} name=${name} value=${value}`);
  return await settle(call);
}

/** Stopped, seen stopped, and put back to what it was before: a resource that was told to stop stays so. */
async function restart(call: ResourceCall): Promise<number> {
  const found = await find(call);
  if (typeof found === "number") return found;
  const { resource } = found;
  const isUp = (nodes: readonly unknown[]) => nodes.length > 0;
  if (!primitivesOf(resource).some(({ runningOn }) => isUp(runningOn)))
    return complain(`${resource.id} is not running and so cannot be restarted`, EXIT.refused);
  // It would be told to stop there, and stay so.
  if (cibFile() !== undefined)
    return complain("nobody stops and starts what a file tells of: unset CIB_file and CIB_shadow", EXIT.refused);
  const quiet = { ...call, set: "meta_attributes", argument: "target-role", flags: { ...call.flags, quiet: true } };
  const before = childrenOf(targetOf(quiet, resource, "update", "target-role").element, "meta_attributes")
    .flatMap((set) => childrenOf(set, "nvpair"))
    .find(({ attributes }) => attributes["name"] === "target-role")?.attributes["value"];
  const stopped = await setParameter(quiet, "Stopped");
  if (stopped !== EXIT.done) return stopped;
  const progress = createProgress("crm_resource");
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const now = await find(call);
    if (typeof now === "number") return now;
    if (!primitivesOf(now.resource).some(({ runningOn }) => isUp(runningOn))) break;
    if (waitedMs >= waitMaxOf(call))
      return complain(`${resource.id} has not stopped; its target role is left at Stopped`, TIMED_OUT);
    progress(`waiting until ${resource.id} has stopped`);
    await sleep(POLL_MS);
  }
  const started = await setParameter({ ...quiet, flags: { ...quiet.flags, wait: true } }, before ?? null);
  if (started === EXIT.done) tell(`${resource.id} was restarted`);
  return started;
}

/** Fact: crm_resource(8), --fail: the cluster shall think that a monitor has failed. */
async function fail(call: ResourceCall): Promise<number> {
  const found = await find(call);
  if (typeof found === "number") return found;
  const node = call.node ?? found.resource.runningOn[0]?.name;
  if (node === undefined) return complain(`${found.resource.id} is not running`, EXIT.refused);
  const asked = await askOrTell("crm_resource", call.socketPath, {
    kind: "resource-fail",
    resource: found.resource.baseId,
    node,
  });
  if (asked.kind === "failed") return asked.exitCode;
  tell(asked.value.text);
  return await settle(call);
}

function elementNamed(cib: XmlElement, id: string): XmlElement | undefined {
  const resources = childOf(childOf(cib, "configuration"), "resources");
  if (resources === undefined) return undefined;
  return everyElement(resources).find(({ element }) => element.attributes["id"] === id)?.element;
}

const exists = (cib: XmlElement, id: string): boolean => elementNamed(cib, id) !== undefined;

async function remove(call: ResourceCall): Promise<number> {
  const { resource, socketPath, flags } = call;
  if (resource === undefined || typeof flags["resource-type"] !== "string")
    return wrongCall("crm_resource", "which resource of which type? -r RESOURCE -t primitive", "crm_resource -D -r -t");
  let known: string | undefined;
  const code = await changeCib("crm_resource", socketPath, (cib) => {
    known = elementNamed(cib, resource)?.name;
    return known === flags["resource-type"] ? [{ kind: "delete", target: resource }] : [];
  });
  if (known === undefined) return complain(`Resource '${resource}' not found`, FIELD_EXIT.notFound);
  if (known === flags["resource-type"]) return code === EXIT.refused ? FIELD_EXIT.invalid : code;
  return complain(`'${resource}' is a ${known}; nothing was deleted`, FIELD_EXIT.notFound);
}

export const CHANGES: Readonly<Record<string, ResourceAction>> = {
  move: (call) => ask(call, "move", overrideOf(call)),
  ban: (call) => ask(call, "ban", overrideOf(call)),
  clear: (call) =>
    ask(call, "unmove", {
      ...(call.flags["expired"] === true ? { isExpired: true } : {}),
      ...(call.flags["force"] === true ? { isForced: true } : {}),
    }),
  cleanup,
  refresh: cleanup,
  restart,
  fail,
  delete: remove,
  wait,
  "set-parameter": async (call) => {
    if (call.value === undefined)
      return wrongCall("crm_resource", "which value? -v VALUE", "crm_resource -p NAME -v VALUE");
    if (call.flags["recursive"] === true)
      return wrongCall("crm_resource", "--recursive would change what was not named", "name each resource with -r");
    return await setParameter(call, call.value);
  },
  "delete-parameter": (call) => setParameter(call, null),
};
