/**
 * What a DC does about nodes: it has each member join, and writes into the CIB status how each node stands, in the
 * words by which the scheduler judges (in_ccm, crmd, join, expected; compared with crm_simulate, see the test).
 * A node that was lost keeps `expected=member`: that is what makes it unclean until it has been fenced.
 */
import { earliest } from "../../../base/earliest.ts";
import { entryOf, without } from "../../../base/record.ts";
import { GENERATION } from "../cib-store/kept-status.ts";
import type { StatusChange } from "../cib-store/types.ts";
import type { PeerView } from "../membership/view.ts";
import { configuredNodes, hasActiveHistory, isFencingEnabled, nodeState } from "./cib-read.ts";
import { clearLeft, endLocks, withKeptLocks } from "./kept-locks.ts";
import { broadcast, emit, log, members, send, setLead, type Turn, want } from "./turn.ts";
import type { ControllerMessage, Join, Lead } from "./types.ts";

/** An offer or its answer may be lost with a manager that was just being restarted. */
const OFFER_EVERY_MS = 3_000;
/** A manager restarts within seconds, and its keeper ends what stays sick; beyond this the node has failed. */
export const JOIN_WAIT_MS = 60_000;

/** From its first heartbeat to membership a peer needs a few keepalives; one that does not hear us, for ever. */
const COMING_WAIT_MS = 10_000;

const FOR_EVER_MS = Number.MAX_SAFE_INTEGER;

const OFFLINE = { in_ccm: "false", crmd: "offline" } as const;

const JOINED = { in_ccm: "true", crmd: "online", join: "member", expected: "member" } as const;

/** Of a node whose power was read back as off, or that said goodbye after its resources had stopped. */
export const DOWN = { ...OFFLINE, join: "down", expected: "down" } as const;

function setState(node: string, attributes: Readonly<Record<string, string>>): StatusChange {
  return { kind: "set-node-state", node, attributes };
}

/** Only what differs from the CIB is written. */
export function reportNodeState(turn: Turn, node: string, attributes: Readonly<Record<string, string>>): void {
  const present = nodeState(turn.state.cib, node)?.attributes ?? {};
  const news = Object.fromEntries(
    Object.entries(attributes).filter(([name, value]) => entryOf(present, name) !== value),
  );
  if (Object.keys(news).length > 0) emit(turn, { kind: "report", changes: [setState(node, news)] });
}

function offer(turn: Turn, node: string): void {
  const { lead } = turn.state;
  if (lead === undefined) return;
  send(turn, node, { kind: "join-offer", round: lead.round });
  const before = entryOf(lead.joins, node);
  const join: Join = {
    phase: "offered",
    sinceMs: before?.phase === "offered" ? before.sinceMs : turn.now.nowMs,
    offerDueAtMs: turn.now.nowMs + OFFER_EVERY_MS,
    overdue: before?.overdue ?? false,
  };
  setLead(turn, { joins: { ...lead.joins, [node]: join } });
}

/** It follows us now: what it was asked while it followed another DC, or itself at its start, it has dropped. */
export function askAgain(turn: Turn, node: string): void {
  emit(turn, { kind: "tell-store", event: { kind: "follows", peer: node } });
  if (entryOf(turn.state.lead?.joins, node)?.phase === "offered") offer(turn, node);
}

/** Its manager was started anew: it must join again. */
export function forgetJoin(turn: Turn, node: string): void {
  setLead(turn, { joins: without(turn.state.lead?.joins ?? {}, node) });
}

function expectJoin(turn: Turn, node: string): void {
  reportNodeState(turn, node, { in_ccm: "true", crmd: "online", join: "pending", expected: "member" });
  if (node !== turn.state.self) withdrawFence(turn, node);
  offer(turn, node);
}

export function createLead(round: string): Lead {
  return {
    round,
    joins: {},
    synchronised: false,
    run: undefined,
    fencings: {},
    wanted: undefined,
    outdated: 0,
    deciding: undefined,
    nextNumber: 1,
    recheckAtMs: undefined,
    failedRuns: 0,
    awaitUntilMs: undefined,
    healingUntilMs: undefined,
    attributesSeen: "",
    blocked: [],
    summary: [],
    fencingOrder: [],
    reportDue: true,
    told: undefined,
    heldUp: null,
  };
}

function reportAbsent(turn: Turn, { name, phase, generation }: PeerView): void {
  switch (phase) {
    case "lost":
      // Whoever was fenced is `awaited` to the keeper; so a lost one may be running, whatever the CIB says of it.
      reportNodeState(turn, name, { ...OFFLINE, join: "member", expected: "member" });
      endLocks(turn, name);
      break;
    case "left": {
      const state = nodeState(turn.state.cib, name);
      if (state?.attributes.in_ccm === "false") break;
      reportNodeState(turn, name, DOWN);
      // A goodbye with something still recorded as running is no clean one: the history stays, and speaks.
      if (!hasActiveHistory(state)) emit(turn, { kind: "report", changes: clearLeft(turn.state.cib, name) });
      break;
    }
    case "awaited":
      // Never heard in our life: what the CIB says of it stays, and without a word it is startup fencing's.
      if (generation > 0 && generation <= (entryOf(turn.state.fenced, name) ?? 0)) {
        reportNodeState(turn, name, DOWN);
        // Proven to be off before we led: what it ran, it runs no more.
        if (hasActiveHistory(nodeState(turn.state.cib, name)))
          emit(turn, { kind: "report", changes: [{ kind: "clear-node", node: name }] });
      } else if (nodeState(turn.state.cib, name) !== undefined) reportNodeState(turn, name, OFFLINE);
      break;
    case "member":
      break;
    default:
      phase satisfies never;
  }
}

/** To our keeper. */
export function noteFenced(turn: Turn, node: string, generation: number): void {
  turn.state = { ...turn.state, fenced: { ...turn.state.fenced, [node]: generation } };
  emit(turn, { kind: "peer-fenced", node, generation });
}

/** To our keeper and, by the other members, to theirs. */
export function tellFenced(turn: Turn, node: string, generation: number): void {
  noteFenced(turn, node, generation);
  broadcast(turn, { kind: "fenced", node, generation });
}

function isBeingFenced({ state }: Turn, node: string): boolean {
  const { run, fencings } = state.lead ?? {};
  if (entryOf(fencings, node) !== undefined) return true;
  const at = run?.transition.actions.findIndex((action) => action.kind === "fence" && action.target === node) ?? -1;
  return run?.finished === false && run.phases[at] === "running";
}

/** The reason may be gone: a board that has its order is awaited, but no more are tried, nor people called. */
export function withdrawFence(turn: Turn, node: string): void {
  if (isBeingFenced(turn, node)) emit(turn, { kind: "withdraw-fence", node });
}

/**
 * A lost peer that is heard again has run on, unfenced. While its fencing runs, that decides. Otherwise nothing has
 * been taken over from it (that would have needed the fencing), or fencing is disabled and both sides must settle it.
 */
function reviewLost(turn: Turn, { name, returned }: PeerView): void {
  if (!isFencingEnabled(turn.state.cib))
    log(turn, "error", `FENCING IS DISABLED: ${name} is taken for dead without any proof; two writers are possible`);
  if (returned) withdrawFence(turn, name);
  if (!returned || isBeingFenced(turn, name)) return;
  log(turn, "warning", `${name} is heard again and was not fenced: it may join again`);
  emit(turn, { kind: "peer-accepted", node: name });
  // Each keeper has lost it for itself; as long as one of them does not take it back, the members never agree.
  broadcast(turn, { kind: "accepted", node: name });
}

/**
 * A member asks for whom its keeper has lost and hears again; it may have heard it later than the DC did. Where it has
 * lost the DC itself, it asks those that still follow it.
 */
export function askForReturned(turn: Turn): void {
  const { view, lead, election } = turn.state;
  if (lead !== undefined) return;
  for (const { name, phase, returned } of view?.peers ?? []) {
    if (phase !== "lost" || !returned) continue;
    if (election.dc === null) broadcast(turn, { kind: "returned", node: name });
    else send(turn, election.dc, { kind: "returned", node: name });
  }
}

/**
 * While it is lost to the DC as well, nothing is answered: the word goes to all when the DC takes it back. Whoever does
 * not lead speaks for its DC alone: that one lives, and nobody of this side has it fenced.
 */
export function answerReturned(turn: Turn, from: string, node: string): void {
  const { lead, election, view } = turn.state;
  const peer = view?.peers.find(({ name }) => name === node);
  if ((lead === undefined && election.dc !== node) || peer === undefined || isBeingFenced(turn, node)) return;
  if (peer.phase === "member" || (peer.phase === "awaited" && peer.silentMs !== undefined))
    send(turn, from, { kind: "accepted", node });
}

function awaitPeers(turn: Turn, isComing: boolean): void {
  const { lead } = turn.state;
  if (lead === undefined) return;
  const { awaitUntilMs } = lead;
  // We are alone, have decided nothing, and hear a node that does not hear us: the fault may be ours. It lives and will
  // do what is to be done; to have it fenced after each boot would go on for ever.
  const isStranger = members(turn).length === 1 && !turn.state.election.hasDecided;
  const known = awaitUntilMs === FOR_EVER_MS ? undefined : awaitUntilMs;
  if (!isComing) setLead(turn, { awaitUntilMs: undefined });
  else setLead(turn, { awaitUntilMs: isStranger ? FOR_EVER_MS : (known ?? turn.now.nowMs + COMING_WAIT_MS) });
}

/** After each change of the view, and once the CIB stands at the beginning of a reign. */
export function reviewNodes(turn: Turn): void {
  const { lead, view } = turn.state;
  if (lead === undefined || view === undefined) return;
  // Also while the CIB is not in line: with members that follow another DC it would not be before those have us back.
  for (const peer of view.peers) if (peer.phase === "lost" && peer.returned) reviewLost(turn, peer);
  // Without the newest CIB there are no ids to write anything under.
  if (!lead.synchronised || addMissingNodes(turn)) return;
  for (const node of members(turn)) if (entryOf(lead.joins, node) === undefined) expectJoin(turn, node);
  const joins = Object.entries(turn.state.lead?.joins ?? {}).filter(([node]) => members(turn).includes(node));
  setLead(turn, { joins: Object.fromEntries(joins) });
  const isComing = view.peers.some(({ phase, silentMs }) => phase === "awaited" && silentMs !== undefined);
  awaitPeers(turn, isComing);
  for (const peer of view.peers) if (!members(turn).includes(peer.name)) reportAbsent(turn, peer);
  for (const peer of view.peers) if (peer.phase === "lost" && !peer.returned) reviewLost(turn, peer);
}

/** Nodes that the CIB does not have yet are written before anything that refers to them. True while it lacks some. */
function addMissingNodes(turn: Turn): boolean {
  const { nodes, cib, view } = turn.state;
  const known = configuredNodes(cib);
  const missing = nodes.filter(({ name }) => !known.some((node) => node.name === name));
  if (missing.length === 0) return false;
  // A node that was set up anew meets the others in a moment: what it wrote before would be told as a conflict.
  if (view?.settled !== true) return true;
  const taken = known.map(({ id }) => id);
  const operations = missing.map(({ id, name }) => {
    // A configuration of another origin may have given the number away; the name is as good an id as any.
    const element = { name: "node", attributes: { id: taken.includes(id) ? name : id, uname: name }, children: [] };
    // It may be carried out by a later DC, on a configuration that has the node, with all that was set there.
    return { kind: "add", parent: "nodes", element } as const;
  });
  emit(turn, { kind: "submit", operations, why: "nodes of the node configuration" });
  return true;
}

type Joined = Extract<ControllerMessage, { kind: "joined" }>;

export function acceptJoin(turn: Turn, from: string, message: Joined): void {
  const { lead, cib } = turn.state;
  const join = entryOf(lead?.joins, from);
  // On a slow node several offers wait before the first is answered: one answer is enough.
  if (lead === undefined || join?.phase !== "offered" || message.round !== lead.round) return;
  const changes: StatusChange[] = [];
  // What was set until the next reboot ends with the start that it was set for.
  const before = nodeState(cib, from)?.attributes[GENERATION];
  const generation = String(message.generation);
  if (before !== undefined && before !== generation) changes.push({ kind: "clear-node", node: from });
  changes.push({ kind: "replace-history", node: from, lrm: withKeptLocks(cib, from, message.lrm) });
  changes.push(setState(from, { ...JOINED, [GENERATION]: generation }));
  emit(turn, { kind: "report", changes });
  setLead(turn, { joins: { ...lead.joins, [from]: { ...join, phase: "joined", overdue: false } } });
  log(turn, "info", `${from} has joined`);
  want(turn, `${from} has joined`);
}

/** Offers again, and gives up on a member that never answers. */
export function tendJoins(turn: Turn): void {
  for (const [node, join] of Object.entries(turn.state.lead?.joins ?? {})) {
    if (join.phase === "joined" || turn.now.nowMs < join.offerDueAtMs) continue;
    offer(turn, node);
    if (join.overdue || turn.now.nowMs - join.sinceMs < JOIN_WAIT_MS || node === turn.state.self) continue;
    log(turn, "error", `the manager of ${node} has not joined within ${JOIN_WAIT_MS} ms: the node counts as failed`);
    const { lead } = turn.state;
    const offered = entryOf(lead?.joins, node);
    if (lead === undefined || offered === undefined) continue;
    setLead(turn, { joins: { ...lead.joins, [node]: { ...offered, overdue: true } } });
    reportNodeState(turn, node, { crmd: "offline", join: "down", expected: "member" });
    want(turn, `${node} does not join`);
  }
}

/** Members whom a decision waits for. Nobody may be left out: who has not joined may follow another DC. */
export function missingJoins(turn: Turn): readonly string[] {
  const joins = turn.state.lead?.joins ?? {};
  return members(turn).filter(
    (node) => entryOf(joins, node)?.phase !== "joined" && entryOf(joins, node)?.overdue !== true,
  );
}

export function joinsWakeAtMs(lead: Lead): number | undefined {
  let wakeMs: number | undefined;
  for (const node in lead.joins) {
    const join = entryOf(lead.joins, node);
    if (join?.phase === "offered") wakeMs = earliest(wakeMs, join.offerDueAtMs);
  }
  return wakeMs;
}
