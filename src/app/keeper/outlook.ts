/**
 * What lies beyond the cluster: ping nodes, and the tie-breaker of two halves. Joins their cores to the pinger and the
 * disk, and holds no rule.
 */
import type { NodeConfig, NodeEntry } from "../../cib/node-config.ts";
import {
  createReachability,
  type Reachability,
  restartReachability,
  stepReachability,
} from "../../cluster/core/keeper/reachability.ts";
import { isTieSeeker } from "../../cluster/core/membership/quorum.ts";
import type { MembershipEvent, MembershipState } from "../../cluster/core/membership/state.ts";
import { openPinger, type Pinger } from "../../hw/edge/pinger.ts";
import type { Log } from "./log.ts";
import { createTieLock, type TieLock } from "./tie-lock.ts";

export interface Outlook {
  /** After each step: time has passed, and perhaps a tie has come or gone. */
  look(state: MembershipState): void;
  /** Nobody listened for a while. */
  restart(): void;
  /** Why the tie-breaker could not be had now. */
  tieTrouble(): string | undefined;
  close(): void;
}

type OutlookEvent = Extract<MembershipEvent, { kind: "tie-breaker" | "reachable" }>;

interface Setting {
  readonly config: NodeConfig;
  readonly self: NodeEntry;
  readonly log: Log;
  readonly onEvent: (event: OutlookEvent) => void;
}

/** Undefined, and said, when there are none or they cannot be pinged. */
function openPings({ config, log }: Setting, onReply: (name: string) => void): Pinger | undefined {
  const { pings } = config;
  if (pings.length === 0) return undefined;
  try {
    return openPinger(
      pings.flatMap(({ addresses }) => addresses),
      (address) => {
        for (const { name, addresses } of pings) if (addresses.includes(address)) onReply(name);
      },
    );
  } catch (error) {
    log.say("error", `ping nodes cannot be pinged (${String(error)}): all of them count as dead`);
    return undefined;
  }
}

export function openOutlook(setting: Setting): Outlook {
  const { config, self, log, onEvent } = setting;
  const { pings, deadpingMs, keepaliveMs, quorum } = config;
  const names = pings.map(({ name }) => name);
  let reach: Reachability = createReachability(names, deadpingMs, performance.now());
  const pinger = openPings(setting, stepPings);
  const { tieBreaker } = quorum;
  const lock: TieLock | undefined =
    tieBreaker.kind === "disk"
      ? createTieLock(tieBreaker.path, self.name, log, (held) => onEvent({ kind: "tie-breaker", held }))
      : undefined;

  function stepPings(name: string | undefined): void {
    const stepped = stepReachability(reach, name, performance.now());
    reach = stepped.state;
    for (const effect of stepped.effects) {
      if (effect.kind === "reachable") onEvent(effect);
      else {
        const alive = effect.kind === "ping-node-alive";
        log.say(alive ? "notice" : "warning", `${effect.kind}: ${effect.name}`);
        if (tieBreaker.kind === "ping" && tieBreaker.name === effect.name)
          onEvent({ kind: "tie-breaker", held: alive });
      }
    }
  }

  const timer =
    names.length === 0
      ? undefined
      : setInterval(() => {
          pinger?.send();
          stepPings(undefined);
        }, keepaliveMs);
  pinger?.send();
  return {
    look: (state) => lock?.seek(isTieSeeker(state)),
    restart() {
      reach = restartReachability(reach, performance.now());
    },
    tieTrouble: () => lock?.trouble(),
    close() {
      clearInterval(timer);
      pinger?.close();
      lock?.close();
    },
  };
}
