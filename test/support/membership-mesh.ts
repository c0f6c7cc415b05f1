/**
 * Many membership cores on one virtual clock and one network that can be split; for tests of more than two nodes.
 * Nothing is lost or late here but what a cut takes: stories of single links are told by membership-pair.ts.
 */
import { present } from "../../src/base/check.ts";
import { stepMembership, wakeAtMs } from "../../src/cluster/core/membership/membership.ts";
import { showsSame } from "../../src/cluster/core/membership/shows-same.ts";
import {
  createMembership,
  type MembershipConfig,
  type MembershipEvent,
  type MembershipState,
} from "../../src/cluster/core/membership/state.ts";
import { viewOf } from "../../src/cluster/core/membership/view-of.ts";
import { decodeHeartbeat, encodeHeartbeat } from "../../src/cluster/core/wire/heartbeat.ts";
import * as former from "./former-heartbeat.ts";

const DELAY_MS = 1;

export interface Mesh {
  run(ms: number): void;
  /** Only nodes of one part hear each other; by their ids. */
  split(...parts: readonly (readonly number[])[]): void;
  /** These two do not hear each other; everybody else hears both. */
  part(one: number, other: number): void;
  kill(id: number): void;
  /** A new start of a node that is dead. */
  start(id: number, generation: number): void;
  step(id: number, event: MembershipEvent): void;
  /** `members agreed quorate` of a living node, the members by their ids. */
  view(id: number): string;
  /** Why the node may decide nothing now. */
  hold(id: number): string | undefined;
}

export interface MeshSetting {
  readonly quorum?: MembershipConfig["quorum"];
  readonly lease?: MembershipConfig["lease"];
  /** Nodes that speak and understand what the former build does. */
  readonly former?: readonly number[];
}

export function createMesh(count: number, setting: MeshSetting = {}): Mesh {
  const { quorum, lease } = setting;
  const isFormer = (id: number) => setting.former?.includes(id) === true;
  const ids = Array.from({ length: count }, (_, index) => index + 1);
  const name = (id: number) => `n${id}`;
  const states = new Map<number, MembershipState>();
  let flights: { readonly atMs: number; readonly to: number; readonly event: MembershipEvent }[] = [];
  let parts: readonly (readonly number[])[] = [ids];
  let nowMs = 0;
  const generations = new Map<number, number>();
  const parted = new Set<string>();
  function start(id: number, generation: number): void {
    const peers = ids.filter((other) => other !== id).map(name);
    const config: MembershipConfig = {
      self: name(id),
      nodes: ids.map((one) => ({ name: name(one), id: one })),
      links: [{ name: "net", kind: "broadcast", peers }],
      keepaliveMs: 500,
      warntimeMs: 1500,
      deadtimeMs: 3000,
      initdeadMs: 10_000,
      ...(quorum === undefined ? {} : { quorum }),
      ...(lease === undefined || isFormer(id) ? {} : { lease }),
    };
    generations.set(id, generation);
    states.set(id, createMembership(config, generation, {}, nowMs));
  }
  for (const id of ids) start(id, 1);

  /** A manager is told a view only when it shows something new: what is left out must show nothing new. */
  function checkShown(before: MembershipState, after: MembershipState): void {
    const [told, now] = [before, after].map((state) =>
      JSON.stringify(viewOf(state, nowMs), (key, value: unknown) => (key === "silentMs" ? undefined : value)),
    );
    if (told !== now && showsSame(before, after)) throw new Error(`not told to the manager: ${told} became ${now}`);
  }

  function step(id: number, event: MembershipEvent): void {
    const state = states.get(id);
    if (state === undefined) return;
    const stepped = stepMembership(state, event, nowMs);
    states.set(id, stepped.state);
    checkShown(state, stepped.state);
    for (const effect of stepped.effects) {
      if (effect.kind === "self-fence" || effect.kind === "gone") states.delete(id);
      if (effect.kind !== "send-heartbeat") continue;
      const generation = generations.get(id) ?? 0;
      const bytes = isFormer(id) ? former.encodeHeartbeat(effect.heartbeat) : encodeHeartbeat(effect.heartbeat);
      const hear = (to: number): MembershipEvent => {
        const read = isFormer(to) ? former.decodeHeartbeat(bytes) : decodeHeartbeat(bytes);
        const heartbeat = present(read, "a heartbeat that cannot be read");
        return { kind: "heartbeat", from: id, link: "net", generation, heartbeat };
      };
      const reached = parts.find((part) => part.includes(id)) ?? [];
      const isHeard = (to: number) => to !== id && !parted.has(`${to} ${id}`);
      flights.push(...reached.filter(isHeard).map((to) => ({ atMs: nowMs + DELAY_MS, to, event: hear(to) })));
    }
  }

  return {
    run(ms) {
      const untilMs = nowMs + ms;
      for (;;) {
        const wakes = [...states.values()].map(wakeAtMs);
        const nextMs = Math.max(nowMs, Math.min(...wakes, ...flights.map(({ atMs }) => atMs)));
        if (nextMs > untilMs) break;
        nowMs = nextMs;
        const due = flights.filter(({ atMs }) => atMs <= nowMs);
        flights = flights.filter(({ atMs }) => atMs > nowMs);
        for (const { to, event } of due) step(to, event);
        for (const [id, state] of states) if (wakeAtMs(state) <= nowMs) step(id, { kind: "tick" });
      }
      nowMs = untilMs;
    },
    split(...next) {
      parts = next;
      parted.clear();
    },
    part(one, other) {
      parted.add(`${one} ${other}`).add(`${other} ${one}`);
    },
    start,
    kill(id) {
      states.delete(id);
    },
    step,
    hold(id) {
      const state = states.get(id);
      return state === undefined ? undefined : viewOf(state, nowMs).hold;
    },
    view(id) {
      const state = states.get(id);
      if (state === undefined) return "dead";
      const { members, agreed, quorate } = viewOf(state, nowMs);
      const told = members.map((member) => Number(member.slice(1))).toSorted((left, right) => left - right);
      return [told.join(), agreed ? "agreed" : "", quorate ? "quorate" : ""].filter((word) => word !== "").join(" ");
    },
  };
}
