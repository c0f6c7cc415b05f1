/**
 * The Transition Summary: one line for each fenced node and each resource that changes, with the reason.
 * Words and layout: those of crm_simulate.
 */
import type { Action } from "../act/actions.ts";
import { inTurn } from "../act/included.ts";
import { motionOf } from "../act/lifecycle.ts";
import { keyOf } from "../act/plan.ts";
import type { Node, Resource } from "../facts/model.ts";
import { inPromotable } from "../facts/model.ts";
import { ROLE, type Role, roleText } from "../facts/values.ts";
import { isManaged } from "../place/board.ts";
import type { Worked } from "../worked.ts";

interface Change {
  readonly verb: string;
  readonly where: string;
  readonly reason: string;
}

/** All actions of the resource with that operation, on any node. */
function actionsOf({ graph }: Worked, resource: Resource, operation: string): readonly Action[] {
  const key = keyOf(resource, operation);
  return (graph.byResource[resource.index] ?? []).filter((each) => each.key === key);
}

/** The one of that operation that says most: a required one first. */
function pick(worked: Worked, resource: Resource, operation: string): Action | undefined {
  const all = actionsOf(worked, resource, operation);
  return all.find(({ required }) => required) ?? all[0];
}

const isWanted = (step: Action | undefined): step is Action => step?.required === true && step.managed;

function because(step: Action | undefined, fallback: string): string {
  // Of what it does itself, the verb says enough.
  const { resource } = step ?? {};
  if (step !== undefined && resource !== undefined)
    for (const own of [`required ${resource.id} `, `unrunnable ${resource.id} `])
      if (step.reason.startsWith(own)) return because({ ...step, reason: "" }, fallback);
  const text = step === undefined || step.reason === "" || PLAIN.has(step.reason) ? fallback : step.reason;
  const blocked = step !== undefined && !step.runnable ? " (blocked)" : "";
  return text === "" && blocked === "" ? "" : text === "" ? "  blocked" : `  due to ${text}${blocked}`;
}

/** Reasons that the verb says already. */
const PLAIN = new Set([
  "node availability",
  "role",
  "move",
  "failed",
  "migration",
  "dangling migration",
  "multiple-active",
  "restart container",
  "",
]);

function roleOrNothing(resource: Resource, role: Role): string {
  const hasRoles = inPromotable(resource) ? role !== ROLE.started : resource.role === ROLE.promoted;
  return hasRoles ? `${roleText(role)} ` : "";
}

/** The start of a cloned group's member does not say that it is unpromoted, if that of another member does. */
function isMerelyStarted({ role, parent }: Resource): boolean {
  if (role !== ROLE.started || parent?.kind !== "group") return false;
  return parent.children.some((member) => member.role > ROLE.started);
}

/** Of several places the first; of what starts without waiting for fencing, the first one that is well. */
function placeToldOf({ requires }: Resource, from: readonly Node[]): Node | undefined {
  const well = requires === "fencing" ? undefined : from.find(({ online, unclean }) => online && !unclean);
  return well ?? from[0];
}

function changeOf(worked: Worked, resource: Resource): Change[] {
  const { from: everywhere, to, role: known, nextRole } = motionOf(worked.board, resource);
  const role = known === ROLE.unpromoted && isMerelyStarted(resource) ? ROLE.started : known;
  // What a live migration left behind is cleaned up without a word.
  const from = everywhere.filter((node) => !resource.dangling.includes(node));
  const [start, ending, promote, demote] = ["start", "stop", "promote", "demote"].map((operation) =>
    pick(worked, resource, operation),
  );
  const isCleaning = from.length > 0 && ending?.node !== undefined && resource.dangling.includes(ending.node);
  const stop = isCleaning ? undefined : ending;
  const handing = to === resource.migrationTarget ? resource.migrationSource : undefined;
  const current = handing ?? placeToldOf(resource, from);
  if (current === undefined && to === undefined) return [];
  const now = roleOrNothing(resource, role);
  if (role > ROLE.stopped && (to === undefined || nextRole === ROLE.stopped)) {
    return from.flatMap((node) => {
      const there = actionsOf(worked, resource, "stop").find((each) => each.node === node);
      if (!isWanted(there)) return [];
      return [{ verb: "Stop", where: `${now}${node.name}`, reason: because(there, "node availability") }];
    });
  }
  if (to === undefined) return [];
  const isOnlyStopped = from.length > 1 && resource.multiplyActive === "stop_only" && isManaged(worked.board, resource);
  if (isOnlyStopped && actionsOf(worked, resource, "start").length === 0)
    return from.map((node) => ({ verb: "Stop", where: `${now}${node.name}`, reason: "  due to node availability" }));
  const next = roleOrNothing(resource, nextRole);
  if (role <= ROLE.stopped) {
    if (nextRole === ROLE.promoted && (isWanted(promote) || isHeld(promote)))
      return [{ verb: "Promote", where: `Stopped -> Promoted ${to.name}`, reason: because(promote, "") }];
    return isWanted(start) || isHeld(start)
      ? [{ verb: "Start", where: to.name, reason: because(start, held(worked, start)) }]
      : [];
  }
  const moved = current !== undefined && current !== to;
  const inOneRole = `${current?.name ?? ""} -> ${to.name}${next === "" ? "" : ` ${next.trimEnd()}`}`;
  const arrow = !moved ? `${next}${to.name}` : next === now ? inOneRole : `${now}${current.name} -> ${next}${to.name}`;
  const handed = actionsOf(worked, resource, "migrate_from").some(({ required, runnable }) => required && runnable);
  if (handed) return [{ verb: "Migrate", where: arrow, reason: "" }];
  if (actionsOf(worked, resource, "reload-agent").some(({ required }) => required))
    return [{ verb: "Reload", where: arrow, reason: "" }];
  // What is stopped and cannot be started again is, for now, stopped.
  if (isWanted(stop) && start !== undefined && !start.runnable) {
    const told = stop.runnable
      ? { ...start, runnable: true }
      : { ...stop, reason: PLAIN.has(stop.reason) ? start.reason : stop.reason };
    return [{ verb: "Stop", where: `${now}${current?.name ?? ""}`, reason: because(told, "") }];
  }
  if (isWanted(start) && !isAlone(start)) {
    const verb = resource.failed || resource.failedThere ? "Recover" : moved ? "Move" : "Restart";
    const shown = role === nextRole ? arrow : moved ? arrow : `${roleText(role)} -> ${next}${to.name}`;
    return [{ verb, where: shown, reason: because(isWanted(stop) && !stop.runnable ? stop : start, "") }];
  }
  if (isWanted(stop) && !isAlone(start))
    return [{ verb: "Stop", where: `${now}${current?.name ?? ""}`, reason: because(stop, "node availability") }];
  if (role < nextRole && isWanted(promote))
    return [{ verb: "Promote", where: `${roleText(role)} -> Promoted ${to.name}`, reason: because(promote, "") }];
  if (role > nextRole && isWanted(demote))
    return [{ verb: "Demote", where: `Promoted -> ${roleText(nextRole)} ${to.name}`, reason: because(demote, "") }];
  if (isWanted(demote) && isWanted(promote))
    return [{ verb: "Re-promote", where: `Promoted ${to.name}`, reason: because(demote, "") }];
  return [];
}

function isAlone(start: Action | undefined): boolean {
  return start?.alone === true && start.kind !== "pseudo";
}

/** A start that nobody may want for want of quorum. */
function isHeld(start: Action | undefined): boolean {
  return start !== undefined && !start.runnable && start.needs !== "nothing" && start.node !== undefined;
}

function held({ facts }: Worked, start: Action | undefined): string {
  return start !== undefined && !start.required && !facts.options.quorate ? "no quorum" : "";
}

function fenceLine({ fenceKind = "reboot", node, reason }: Action): string {
  const container = node?.kind === "guest" ? node.remote?.container : undefined;
  const whose = container === undefined ? "" : ` (resource: ${container.id})`;
  return `Fence (${fenceKind}) ${node?.name ?? ""}${whose} '${reason}'`;
}

/** A bundle is told replica by replica. */
function inReport(worked: Worked, resource: Resource): readonly Resource[] {
  if (resource.kind !== "bundle") return inTurn(worked, resource);
  return resource.replicas.flatMap(({ ip, container, remote, child }) =>
    [ip, container, remote, child].filter((each) => each !== undefined),
  );
}

const COLUMN_MIN = 5;
const NAME_MARGIN = 2;

/** The column grows by what does not fit and a margin, so that a name a little longer still stands in it. */
function columnWidth(lengths: readonly number[]): number {
  return lengths.reduce((width, length) => (length > width ? length + NAME_MARGIN : width), COLUMN_MIN);
}

/** Lines without the leading `  * `; columns are aligned. */
export function summaryLines(worked: Worked): string[] {
  const { board, graph } = worked;
  const fences = graph.steps.filter(({ operation }) => operation === "stonith").map(fenceLine);
  const rows: { name: string; change: Change }[] = [];
  const visit = (resource: Resource) => {
    for (const child of inReport(worked, resource)) visit(child);
    if (resource.kind === "primitive")
      for (const change of changeOf(worked, resource)) rows.push({ name: resource.id, change });
  };
  for (const resource of board.order) visit(resource);
  const nameWidth = columnWidth(rows.map(({ name }) => name.length)) + 2;
  const whereWidth = Math.max(COLUMN_MIN, ...rows.map(({ change }) => change.where.length));
  return [
    ...fences,
    ...rows.map(
      ({ name, change: { verb, where, reason } }) =>
        `${verb.padEnd(10)} ${name.padEnd(nameWidth)} ( ${where.padStart(whereWidth)} )${reason}`,
    ),
  ];
}
