/**
 * A pair of membership cores on a virtual clock, played from the lines of a scenario; for tests.
 * `stop` is SIGSTOP: the clock runs on and packets wait. `freeze` is a paused VM: its clock stands still, too.
 */
import { present } from "../../src/base/check.ts";
import { stepMembership, wakeAtMs } from "../../src/cluster/core/membership/membership.ts";
import {
  createMembership,
  type MembershipConfig,
  type MembershipEffect,
  type MembershipEvent,
  type MembershipState,
} from "../../src/cluster/core/membership/state.ts";
import { viewOf } from "../../src/cluster/core/membership/view-of.ts";
import { decodeHeartbeat, encodeHeartbeat } from "../../src/cluster/core/wire/heartbeat.ts";

const DELAY_MS = 1;
const QUEUE_MAX = 100;

interface Node {
  readonly name: string;
  readonly id: number;
  state: MembershipState | undefined;
  /** What its disk holds. */
  generation: number;
  peers: Readonly<Record<string, number>>;
  /** Added to the world's time to get its clock. */
  clockOffsetMs: number;
  asleep: "no" | "stopped" | "frozen";
  asleepSinceMs: number;
  readonly queue: MembershipEvent[];
}

interface Flight {
  readonly atMs: number;
  readonly to: Node;
  readonly event: MembershipEvent;
}

/** Plays the lines and returns what happened, one line each, without what `quiet` names. */
export function playMembership(lines: readonly string[]): string[] {
  const nodes: Node[] = [1, 2].map((id) => ({
    name: `node${id}`,
    id,
    state: undefined,
    generation: 0,
    peers: {},
    clockOffsetMs: id * 1_000_000,
    asleep: "no",
    asleepSinceMs: 0,
    queue: [],
  }));
  const cut = new Set<string>();
  const flights: Flight[] = [];
  const out: string[] = [];
  let config: Omit<MembershipConfig, "self"> | undefined;
  let nowMs = 0;
  let serialDelayMs = DELAY_MS;

  const byName = (name: string | undefined) =>
    present(
      nodes.find((node) => node.name === name),
      `no node ${name}`,
    );
  const clockOf = (node: Node) => nowMs + node.clockOffsetMs;
  const other = (node: Node) => byName(node.name === "node1" ? "node2" : "node1");
  const log = (node: Node, text: string) => out.push(`${String(Math.round(nowMs)).padStart(6)} ${node.name} ${text}`);

  function describe(effect: MembershipEffect): string | undefined {
    switch (effect.kind) {
      case "send-heartbeat":
      case "persist":
        return undefined;
      case "peer-joined":
      case "peer-restarted":
        return `${effect.kind} ${effect.name} generation=${effect.generation}`;
      case "peer-lost":
      case "late-heartbeat":
        return `${effect.kind} ${effect.name} silentMs=${Math.round(effect.silentMs)}`;
      case "peer-returned":
      case "peer-left":
      case "given-up":
      case "held-out":
      case "kept-out":
        return `${effect.kind} ${effect.name}`;
      case "link-up":
      case "link-late":
      case "link-down":
        return `${effect.kind} ${effect.link}`;
      case "self-late":
        return `self-late lateMs=${Math.round(effect.lateMs)}`;
      case "generation-raised":
        return `generation-raised to=${effect.to}: ${effect.reason}`;
      case "held":
      case "released":
      case "self-fence":
        return `${effect.kind}: ${effect.reason}`;
      case "settled":
      case "gone":
        return effect.kind;
    }
  }

  function run(node: Node, event: MembershipEvent): void {
    if (node.state === undefined) return;
    const { state, effects } = stepMembership(node.state, event, clockOf(node));
    // Plain data only: what cannot be written down and read back could not be replayed.
    node.state = JSON.parse(JSON.stringify(state)) as MembershipState;
    for (const effect of effects) {
      const text = describe(effect);
      if (text !== undefined) log(node, text);
      if (effect.kind === "persist") {
        node.generation = effect.generation;
        node.peers = effect.peers;
        flights.push({ atMs: nowMs + 5, to: node, event: { kind: "persisted", generation: effect.generation } });
      } else if (effect.kind === "send-heartbeat") {
        for (const { name } of state.config.links) {
          if (cut.has(name) || cut.has(`${name}:${node.name}`)) continue;
          const heartbeat = present(
            decodeHeartbeat(encodeHeartbeat(effect.heartbeat)),
            "a heartbeat that cannot be read",
          );
          const sent: MembershipEvent = {
            kind: "heartbeat",
            from: node.id,
            link: name,
            generation: effect.generation,
            heartbeat,
          };
          const delayMs = name.startsWith("tty") ? serialDelayMs : DELAY_MS;
          flights.push({ atMs: nowMs + delayMs, to: other(node), event: sent });
        }
      } else if (effect.kind === "gone" || effect.kind === "self-fence") node.state = undefined;
      if (node.state === undefined) return;
    }
  }

  function deliver({ to, event }: Flight): void {
    if (to.state === undefined) return;
    if (to.asleep === "no") run(to, event);
    else if (to.queue.length < QUEUE_MAX) to.queue.push(event);
  }

  function advance(untilMs: number): void {
    for (;;) {
      const awake = nodes.filter(({ state, asleep }) => state !== undefined && asleep === "no");
      const wakes = awake.map((node) => wakeAtMs(present(node.state, "no state")) - node.clockOffsetMs);
      const nextMs = Math.max(nowMs, Math.min(...wakes, ...flights.map(({ atMs }) => atMs)));
      if (nextMs > untilMs) break;
      nowMs = nextMs;
      const index = flights.findIndex(({ atMs }) => atMs <= nowMs);
      const [flight] = index < 0 ? [] : flights.splice(index, 1);
      if (flight !== undefined) deliver(flight);
      else
        for (const node of awake)
          if (wakeAtMs(present(node.state, "no state")) <= clockOf(node)) run(node, { kind: "tick" });
    }
    nowMs = untilMs;
  }

  function wake(node: Node): void {
    if (node.asleep === "frozen") node.clockOffsetMs -= nowMs - node.asleepSinceMs;
    node.asleep = "no";
    // Timers run before sockets are read, as in libuv.
    run(node, { kind: "tick" });
    for (const event of node.queue.splice(0)) run(node, event);
  }

  const boot = (node: Node, generation: number) => {
    const base = present(config, "a scenario begins with `pair`");
    node.generation = generation;
    node.state = createMembership({ ...base, self: node.name }, generation, node.peers, clockOf(node));
  };

  function play(verb: string, argument: string | undefined, options: Readonly<Record<string, string>>): void {
    switch (verb) {
      case "pair": {
        const links = (options["links"] ?? "eth1").split(",");
        const number = (name: string, value: number) => Number(options[name] ?? value);
        const deadtimeMs = number("deadtimeMs", 3500);
        serialDelayMs = number("serialDelayMs", DELAY_MS);
        config = {
          nodes: nodes.map(({ name, id }) => ({ name, id })),
          links: links.map((name) => ({
            name,
            kind: name.startsWith("tty") ? "serial" : "udp",
            peers: ["node1", "node2"],
          })),
          keepaliveMs: number("keepaliveMs", 1000),
          warntimeMs: number("warntimeMs", deadtimeMs / 2),
          deadtimeMs,
          initdeadMs: number("initdeadMs", 10_000),
          quorum: {
            waitForAll: options["waitForAll"] === "yes",
            tieBreaker: options["tieBreaker"] === "ping" ? "ping" : "none",
          },
        };
        for (const node of nodes) if (options["only"] === undefined || options["only"] === node.name) boot(node, 1);
        return;
      }
      case "run":
        advance(nowMs + Number(argument));
        return;
      case "cut":
        cut.add(argument ?? "");
        return;
      case "join":
        cut.delete(argument ?? "");
        return;
      case "kill":
        byName(argument).state = undefined;
        return;
      case "start": {
        const node = byName(argument);
        boot(node, Number(options["generation"] ?? node.generation + 1));
        return;
      }
      case "revive": {
        const node = byName(argument);
        if (node.state === undefined) boot(node, node.generation + 1);
        return;
      }
      case "forget":
        byName(argument).peers = {};
        return;
      case "stop":
      case "freeze": {
        const node = byName(argument);
        node.asleep = verb === "stop" ? "stopped" : "frozen";
        node.asleepSinceMs = nowMs;
        return;
      }
      case "thaw":
        wake(byName(argument));
        return;
      case "reach":
        run(byName(argument), { kind: "tie-breaker", held: options["ping"] === "yes" });
        return;
      case "suspended": {
        // The monotonic clock stood still, and whoever looks at the clock since boot knows for how long.
        const node = byName(argument);
        const sleptMs = nowMs - node.asleepSinceMs;
        node.clockOffsetMs -= sleptMs;
        node.asleep = "no";
        run(node, { kind: "suspended", sleptMs });
        for (const event of node.queue.splice(0)) run(node, event);
        return;
      }
      case "leave":
        run(byName(argument), { kind: "leave" });
        return;
      case "fence": {
        const node = byName(argument);
        if (options["dead"] !== "no") node.state = undefined;
        const generation = other(node).state?.peers.find(({ name }) => name === node.name)?.generation ?? 0;
        run(other(node), { kind: "fencing-confirmed", name: node.name, generation });
        return;
      }
      case "accept":
        run(other(byName(argument)), { kind: "peer-accepted", name: argument ?? "" });
        return;
      case "view": {
        const node = byName(argument);
        const view = viewOf(present(node.state, "it is dead"), clockOf(node));
        const peers = view.peers.map(({ name, phase, generation }) => `${name}=${phase}/${generation}`);
        const marks = [
          view.agreed ? "agreed" : "",
          view.quorate ? "quorate" : "",
          view.hold === undefined ? "" : "hold",
        ];
        log(
          node,
          `view epoch=${view.epoch} members=${view.members.join(",")} ${peers.join(" ")} ${marks.join(" ")}`.trim(),
        );
        return;
      }
      default:
        throw new Error(`no verb ${verb}`);
    }
  }

  for (const line of lines) {
    const [verb = "", ...words] = line.trim().split(/\s+/);
    const options = Object.fromEntries(words.filter((word) => word.includes("=")).map((word) => word.split("=")));
    play(
      verb,
      words.find((word) => !word.includes("=")),
      options,
    );
  }
  return out;
}
